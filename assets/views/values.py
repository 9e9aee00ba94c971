"""A description as its page shows it: values in groups, each edited where it stands."""

from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime

from assets import own
from assets.forms import collection_path
from assets.forms.describing import LABELS, TERMS, TRANSLATED
from assets.models import Asset, Record, Term, Use

OBJECT = ("accession_number", "date", "places", "medium", "subjects")
RIGHTS = ("credit_line", "rights", "rights_holder", "usage_terms", "not_for")
PICTURE = ("collection", "access", "embargo_until", "rights_expire_at", "alt_text")


@dataclass(frozen=True)
class Value:
    label: str | Promise
    text: str
    field: str = ""
    """Of assets.forms.DescriptionForm; empty where it is not edited here."""
    language: str = ""
    """In which it is said, where that is known."""
    required: bool = False
    terms: tuple[Term, ...] = ()
    """What it is made of, where each has a page."""

    @property
    def column(self) -> str:
        """The field without its language."""
        return self.field.partition("__")[0]


@dataclass(frozen=True)
class Described:
    """What is known in each group, and what could be added."""

    title: Value
    titles: list[Value]
    """In the other languages."""
    creators: Value
    descriptions: list[Value]
    of_object: list[Value]
    rights: list[Value]
    of_picture: list[Value]
    missing: list[Value]


@dataclass(frozen=True)
class Words:
    """The words of a picture and of what it shows, or (without `asset`) of an object by itself."""

    asset: Asset | None
    subject: Asset | Record

    @cached_property
    def slots(self) -> dict[str, tuple[own.Slot, Asset | Record]]:
        """The own fields of both, by their names in forms."""
        both = {self.subject: None} | ({self.asset: None} if self.asset else {})
        return {slot.name: (slot, one) for one in both for slot in own.slots_of(one)}

    def value(self, name: str) -> Value:
        """One field in words; its text is empty where nothing is known. Raises KeyError."""
        if name in self.slots:
            slot, of = self.slots[name]
            text = "\n".join(own.texts(slot.value(of.fields)))
            return Value(slot.label, text, name, slot.language, slot.definition.required)
        column, _between, language = name.partition("__")
        label = own.in_language(str(LABELS[column]), language)
        of = self.asset if self.asset and column in PICTURE else self.subject
        if language:
            return Value(label, of.translated(column, language), name, language)
        if column in TERMS:
            uses = [use.term for use in self.subject.term_uses.all()]
            terms = tuple(term for term in uses if term.vocabulary.slug == TERMS[column])
            return Value(label, "; ".join(term.label for term in terms), name, terms=terms)
        language = own.languages()[0] if column in TRANSLATED and own.languages()[1:] else ""
        return Value(own.in_language(label, language), self._text(of, column), name, language)

    def described(self) -> Described:
        of_object = self._values(*(OBJECT if isinstance(self.subject, Record) else OBJECT[1:]))
        of_object += self._own("record" if isinstance(self.subject, Record) else "asset")
        title, creators, others = self.value("title"), self.value("creators"), own.languages()[1:]
        titles = self._values(*(f"title__{language}" for language in others))
        descriptions = self._values("description", *(f"description__{language}" for language in others))
        rights, of_picture = self._values(*RIGHTS), []
        if self.asset:
            of_picture = self._values(*PICTURE, *(f"alt_text__{language}" for language in others))
            of_picture += self._own("asset") if isinstance(self.subject, Record) else []
        every = [*titles, creators, *descriptions, *of_object, *rights, *of_picture]
        missing = sorted((value for value in every if not value.text), key=lambda value: not value.required)
        return Described(
            title,
            _known(titles),
            creators,
            _known(descriptions),
            _known(of_object),
            _known(rights),
            _known(of_picture),
            missing,
        )

    def _values(self, *names: str) -> list[Value]:
        return [self.value(name) for name in names]

    def _own(self, kind: str) -> list[Value]:
        return [self.value(n) for n, (slot, _of) in self.slots.items() if slot.definition.applies_to == kind]

    def _text(self, of: Asset | Record, name: str) -> str:
        if name == "not_for":
            names = (
                {use.slug: str(use) for use in Use.objects.filter(slug__in=of.not_for)} if of.not_for else {}
            )
            return ", ".join(names.get(slug, slug) for slug in of.not_for)
        if not isinstance(of, Asset) or name not in PICTURE:
            return str(getattr(of, name))
        if name == "collection":
            return collection_path(of.collection)
        if name == "access":
            return str(of.get_access_display()).capitalize()
        if name in ("embargo_until", "rights_expire_at"):
            until = getattr(of, name)
            return date_format(localtime(until), "DATETIME_FORMAT") if until else ""
        return of.alt_text


def _known(values: list[Value]) -> list[Value]:
    return [value for value in values if value.text]
