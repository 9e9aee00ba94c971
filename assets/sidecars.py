"""XMP files that come beside pictures: which belongs to which, and their text."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePath

from assets.metadata import xmp
from assets.metadata.blocks import Damaged

SUFFIX = ".xmp"
MAX_BYTES = 2 * 1024**2
ALONE = "This XMP file describes a picture that did not come with it."


def pairs(names: Sequence[str]) -> tuple[dict[int, int], set[int]]:
    """By their places in `names`: the sidecar of each picture that has one, and the sidecars that have none.

    `boat.xmp` belongs to all pictures called boat in its folder, `boat.jpg.xmp` to boat.jpg alone.
    """
    paths = [PurePath(name.casefold()) for name in names]
    beside = {path.with_suffix(""): at for at, path in enumerate(paths) if path.suffix == SUFFIX}
    found: dict[int, int] = {}
    used: dict[int, int] = defaultdict(int)
    for at, path in enumerate(paths):
        sidecar = beside.get(path, beside.get(path.with_suffix(""))) if path.suffix != SUFFIX else None
        if sidecar is not None:
            found[at] = sidecar
            used[sidecar] += 1
    return found, set(beside.values()) - set(used)


def text_of(data: bytes) -> tuple[str, str]:
    """The packet of a sidecar as it is stored, or empty and why it is left out."""
    if len(data) > MAX_BYTES:
        return "", "The XMP file beside it is too large to be right, and was left out."
    try:
        return (xmp.parse(data).serialised().decode() if data else ""), ""
    except Damaged as error:
        return "", f"The XMP file beside it was left out. {error}"
