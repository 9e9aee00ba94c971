"""Handing in pictures: files, and what is said of all of them."""

from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assets import kinds
from assets.forms.labels import CollectionField, LabelsField
from assets.models import Upload


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


# What the browser's chooser offers at first; the content decides what is taken.
OFFERED = "image/*,video/*,.pdf,.tif,.tiff,.heic,.heif,.jp2,.psd,.psb,.xmp,"
OFFERED += ".dng,.nef,.cr2,.cr3,.arw,.orf,.raf,.rw2,.pef"


class FilesField(forms.FileField):
    """One or more files."""

    widget = ManyFiles(attrs={"accept": OFFERED})

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]


class AboutPictures(forms.Form):
    """What is said about all pictures that are handed in together."""

    collection = CollectionField(
        required=False,
        help_text="A new name makes a new collection. Write “Prints / Hokusai” for one inside another.",
    )
    tags = LabelsField(
        required=False,
        widget=forms.TextInput(attrs={"list": "tag-labels", "autocomplete": "off"}),
        help_text="For all these pictures; put semicolons between several.",
    )
    accession = forms.CharField(
        required=False,
        max_length=100,
        label="Accession number",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Only if all these pictures show one and the same object.",
    )


class UploadForm(AboutPictures):
    pictures = FilesField(
        allow_empty_file=True, error_messages={"required": _("Choose at least one picture.")}
    )
    batch = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.OTHER_TYPES:
            del self.fields["pictures"].widget.attrs["accept"]

    def clean_pictures(self) -> list[UploadedFile[Any]]:
        files: list[UploadedFile[Any]] = self.cleaned_data["pictures"]
        refuse_too_large(files)
        return files


class UploadMetadataForm(AboutPictures):
    """What comes with an upload in pieces, before its bytes: the fields of the page, or a line of a CSV."""

    filename = forms.CharField(max_length=1000, strip=False)
    fingerprint = forms.CharField(required=False, max_length=1500, strip=False)
    purpose = forms.ChoiceField(required=False, choices=Upload.Purpose)
    sidecar = forms.UUIDField(required=False)
    batch = forms.UUIDField(required=False)
    title = forms.CharField(required=False, max_length=500)
    creator = forms.CharField(required=False, max_length=500)
    date = forms.CharField(required=False, max_length=200)
    medium = forms.CharField(required=False, max_length=500)
    description = forms.CharField(required=False, max_length=20_000)

    def clean_purpose(self) -> str:
        return self.cleaned_data["purpose"] or Upload.Purpose.PICTURE

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        ending = PurePosixPath(found.get("filename", "")).suffix.casefold().lstrip(".")
        if found.get("purpose") == Upload.Purpose.PICTURE and (said := kinds.no_pictures().get(ending)):
            refusal = gettext(
                "This is %(kind)s, not a picture, and was not sent. Accepted: %(accepted)s."
            ) % {
                "kind": gettext(said),
                "accepted": gettext(kinds.ACCEPTED),
            }
            raise forms.ValidationError({"filename": refusal})
        return found

    def words(self) -> dict[str, str]:
        """As assets.ingest takes them, from a line of a CSV."""
        names = ("collection", "accession", "title", "creator", "date", "medium", "description")
        said = {name: self.cleaned_data[name] for name in names} | {
            "tags": "; ".join(self.cleaned_data["tags"])
        }
        return {name: text for name, text in said.items() if text}


class AddPictureForm(forms.Form):
    """The picture that an object has waited for."""

    picture = forms.FileField(allow_empty_file=True, error_messages={"required": _("Choose a picture.")})

    def clean_picture(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["picture"]
        refuse_too_large([file])
        return file


class NewVersionForm(AddPictureForm):
    """A better file of the same picture; that it is the same must be said."""

    same = forms.BooleanField(
        error_messages={"required": _("Say that it shows the same picture: tick the box above the button.")}
    )


def refuse_too_large(files: list[UploadedFile[Any]]) -> None:
    limit = settings.MAX_UPLOAD_BYTES
    large = [str(file.name) for file in files if (file.size or 0) > limit]
    if large:
        raise forms.ValidationError(
            gettext("Larger than %(most)s: %(names)s.")
            % {"most": filesizeformat(limit), "names": ", ".join(large)}
        )
