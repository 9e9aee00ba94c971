"""Values of the museum's own fields, as a row says them and as they are stored."""

from collections.abc import Mapping
from typing import Any

from assets import own
from assets.imports.targets import OWN
from assets.models import FieldDefinition
from assets.own import FieldRefused, Slot

__all__ = ["FieldRefused", "definitions", "values"]


def definitions() -> dict[str, Slot]:
    """By the key of their target: see targets.own_targets."""
    return {
        OWN + slot.name.removeprefix(own.PREFIX): slot
        for kind in ("record", "asset")
        for slot in own.slots(kind)
    }


def values(words: Mapping[str, Any], known: Mapping[str, Slot]) -> dict[str, dict[str, Any]]:
    """The own fields among the words of a row, as assets.words.Words has them. Raises FieldRefused."""
    found: dict[str, dict[str, Any]] = {}
    for key, said in words.items():
        if not key.startswith(OWN) or not said:
            continue
        slot = known.get(key)
        if slot is None:
            raise FieldRefused(f"There is no field {key.removeprefix(OWN)} any more.")
        field: FieldDefinition = slot.definition
        if (value := own.read(field, said)) is not None:
            found.setdefault(field.applies_to, {}).setdefault(field.slug, {})[slot.language] = value
    return found
