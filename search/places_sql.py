"""The SQL of the map: how many of the rows that pass were made where."""

from typing import NamedTuple

from search.sql import Where, rows


class Cluster(NamedTuple):
    """Pictures of one cell of the map: so many, the sides of the area where they are, and its middle."""

    number: int
    south: float
    north: float
    west: float
    east: float
    latitude: float
    longitude: float


CLUSTERS = """
    SELECT count(*), min(a.latitude), max(a.latitude), min(a.longitude), max(a.longitude),
        avg(a.latitude), avg(a.longitude)
    FROM search_searchrow r JOIN assets_asset a ON a.id = r.asset_id
    WHERE a.latitude BETWEEN -90 AND 90 AND a.longitude BETWEEN -180 AND 180 AND {where}
    GROUP BY floor((a.latitude - %s) / %s), floor((a.longitude - %s) / %s)
    ORDER BY 1 DESC, 2 DESC, 4
"""


def clusters(where: Where, south: float, west: float, high: float, wide: float) -> list[Cluster]:
    """The most frequent first; cells are so `high` and `wide`, in degrees, from a corner on."""
    params = [*where.params, south, high, west, wide]
    return [Cluster(*values) for values in rows(CLUSTERS.format(where=where.sql), params)]
