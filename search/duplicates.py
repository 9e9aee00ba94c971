"""Pairs that look alike, weighed by their vectors: the SQL of it, and from which likeness on they are shown.

`assets.duplicates` finds pairs by their fingerprints. Those that are near enough are shown at once, and their
likeness is noted. Of the others the vectors of the active space decide, as soon as both are there.
"""

from assets import duplicates
from assets.models import DuplicateCandidate
from search import spaces, sql
from search.models import EmbeddingSpace

State = DuplicateCandidate.State
LOWEST, USUAL = {"builtin": 0.85}, 0.9
"""The lowest cosine of a pair that is shown; the built-in encoder's is measured (docs/decisions/0022)."""


def weigh(limit: int) -> int:
    """Note the likeness of up to `limit` pairs that have none; those that are too far apart go. How many."""
    space = spaces.active()
    if space is None:
        return 0
    lowest = LOWEST.get(space.asks, USUAL)
    found = likenesses(space, limit)
    candidates = DuplicateCandidate.objects.in_bulk([pk for pk, _ in found])
    alike = []
    for pk, likeness in found:
        if candidate := candidates.get(pk):
            candidate.likeness = likeness
            if candidate.distance <= duplicates.SURE or likeness >= lowest:
                candidate.state = State.ALIKE
                alike.append(candidate)
    DuplicateCandidate.objects.bulk_update(alike, ["likeness", "state"])
    gone = set(candidates) - {candidate.pk for candidate in alike}
    DuplicateCandidate.objects.filter(pk__in=gone, likeness=None).delete()
    return len(found)


def likenesses(space: EmbeddingSpace, limit: int) -> list[tuple[int, float]]:
    """(candidate, cosine) of pairs that were not weighed yet and have both vectors, oldest first."""
    inner = f"a.vector::halfvec({int(space.dimensions)}) <#> b.vector::halfvec({int(space.dimensions)})"
    own = f"space_id = {int(space.pk)} AND kind = 'visual' AND part = 0"
    return sql.rows(
        f"SELECT c.id, -({inner}) FROM assets_duplicatecandidate c "
        f"JOIN (SELECT * FROM search_embedding WHERE {own}) a ON a.asset_id = c.first_id "
        f"JOIN (SELECT * FROM search_embedding WHERE {own}) b ON b.asset_id = c.second_id "
        "WHERE c.likeness IS NULL ORDER BY c.id LIMIT %s",
        [limit],
    )
