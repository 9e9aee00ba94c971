"""The check: for each row what would happen, written into the row and nowhere else."""

import hashlib
import time
from collections.abc import Sequence

from django.core.files import File

from assets import storage
from assets.identify import NotAPicture, identify
from assets.imports.files import Files, Item, SourceError, is_remote
from assets.imports.judging import Earlier, Judge
from assets.imports.layout import doubts
from assets.imports.present import Parts, Present
from assets.imports.targets import OWN
from assets.ingest import clean_filename
from assets.models import Asset, Depiction, Import, ImportRow
from assets.text import label_key
from assets.words import Words, split_labels

Result = ImportRow.Result
NUMBER, PLACE = "Accession number", "Place for its picture"
SAME_AS = "The same picture as in row {}."
FIELDS = ["plan", "differences", "reason", "note", "sha256", "fingerprint", "asset", "record"]


def look_at(delivery: Import, rows: Sequence[ImportRow], files: Files, until: float) -> int:
    """Say what would become of the first of these rows, at least one; returns of how many."""
    broken: dict[int, str] = {}
    seen: list[ImportRow] = []
    for row in rows:
        if row.path:
            broken[row.number] = look_into(row, files.items.get(row.path), is_remote(delivery.place))
        seen.append(row)
        if time.monotonic() > until:
            break
    judge = Judge(delivery)
    judge.prepare(seen)
    said = [(row, *judge.words(row)) for row in seen]
    keyed = [(row.accession_key, row.sha256, words) for row, words, _ in said if words]
    present = Present.of(delivery.user, keyed)
    for row, words, reason in said:
        row.plan, row.differences, row.asset, row.record = Result.REFUSED, [], None, None
        row.reason = reason or (judge.refusal(row, words) if words else "") or broken.get(row.number, "")
        if words and not row.reason:
            _foresee(row, words, judge, present)
            judge.note(row, words)
    ImportRow.objects.bulk_update(seen, FIELDS, batch_size=200)
    return len(seen)


def look_into(row: ImportRow, item: Item | None, remote: bool, *, alone: bool = True) -> str:
    """Take the checksum of a row's file; returns why it is no picture, if it is none.

    Without `alone` only the checksum is taken: whether it is a picture turns out when it is taken in.
    Raises StorageFull.
    """
    if item is None:
        return f"The file {row.path} is not there any more."
    if remote:
        return ""
    if row.sha256 and item.fingerprint and row.fingerprint == item.fingerprint and not alone:
        return ""
    row.fingerprint = item.fingerprint[:200]
    try:
        with item.open() as stream:
            if not alone:
                row.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                return ""
            with storage.spooled(File(stream)) as spool:
                row.sha256 = spool.sha256
                identify(spool.path, clean_filename(item.filename))
    except (NotAPicture, storage.TooLarge, SourceError) as error:
        return str(error)
    except storage.StorageFull:
        raise
    except OSError as error:
        return f"The file cannot be read: {error.strerror or error}."
    return ""


def _foresee(row: ImportRow, words: Words, judge: Judge, present: Present) -> None:
    """Of a row that is not refused."""
    row.reason = doubts(row.words)
    row.record = present.records.get(row.accession_key)
    if row.path:
        _foresee_picture(row, words, judge, present)
    else:
        _foresee_object(row, words, judge, present)


def _foresee_picture(row: ImportRow, words: Words, judge: Judge, present: Present) -> None:
    key, twins = row.accession_key, judge.twins(row)
    alike = [twin for twin in twins if twin.accession_key == key]
    waiting = present.waiting.get(key, 0) + _waiting(judge.of_object(row))
    row.asset = present.assets.get(row.sha256) if row.sha256 else None
    found = _of_words(row, words, judge.of_object(row) if key else alike, present)
    if twins or row.asset:
        found |= _without(present.of_place(row.asset, words), twins)
        if key and not alike and not _shows(row.asset, key):
            found["accession"] = (NUMBER, _numbers(row.asset), words.accession)
        if waiting > 0 and not alike:
            found["place"] = (PLACE, "waits", "shows this picture")
        row.reason = SAME_AS.format(twins[0].number) if twins else row.reason
        row.plan = Result.CHANGED if found else Result.SAME
    else:
        row.plan = Result.FILLED if waiting > 0 else Result.NEW
        found = found if row.record else {}
    row.differences = list(found.values())


def _foresee_object(row: ImportRow, words: Words, judge: Judge, present: Present) -> None:
    earlier = judge.of_object(row)
    if row.record is None and not earlier:
        row.plan, row.differences = Result.OBJECT, []
        return
    found = _of_words(row, words, earlier, present)
    row.asset = present.places.get(row.record) if row.record else None
    if row.asset or not row.record:
        found |= _without(present.of_place(row.asset, words), earlier[:1])
    elif not earlier and not row.record.depictions.all():
        found["place"] = (PLACE, "", "kept")
    row.plan = Result.CHANGED if found else Result.SAME
    row.differences = list(found.values())


def _of_words(row: ImportRow, words: Words, earlier: Sequence[Earlier], present: Present) -> Parts:
    """What the words change of the object, or of a picture without one, after the earlier rows."""
    subject = row.record if row.accession_key else row.asset
    found = present.of_words(subject, words)
    covered = {key for other in earlier for key in present.of_words(None, other.words)}
    return {key: part for key, part in found.items() if key not in covered}


def _without(found: Parts, earlier: Sequence[Earlier]) -> Parts:
    """What of a place is still to be changed after these rows."""
    left = dict(found)
    if any(other.words.collection for other in earlier):
        left.pop("collection", None)
    for slug in (slug for other in earlier for slug in other.words.fields.get("asset", {})):
        left.pop(OWN + slug, None)
    if "tags" in left and earlier:
        had = [*split_labels(left["tags"][1]), *(tag for other in earlier for tag in other.words.tags)]
        if set(map(label_key, split_labels(left["tags"][2]))) <= set(map(label_key, had)):
            left.pop("tags")
    return left


def _waiting(earlier: Sequence[Earlier]) -> int:
    """The places that rows which are still to come make, without those that such rows fill."""
    results = [other.result for other in earlier if not other.done]
    return results.count(Result.OBJECT) - results.count(Result.FILLED)


def _shows(asset: Asset | None, key: str) -> bool:
    return asset is not None and any(d.record.accession_key == key for d in _shown(asset))


def _numbers(asset: Asset | None) -> str:
    return ", ".join(d.record.accession_number for d in _shown(asset)) if asset else ""


def _shown(asset: Asset) -> list[Depiction]:
    return [d for d in asset.depictions.all() if d.record.trashed_at is None]
