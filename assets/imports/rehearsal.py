"""A check for the command line: what an import would do, of which nothing is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import User
from assets.imports import report, running, starting
from assets.imports.files import SourceError
from assets.imports.mapping import Columns
from assets.imports.progress import progress_of

WITHOUT_END = 1e9  # seconds


def rehearse(
    user: User | None, *, place: str = "", table: Path | None = None, options: Mapping[str, Any] | None = None
) -> tuple[list[tuple[int, list[str]]], list[tuple[str, str, int]]]:
    """For each row its number and what report.texts says of it; and the counts, as Progress has them.

    The columns are taken as their names say. Raises SourceError, TableRefused, MappingRefused.
    """
    with transaction.atomic():
        delivery = starting.begin(
            user,
            place or str(table),
            place=place,
            table=str(table or ""),
            options={**(options or {}), "anywhere": True},
        )
        if delivery.has_table:
            starting.choose(delivery, Columns.of(delivery.mapping), {})
        running.step(delivery.pk, WITHOUT_END)
        delivery.refresh_from_db()
        lines = [(row.number, report.texts(row)) for row in delivery.rows.order_by("number")]
        counts = progress_of(delivery).counts
        transaction.set_rollback(True)
    if delivery.problem:
        raise SourceError(delivery.problem)
    return lines, counts
