"""The words of an object and of its picture, with the fields that the museum added."""

from typing import Any

from django import forms
from django.utils import timezone

from assets.forms.labels import SEVERAL, CollectionField, LabelsField, collection_path, term_patch
from assets.models import CREATORS, Asset, Collection, Record

WORDS = ("title", "date", "medium", "description", "credit_line", "rights", "rights_holder", "usage_terms")
PLACE = ("collection", "access", "embargo_until", "alt_text")
CHANGED_MEANWHILE = "Somebody else has changed this since you opened it."


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
