"""A detail of a picture to search by: a box that somebody drew, cut out of a copy that suffices."""

import math
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image

from assets import grid, storage
from assets.decode import DAMAGED, upright_rgb
from assets.identify import FORMATS
from assets.models import Asset, AssetVersion, Rendition
from search import cached, encoders
from search.models import EmbeddingSpace
from search.sql import Vector

LEAST_AREA, LEAST_PIXELS = 0.02, 32
# An original is decoded while a person waits, in this process: larger ones would need one of their own, which
# takes seconds. The rendition is used then.
MAX_PIXELS, MAX_BYTES = 20_000_000, 30 * 1024**2
DIGITS = 4  # of a fraction: a pixel of 10,000
NUMBER = r"([01](?:\.[0-9]{0,20})?|\.[0-9]{1,20})"
WRITTEN = re.compile(rf"([0-9a-fA-F-]{{32,36}}):{NUMBER},{NUMBER},{NUMBER},{NUMBER}")
HOW = gettext_lazy(
    "A detail is written as ID:left,top,width,height, in fractions of the picture, such as 0.25,0.1,0.5,0.5."
)


class RegionError(ValueError):
    """A detail cannot be searched by; the message is for people."""


class RegionMissing(RegionError):
    """There is no such picture, or this person may not see it."""


@dataclass(frozen=True)
class Region:
    """A box in an asset's upright picture; left, top, width and height are fractions of its sides."""

    uid: UUID
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, text: str) -> "Region":
        """From `UUID:left,top,width,height`. Raises RegionError."""
        found = WRITTEN.fullmatch(text.strip())
        if found is None:
            raise RegionError(str(HOW))
        try:
            uid = UUID(found[1])
        except ValueError as error:
            raise RegionError(str(HOW)) from error
        return cls.at(uid, *(float(number) for number in found.groups()[1:]))

    @classmethod
    def at(cls, uid: UUID, left: float, top: float, width: float, height: float) -> "Region":
        """A box, rounded, and cut where that takes it over an edge. Raises RegionError."""
        sides = (left, top, width, height)
        if not all(math.isfinite(side) and 0 <= side <= 1 for side in sides):
            raise RegionError(_("A detail lies within its picture."))
        left, top, width, height = (round(side, DIGITS) for side in sides)
        over = max(left + width, top + height) - 1
        if over > 2 * 10**-DIGITS:
            raise RegionError(_("The detail reaches beyond its picture."))
        width, height = (round(min(side, 1 - at), DIGITS) for side, at in ((width, left), (height, top)))
        if min(width, height) <= 0:
            raise RegionError(_("The detail has no size."))
        return cls(uid, left, top, width, height)

    def __str__(self) -> str:
        return f"{self.uid}:{self.box}"

    @property
    def box(self) -> str:
        return ",".join(f"{side:g}" for side in (self.left, self.top, self.width, self.height))

    def pixels(self, width: int, height: int) -> tuple[float, float]:
        """How wide and high the box is in a picture of this size."""
        return self.width * width, self.height * height

    def corners(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in whole pixels of a picture of this size; never empty."""
        left, top = min(int(self.left * width), width - 1), min(int(self.top * height), height - 1)
        right = min(width, max(left + 1, round((self.left + self.width) * width)))
        return left, top, right, min(height, max(top + 1, round((self.top + self.height) * height)))


def version_of(region: Region, user: Any) -> AssetVersion:
    """The file that the region is a part of, with its renditions.

    Raises RegionMissing, or RegionError where the box is too small in this picture.
    """
    found = grid.loaded(Asset.objects.live().visible_to(user).filter(uid=region.uid))
    version = next((asset.current_version for asset in found.values()), None)
    if version is None:
        raise RegionMissing(_("The picture of this detail is not in the library, or you may not see it."))
    small = region.width * region.height < LEAST_AREA
    if small and min(region.pixels(version.width, version.height)) < LEAST_PIXELS:
        raise RegionError(
            _(
                "This detail is too small to search by. Choose at least a fiftieth of the picture, "
                "or %(pixels)d pixels a side."
            )
            % {"pixels": LEAST_PIXELS}
        )
    return version


def vector(space: EmbeddingSpace, encoder: encoders.Encoder, region: Region, version: AssetVersion) -> Vector:
    """The encoder's vector of the detail, remembered for a day by space, version and box.

    Raises EncoderError; UnreadableImage where there is nothing to cut it from.
    """
    name = f"{version.pk}:{region.box}"
    known = cached.vector(space.slug, name, of="region")
    if known is None:
        known = encoder.encode_images([cut(region, version, encoder.limits.input_pixels)])[0]
        cached.keep_vector(space.slug, name, known, of="region")
    return known


def cut(region: Region, version: AssetVersion, pixels: int) -> Image.Image:
    """The detail as an RGB picture, if possible with `pixels` on its shorter side.

    Out of the smallest rendition that has them, else out of the original within the limits above, else out
    of the largest rendition. Raises UnreadableImage.
    """

    def at_hand(one: Rendition | AssetVersion) -> float:
        return min(region.pixels(one.width, one.height))

    by_size = sorted(version.renditions.all(), key=at_hand)
    if not by_size:
        raise encoders.UnreadableImage(
            _("The picture of this detail is still being prepared; try again soon.")
        )
    chosen = next((one for one in by_size if at_hand(one) >= pixels), by_size[-1])
    if at_hand(chosen) < min(pixels, at_hand(version)):
        longest = math.ceil(max(version.width, version.height) * min(1.0, pixels / at_hand(version)))
        image = _original(version, longest)
        if image is not None:
            return image.crop(region.corners(*image.size))
    try:
        with storage.renditions().open(chosen.storage_name) as file, Image.open(file) as image:
            return image.convert("RGB").crop(region.corners(*image.size))
    except OSError as error:
        raise encoders.UnreadableImage(_("The picture of this detail could not be read.")) from error


def _original(version: AssetVersion, longest: int) -> Image.Image | None:
    """The whole original, upright, of at most `longest` pixels a side; None where that is not possible."""
    too_large = version.width * version.height > MAX_PIXELS or version.blob.size > MAX_BYTES
    if too_large or version.format not in FORMATS:  # others are decoded in a process of their own alone
        return None
    try:
        with storage.local_copy(version.blob) as path, Image.open(path, formats=FORMATS) as image:
            return upright_rgb(image, longest)
    except DAMAGED:
        return None
