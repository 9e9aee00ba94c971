"""The report of an import as CSV: what became of each row, or before the run, what would."""

import csv
from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from assets.models import Import, ImportRow
from assets.stored import shown
from assets.tables.formulas import safe

HEADERS = ["row", "file", "accession number", "title", "result", "reason", "changes", "address"]


class _Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def lines(delivery: Import, address: Callable[[str], str]) -> Iterator[str]:
    """The lines of the report; `address` makes a full address of a path."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([_(name) for name in HEADERS])
    rows = delivery.rows.select_related("asset").order_by("number")
    for row in rows.iterator(chunk_size=1000):
        link = address(row.asset.get_absolute_url()) if row.asset and row.outcome else ""
        yield writer.writerow([row.number, *map(safe, texts(row)), link])


def texts(row: ImportRow) -> list[str]:
    """File, number, title, result, reason and changes of a row."""
    result = str(row.get_outcome_display() if row.outcome else row.get_plan_display())
    nothing = _("(empty)")
    changes = "; ".join(
        f"{_(name)}: {before or nothing} → {after}" for name, before, after in row.differences
    )
    reason = shown(" ".join(filter(None, [row.reason, row.note])))
    words = row.words
    return [row.file, str(words.get("accession", "")), str(words.get("title", "")), result, reason, changes]
