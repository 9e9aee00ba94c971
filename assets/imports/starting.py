"""How an import begins: what was handed in is kept, and looked at just enough to know its columns."""

import shutil
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.move import file_move_safe
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from assets.imports import mapping, running
from assets.imports.files import table_inside, table_of
from assets.imports.mapping import Columns
from assets.imports.targets import targets
from assets.ingest import clean_filename, readable
from assets.models import Batch, Import
from assets.tables import Row

State = Import.State
EXAMPLES = 3
CHUNK = 1 << 20


@transaction.atomic
def begin(
    user: User | None,
    name: str,
    *,
    place: str = "",
    table: str = "",
    options: Mapping[str, Any] | None = None,
) -> Import:
    """A new import of what is at `place` (a folder, an archive, an address), described by the file `table`.

    Without a table it is checked at once. Raises SourceError, TableRefused.
    """
    batch = Batch.objects.create(source=readable(name)[:500], user=user)
    delivery = Import(batch=batch, place=place, table=table, options=dict(options or {}))
    if place and not table:
        delivery.table_inside = table_inside(delivery)
    delivery.save()
    if delivery.has_table:
        with table_of(delivery) as opened:
            columns, _ = mapping.suggested(user, opened.headers, targets())
        delivery.mapping = columns.stored
        delivery.save(update_fields=["mapping"])
    else:
        running.begin(delivery, State.CHECKING, [State.MAPPING])
    return delivery


def keep(files: Iterable[UploadedFile[Any]], folder: Path) -> list[Path]:
    """What was uploaded, on disk, each under its own name in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for number, file in enumerate(files):
        path = folder / f"{number} {clean_filename(file.name or '')}"[:200]
        if isinstance(file, TemporaryUploadedFile):  # it is on disk already
            file_move_safe(file.temporary_file_path(), str(path))
        else:
            with path.open("wb") as target:
                for chunk in file.chunks(CHUNK):
                    target.write(chunk)
        kept.append(path)
    return kept


def examples(delivery: Import) -> tuple[list[str], list[Row], list[str]]:
    """The headers, the first rows, and what is to be said of how it was read. Raises TableRefused."""
    with table_of(delivery) as table:
        rows = [row for row, _ in zip(table.rows, range(EXAMPLES), strict=False)]
        return table.headers, rows, table.notes


def choose(delivery: Import, columns: Columns, options: Mapping[str, Any]) -> None:
    """The columns are named: remember that, lay out the rows anew and check them. Raises MappingRefused."""
    columns.check(targets())
    mapping.remember(delivery.user, columns)
    with transaction.atomic():
        delivery.rows.all().delete()
        delivery.mapping, delivery.position, delivery.laid_out = columns.stored, 0, False
        delivery.options = {**delivery.options, **options}
        delivery.save(update_fields=["mapping", "position", "laid_out", "options"])
        running.begin(delivery, State.CHECKING, [State.MAPPING, State.CHECKING, State.PLANNED])


def repeat(delivery: Import, user: User | None) -> Import:
    """The same once more: what is here already is only compared. Raises SourceError, TableRefused."""
    options = {key: value for key, value in delivery.options.items() if key != "kept"}
    with transaction.atomic():
        again = begin(user, delivery.name, place=delivery.place, table=delivery.table, options=options)
        again.mapping = delivery.mapping
        again.save(update_fields=["mapping"])
        running.begin(again, State.CHECKING, [State.MAPPING])
    return again


def sweep() -> int:
    """Remove what was handed in for imports that ended long ago; returns how many folders."""
    ended = timezone.now() - timedelta(days=settings.IMPORT_DAYS)
    old = Q(state__in=[State.DONE, State.CANCELLED, State.UNDONE], finished_at__lt=ended)
    used = " ".join(p for pair in Import.objects.exclude(old).values_list("place", "table") for p in pair)
    removed = 0
    for folder in settings.IMPORTS_DIR.glob("*"):
        young = timezone.now().timestamp() - folder.stat().st_mtime < timedelta(days=1).total_seconds()
        if folder.is_dir() and not young and folder.name not in used:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed
