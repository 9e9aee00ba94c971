"""How a file becomes an asset: spool and hash, look at it, store it, then one short transaction.

Called by the upload page, the API and imports. Never raises for a bad file: every file has an
outcome, and every outcome is kept with its batch.
"""

import dataclasses
import logging
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any

from django.core.files import File
from django.db import transaction
from django.db.models import Max

from accounts.models import User
from assets import again, awaited, changes, pipeline, sidecars, storage
from assets.changes import collections
from assets.identify import Identity, NotAPicture, identify
from assets.models import Asset, AssetVersion, Batch, BatchItem, Blob, Operation, StageRun
from assets.seen import NOT_HERE, hidden_records
from assets.sources import SourceError
from assets.text import accession_key
from assets.words import Words

Outcomes = BatchItem.Outcome
INTERACTIVE, BULK = StageRun.INTERACTIVE, StageRun.BULK
UNSORTED = "Unsorted"  # the home of assets that nobody has placed yet
ANOTHER = "Another file was taken in from this place before. This one is a picture of its own beside it."
HERE, DESCRIBED = "Already here.", "Already here, its description was updated."
NOT_APPLIED = "The picture is here, its description was not applied: {}"
NO_LETTERS = {"Cc", "Cs", "Co", "Cn"}  # categories of characters
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""They turn the direction of reading round, so that `gpj.exe` would be read as a JPEG."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    outcome: BatchItem.Outcome
    file: str
    asset: Asset | None = None
    reason: str = ""
    """Why it was rejected, or what else a person should know; empty when all is well."""
    changed: bool = False
    """Whether the description of an asset that was here already was updated."""
    refused: bool = False
    """Whether what was said about it could not be applied; `reason` says why."""
    item: BatchItem | None = None
    """What is kept of this with its batch."""
    passing: bool = False
    """Whether it was rejected for a reason that may be over at the next try."""
    full: bool = False
    """Whether that reason is that there is no room, so that no other file will fare better."""


@dataclass(frozen=True)
class Delivery:
    """Who delivers, and what is said about the files. `words` is one line of a CSV: see WORD_KEYS."""

    batch: Batch
    user: User | None = None
    collection: str = ""
    tags: Sequence[str] = ()
    priority: int = INTERACTIVE
    is_demo: bool = False
    sidecar: str = ""
    """XMP that came beside the file."""
    place: Asset | None = None
    """The asset whose picture it is, as long as that waits for one."""
    earlier: Asset | None = None
    """What another file became that lay in the same place before."""
    replace: bool = False
    """Whether this one is then a new version of it."""


def accept(
    source: IO[bytes] | File[Any] | storage.Whole,
    filename: str,
    *,
    batch: Batch,
    user: User | None = None,
    collection: str = "",
    tags: Sequence[str] = (),
    words: Mapping[str, Any] | None = None,
    sidecar: bytes = b"",
    priority: int = INTERACTIVE,
    is_demo: bool = False,
    place: Asset | None = None,
    earlier: Asset | None = None,
    replace: bool = False,
) -> Outcome:
    """Take in one file. The same bytes twice are one asset, also when both arrive at the same moment.

    Where an object waits for its picture, `place` or the one of the accession number, this becomes it.

    `collection` (a name, or a path such as `Prints / Japan`) is the home of a new asset; it is made when
    missing. `words` may have any of WORD_KEYS, as in a CSV: tags and creators separated by semicolons. They
    and the tags are also applied to an asset that is here already, where they differ. `sidecar` is the XMP
    file that came beside it; its words go where nobody has written any. Where another file was taken in from
    the same place, it became `earlier`, of which this one is a new version if `replace` says so.

    The accession number of an object that `user` may not see opens nothing: a new picture is then one
    without an object, which is said.
    """
    beside, left_out = sidecars.text_of(sidecar)
    delivery = Delivery(batch, user, collection, tags, priority, is_demo, beside, place, earlier, replace)
    filename = readable(filename)
    name = clean_filename(filename)

    def take() -> Outcome:
        with storage.spooled(source) as spool:
            identity = identify(spool.path, name)
            with storage.locked(spool.sha256):
                blob = storage.store(spool, identity.media_type)
                return _create_or_find(delivery, blob, identity, name, Words.of(words or {}, tags))

    outcome = _attempt(name, take)
    if left_out and outcome.asset:
        outcome = dataclasses.replace(
            outcome, reason=" ".join(filter(None, [outcome.reason, left_out])), refused=True
        )
    return _note(batch, filename, outcome)


def describe(
    asset: Asset,
    filename: str,
    *,
    batch: Batch,
    user: User | None = None,
    tags: Sequence[str] = (),
    words: Mapping[str, str] | None = None,
) -> Outcome:
    """A file that is here already as this asset, without its bytes: what is said anew about it is applied."""
    name = clean_filename(readable(filename))
    said = Words.of(words or {}, tags)

    def take() -> Outcome:
        if said.empty:
            return Outcome(Outcomes.DUPLICATE, name, asset, HERE)
        said.make_terms()
        return _describe_again(Delivery(batch, user, tags=tags), asset, name, said)

    return _note(batch, readable(filename), _attempt(name, take))


def _attempt(name: str, take: Callable[[], Outcome]) -> Outcome:
    """What `take` returns, or the file rejected with what it raised."""
    try:
        return take()
    except (SourceError, storage.StorageFull) as error:
        full = isinstance(error, storage.StorageFull)
        return Outcome(Outcomes.REJECTED, name, reason=str(error), passing=True, full=full)
    except (NotAPicture, storage.TooLarge, changes.NotAllowed) as error:
        return Outcome(Outcomes.REJECTED, name, reason=str(error))
    except Exception as error:
        log.exception("%s could not be taken in", name)
        said = f"Something unexpected went wrong ({type(error).__name__}: {error}). Try it again."
        reason = readable(said).replace("\x00", "")
        return Outcome(Outcomes.REJECTED, name, reason=reason, passing=True)


def _note(batch: Batch, filename: str, outcome: Outcome) -> Outcome:
    item = BatchItem.objects.create(
        batch=batch,
        file=filename.replace("\x00", "")[:1000],
        outcome=outcome.outcome,
        reason=outcome.reason,
        asset=outcome.asset,
    )
    return dataclasses.replace(outcome, item=item)


def reject(batch: Batch, filename: str, reason: str, *, passing: bool = False) -> Outcome:
    """Note a file that could not even be opened."""
    filename = readable(filename)
    return _note(batch, filename, Outcome(Outcomes.REJECTED, filename, reason=reason, passing=passing))


def readable(text: str) -> str:
    """A file name as text that can be stored: bytes that are no UTF-8 become a replacement character."""
    return os.fsencode(text).decode("utf-8", "replace")


def clean_filename(filename: str) -> str:
    """The bare name, in any alphabet, without folders or control characters; at most 255 characters."""
    bare = PureWindowsPath(PurePosixPath(filename).name).name
    text = unicodedata.normalize("NFC", bare)
    text = "".join(c for c in text if unicodedata.category(c) not in NO_LETTERS and c not in TURNS).strip()
    if len(text) > 255:
        suffix = PurePosixPath(text).suffix[:20]
        text = text[: 255 - len(suffix)] + suffix
    return text if text.strip(". ") else "unnamed"


def _create_or_find(d: Delivery, blob: Blob, found: Identity, name: str, words: Words) -> Outcome:
    words.make_terms()
    asset = _already_here(blob, d.user)
    if asset:
        return _describe_again(d, asset, name, words)
    hidden = _hides_its_object(d, words)
    words = dataclasses.replace(words, accession="") if hidden else words
    with changes.together():
        op = changes.operation("upload", f"Uploaded {name}", user=d.user, batch=d.batch)
        asset = awaited.waiting_for(words.accession, d.place, d.user)
        if asset:
            version = _version(d, asset, blob, found, name)
            awaited.fill(op, asset, version, d.user)
        elif d.earlier and d.replace:
            asset, version = _replaced(d, op, d.earlier, blob, found, name)
        else:
            asset, version = _new(d, op, blob, found, name)
        refused = NOT_HERE if hidden else ""
        try:
            with nullcontext() if words.empty else transaction.atomic():
                words.apply(op, asset)
        except changes.ChangeRefused as error:
            refused = NOT_APPLIED.format(error)
        pipeline.start(version, priority=_priority(d))
    beside = ANOTHER if d.earlier and d.earlier != asset else ""
    reason = " ".join(filter(None, [refused, beside]))
    return Outcome(Outcomes.ACCEPTED, name, asset, reason, refused=bool(refused))


def _hides_its_object(d: Delivery, words: Words) -> bool:
    """Whether the object of this number is one that the person may not see, and so may not describe."""
    return bool(hidden_records(d.user, {accession_key(words.accession)} - {""}))


def _priority(d: Delivery) -> int:
    """The first files of a visit are what somebody waits for; when many come, the rest is an import."""
    many = d.priority < BULK and len(d.batch.items.values_list("pk")[: pipeline.FEW]) == pipeline.FEW
    return BULK if many else d.priority


def _new(d: Delivery, op: Operation, blob: Blob, found: Identity, name: str) -> tuple[Asset, AssetVersion]:
    home = collections.home(d.user, d.collection or UNSORTED)
    asset = Asset.objects.create(collection=home, uploaded_by=d.user, is_demo=d.is_demo)
    version = _version(d, asset, blob, found, name, number=1)
    asset.current_version = version
    asset.save(update_fields=["current_version"])
    changes.created(op, asset)
    if d.place:  # another picture was quicker: this is a second one of the same objects
        awaited.link(op, asset, d.place)
    return asset, version


def _replaced(
    d: Delivery, op: Operation, earlier: Asset, blob: Blob, found: Identity, name: str
) -> tuple[Asset, AssetVersion]:
    """A new version of an asset whose file has changed where it came from; the old one is kept."""
    asset = Asset.objects.select_for_update(no_key=True, of=("self",)).get(pk=earlier.pk)
    version = _version(d, asset, blob, found, name)
    changes.apply(op, [asset], {"current_version": version})
    asset.current_version = version
    return asset, version


def _version(
    d: Delivery, asset: Asset, blob: Blob, found: Identity, name: str, number: int = 0
) -> AssetVersion:
    """The version of this number, else the next: one may be there where somebody has taken a picture back."""
    return AssetVersion.objects.create(
        asset=asset,
        number=number or (asset.versions.aggregate(last=Max("number"))["last"] or 0) + 1,
        blob=blob,
        original_filename=name,
        format=found.format,
        width=found.width,
        height=found.height,
        pages=found.pages,
        duration_ms=found.duration_ms,
        sidecar=d.sidecar,
    )


def _describe_again(d: Delivery, asset: Asset, name: str, words: Words) -> Outcome:
    """A file that is here already: what the delivery says anew about it is applied.

    An object that waits for it is shown by the asset that is here; the place that was kept for it goes.
    """
    if _hides_its_object(d, words):
        return Outcome(Outcomes.DUPLICATE, name, asset, NOT_HERE, refused=True)
    _keep_sidecar(d, asset)
    try:
        with changes.together():
            op = changes.operation("import", f"Described {asset.filename}", user=d.user, batch=d.batch)
            place = awaited.waiting_for(words.accession, d.place, d.user)
            changed = words.apply(op, asset)
            if place:
                awaited.give_up(op, place, asset)
                changed = True
            elif d.place:
                awaited.link(op, asset, d.place)
            if not op.changes.exists():
                op.delete()
    except changes.ChangeRefused as error:
        return Outcome(Outcomes.DUPLICATE, name, asset, NOT_APPLIED.format(error), refused=True)
    return Outcome(Outcomes.DUPLICATE, name, asset, DESCRIBED if changed else HERE, changed=changed)


def _keep_sidecar(d: Delivery, asset: Asset) -> None:
    """An XMP file that came later goes with the version, whose metadata is read once more where it is new."""
    version = asset.current_version
    if d.sidecar and version is not None and version.sidecar != d.sidecar:
        with transaction.atomic():
            AssetVersion.objects.filter(pk=version.pk).update(sidecar=d.sidecar)
            again.retry([asset], ["extract_metadata"], force=True)


def _already_here(blob: Blob, user: User | None) -> Asset | None:
    """The live asset of these bytes. One that the uploader may not see is not revealed."""
    if blob.is_new or not blob.versions.exists():  # most files are new, and the question below is a long one
        return None
    assets = Asset.objects.live().filter(current_version__blob=blob).order_by("pk")
    return (assets.visible_to(user) if user else assets).first()
