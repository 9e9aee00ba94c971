"""Laying out a delivery: a line in the database for each row of the table, and for each file without one."""

import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Max

from assets.dates import parse_years
from assets.imports.files import Files, table_of
from assets.imports.mapping import Columns
from assets.imports.targets import Target, targets
from assets.models import Import, ImportRow
from assets.tables import Row
from assets.text import accession_key

AT_ONCE = 500  # rows in one transaction
UNNAMED = "No row of the table names this file."


def lay_out(delivery: Import, files: Files, until: float) -> bool:
    """Go on until all is laid out (True) or the moment `until` of time.monotonic. Raises TableRefused."""
    if delivery.has_table:
        with table_of(delivery) as table:
            if delivery.notes != table.notes:
                delivery.notes = table.notes
                delivery.save(update_fields=["notes"])
            reader = _Reader(delivery, files)
            rows = islice(table.rows, delivery.position, None)
            while portion := list(islice(rows, AT_ONCE)):
                _store(delivery, [reader.line(row) for row in portion])
                if time.monotonic() > until:
                    return False
    _lay_out_files(delivery, files)
    return True


def _store(delivery: Import, lines: list[ImportRow]) -> None:
    with transaction.atomic():
        ImportRow.objects.bulk_create(lines, batch_size=AT_ONCE, ignore_conflicts=True)
        delivery.position += len(lines)
        delivery.save(update_fields=["position"])


class _Reader:
    """Makes lines of rows."""

    def __init__(self, delivery: Import, files: Files) -> None:
        self.delivery, self.files = delivery, files
        self.columns = Columns.of(delivery.mapping)
        known = targets()
        self.labels = {target.key: target for target in known}
        self.several = {target.key for target in known if target.several}

    def line(self, row: Row) -> ImportRow:
        file, words = self.columns.read(row, self.several)
        line = ImportRow(delivery=self.delivery, number=row.number, file=file[:1000])
        fill(line, words, self.files)
        line.note = " ".join(_odd_cells(row, self.columns, self.labels))
        return line


def fill(line: ImportRow, words: Mapping[str, Any], files: Files) -> None:
    """Give a line its words and look for its file."""
    line.path = line.missing = ""
    if line.file:
        line.path, line.missing = files.find(line.file)
    facts = files.items[line.path].facts if line.path else {}
    line.words = dict(facts) | {key: value for key, value in words.items() if value}
    line.accession_key = key_of(line.words)


def key_of(words: Mapping[str, Any]) -> str:
    """By which the object of these words is found."""
    return accession_key(str(words.get("accession", "")))[:100]


def doubts(words: Mapping[str, Any]) -> str:
    """What may be wrong with words although they can be stored."""
    date = str(words.get("date", ""))
    if date and parse_years(date) == (None, None):
        return f"No year is found in the date “{date[:60]}”, so that it is not found by year."
    return ""


def _odd_cells(row: Row, columns: Columns, labels: Mapping[str, Target]) -> Iterable[str]:
    """What a spreadsheet may have done to the cells that are used."""
    for at, odd in row.odd.items():
        target = columns.columns[at].target if at < len(columns.columns) else ""
        if not target:
            continue
        if odd.kind == "error":
            yield f"The cell for {labels[target].label} holds the error {odd.shown}."
        elif target in ("accession", "file") and odd.kind == "date":
            yield f"The spreadsheet made a date of the {labels[target].label.lower()}: {odd.shown}."
        elif target in ("accession", "file") and not odd.shown.isdigit():
            yield (
                f"The spreadsheet keeps the {labels[target].label.lower()} as the number {odd.shown}: "
                "zeros at its end may be lost."
            )


def _lay_out_files(delivery: Import, files: Files) -> None:
    """The files that no row names, and those that cannot be had; none where `only_named` is set."""
    rows = delivery.rows.all()
    last = rows.aggregate(last=Max("number"))["last"] or 0
    named = set(rows.exclude(path="").values_list("path", flat=True))
    note = UNNAMED if delivery.has_table else ""
    lines = [
        ImportRow(file=path, path=path, words=dict(item.facts), note=note)
        for path, item in files.items.items()
        if path not in named
    ]
    lines += [ImportRow(file=refused.path[:1000], missing=refused.reason) for refused in files.refused]
    lines = [] if delivery.options.get("only_named") else lines
    for number, line in enumerate(lines, start=last + 1):
        line.delivery, line.number = delivery, number
        line.accession_key = key_of(line.words)
    with transaction.atomic():
        ImportRow.objects.bulk_create(lines, batch_size=AT_ONCE)
        delivery.laid_out = True
        delivery.save(update_fields=["laid_out"])
