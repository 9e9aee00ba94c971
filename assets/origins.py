"""Taking in a file of a source, so that repeating it adds nothing and reads nothing twice (decision 19).

    order = Order(batch, collection="Scans")
    for item in source.items():
        outcome = take(source.identity, item, order)

A file is known by its source and its path. As long as its fingerprint is the same, it is not read again. With
other bytes it becomes a new asset with a note, or a new version of its asset where the order says `replace`.
Bytes that are here already from anywhere are a duplicate, as everywhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from accounts.models import User
from assets import ingest, sidecars
from assets.ingest import Outcome
from assets.models import Asset, Batch, Origin
from assets.sources import Item, Refused, SourceError, Stream, Unchanged

REFUSED = "refused:"  # before the fingerprint of a file that was no picture, or could not be had
AT_ONCE = 1000  # keys in one question


@dataclass(frozen=True)
class Order:
    """What holds for all files of an import."""

    batch: Batch
    user: User | None = None
    collection: str = ""
    tags: Sequence[str] = ()
    priority: int = ingest.BULK
    replace: bool = False
    """Whether a file that has changed where it lies is a new version of its asset."""


def take(source: str, item: Item | Refused, order: Order, words: Mapping[str, Any] | None = None) -> Outcome:
    """Take in one file of the source of this identity. Never raises for a bad file: it is rejected.

    `words` are those of a table; they go before what the source itself knows.
    """
    if isinstance(item, Refused):
        outcome = ingest.reject(order.batch, item.path, item.reason)
        _remember(source, item.path, "", outcome)
        return outcome
    said = {**item.facts, **{key: value for key, value in (words or {}).items() if value}}
    origin = Origin.objects.filter(key=key_of(source, item.path)).first()
    earlier = _earlier(origin, order)
    known = origin.fingerprint if origin and earlier else ""
    try:
        if earlier and _is_same(item, known, order):
            raise Unchanged
        with item.open(known) as stream:
            outcome = _accept(stream, item, order, said, earlier)
            fingerprint = item.fingerprint or stream.fingerprint
    except Unchanged:
        assert earlier is not None  # noqa: S101 (without one, nothing is known that could be unchanged)
        return ingest.describe(
            earlier, shown(item), batch=order.batch, user=order.user, tags=order.tags, words=said
        )
    except SourceError as error:
        return ingest.reject(order.batch, shown(item), str(error), passing=True)
    if not outcome.passing:
        _remember(source, item.path, fingerprint, outcome)
    return outcome


def _accept(
    stream: Stream, item: Item, order: Order, words: Mapping[str, Any], earlier: Asset | None
) -> Outcome:
    return ingest.accept(
        stream,
        shown(item),
        batch=order.batch,
        user=order.user,
        collection=order.collection,
        tags=order.tags,
        words=words,
        sidecar=_beside(item),
        priority=order.priority,
        earlier=earlier,
        replace=order.replace,
    )


def unknown(source: str, items: Sequence[Item | Refused]) -> list[Item | Refused]:
    """Those that are new or have changed since somebody looked at them last, whatever became of them."""
    keys = {key_of(source, item.path): item for item in items}
    found: dict[str, str] = {}
    for some in _batched(keys, AT_ONCE):
        found |= dict(Origin.objects.filter(key__in=some).values_list("key", "fingerprint"))
    return [item for key, item in keys.items() if not _is_known(item, found.get(key))]


def _is_known(item: Item | Refused, fingerprint: str | None) -> bool:
    own = item.fingerprint if isinstance(item, Item) else ""
    return fingerprint == REFUSED + own or own != "" and fingerprint == own


def key_of(source: str, path: str) -> str:
    return hashlib.sha256(f"{source}\0{path}".encode("utf-8", "replace")).hexdigest()


def shown(item: Item) -> str:
    """The path of an item with the file name that people know."""
    folder, slash, _ = item.path.rpartition("/")
    return f"{folder}{slash}{item.filename}"


def _earlier(origin: Origin | None, order: Order) -> Asset | None:
    """The live asset that a file of this place became; not one that the user may not see."""
    if origin is None:
        return None
    found = Asset.objects.live().filter(origins=origin)
    return (found.visible_to(order.user) if order.user else found).first()


def _is_same(item: Item, known: str, order: Order) -> bool:
    """Whether it need not be opened. A source that cannot tell whether a file has changed is believed."""
    if item.fingerprint:
        return item.fingerprint == known
    return not known and not order.replace


def _beside(item: Item) -> bytes:
    if item.sidecar is None:
        return b""
    with item.sidecar.open() as stream:
        return stream.read(sidecars.MAX_BYTES + 1)


def _remember(source: str, path: str, fingerprint: str, outcome: Outcome) -> None:
    """Also of a rejected file, which may have an asset from before: nobody looks at it again unasked."""
    refused = outcome.asset is None
    made = Origin(
        key=key_of(source, path),
        source=source[:500],
        path=path[:1000],
        fingerprint=f"{REFUSED if refused else ''}{fingerprint}"[:300],
        asset=outcome.asset,
    )
    new = ["fingerprint", "taken_at"] if refused else ["fingerprint", "taken_at", "asset"]
    Origin.objects.bulk_create([made], update_conflicts=True, unique_fields=["key"], update_fields=new)


def _batched(keys: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of at most so many of them."""
    left = iter(keys)
    while some := list(islice(left, size)):
        yield some
