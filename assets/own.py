"""The museum's own fields: what a value of each type is, how it reads, and in which languages it may be said.

Values lie in `Described.fields` as {slug: {language: value}}. A value is a text or a number, or a list of
these where the field is repeatable. The language is "" where the field has none.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import get_language_info, gettext

from assets.dates import parse_years
from assets.models import Asset, FieldDefinition, Record, Term
from assets.text import label_key

Type = FieldDefinition.Type
Fields = Mapping[str, Mapping[str, Any]]
LONGEST = {Type.LONG_TEXT: 50_000}
LONGEST_LINE, MOST_VALUES = 2_000, 200
PREFIX = "own_"


class FieldRefused(ValueError):
    """A value does not fit its field; the message is for people."""


class Slot(NamedTuple):
    """One place to write into: a field, in one language where it has several."""

    definition: FieldDefinition
    language: str

    @property
    def name(self) -> str:
        """In forms and addresses: `own_provenance`, `own_provenance__de`."""
        first = self.language in ("", languages()[0])
        return f"{PREFIX}{self.definition.slug}" + ("" if first else f"__{self.language}")

    @property
    def label(self) -> str:
        return in_language(self.definition.name, self.language)

    def value(self, fields: Fields) -> Any:
        """What is said there, or None. What was said before the field had languages is in the first."""
        said = fields.get(self.definition.slug, {})
        others = [""] if self.language == languages()[0] else []
        others += languages()[:1] if not self.language else []
        return next((said[key] for key in (self.language, *others) if key in said), None)

    def patch(self, value: Any) -> dict[str, dict[str, Any]]:
        """For changes.apply, as `field_values`; None takes it out."""
        said = {self.language: value}
        if self.language == languages()[0]:
            said[""] = None
        elif not self.language:
            said[languages()[0]] = None
        return {self.definition.slug: said}


def languages() -> list[str]:
    """In which the museum describes things, the first in the columns of Described."""
    return list(settings.CONTENT_LANGUAGES)


def language_name(code: str) -> str:
    """`Deutsch` for `de`; the code itself where nobody knows it."""
    try:
        return str(get_language_info(code)["name_local"]).capitalize()
    except KeyError:
        return code


def in_language(label: str, language: str) -> str:
    """`Provenance (Deutsch)`, where there are several languages and it is said in one."""
    return f"{label} ({language_name(language)})" if language and len(languages()) > 1 else label


def slots(kind: str) -> list[Slot]:
    """All places to write into, of a `record` or an `asset`, in their order; by one query."""
    found = FieldDefinition.objects.filter(applies_to=kind).select_related("vocabulary")
    return [Slot(one, language) for one in found for language in (languages() if one.multilingual else [""])]


def slots_of(subject: Asset | Record) -> list[Slot]:
    return slots("record" if isinstance(subject, Record) else "asset")


def weights() -> dict[str, str]:
    """What the words of each field count in a search, by slug."""
    return dict(FieldDefinition.objects.values_list("slug", "weight"))


# --- reading and showing ------------------------------------------------------------------------------


def read(field: FieldDefinition, said: Any) -> Any:
    """The value that a text, a number or a list of them stands for, or None. Raises FieldRefused."""
    several = said if isinstance(said, list) else [said]
    values = [_one(field, text) for one in several if (text := _text(one))]
    if len(values) > MOST_VALUES:
        raise FieldRefused(
            gettext("%(field)s has more than %(most)d values.") % _named(field, most=MOST_VALUES)
        )
    if field.repeatable:
        return list(dict.fromkeys(values)) or None
    if len(values) > 1:
        raise FieldRefused(gettext("%(field)s takes one value alone.") % _named(field))
    return values[0] if values else None


def read_all(known: Mapping[str, FieldDefinition], said: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For changes.apply, as `field_values`, from {slug: value} or {slug: {language: value}}.

    Raises FieldRefused.
    """
    found: dict[str, dict[str, Any]] = {}
    for slug, value in said.items():
        if slug not in known:
            raise FieldRefused(gettext("There is no field %(slug)s here.") % {"slug": slug[:100]})
        field = known[slug]
        first = languages()[0] if field.multilingual else ""
        by_language = value if isinstance(value, dict) else {first: value}
        for language, one in by_language.items():
            if language not in (languages() if field.multilingual else [""]):
                raise FieldRefused(
                    gettext("%(field)s is not said in “%(language)s”.") % _named(field, language=language)
                )
            patch = Slot(field, language).patch(read(field, one))
            found.setdefault(slug, {}).update(patch[slug])
    return found


def shown(value: Any) -> str:
    """A value as one text; of several, or of several languages, all of them."""
    return "; ".join(texts(value))


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [] if value is None else [str(value)]


def unfit(field: FieldDefinition, values: Iterable[Fields]) -> tuple[int, str]:
    """How many of these objects have a value that a changed definition could not have, and one of them."""
    found = [shown(said) for fields in values if (said := fields.get(field.slug)) and not _fits(field, said)]
    return len(found), found[0][:80] if found else ""


def _fits(field: FieldDefinition, by_language: Mapping[str, Any]) -> bool:
    try:
        for value in by_language.values():
            read(field, value)
    except FieldRefused:
        return False
    return field.multilingual or len(by_language) == 1


def _text(said: Any) -> str:
    """What PostgreSQL stores: no null characters, and no half of a pair as JSON may have it."""
    return "" if said is None else re.sub("[\x00\ud800-\udfff]", "", str(said)).strip()


def _named(field: FieldDefinition, **more: Any) -> dict[str, Any]:
    return {"field": field.name, **more}


def _one(field: FieldDefinition, text: str) -> Any:
    if len(text) > LONGEST.get(Type(field.type), LONGEST_LINE):
        raise FieldRefused(gettext("%(field)s: “%(text)s…” is too long.") % _named(field, text=text[:50]))
    match field.type:
        case Type.NUMBER:
            return _number(field, text)
        case Type.DATE if parse_years(text) == (None, None):
            raise FieldRefused(
                gettext("%(field)s: no date is found in “%(text)s”.") % _named(field, text=text[:50])
            )
        case Type.TERM:
            return _term(field, text)
        case Type.LONG_TEXT:
            return re.sub(r"\r\n?", "\n", text)
    return " ".join(text.split())


def _number(field: FieldDefinition, text: str) -> int | float:
    plain = re.sub(r"\s", "", text).replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FieldRefused(gettext("%(field)s: “%(text)s” is no number.") % _named(field, text=text[:50]))
    whole = plain.lstrip("+-").isdecimal()  # not by way of a float, which holds 16 digits
    return int(plain if whole else number) if number.is_integer() else number


def _term(field: FieldDefinition, text: str) -> str:
    terms = Term.objects.filter(vocabulary=field.vocabulary, key=label_key(text)[:200])
    label = terms.values_list("label", flat=True).first()
    if label is None:
        said = _named(field, text=text[:50], vocabulary=field.vocabulary)
        raise FieldRefused(gettext("%(field)s: “%(text)s” is no term of %(vocabulary)s.") % said)
    return label
