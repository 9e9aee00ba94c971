"""What can be done to a selection, each with the form that asks for its values."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assets.bulk.actions import CLEAR, FIELDS, FILL, REPLACE, Action
from assets.forms import MOMENTS, SEVERAL, CollectionField, LabelsField
from assets.forms.rights import UsesField
from assets.models import Asset

MODES = [
    (REPLACE, _("Put it in place of what is written there")),
    (FILL, _("Write it only where nothing is written yet")),
    (CLEAR, _("Take away what is written there")),
]
RIGHTS = ("rights", "rights_holder", "credit_line", "usage_terms")
SEARCHED = ("title", "description", "medium", "date", "alt_text", *RIGHTS)


class ActionForm(forms.Form):
    """One action; `action()` is what assets.bulk.actions carries out."""

    name = ""

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)

    def action(self) -> Action:
        return {"name": self.name, **self.values()}


class TagsForm(ActionForm):
    labels = LabelsField(
        label=_("Tags"),
        widget=forms.TextInput(attrs={"list": "tag-labels", "autocomplete": "off"}),
        help_text=SEVERAL,
    )


class AddTagsForm(TagsForm):
    name = "add_tags"


class RemoveTagsForm(TagsForm):
    name = "remove_tags"


class CollectionForm(ActionForm):
    name = "collection"
    path = CollectionField(label=_("Collection"), help_text=_("A new name makes a new collection."))


class ValueForm(ActionForm):
    """A value, and what becomes of one that is there."""

    mode = forms.ChoiceField(label=_("What to do"), choices=MODES, initial=REPLACE, widget=forms.RadioSelect)
    taken = "value"
    """The field that has the value."""

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if found.get("mode") != CLEAR and not found.get(self.taken) and self.taken not in self.errors:
            self.add_error(self.taken, _("Write what it shall be, or choose to take away what is written."))
        return found


class CreatorsForm(ValueForm):
    name = "creators"
    taken = "labels"
    labels = LabelsField(label=FIELDS["creators"], required=False, help_text=SEVERAL)
    field_order = ("labels", "mode")


class DateForm(ValueForm):
    name = "text"
    value = forms.CharField(
        label=FIELDS["date"],
        required=False,
        max_length=200,
        help_text=_("As it should be read: c. 1710, 1880s, 18th century."),
    )
    field_order = ("value", "mode")

    def values(self) -> dict[str, Any]:
        return {**super().values(), "field": "date"}


class RightsForm(ValueForm):
    name = "text"
    field = forms.ChoiceField(
        label=_("Which"),
        choices=[(name, FIELDS[name]) for name in RIGHTS],
        help_text=_("Who does not manage a picture can make its rights stricter, and not freer."),
    )
    value = forms.CharField(
        label=_("Text"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 2})
    )
    field_order = ("field", "value", "mode")

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        most = Asset._meta.get_field(found.get("field", "rights")).max_length  # type: ignore[union-attr]
        if most and len(found.get("value", "")) > most:
            said = _("This may have at most %(most)s characters.")
            self.add_error("value", said % {"most": most})
        return found


class AccessForm(ActionForm):
    name = "access"
    access = forms.ChoiceField(
        label=_("Access"),
        choices=Asset.Access.choices,
        help_text=_(
            "Restricted pictures are seen by administrators, and by those who are allowed to where they live."
        ),
    )


class EmbargoForm(ActionForm):
    name = "embargo"
    until = forms.DateTimeField(
        label=_("Under embargo until"),
        required=False,
        validators=MOMENTS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_(
            "Until then they are seen by administrators, and by those who are allowed to where they live. "
            "Leave it empty to lift the embargo."
        ),
    )

    def values(self) -> dict[str, Any]:
        until = self.cleaned_data["until"]
        return {"until": until.isoformat() if until else ""}


class LicenceForm(EmbargoForm):
    name = "licence"
    until = forms.DateTimeField(
        label=FIELDS["rights_expire_at"],
        required=False,
        validators=MOMENTS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_(
            "From then on only those who manage them can download them. "
            "Leave it empty where the licence has no end."
        ),
    )


class NotForForm(ActionForm):
    name = "not_for"
    uses = UsesField(
        label=FIELDS["not_for"],
        help_text=_("Choose none to allow all uses again; only those who manage a picture can do that."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["uses"].offer(())  # type: ignore[attr-defined]


class ReplaceForm(ActionForm):
    name = "replace"
    field = forms.ChoiceField(label=_("Look in"), choices=[(name, FIELDS[name]) for name in SEARCHED])
    find = forms.CharField(label=_("Find"), max_length=500, strip=False)
    put = forms.CharField(
        label=_("Replace by"),
        required=False,
        max_length=500,
        strip=False,
        help_text=_("Leave it empty to take the text out."),
    )
    whole_words = forms.BooleanField(label=_("Whole words only"), required=False)
    match_case = forms.BooleanField(label=_("Capitals count"), required=False)


class TrashForm(ActionForm):
    name = "trash"


ACTIONS: dict[str, tuple[Any, type[ActionForm]]] = {
    "add-tags": (_("Add tags"), AddTagsForm),
    "remove-tags": (_("Remove tags"), RemoveTagsForm),
    "collection": (_("Move to a collection"), CollectionForm),
    "maker": (_("Maker"), CreatorsForm),
    "date": (_("Date"), DateForm),
    "rights": (_("Rights and credit"), RightsForm),
    "licence": (_("End of the licence"), LicenceForm),
    "not-for": (_("Not for"), NotForForm),
    "replace": (_("Find and replace"), ReplaceForm),
    "access": (_("Access"), AccessForm),
    "embargo": (_("Embargo"), EmbargoForm),
    "trash": (_("Move to the trash"), TrashForm),
}
