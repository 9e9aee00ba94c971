"""Telling the owner of a saved search of what is new and matches it; docs/decisions/0026 says what counts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from search import by_words, fresh, likeness, saved, spaces, sql
from search.asked import Asked
from search.hybrid import HybridQuery
from search.models import SavedMatch, SavedSearch
from search.query import DEPTH, FIRST_DEPTH, understood
from search.question import Question

AT_ONCE = 1000
"""Pictures that are looked at in one round."""
PATIENCE = timedelta(days=1)
"""How long a picture waits for an encoder that is away."""


def work() -> int:
    """Ask all alerts about a portion of what has changed; returns how many pictures that were.

    Whatever is interrupted is done again: nothing is told twice, since a match is there once. Where likeness
    cannot be asked, the pictures are put off, and others are not kept waiting by them.
    """
    noted = fresh.waiting(AT_ONCE)
    again = [] if noted else fresh.waiting(AT_ONCE, again=True)
    if not (noted or again):
        return 0
    alerts = SavedSearch.objects.filter(alert_since__isnull=False, owner__is_active=True)
    sure = True
    for search in alerts.select_related("owner"):
        since = search.alert_since
        sure = tell(search, [pk for pk, at in noted or again if since and at >= since]) and sure
    if sure:
        fresh.done(noted or again)
    elif noted:
        fresh.put_off(noted)
    else:
        old = timezone.now() - PATIENCE
        fresh.done([(pk, at) for pk, at in again if at < old])
    return len(noted or again)


def tell(search: SavedSearch, asset_ids: Sequence[int]) -> bool:
    """Note which of these assets match, unless that is known; False where likeness could not be asked."""
    known = set(search.matches.filter(asset__in=asset_ids).values_list("asset", flat=True))
    found, sure = matching(search, [pk for pk in asset_ids if pk not in known])
    SavedMatch.objects.bulk_create(
        (SavedMatch(search=search, asset_id=pk) for pk in found), ignore_conflicts=True
    )
    return sure


def matching(search: SavedSearch, asset_ids: Sequence[int]) -> tuple[list[int], bool]:
    """Those of these assets that the search finds and that stand out, and whether that is certain.

    What is only filtered matches if it passes. Words have to be there, all of them; likeness has to be above
    the cutoff of this question among all pictures. Where a question has mistakes, nothing matches.
    """
    query = saved.query_of(search)
    if query is None or not asset_ids:
        return [], True
    asked, _ = understood(query)
    if asked.is_impossible or asked.mistakes:
        return [], True
    among = replace(asked, where=asked.where.add("r.asset_id = ANY(%s::bigint[])", list(asset_ids)))
    passing = _listed(among.where)
    if not passing or not query.asks:
        return passing, True
    worded = _listed(by_words.holding(among)) if asked.parsed.sentence and query.mode != "visual" else []
    if query.mode == "keywords":
        return worded, True
    alike = _alike(query, asked)
    if alike is None:
        return worded, False
    return [pk for pk in passing if pk in alike or pk in worded], True


def _listed(where: sql.Where) -> list[int]:
    return sql.listed(where, "added", AT_ONCE, 0)


def _alike(query: HybridQuery, asked: Asked) -> set[int] | None:
    """All that match well by likeness, as the search page has it; None where that cannot be asked now."""
    space = spaces.active()
    if space is None:
        return set()
    sentence = asked.parsed.sentence
    question = Question(query.user, sentence, query.image, query.liked, query.unliked, query.region)
    vectors = question.vectors(space, [])
    if query.mode == "visual":
        vectors.pop("words", None)
    if not vectors:  # a liked picture without a vector has failed, or brings a note of its own
        return None if sentence or query.image or query.region else set()
    depth = FIRST_DEPTH.get(query.mode, DEPTH)
    passing = sql.count(asked.where.add(sql.PICTURED))
    for reach in (depth, DEPTH):
        near, cutoffs, _ = likeness.judged(
            query.user,
            space,
            vectors,
            asked.where,
            reach,
            sentence=not query.by_example,
            passing=passing,
        )
        if not likeness.all_strong(near, cutoffs, reach):
            break
    return {
        found.asset_id
        for kind, ranked in near.items()
        for found in ranked
        if kind in cutoffs and found.score >= cutoffs[kind]
    }
