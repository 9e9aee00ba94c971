"""Several statements that are sent as one, each with its own rows."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from search.sql import Fragment, rows


def ask(parts: Sequence[Fragment | None]) -> list[list[tuple[Any, ...]]]:
    """The rows of several statements, sent as one."""
    asked = as_one(parts)
    return told(rows(f"SELECT {asked.sql}", asked.params)[0][0])


def as_one(parts: Sequence[Fragment | None]) -> Fragment:
    """One value for `told`, of all rows of several statements; None has none."""
    given = [part or Fragment("SELECT WHERE FALSE") for part in parts]
    columns = ", ".join(f"(SELECT json_agg(part) FROM ({part.sql}) AS part)" for part in given)
    return Fragment(f"json_build_array({columns})::text", tuple(v for part in given for v in part.params))


def told(text: str) -> list[list[tuple[Any, ...]]]:
    """By statement, its rows with values as JSON has them: columns of a row need different names."""
    return [[tuple(row.values()) for row in part or ()] for part in json.loads(text)]


def of(found: QuerySet[Any], *columns: str) -> Fragment | None:
    """These columns of a queryset as a statement; None where nothing can be found."""
    try:
        return Fragment(*found.values(*columns).query.sql_with_params())
    except EmptyResultSet:
        return None
