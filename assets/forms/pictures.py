"""Small questions about pictures: their tags, and what they are of one another."""

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.forms.labels import LabelsField
from assets.models import Relation


class TagsForm(forms.Form):
    add = LabelsField(required=False, label="Add a tag")
    remove = forms.CharField(required=False, max_length=200)

    def patch(self) -> dict[str, dict[str, list[str]]]:
        """For changes.apply: what to add, or the one to remove."""
        add, remove = self.cleaned_data["add"], self.cleaned_data["remove"]
        patch = {"add_terms": {"tags": add}} if add else {}
        return patch | ({"remove_terms": {"tags": [remove]}} if remove else {})


class RelationForm(forms.Form):
    """What one picture is of another."""

    kind = forms.TypedChoiceField(choices=Relation.Kind.choices, coerce=Relation.Kind)


class KeepForm(forms.Form):
    """Which of two duplicates stays."""

    keep = forms.ChoiceField(
        label=_("Keep"), choices=[("left", "A"), ("right", "B")], widget=forms.RadioSelect
    )
    take_over = forms.BooleanField(
        label=_("Take over words that the kept picture has none of: title, tags, description and so on"),
        required=False,
    )
