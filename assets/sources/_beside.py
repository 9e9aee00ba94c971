"""XMP files go with their pictures: as a part of their item, not as items."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assets import sidecars
from assets.sources._source import Item, Refused


def joined(found: Sequence[Item | Refused]) -> Iterator[Item | Refused]:
    """The items of one folder with their sidecars; one that came without its picture is refused."""
    beside, alone = sidecars.pairs([item.path for item in found])
    with_pictures = {at for at in beside.values() if isinstance(found[at], Item)}
    for at, item in enumerate(found):
        if at in alone:
            yield Refused(item.path, sidecars.ALONE)
        elif isinstance(item, Refused):
            yield item
        elif at in beside and isinstance(sidecar := found[beside[at]], Item):
            yield replace(item, sidecar=sidecar, fingerprint=_both(item, sidecar))
        elif at not in with_pictures:
            yield item


def _both(item: Item, sidecar: Item) -> str:
    known = item.fingerprint and sidecar.fingerprint
    return f"{item.fingerprint}+{sidecar.fingerprint}" if known else ""
