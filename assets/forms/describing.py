"""The words of an object and of its picture, with the fields that the museum added."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assets import own
from assets.changes import collections
from assets.forms.labels import SEVERAL, CollectionField, LabelsField, collection_path, term_patch
from assets.forms.own import OwnField
from assets.forms.rights import StatementInput, UsesField
from assets.models import CREATORS, PLACES, SUBJECTS, Asset, Record

WORDS = (
    "title",
    "date",
    "medium",
    "description",
    "credit_line",
    "rights",
    "rights_holder",
    "usage_terms",
    "not_for",
)
PLACE = ("collection", "access", "embargo_until", "rights_expire_at", "alt_text")
TERMS = {"creators": CREATORS, "places": PLACES, "subjects": SUBJECTS}
TRANSLATED = ("title", "description", "alt_text")
MOMENTS = [
    MinValueValidator(datetime(1900, 1, 1, tzinfo=UTC), _("Choose a year from 1900 on.")),
    MaxValueValidator(datetime(9000, 1, 1, tzinfo=UTC), _("Choose a year before 9000.")),
]
"""In every time zone a year from 1 to 9999: of another, what was stored could not be read again."""
LABELS = {
    "title": _("Title"),
    "creators": _("Creator"),
    "description": _("Description"),
    "accession_number": _("Accession number"),
    "date": _("Date"),
    "places": _("Places"),
    "medium": _("Medium"),
    "subjects": _("Subjects"),
    "credit_line": _("Credit line"),
    "rights": _("Rights"),
    "rights_holder": _("Rights holder"),
    "usage_terms": _("Usage terms"),
    "not_for": _("Not for"),
    "collection": _("Collection"),
    "access": _("Access"),
    "embargo_until": _("Under embargo until"),
    "rights_expire_at": _("Licence ends"),
    "alt_text": _("Text for people who cannot see it"),
}
CHANGED_MEANWHILE = _("Somebody else has changed this since you opened it.")


class DescriptionForm(forms.Form):
    """Words of the object, and where its picture lives. Hidden initial values say what *this* person
    changed, so that two people who edit at the same time do not take back each other's work."""

    title = forms.CharField(required=False, max_length=500)
    creators = LabelsField(required=False, vocabulary=CREATORS, label=_("Creator"), help_text=SEVERAL)
    accession_number = forms.CharField(required=False, max_length=100)
    date = forms.CharField(
        required=False, max_length=200, help_text=_("As it should be read: c. 1710, 1880s, 18th century.")
    )
    places = LabelsField(required=False, vocabulary=PLACES, help_text=SEVERAL)
    medium = forms.CharField(required=False, max_length=500, help_text=_("Material and technique."))
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    subjects = LabelsField(required=False, vocabulary=SUBJECTS, help_text=SEVERAL)
    credit_line = forms.CharField(required=False, max_length=500)
    rights = forms.CharField(
        required=False,
        max_length=500,
        widget=StatementInput,
        help_text=_(
            "A statement, or a URI of RightsStatements.org. Who does not manage the collection can make it "
            "stricter, and not freer."
        ),
    )
    rights_holder = forms.CharField(required=False, max_length=300)
    usage_terms = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What others may do with pictures of it."),
    )
    not_for = UsesField(
        help_text=_("Nobody can download it for these. Only those who manage it take one away.")
    )
    collection = CollectionField(help_text=_("A new name makes a new collection."))
    access = forms.ChoiceField(
        choices=Asset.Access.choices,
        help_text=_("Restricted pictures are seen by administrators, and by those who are allowed to here."),
    )
    embargo_until = forms.DateTimeField(
        required=False,
        validators=MOMENTS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Until then it is seen by administrators, and by those who are allowed to here."),
    )
    rights_expire_at = forms.DateTimeField(
        required=False,
        validators=MOMENTS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("From then on only those who manage it can download this picture."),
    )
    alt_text = forms.CharField(
        required=False,
        label=_("Text for people who cannot see the picture"),
        help_text=_("What they should know of it, in a sentence or two. Screen readers read it out."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self, data: Any = None, *, asset: Asset | None, subject: Asset | Record, only: str = ""
    ) -> None:
        """`asset` is None for an object by itself. `only`: the one field that is edited.

        Raises KeyError where it is none of this object.
        """
        super().__init__(data)
        self.asset, self.subject = asset, subject
        self.slots: dict[str, own.Slot] = {}
        self.initial = _initial(asset, subject)
        if not isinstance(subject, Record):
            del self.fields["accession_number"]
        for name in PLACE if asset is None else ():
            del self.fields[name]
        self.fields["not_for"].offer(subject.not_for)  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.label = field.label or LABELS.get(name)
        self._add_languages()
        self._add_own()
        if only:
            self.fields = {only: self.fields[only]}
        for field in self.fields.values():
            field.show_hidden_initial = True

    def _add_languages(self) -> None:
        """A box for each other language behind that of the first."""
        found: dict[str, forms.Field] = {}
        for name, field in self.fields.items():
            found[name] = field
            if name not in TRANSLATED:
                continue
            if len(own.languages()) > 1:
                field.widget.attrs["lang"] = own.languages()[0]
            label = str(field.label)
            for language in own.languages()[1:]:
                widget = type(field.widget)(attrs={**field.widget.attrs, "lang": language})
                said = own.in_language(label, language)
                found[f"{name}__{language}"] = forms.CharField(
                    required=False, label=said, widget=widget, max_length=500 if name == "title" else None
                )
                of = self._of(name)
                self.initial[f"{name}__{language}"] = of.translated(name, language)
            if len(own.languages()) > 1:
                field.label = own.in_language(label, own.languages()[0])
        self.fields = found

    def _add_own(self) -> None:
        both = [self.subject] if self.asset in (None, self.subject) else [self.subject, self.asset]
        for one in both:
            for slot in own.slots_of(one):
                self.slots[slot.name] = slot
                self.fields[slot.name] = OwnField(slot)
                self.initial[slot.name] = slot.value(one.fields)

    def _of(self, name: str) -> Asset | Record:
        return self.asset if self.asset and name == "alt_text" else self.subject

    def clean(self) -> dict[str, Any]:
        """What somebody else has changed since this was shown is not overwritten unseen. Of terms both keep
        theirs: see term_patch. What was wrong before, and was left so, prevents nothing."""
        for name in [name for name in self.errors if name in self.slots and name not in self.changed_data]:
            del self.errors[name]
        for name in self.changed_data:
            if name in self.errors or name in TERMS:
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
        now = gettext("It says now: “%s”.") % said if said else gettext("It is empty now.")
        again = gettext("Save again to put yours in its place.")
        self.add_error(name, f"{CHANGED_MEANWHILE} {now} {again}")

    def of_object(self) -> list[forms.BoundField]:
        return [bound for bound in self if not self._of_place(bound.name)]

    def of_picture(self) -> list[forms.BoundField]:
        return [bound for bound in self if self._of_place(bound.name)]

    def _of_place(self, name: str) -> bool:
        if name in self.slots:
            return self.slots[name].definition.applies_to == "asset"
        return name.partition("__")[0] in PLACE

    def patches(self, user: User) -> tuple[dict[str, Any], dict[str, Any]]:
        """For changes.apply: what changed of the object's words, and what of the picture's place.

        Raises NotAllowed for a collection that `user` may put nothing into.
        """
        changed = {name: self.cleaned_data[name] for name in self.changed_data}
        if "collection" in changed:
            changed["collection"] = collections.home(user, changed["collection"])
        words = {name: value for name, value in changed.items() if name in (*WORDS, "accession_number")}
        place = {name: value for name, value in changed.items() if name in PLACE}
        for name in TERMS.keys() & changed.keys():
            stored = self.subject.labels(TERMS[name]) if self.subject.pk else []
            for kind, labels in term_patch(self, name, TERMS[name], stored).items():
                words[kind] = words.get(kind, {}) | labels
        for name, value in changed.items():
            self._merge(place if self._of_place(name) else words, name, value)
        return words, place

    def _merge(self, patch: dict[str, Any], name: str, value: Any) -> None:
        """Add a value in one of several languages, or of an own field, to a patch."""
        column, _between, language = name.partition("__")
        if name in self.slots:
            kind, said = "field_values", self.slots[name].patch(value)
        elif language:
            kind, said = "translated", {column: {language: value}}
        else:
            return
        for key, by_language in said.items():
            patch.setdefault(kind, {}).setdefault(key, {}).update(by_language)


def _differ(field: forms.Field, stored: Any, sent: Any) -> bool:
    """Whether what was sent is another value; browsers end lines in their own way."""
    texts = ["\n".join(v.split("\r\n")).strip() if isinstance(v, str) else v for v in (stored, sent)]
    return field.has_changed(*texts)


def _initial(asset: Asset | None, subject: Asset | Record) -> dict[str, Any]:
    if subject.pk is None:  # it is being made
        return {}
    initial = {name: getattr(subject, name) for name in WORDS}
    initial |= {name: subject.labels(slug) for name, slug in TERMS.items()}
    if isinstance(subject, Record):
        initial["accession_number"] = subject.accession_number
    if asset is None:
        return initial
    initial |= {name: getattr(asset, name) for name in ("access", "alt_text")}
    for name in ("embargo_until", "rights_expire_at"):
        until = getattr(asset, name)
        initial[name] = timezone.localtime(until).replace(second=0, microsecond=0) if until else None
    return initial | {"collection": collection_path(asset.collection)}


class NewRecordForm(DescriptionForm):
    """An object of the catalogue that is being made, and where it waits for its picture if it has none."""

    home = CollectionField(
        required=False,
        label=_("Collection"),
        help_text=_("Where it waits for its first picture. A new name makes a new collection."),
    )

    def __init__(self, data: Any = None, *, picture: Asset | None, accession: str = "") -> None:
        super().__init__(data, asset=None, subject=Record())
        self.initial["accession_number"] = accession
        if picture:
            del self.fields["home"]
        self.order_fields(["accession_number"])
        for field in self.fields.values():
            field.show_hidden_initial = False

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if not (found.get("accession_number") or found.get("title")) and not self.errors:
            raise forms.ValidationError(gettext("Write an accession number or a title."))
        return found
