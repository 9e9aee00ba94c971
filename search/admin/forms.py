"""What people send to compare two spaces, checked."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from search.evaluation import Golden, GoldenError, parse
from search.models import EmbeddingSpace

MOST_BYTES = 2 * 1024**2
COMPARED = [
    ("visual", _("likeness only: what the models themselves see")),
    ("best", _("words and likeness: as people search")),
]


def described(space: EmbeddingSpace) -> str:
    return f"{space} ({space.get_state_display()})"


class SpaceField(forms.ModelChoiceField[EmbeddingSpace]):
    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(EmbeddingSpace.objects.all(), label=label, empty_label=None, **options)

    def label_from_instance(self, obj: Any) -> str:
        return described(obj)


class ComparisonForm(forms.Form):
    first = SpaceField(_("One space"))
    second = SpaceField(_("The other space"))
    golden = forms.FileField(
        label=_("Questions"),
        help_text=_(
            "A CSV file with the columns query and filename: a question, and the original file name of "
            "a picture that should be found by it. Both spaces are asked every question."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    mode = forms.ChoiceField(
        label=_("Search by"), choices=COMPARED, initial="visual", widget=forms.RadioSelect
    )

    def clean_golden(self) -> list[Golden]:
        file: UploadedFile[Any] = self.cleaned_data["golden"]
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("This file is too large: a list of questions has 2 MB at most."))
        try:
            return parse(file.read(), file.name or "The file")
        except GoldenError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("first") and cleaned.get("first") == cleaned.get("second"):
            raise forms.ValidationError(_("Choose two different spaces."))
        return cleaned


class SideForm(forms.Form):
    """A question to two spaces, in the address."""

    q = forms.CharField(label=_("Question"), required=False, max_length=500)
    first = SpaceField(_("Left"), required=False)
    second = SpaceField(_("Right"), required=False)
    mode = forms.ChoiceField(label=_("Search by"), choices=COMPARED, required=False)
    comparison = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget.attrs.update({"list": "golden", "type": "search", "autocomplete": "off"})
