"""Taking rows in: files one by one, objects without a file some hundred at a time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from accounts.models import User
from assets import ingest, sidecars
from assets.importing import Line
from assets.imports.files import Files, Item, SourceError, is_remote
from assets.imports.judging import Judge
from assets.imports.layout import doubts
from assets.imports.looking import look_into
from assets.ingest import BULK, Delivery, Outcomes
from assets.models import Change, Depiction, Import, ImportRow
from assets.objects import store_lines
from assets.seen import assets_for
from assets.storage import StorageFull
from assets.words import Words

Result = ImportRow.Result
FIELDS = ["outcome", "reason", "asset", "record", "done_at", "sha256", "fingerprint"]


def take_in(
    delivery: Import, rows: Sequence[ImportRow], files: Files, until: float, alive: Callable[[], bool]
) -> int:
    """Take in the first of these rows, at least one; returns how many. `alive` is asked after each file.

    Raises StorageFull; the row that found no room stays to be done.
    """
    seen: list[ImportRow] = []
    broken: dict[int, str] = {}
    half = (time.monotonic() + until) / 2  # for the checksums, where the check has not taken them
    for row in rows:
        if row.path:
            remote = is_remote(delivery.place)
            broken[row.number] = look_into(row, files.items.get(row.path), remote, alone=False)
        seen.append(row)
        if time.monotonic() > half:
            break
    ImportRow.objects.bulk_update(seen, ["sha256", "fingerprint"], batch_size=200)
    judge = Judge(delivery)
    judge.prepare(seen)
    writer = _Writer(delivery, files)
    done = 0
    for row in seen:
        words, reason = judge.words(row)
        reason = reason or (judge.refusal(row, words) if words else "") or broken.get(row.number, "")
        if reason or words is None:
            writer.refuse(row, reason)
        else:
            writer.take(row, words)
            judge.note(row, words)
        done += 1
        if row.path and (time.monotonic() > until or not alive()):
            break
    writer.flush()
    return done


@dataclass
class _Writer:
    """Objects wait until some are together, or something comes that may be about one of them."""

    delivery: Import
    files: Files
    objects: dict[str, tuple[ImportRow, Words]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        options = self.delivery.options
        batch = self.delivery.batch
        self.handed = Delivery(
            batch, batch.user, options.get("collection", ""), options.get("tags", []), BULK
        )

    def take(self, row: ImportRow, words: Words) -> None:
        if row.accession_key in self.objects or row.path:
            self.flush()
        if row.path:
            self._picture(row, words)
        else:
            self.objects[row.accession_key] = (row, words)

    def refuse(self, row: ImportRow, reason: str) -> None:
        self._done(row, Result.REFUSED, reason)
        row.save(update_fields=FIELDS)

    def flush(self) -> None:
        waiting, self.objects = list(self.objects.values()), {}
        if not waiting:
            return
        said = [(Line(row.number, "", {}), words) for row, words in waiting]
        portion = store_lines(self.handed, self.delivery.name, said)
        refused = {line.number: reason for line, reason in portion.refused}
        for row, _ in waiting:
            row.record = portion.new.get(row.number) or portion.known.get(row.number)
            result = Result.OBJECT if row.number in portion.new else Result.SAME
            result = Result.CHANGED if row.number in portion.updated else result
            reason = refused.get(row.number, "")
            self._done(row, Result.REFUSED if reason else result, reason)
        self._find_places([row for row, _ in waiting], self.handed.user)
        ImportRow.objects.bulk_update([row for row, _ in waiting], FIELDS, batch_size=200)

    @staticmethod
    def _find_places(rows: Sequence[ImportRow], user: User | None) -> None:
        shown = Depiction.objects.filter(record__in=[row.record_id for row in rows if row.record_id])
        shown = shown.filter(asset__in=assets_for(user))
        places = dict(shown.order_by("-position", "-pk").values_list("record", "asset"))
        for row in rows:
            row.asset_id = places.get(row.record_id or 0)

    def _picture(self, row: ImportRow, words: Words) -> None:
        item = self.files.items[row.path]
        try:
            outcome = self._accept(item, row, words)
        except (SourceError, OSError) as error:
            outcome = ingest.reject(self.delivery.batch, row.path, f"The file cannot be read: {error}")
        if outcome.full:
            raise StorageFull(outcome.reason)
        row.asset = outcome.asset
        if outcome.asset is None:
            self._done(row, Result.REFUSED, outcome.reason)
        else:
            record = outcome.asset.depictions.filter(record__accession_key=row.accession_key).first()
            row.record = record.record if record and row.accession_key else None
            result, reason = self._result(outcome, row), outcome.reason if outcome.refused else ""
            self._done(row, result, reason or doubts(row.words))
        row.save(update_fields=FIELDS)

    def _accept(self, item: Item, row: ImportRow, words: Words) -> ingest.Outcome:
        beside = b""
        if item.sidecar:
            with item.sidecar.open() as stream:
                beside = stream.read(sidecars.MAX_BYTES + 1)
        with item.open() as source:
            return ingest.accept(
                source,
                item.filename,
                batch=self.delivery.batch,
                user=self.handed.user,
                collection=self.handed.collection,
                tags=self.handed.tags,
                words={**row.words, "fields": words.fields},
                sidecar=beside,
                priority=BULK,
            )

    def _result(self, outcome: ingest.Outcome, row: ImportRow) -> str:
        """What came of a file. One that a stopped portion had taken in already is still new."""
        asset = outcome.asset
        assert asset is not None  # noqa: S101
        ours = Change.objects.filter(
            operation__batch=self.delivery.batch,
            operation__kind="upload",
            object_kind=Change.Kind.ASSET,
            object_id=asset.pk,
            field__in=["created", "current_version"],
        )
        made = ours.order_by("pk").values_list("field", flat=True).first()
        claimed = self.delivery.rows.filter(asset=asset).exclude(pk=row.pk, path="").exclude(outcome="")
        if made and (outcome.outcome == Outcomes.ACCEPTED or not claimed.exclude(path="").exists()):
            return Result.NEW if made == "created" else Result.FILLED
        return Result.CHANGED if outcome.changed else Result.SAME

    @staticmethod
    def _done(row: ImportRow, result: str, reason: str) -> None:
        row.outcome, row.reason, row.done_at = result, reason, timezone.now()
