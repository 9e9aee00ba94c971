"""What info.json says of a picture."""

import math
from typing import Any

from assets.apart import TILE
from assets.models import Asset, Record
from assets.statements import uri_of
from iiif.parameters import QUALITIES, Size

CONTEXT = "http://iiif.io/api/image/3/context.json"
PROFILE = "http://iiif.io/api/image/3/level2.json"
SMALLEST = 128  # pixels of the longer side of the smallest size that is listed
FEATURES = [
    "canonicalLinkHeader",
    "mirroring",
    "profileLinkHeader",
    "rotationArbitrary",
    "sizeUpscaling",
]
RIGHTS = ("http://creativecommons.org/", "http://rightsstatements.org/")  # as the specification has them


def info(address: str, full: Size, longest: int, rights: str = "") -> dict[str, Any]:
    """The document for a picture of `full` pixels; no side is made longer than `longest`."""
    return {
        "@context": CONTEXT,
        "id": address,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": full[0],
        "height": full[1],
        "maxWidth": longest,
        "maxHeight": longest,
        "sizes": [{"width": width, "height": height} for width, height in sizes(full, longest)],
        "tiles": [{"width": TILE, "height": TILE, "scaleFactors": scale_factors(full)}],
        "preferredFormats": ["jpg"],
        "extraFormats": ["webp"],
        "extraQualities": list(QUALITIES),
        "extraFeatures": FEATURES,
        **({"rights": rights} if rights else {}),
    }


def scale_factors(full: Size) -> list[int]:
    """Powers of two, up to that by which the whole picture fits into one tile."""
    last = max(0, math.ceil(math.log2(max(full) / TILE)))
    return [2**number for number in range(last + 1)]


def sizes(full: Size, longest: int) -> list[Size]:
    """Of the whole picture, each half of the next, smallest first."""
    found: list[Size] = []
    factor = 1
    while max(full) / factor >= SMALLEST or not found:
        size = (math.ceil(full[0] / factor), math.ceil(full[1] / factor))
        found += [size] if max(size) <= longest else []
        factor *= 2
    return found[::-1]


def rights_of(subject: Asset | Record) -> str:
    """The statement of rights where it is one of those that a machine understands."""
    said = uri_of(subject.rights).replace("https://", "http://", 1).replace("//www.", "//", 1)
    return said if said.startswith(RIGHTS) and " " not in said else ""
