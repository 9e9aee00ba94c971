"""The outlines of countries, from the package world-atlas, as they lie in a part of the world."""

import json
import math
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

Points = NDArray[np.float64]
WIDE, HIGH = 1000, 500
"""Of a drawing, in its own units."""
FAR = 90
"""Degrees of longitude; in a wider view finer outlines would not be seen."""
MARGIN = 5
"""Units around a drawing in which outlines end, so that their ends are not seen."""


class View(NamedTuple):
    """A part of the world, in degrees; a degree has the same length everywhere in it."""

    west: float
    south: float
    width: float
    height: float

    def x(self, longitude: Any) -> Any:
        return (longitude - self.west) * WIDE / self.width

    def y(self, latitude: Any) -> Any:
        return (self.south + self.height - latitude) * HIGH / self.height


WORLD = View(-180, -90, 360, 180)


@lru_cache(maxsize=128)
def outlines(view: View) -> str:
    """The `d` of a path in an SVG of WIDE x HIGH units; empty where the package has not been brought."""
    found = []
    for ring in _rings("110m" if view.width > FAR else "50m"):
        points = np.column_stack([view.x(ring[:, 0]), view.y(ring[:, 1])])
        if (points.max(0) < -MARGIN).any() or (points.min(0) > (WIDE + MARGIN, HIGH + MARGIN)).any():
            continue
        whole = np.rint(_clipped(points)).astype(int)
        whole = whole[np.append(True, np.diff(whole, axis=0).any(1))] if len(whole) else whole
        if len(whole) > 2:
            found.append("M" + "L".join(f"{x} {y}" for x, y in whole.tolist()) + "Z")
    return "".join(found)


def _clipped(points: Points) -> Points:
    """What of a ring (n, 2) lies within the drawing and its margin: Sutherland and Hodgman, edge by edge."""
    edges = ((0, -MARGIN, 1), (0, WIDE + MARGIN, -1), (1, -MARGIN, 1), (1, HIGH + MARGIN, -1))
    for axis, at, sign in edges:
        if not len(points):
            break
        beyond = np.roll(points, -1, axis=0)
        here, there = sign * (points[:, axis] - at), sign * (beyond[:, axis] - at)
        crosses = (here >= 0) != (there >= 0)
        share = np.divide(here, here - there, out=np.zeros_like(here), where=crosses)
        met = points + (beyond - points) * share[:, None]
        kept = np.stack([here >= 0, crosses], axis=1).ravel()
        points = np.stack([points, met], axis=1).reshape(-1, 2)[kept]
    return points


@cache
def _rings(detail: str) -> list[Points]:
    """Rings (n, 2) of longitude and latitude, out of the arcs that neighbours share."""
    try:
        text = (settings.JAVASCRIPT_DIR / "world-atlas" / f"countries-{detail}.json").read_text("utf-8")
    except FileNotFoundError:
        return []
    topology = json.loads(text)
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [np.cumsum(np.array(arc, dtype=float), axis=0) * scale + shift for arc in topology["arcs"]]
    found = []
    for shape in topology["objects"]["countries"]["geometries"]:
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        for ring in (ring for polygon in polygons for ring in polygon):
            found += _flat(np.concatenate([arcs[n] if n >= 0 else arcs[~n][::-1] for n in ring]))
    return found


def _flat(ring: Points) -> list[Points]:
    """A ring on the globe as it lies on a map from -180° to 180°, on both sides where it goes across."""
    longitudes = np.unwrap(ring[:, 0], period=360)
    flat = np.column_stack([longitudes, ring[:, 1]])
    if abs(longitudes[-1] - longitudes[0]) > 180:  # around a pole, to which it is closed
        pole = math.copysign(90, ring[0, 1])
        flat = np.append(flat, [[longitudes[-1], pole], [longitudes[0], pole]], axis=0)
    low, high = longitudes.min(), longitudes.max()
    return [flat + [turn, 0] for turn in (-360, 0, 360) if low + turn < 180 and high + turn > -180]
