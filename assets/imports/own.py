"""Values of the museum's own fields, as a row says them and as they are stored."""

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from assets.dates import parse_years
from assets.imports.targets import OWN
from assets.models import FieldDefinition, Term
from assets.text import label_key

Type = FieldDefinition.Type


class FieldRefused(ValueError):
    """A value does not fit its field; the message is for people."""


def definitions() -> dict[str, FieldDefinition]:
    """By the key of their target."""
    return {OWN + field.slug: field for field in FieldDefinition.objects.select_related("vocabulary")}


def values(words: Mapping[str, Any], known: Mapping[str, FieldDefinition]) -> dict[str, dict[str, Any]]:
    """The own fields among the words of a row, as assets.words.Words has them. Raises FieldRefused."""
    found: dict[str, dict[str, Any]] = {}
    for key, said in words.items():
        if not key.startswith(OWN) or not said:
            continue
        field = known.get(key)
        if field is None:
            raise FieldRefused(f"There is no field {key.removeprefix(OWN)} any more.")
        value = [_value(field, one) for one in said] if isinstance(said, list) else _value(field, said)
        language = settings.LANGUAGE_CODE if field.multilingual else ""
        found.setdefault(field.applies_to, {})[field.slug] = {language: value}
    return found


def _value(field: FieldDefinition, text: str) -> Any:
    if field.type == Type.NUMBER:
        try:
            number = float(text.replace(" ", "").replace(",", "."))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise FieldRefused(f"{field.name}: “{text[:50]}” is no number.")
        return int(number) if number.is_integer() else number
    if field.type == Type.DATE and parse_years(text) == (None, None):
        raise FieldRefused(f"{field.name}: no date is found in “{text[:50]}”.")
    if field.type == Type.TERM:
        terms = Term.objects.filter(vocabulary=field.vocabulary, key=label_key(text)[:200])
        label = terms.values_list("label", flat=True).first()
        if label is None:
            raise FieldRefused(f"{field.name}: “{text[:50]}” is no term of {field.vocabulary}.")
        return label
    return text
