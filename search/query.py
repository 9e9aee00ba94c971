"""The one way to search: a HybridQuery in, Results out. Used by the page, the API and the command line."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from assets import grid
from assets.models import Asset, StageRun
from assets.queues import OPEN
from assets.scopes import scope_of
from search import background, by_words, cached, corrections, counting, likeness, spaces, sql
from search.asked import Asked, Wrong, understand
from search.corrections import Meant
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.question import Question
from search.question import remember_image as remember_image
from search.ranking import LIKENESSES, Hit, Ranking, count_strong, fuse
from search.region import RegionError, version_of
from search.vectorise import vectorise_picture

ALL_WORDS = {"keywords", "title", "accession"}
COUNTED = 10_001
FILLING_SECONDS = 10
DEPTH = 1000
"""Ranks that a search goes down to; beyond, a person narrows the question."""
FIRST_DEPTH = {"best": 200, "visual": 100}
"""Ranks of a likeness that the first pages are made of; who pages on gets the others behind them."""


@dataclass
class Results:
    """One page of an answer."""

    space: str = ""
    total: int = 0
    """Assets that pass the filters; in mode `keywords`, those that match."""
    awaited: int = 0
    """How many of the total wait for their picture."""
    reachable: int = 0
    """How many of them paging can show."""
    hits: list[Hit] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    """In the order of the hits, with all that a grid shows."""
    examples: dict[int, Asset] = field(default_factory=dict)
    """Likewise, by id, those that the page shows beside the results."""
    matched: int | None = None
    """How many were found by their words, an accession number or a title; None where no words were asked."""
    strong: int | None = None
    """How many match well; None for a list, and where that cannot be told."""
    more_strong: bool = False
    """Whether there may be more: all that were looked at so far match well."""
    ranked: int = 0
    """How many the whole ranking has, strong and weak."""
    notices: list[str] = field(default_factory=list)
    """Calm sentences for the person who asked."""
    mistakes: list[Wrong] = field(default_factory=list)
    """What was not understood, and where it stands; the rest was searched."""
    did_you_mean: Meant | None = None
    """Another question, where words or names of this one match nothing."""


def run(query: HybridQuery, space: EmbeddingSpace | None = None) -> Results:
    """Answer a question in one space from start to end: the one in use, unless another is to be tried.

    A filter is applied inside every arm, so that a page is full whenever it can be.
    """
    space = space or spaces.active()
    results = Results(space=space.slug if space else "")
    query = possible(query, results.notices)
    asked = _understood(query)
    results.notices += asked.notices
    results.mistakes += asked.mistakes
    if asked.is_impossible:
        results.did_you_mean = _meant(query, asked, whole=False)
        return _with_assets(query, results)
    whole = _list(query, asked, results) if query.is_list else _rank(query, space, asked, results)
    results.did_you_mean = _meant(query, asked, whole=whole)
    return _with_assets(query, results)


def passing(query: HybridQuery) -> sql.Where:
    """The condition that `Results.total` counts: permission, filters, and in mode `keywords` the words."""
    return _passing(query, _understood(query), [])


def understood(query: HybridQuery) -> tuple[Asked, sql.Where]:
    """What a question asks for, and its `passing`."""
    asked = _understood(query)
    return asked, _passing(query, asked, [])


def _passing(query: HybridQuery, asked: Asked, notices: list[str]) -> sql.Where:
    asks_words = query.mode == "keywords" and asked.parsed.sentence
    return by_words.matching(asked, notices) if asks_words else asked.where


def _list(query: HybridQuery, asked: Asked, results: Results) -> bool:
    """All that passes, in an order that is not that of a ranking: every page of it can be reached.

    Returns, as `_rank` does, whether something has all of the words.
    """
    where = _passing(query, asked, results.notices)
    order = "added" if query.sort == "relevance" else query.sort
    first = asked.accession_keys if query.sort == "relevance" else []
    ids, total = counting.listed(where, order, query.limit, query.offset, first)
    (results.total, results.awaited), results.reachable = total, total.total
    results.hits = [Hit(pk) for pk in ids]
    return bool(results.hits) and str(by_words.SOME) not in results.notices


def _rank(query: HybridQuery, space: EmbeddingSpace | None, asked: Asked, results: Results) -> bool:
    """The most fitting first, down to DEPTH; or these in another order."""
    ranked = _ranked(query, space, asked, results.notices)
    whole = any(ALL_WORDS & hit.signals.keys() for hit in ranked.hits)
    results.total, results.awaited = ranked.counted or counting.counted(_passing(query, asked, []))
    results.ranked = len(ranked.hits)
    if not ranked.whole:  # what lies deeper has not been looked for, but it is there
        results.ranked = min(max(results.ranked, results.total), DEPTH)
    results.strong, results.more_strong, results.reachable = ranked.strong, ranked.more_strong, results.ranked
    if results.strong and not query.weak and not results.more_strong:
        results.reachable = results.strong
        ranked.hits = ranked.hits[: results.strong]
    if asked.parsed.sentence and query.mode != "visual":
        results.matched = ranked.matched
    if query.mode != "keywords":
        results.notices += _filling(query.user, results.total)
    if query.sort != "relevance":
        places = sql.placed([hit.asset_id for hit in ranked.hits], query.sort)
        ranked.hits.sort(key=lambda hit: (hit.strong is False, places.get(hit.asset_id, DEPTH)))
    results.hits = ranked.hits[query.offset : query.offset + query.limit]
    return whole


def _meant(query: HybridQuery, asked: Asked, *, whole: bool) -> Meant | None:
    """What may have been meant, unless something has the `whole` of the words."""

    def again(text: str) -> Asked:
        return _understood(replace(query, text=text, known=asked.known))

    if query.offset:
        return None
    if asked.unknown:
        return corrections.of_names(asked, again, sql.visible_to(sql.Where(), query.user), query.mode)
    if whole or query.mode == "visual" or not asked.parsed.sentence or asked.is_impossible:
        return None
    return corrections.of_words(asked, again)


def rank(query: HybridQuery, space: EmbeddingSpace | None = None) -> list[Hit]:
    """The whole ranking down to DEPTH, without loading assets: for measuring."""
    asked = _understood(query)
    return [] if asked.is_impossible else _compute(query, space or spaces.active(), asked, [], DEPTH).hits


def size(query: HybridQuery) -> int:
    """How many assets pass the filters of a query."""
    return sql.count(_understood(query).where)


def possible(query: HybridQuery, notices: list[str]) -> HybridQuery:
    """Without a detail that there is not, and liking what is not liked; notices say what has no effect."""
    query = replace(query, liked=tuple(pk for pk in query.liked if pk not in query.unliked))
    if query.region:
        try:
            query = replace(query, version=version_of(query.region, query.user))
        except RegionError as error:
            notices.append(str(error))
            query = replace(query, region=None)
    if query.by_example and query.mode == "keywords":
        notices.append(_("With “Words only”, pictures are not compared, so the examples have no effect."))
    elif query.unliked and not query.asks:
        notices.append(
            _(
                "“Less like this” needs something to begin with: add words, or a picture that you like. "
                "Until then, these pictures alone are left out."
            )
        )
    return query


def _understood(query: HybridQuery) -> Asked:
    shown, known = [*query.liked, *query.unliked], query.known
    asked = understand(query.text, query.user, query.filters, query.tags, query.collections, shown, known)
    if query.region is None:
        return asked
    return replace(asked, where=sql.other_than(asked.where, query.region.uid))


def _ranked(query: HybridQuery, space: EmbeddingSpace | None, asked: Asked, notices: list[str]) -> Ranking:
    """A ranking that reaches to the end of the page. What was computed for it is stored.

    The first page looks only as deep as it and the next ones need. Whoever goes on beyond that gets the whole
    ranking, behind what was stored, so that nothing moves, shows twice or is left out while one scrolls.
    """
    key, end = query.key(space), query.offset + query.limit
    stored = cached.ranking(key) if query.offset else None
    if stored and stored.reaches(DEPTH if query.sort != "relevance" else end):
        return stored
    if query.offset and stored is None:
        notices.append(_("The results were put together again, since the list had expired."))
    first = FIRST_DEPTH.get(query.mode, DEPTH)
    deep = end > first or query.sort != "relevance"
    ranking = _compute(query, space, asked, notices, DEPTH if deep else first)
    if stored:
        ranking = ranking.behind(stored, DEPTH)
    cached.keep_ranking(key, ranking)
    return ranking


def _compute(
    query: HybridQuery,
    space: EmbeddingSpace | None,
    asked: Asked,
    notices: list[str],
    depth: int,
) -> Ranking:
    """Likenesses down to `depth`, words down to DEPTH always: it is known how many were found by them.

    Beyond `depth` the order would be that of the words alone: a ranking ends there, unless it is whole.
    """
    rankings: dict[str, list[int]] = {}
    near, cutoffs, awaited = likeness.Judged({}, {}, set())
    total: sql.Count | None = None
    where, sentence = asked.where, asked.parsed.sentence
    if sentence and query.mode != "visual":
        known = counting.known(where) if query.mode == "best" else None
        found = by_words.find(asked, query.mode, notices, DEPTH, counting=known is None)
        rankings, total = found.rankings, known or found.total
        if query.mode == "best" and found.total:
            counting.keep(where, found.total, found.seconds)
    if query.mode != "keywords":
        total = total or counting.counted(where)
    if query.mode != "keywords" and space:
        question = Question(
            query.user,
            sentence,
            query.image,
            query.liked,
            query.unliked,
            query.region,
            query.version,
            query.stored,
        )
        vectors = question.vectors(space, notices)
        if query.mode == "visual":
            vectors.pop("words", None)
        if vectors and total:
            near, cutoffs, awaited = likeness.judged(
                query.user,
                space,
                vectors,
                where,
                depth,
                sentence=not query.by_example,
                passing=total.total - total.awaited,
                waiting=rankings.get("keywords", []) if total.awaited else [],
            )
            rankings |= {kind: [found.asset_id for found in ranked] for kind, ranked in near.items()}
        elif query.mode == "visual" and sentence:
            rankings |= by_words.find(asked, query.mode, notices, DEPTH).rankings
    whole = all(len(ranked) < depth or len(ranked) >= DEPTH for ranked in near.values())
    worded = {pk for signal, found in rankings.items() if signal not in LIKENESSES for pk in found}
    hits = background.judge(fuse(rankings, DEPTH, awaited), near, cutoffs)
    strong = count_strong(hits)
    more = depth < DEPTH and likeness.all_strong(near, cutoffs, depth)
    kept = DEPTH if whole else depth if more else max(depth, strong or 0)
    return Ranking(hits[:kept], min(len(worded), DEPTH), strong, whole, more, total)


def filling(user: Any) -> cached.Kept[int]:
    """How many pictures that somebody may see have no vector yet, counted up to COUNTED."""

    def runs() -> QuerySet[StageRun]:
        seen, stage = Asset.objects.live().visible_to(user), vectorise_picture.name
        return StageRun.objects.filter(stage=stage, state__in=OPEN, version__asset__in=seen)[:COUNTED]

    return cached.Kept.number(f"filling:{scope_of(user).key}", runs, FILLING_SECONDS)


def _filling(user: Any, total: int) -> list[str]:
    """A sentence while many pictures have no vector yet, as in a large import or after a new encoder."""
    waiting = filling(user).get()
    if waiting < max(10, 0.1 * total):
        return []
    text = _("%(number)s pictures are still being looked at; likeness will find them when that is done.")
    if waiting == COUNTED:
        text = _(
            "More than %(number)s pictures are still being looked at; "
            "likeness will find them when that is done."
        )
    return [text % {"number": number_format(min(waiting, COUNTED - 1), force_grouping=True)}]


def _with_assets(query: HybridQuery, results: Results) -> Results:
    """Load what the page shows. Permission is checked again: a stored list may be ten minutes old."""
    ids = [hit.asset_id for hit in results.hits]
    visible = Asset.objects.live().visible_to(query.user)
    every = [*ids, *query.beside]
    assets = grid.loaded(visible, every, makers=query.makers) if every else {}
    results.examples = {pk: assets[pk] for pk in query.beside if pk in assets}
    results.hits = [hit for hit in results.hits if hit.asset_id in assets]
    results.assets = [assets[hit.asset_id] for hit in results.hits]
    return results


recall_image = cached.picture
