"""Filters as they are written on the command line: `tag:NAME`, `collection:NAME`."""

from collections.abc import Iterable
from typing import TypedDict

FIELDS = {"tag": "tags", "collection": "collections"}


class FilterError(ValueError):
    """The message is for people."""


class Filters(TypedDict):
    tags: tuple[str, ...]
    collections: tuple[str, ...]


def parse(filters: Iterable[str]) -> Filters:
    """Keyword arguments for HybridQuery. Raises FilterError."""
    found: dict[str, list[str]] = {name: [] for name in FIELDS.values()}
    for text in filters:
        name, colon, value = text.partition(":")
        value = value.strip().strip('"')
        if not colon or name.strip() not in FIELDS or not value:
            known = ", ".join(f"{field}:NAME" for field in FIELDS)
            raise FilterError(f"The filter {text!r} is not understood. There are: {known}.")
        found[FIELDS[name.strip()]].append(value)
    return {"tags": tuple(found["tags"]), "collections": tuple(found["collections"])}
