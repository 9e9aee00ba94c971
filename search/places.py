"""The map: where the pictures of a question were made, as far as coordinates say."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search import cached, land, places_sql, steps
from search.asked import Asked
from search.explained import coordinates
from search.forms import Wish
from search.hybrid import HybridQuery
from search.land import HIGH, WIDE, WORLD, View
from search.language.nodes import And, Area, Field
from search.places_sql import Cluster
from search.query import understood

COLUMNS, ROWS = 24, 12  # of cells, in each of which all pictures are one mark
AROUND = 1.3  # a view is so much larger than what was asked for
LEAST, ALONE = 0.02, 6  # degrees of latitude that a view shows; that of one place alone, to see where it lies
WHOLE = 120  # degrees of latitude from which on a view shows the world
FIRST = 12  # of the list that are shown at once
NOWHERE = "area:none"


@dataclass(frozen=True)
class Place:
    label: str
    count: int
    digits: int
    """Of the number: marks grow with it."""
    x: int
    y: int
    address: str
    """Of the question narrowed to it; empty where that is what was asked for."""


@dataclass(frozen=True)
class Map:
    land: str
    first: list[Place]
    others: list[Place]
    path: list[tuple[str, str]]
    everywhere: str
    without: tuple[int, str]
    """How many have no coordinates, and the address of these alone."""

    @property
    def places(self) -> list[Place]:
        return [*self.first, *self.others]


def context(wish: Wish, query: HybridQuery, total: int) -> dict[str, Any]:
    """What the page has besides, of a question that so many pass."""
    asked, where = understood(query)
    chosen = area_of(asked)
    view = view_of(chosen)
    rule = hashlib.sha256(repr((where.conditions, where.params, view)).encode()).hexdigest()
    cell = view.height / ROWS, view.width / COLUMNS
    found = cached.for_a_minute(
        f"places:{total}:{rule}", lambda: places_sql.clusters(where, view.south, view.west, *cell)
    )
    places = [_place(wish, cluster, view, chosen) for cluster in found]
    missing = max(total - sum(place.count for place in places), 0)
    nowhere = wish.address(filters=(*wish.filters, NOWHERE), view="")
    drawn = Map(
        land=land.outlines(view),
        first=places[:FIRST],
        others=places[FIRST:],
        path=steps.path(wish, "area"),
        everywhere=steps.without(wish, "area"),
        without=(0 if NOWHERE in wish.filters else missing, nowhere),
    )
    return {"map": drawn}


def area_of(asked: Asked) -> Area | None:
    """The smallest of the areas that must hold."""
    parts: Sequence[Any] = asked.tree.parts if isinstance(asked.tree, And) else (asked.tree,)
    values = [p.values for p in parts if isinstance(p, Field) and p.name == "area" and len(p.values) == 1]
    areas = [value.meaning for (value,) in values if isinstance(value.meaning, Area)]
    return min(areas, key=lambda area: (area.north - area.south, area.east - area.west), default=None)


def view_of(area: Area | None) -> View:
    """An area with what lies around it; the world, of one that is nearly as large or goes across 180°."""
    if area is None or area.west > area.east:
        return WORLD
    middle = (area.south + area.north) / 2
    shorter = max(math.cos(math.radians(middle)), 0.1)  # a degree of longitude, beside one of latitude
    tall, broad = area.north - area.south, (area.east - area.west) * shorter * HIGH / WIDE
    extent = AROUND * max(tall, broad)
    height = max(extent, LEAST) if extent else ALONE
    if height >= WHOLE:
        return WORLD
    width = height * WIDE / HIGH / shorter
    return View((area.west + area.east - width) / 2, middle - height / 2, width, height)


def _place(wish: Wish, cluster: Cluster, view: View, chosen: Area | None) -> Place:
    area = Area(cluster.south, cluster.north, cluster.west, cluster.east)
    return Place(
        label=coordinates(cluster.latitude, cluster.longitude, view.height / ROWS),
        count=cluster.number,
        digits=min(len(str(cluster.number)), 6),
        x=round(view.x(cluster.longitude)),
        y=round(view.y(cluster.latitude)),
        address="" if area == chosen else wish.address(filters=(*wish.filters, f"area:{area}")),
    )
