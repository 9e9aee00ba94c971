"""The colours that stand out in a picture, by their plain names."""

import logging
from collections.abc import Sequence

import numpy as np
from django.db import transaction
from numpy.typing import NDArray
from PIL import Image

from assets import changes, storage
from assets.decode import DAMAGED
from assets.models import AssetVersion, Rendition

log = logging.getLogger(__name__)
COLORS = (
    "red",
    "orange",
    "yellow",
    "green",
    "cyan",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "grey",
    "white",
)
GREYS = {"brown", "black", "grey", "white"}
SIDE = 48  # pixels that a picture is reduced to before they are counted
SHARE, VIVID_SHARE = 0.15, 0.06  # of all pixels; a little of a vivid colour stands out sooner
MOST = 4
# sRGB to XYZ of white D65 (IEC 61966-2-1), divided by that white; then CIELAB.
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
# Hue angles in CIELAB, in degrees, at which the next name begins.
HUES = (
    (12, "red"),
    (52, "orange"),
    (84, "yellow"),
    (113, "green"),
    (172, "cyan"),
    (222, "blue"),
    (309, "purple"),
    (338, "pink"),
)


def colors_of(image: Image.Image) -> list[str]:
    """At most MOST of COLORS, the most frequent first. The picture is RGB; never empty."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    named = names(np.asarray(small, dtype=np.float64).reshape(-1, 3) / 255)
    found, counts = np.unique(named, return_counts=True)
    shares = dict(sorted(zip(found.tolist(), counts / named.size, strict=True), key=lambda pair: -pair[1]))
    strong = [n for n, share in shares.items() if share >= (SHARE if n in GREYS else VIVID_SHARE)]
    return (strong or list(shares))[:MOST]


def names(rgb: NDArray[np.float64]) -> NDArray[np.str_]:
    """The name of each colour; `rgb` is (n, 3), from 0 to 1."""
    light, chroma, hue = _lab(rgb)
    bounds = np.array([bound for bound, _ in HUES])
    by_hue = np.array([HUES[-1][1], *(name for _, name in HUES)])
    named = by_hue[np.searchsorted(bounds, hue, side="right")]
    warm = (named == "orange") | (named == "red") & (chroma < 45) | (named == "yellow") & (chroma < 35)
    pale = (light > 84) & (chroma < 26) | (light > 75) & (chroma < 23)
    named = np.where(warm & ((light < 60) | (chroma < 50)), "brown", named)
    named = np.where((named == "red") & (light > 68), "pink", named)
    named = np.where((named == "pink") & (light < 38), np.where(hue > 338, "purple", "red"), named)
    named = np.where((named == "purple") & (light > 68), "pink", named)
    named = np.where(pale & (named == "brown"), "white", named)
    plain = np.where(light > 84, "white", np.where(light < 22, "black", "grey"))
    named = np.where(
        (chroma < 11) | (light < 16) & (chroma < 26) | (light > 93) & (chroma < 16), plain, named
    )
    return np.where(light < 7, "black", named)


def _lab(rgb: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Lightness 0 to 100, chroma, and hue in degrees."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ.T / WHITE
    cubic = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = cubic.T
    a, b = 500 * (x - y), 200 * (y - z)
    return 116 * y - 16, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


# --- for pictures from before colours were kept ---------------------------------------------------


def look_at_missing(limit: int) -> int:
    """Find the colours of up to `limit` current versions that have renditions and none yet; how many."""
    unknown = Rendition.objects.filter(
        name="small", version__colors=None, version__current_of__isnull=False
    ).select_related("version")
    found = list(unknown.order_by("pk")[:limit])
    for rendition in found:
        _keep(rendition.version, _of_rendition(rendition))
    return len(found)


def _of_rendition(rendition: Rendition) -> Sequence[str]:
    try:
        with storage.renditions().open(rendition.storage_name) as file, Image.open(file) as image:
            return colors_of(image.convert("RGB"))
    except DAMAGED as error:
        log.warning("The colours of %s cannot be seen: %s", rendition, error)
        return []


def _keep(version: AssetVersion, colors: Sequence[str]) -> None:
    with transaction.atomic():
        AssetVersion.objects.filter(pk=version.pk).update(colors=list(colors))
        changes.colors_changed([version.asset_id])
