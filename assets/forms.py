"""What people may send, checked before it is used."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from assets import kinds
from assets.models import CREATORS, Asset, Collection, Record, Relation, Upload
from assets.querysets import MAX_DEPTH
from assets.text import label_key

WORDS = ("title", "date", "medium", "description", "credit_line", "rights", "rights_holder", "usage_terms")
PLACE = ("collection", "access", "embargo_until", "alt_text")
LONGEST_NAME = 200
CHANGED_MEANWHILE = "Somebody else has changed this since you opened it."
SEVERAL = "Put semicolons between several."


class LabelsField(forms.CharField):
    """Several labels in one line or one on each; a comma may be part of a label, as in `Paris, France`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2000, **kwargs)

    def to_python(self, value: Any) -> Any:
        found = map(printable, re.split("[;\n]", super().to_python(value) or ""))
        return list({label_key(label): label for label in found if label}.values())

    def validate(self, value: Any) -> None:
        super().validate(value)
        if any(too_long(label) for label in value):
            raise forms.ValidationError(f"One of these is longer than {LONGEST_NAME} characters.")

    def prepare_value(self, value: Any) -> Any:
        return "; ".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = self.to_python(self.prepare_value(initial))
        return bool(self.to_python(data) != before)


class CollectionField(forms.CharField):
    """The path of a collection, such as `Prints / Hokusai`."""

    widget = forms.TextInput(attrs={"list": "collection-paths", "autocomplete": "off"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=5000, **kwargs)

    def to_python(self, value: Any) -> Any:
        parts = map(printable, (super().to_python(value) or "").strip(" /").split(" / "))
        return " / ".join(filter(None, parts))

    def validate(self, value: Any) -> None:
        super().validate(value)
        parts = value.split(" / ")
        if len(parts) > MAX_DEPTH:
            raise forms.ValidationError(f"Not more than {MAX_DEPTH} collections inside one another.")
        if any(too_long(part) for part in parts):
            raise forms.ValidationError(f"The name of a collection has at most {LONGEST_NAME} characters.")


def printable(text: str) -> str:
    """Without control characters and with single spaces; empty where nothing can be seen."""
    plain = "".join(c for c in " ".join(text.split()) if unicodedata.category(c) not in {"Cc", "Cs"})
    return plain if any(unicodedata.category(c)[0] not in "CZ" for c in plain) else ""


def too_long(name: str) -> bool:
    """For a column; the key may be longer than the name, since it writes out ligatures."""
    return max(len(name), len(label_key(name))) > LONGEST_NAME


def term_patch(form: forms.BaseForm, name: str, vocabulary: str, stored: list[str]) -> dict[str, Any]:
    """For changes.apply: exactly what was typed, or where somebody has changed the terms since they were
    shown, only what this person added and took away."""
    typed = form.cleaned_data[name]
    shown: list[str] = form.fields[name].to_python(form.data.get(form[name].html_initial_name)) or []
    if shown == stored:
        return {"terms": {vocabulary: typed}}
    added = [label for label in typed if label not in shown]
    removed = [label for label in shown if label not in typed]
    patch = {"add_terms": {vocabulary: added}} if added else {}
    return patch | ({"remove_terms": {vocabulary: removed}} if removed else {})


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
    pictures = FilesField(allow_empty_file=True, error_messages={"required": "Choose at least one picture."})
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
            refusal = f"This is {said}, not a picture, and was not sent. Accepted: {kinds.ACCEPTED}."
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

    picture = forms.FileField(allow_empty_file=True, error_messages={"required": "Choose a picture."})

    def clean_picture(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["picture"]
        refuse_too_large([file])
        return file


class NewVersionForm(AddPictureForm):
    """A better file of the same picture; that it is the same must be said."""

    same = forms.BooleanField(
        error_messages={"required": "Say that it shows the same picture: tick the box above the button."}
    )


def refuse_too_large(files: list[UploadedFile[Any]]) -> None:
    limit = settings.MAX_UPLOAD_BYTES
    large = [str(file.name) for file in files if (file.size or 0) > limit]
    if large:
        raise forms.ValidationError(f"Larger than {filesizeformat(limit)}: {', '.join(large)}.")


class TagsForm(forms.Form):
    add = LabelsField(required=False, label="Add a tag")
    remove = forms.CharField(required=False, max_length=200)

    def patch(self) -> dict[str, dict[str, list[str]]]:
        """For changes.apply: what to add, or the one to remove."""
        add, remove = self.cleaned_data["add"], self.cleaned_data["remove"]
        patch = {"add_terms": {"tags": add}} if add else {}
        return patch | ({"remove_terms": {"tags": [remove]}} if remove else {})


class DescriptionForm(forms.Form):
    """Words of the object, and where its picture lives. Hidden initial values say what *this* person
    changed, so that two people who edit at the same time do not take back each other's work."""

    title = forms.CharField(required=False, max_length=500)
    creators = LabelsField(required=False, label="Creator", help_text=SEVERAL)
    accession_number = forms.CharField(required=False, max_length=100)
    date = forms.CharField(
        required=False, max_length=200, help_text="As it should be read: c. 1710, 1880s, 18th century."
    )
    medium = forms.CharField(required=False, max_length=500, help_text="Material and technique.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    credit_line = forms.CharField(required=False, max_length=500)
    rights = forms.CharField(
        required=False, max_length=500, help_text="A statement, or a URI of RightsStatements.org."
    )
    rights_holder = forms.CharField(required=False, max_length=300)
    usage_terms = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What others may do with pictures of it.",
    )
    collection = CollectionField(help_text="A new name makes a new collection.")
    access = forms.ChoiceField(
        choices=Asset.Access.choices,
        help_text="Only administrators see restricted pictures: others who save this see it no more.",
    )
    embargo_until = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Until then only administrators see this picture: others who save this see it no more.",
    )
    alt_text = forms.CharField(
        required=False,
        label="Text for people who cannot see the picture",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any = None, *, asset: Asset, subject: Asset | Record, only: str = "") -> None:
        """`only`: the one field that is edited. Raises KeyError where it is none of this object."""
        super().__init__(data, initial=_initial(asset, subject))
        self.subject = subject
        if not isinstance(subject, Record):
            del self.fields["accession_number"]
        if only:
            self.fields = {only: self.fields[only]}
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        """What somebody else has changed since this was shown is not overwritten unseen. Of makers both keep
        theirs: see term_patch."""
        for name in self.changed_data:
            if name in self.errors or name == "creators":
                continue
            field, stored = self.fields[name], self.get_initial_for_field(self.fields[name], name)
            seen = self.data.get(self[name].html_initial_name)
            if (
                seen is not None
                and _differ(field, stored, seen)
                and _differ(field, stored, self.data.get(name))
            ):
                self._notice(name, stored)
        return self.cleaned_data

    def _notice(self, name: str, stored: Any) -> None:
        """Say what stands there now; who saves again has seen it."""
        said = self.fields[name].prepare_value(stored)
        data: Any = self.data
        self.data = data = data.copy()
        data[self[name].html_initial_name] = "" if said is None else str(said)
        now = f"It says now: “{said}”." if said else "It is empty now."
        self.add_error(name, f"{CHANGED_MEANWHILE} {now} Save again to put yours in its place.")

    def of_object(self) -> list[forms.BoundField]:
        return [bound for bound in self if bound.name not in PLACE]

    def of_picture(self) -> list[forms.BoundField]:
        return [bound for bound in self if bound.name in PLACE]

    def patches(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """For changes.apply: what changed of the object's words, and what of the picture's place."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data}
        if "collection" in changed:
            changed["collection"] = Collection.objects.named(changed["collection"])
        words = {name: value for name, value in changed.items() if name in (*WORDS, "accession_number")}
        if "creators" in changed:
            words |= term_patch(self, "creators", CREATORS, self.subject.creators)
        return words, {name: value for name, value in changed.items() if name in PLACE}


def _differ(field: forms.Field, stored: Any, sent: Any) -> bool:
    """Whether what was sent is another value; browsers end lines in their own way."""
    texts = ["\n".join(v.split("\r\n")).strip() if isinstance(v, str) else v for v in (stored, sent)]
    return field.has_changed(*texts)


def _initial(asset: Asset, subject: Asset | Record) -> dict[str, Any]:
    initial = {name: getattr(subject, name) for name in WORDS} | {"creators": subject.creators}
    if isinstance(subject, Record):
        initial["accession_number"] = subject.accession_number
    initial |= {name: getattr(asset, name) for name in ("access", "alt_text")}
    until = asset.embargo_until
    initial["embargo_until"] = timezone.localtime(until).replace(second=0, microsecond=0) if until else None
    return initial | {"collection": collection_path(asset.collection)}


def collection_path(collection: Collection) -> str:
    """`Prints / Hokusai`, as Collection.objects.named reads it."""
    names, node = [collection.name], collection.parent
    while node is not None and len(names) < 20:
        names.insert(0, node.name)
        node = node.parent
    return " / ".join(names)


class RelationForm(forms.Form):
    """What one picture is of another."""

    kind = forms.TypedChoiceField(choices=Relation.Kind.choices, coerce=Relation.Kind)


class KeepForm(forms.Form):
    """Which of two duplicates stays."""

    keep = forms.ChoiceField(label="Keep", choices=[("left", "A"), ("right", "B")], widget=forms.RadioSelect)
    take_over = forms.BooleanField(
        label="Take over words that the kept picture has none of: title, tags, description and so on",
        required=False,
    )
