"""How a file becomes an asset: spool and hash, look at it, store it, then one short transaction.

Called by the upload page, the API and `manage.py ingest`. Never raises for a bad file: every file has an
outcome, and every outcome is kept with its batch.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any

from django.core.files import File

from accounts.models import User
from assets import changes, pipeline, storage
from assets.identify import Identity, NotAPicture, identify
from assets.models import Asset, AssetVersion, Batch, BatchItem, Blob, Collection, Operation, Record
from assets.text import accession_key

Outcomes = BatchItem.Outcome
INTERACTIVE, BULK = 1, 5
UNSORTED = "Unsorted"  # the home of assets that nobody has placed yet
PLAIN_WORDS = ("title", "date", "medium", "description", "rights", "rights_holder", "credit_line")
WORD_KEYS = {*PLAIN_WORDS, "accession", "creator", "collection", "tags"}


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    outcome: BatchItem.Outcome
    file: str
    asset: Asset | None = None
    reason: str = ""
    """Why it was rejected, or what else a person should know; empty when all is well."""


@dataclass(frozen=True)
class Delivery:
    """Who delivers, and what is said about the files. `words` is one line of a CSV: see WORD_KEYS."""

    batch: Batch
    user: User | None = None
    collection: str = ""
    tags: Sequence[str] = ()
    priority: int = INTERACTIVE
    is_demo: bool = False


def accept(
    source: IO[bytes] | File[Any],
    filename: str,
    *,
    batch: Batch,
    user: User | None = None,
    collection: str = "",
    tags: Sequence[str] = (),
    words: Mapping[str, str] | None = None,
    priority: int = INTERACTIVE,
    is_demo: bool = False,
) -> Outcome:
    """Take in one file. The same bytes twice are one asset, also when both arrive at the same moment.

    `collection` (a name, or a path such as `Prints / Japan`) is the home of a new asset; it is made when
    missing. `words` may have any of WORD_KEYS, as in a CSV: tags and creators separated by semicolons. They
    and the tags are also applied to an asset that is here already, where they differ.
    """
    delivery = Delivery(batch, user, collection, tags, priority, is_demo)
    name = clean_filename(filename)
    try:
        with storage.spooled(source) as spool:
            identity = identify(spool.path)
            with storage.locked(spool.sha256):
                blob = storage.store(spool, identity.media_type)
                outcome = _create_or_find(delivery, blob, identity, name, dict(words or {}))
    except (NotAPicture, storage.TooLarge) as error:
        outcome = Outcome(Outcomes.REJECTED, name, reason=str(error))
    BatchItem.objects.create(
        batch=batch, file=filename[:1000], outcome=outcome.outcome, reason=outcome.reason, asset=outcome.asset
    )
    return outcome


def reject(batch: Batch, filename: str, reason: str) -> Outcome:
    """Note a file that could not even be opened."""
    BatchItem.objects.create(batch=batch, file=filename[:1000], outcome=Outcomes.REJECTED, reason=reason)
    return Outcome(Outcomes.REJECTED, filename, reason=reason)


def clean_filename(filename: str) -> str:
    """The bare name, in any alphabet, without folders or control characters; at most 255 characters."""
    bare = PureWindowsPath(PurePosixPath(filename).name).name
    text = unicodedata.normalize("NFC", bare)
    text = "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cs", "Co", "Cn"}).strip()
    if len(text) > 255:
        suffix = PurePosixPath(text).suffix[:20]
        text = text[: 255 - len(suffix)] + suffix
    return text if text.strip(". ") else "unnamed"


def _create_or_find(d: Delivery, blob: Blob, found: Identity, name: str, words: dict[str, str]) -> Outcome:
    asset = _already_here(blob, d.user)
    if asset:
        changed, reason = _describe(d, asset, words)
        said = "Already here" + (", its description was updated." if changed else ".")
        return Outcome(Outcomes.DUPLICATE, name, asset, reason or said)
    with changes.together():
        op = changes.operation("upload", f"Uploaded {name}", user=d.user, batch=d.batch)
        asset = Asset.objects.create(
            collection=Collection.objects.named(d.collection or UNSORTED),
            uploaded_by=d.user,
            is_demo=d.is_demo,
        )
        version = AssetVersion.objects.create(
            asset=asset,
            blob=blob,
            original_filename=name,
            format=found.format,
            width=found.width,
            height=found.height,
        )
        asset.current_version = version
        asset.save(update_fields=["current_version"])
        changes.created(op, asset)
        _, reason = _describe(d, asset, words, op)
        pipeline.start(version, priority=d.priority)
    return Outcome(Outcomes.ACCEPTED, name, asset, reason)


def _already_here(blob: Blob, user: User | None) -> Asset | None:
    """The live asset of these bytes. One that the uploader may not see is not revealed."""
    assets = Asset.objects.live().filter(versions__blob=blob).order_by("pk")
    return (assets.visible_to(user) if user else assets).first()


def _describe(
    d: Delivery, asset: Asset, words: dict[str, str], op: Operation | None = None
) -> tuple[bool, str]:
    """Apply what the delivery says; returns whether anything changed, and what could not be applied."""
    given = {
        key: value.strip() for key, value in words.items() if key in WORD_KEYS and value and value.strip()
    }
    if not (given or d.tags):
        return False, ""
    try:
        with changes.together():
            op = op or changes.operation("import", f"Described {asset.filename}", user=d.user, batch=d.batch)
            changed = _apply_words(op, asset, given, d.tags)
            if not changed and not op.changes.exists():
                op.delete()
    except changes.ChangeRefused as refused:
        return False, f"The picture is here, its description was not applied: {refused}"
    return changed, ""


def _apply_words(op: Operation, asset: Asset, given: dict[str, str], tags: Sequence[str]) -> bool:
    own: dict[str, Any] = {}
    if given.get("collection"):
        own["collection"] = Collection.objects.named(given["collection"])
    labels = [*tags, *split_labels(given.get("tags", ""))]
    if labels:
        own["add_terms"] = {"tags": labels}
    subject_patch: dict[str, Any] = {key: given[key] for key in PLAIN_WORDS if key in given}
    if given.get("creator"):
        subject_patch["terms"] = {"creators": split_labels(given["creator"])}
    changed = bool(own) and changes.apply(op, [asset], own) > 0
    subject: Asset | Record = asset
    if given.get("accession"):
        subject, linked = _record(op, asset, given["accession"])
        changed = changed or linked
    return bool(subject_patch and changes.apply(op, [subject], subject_patch)) or changed


def _record(op: Operation, asset: Asset, accession: str) -> tuple[Record, bool]:
    """The record of this accession number, made when missing, and whether the picture was newly linked."""
    key = accession_key(accession)
    if not key or len(accession) > 100:
        raise changes.ChangeRefused(f"{accession[:100]!r} cannot be an accession number.")
    record, new = Record.objects.get_or_create(
        accession_key=key, trashed_at=None, defaults={"accession_number": accession}
    )
    if new:
        changes.created(op, record)
    return record, changes.depict(op, asset, record)


def split_labels(text: str) -> list[str]:
    return [label.strip() for label in text.split(";") if label.strip()]
