"""The one way to search: a HybridQuery in, Results out. Used by the page, the API and the command line."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser

from assets.models import Asset, StageRun
from assets.text import accession_key, fold
from search import background, cached, planner, spaces, sql
from search.asked import Asked, Wrong, understand
from search.language import parse
from search.language.words import all_of, any_of
from search.models import EmbeddingSpace
from search.question import Question
from search.question import remember_image as remember_image
from search.ranking import Hit, fuse
from search.vectorise import vectorise_picture

if TYPE_CHECKING:
    from accounts.models import User

MODES = {"best": "words and likeness", "keywords": "words only", "visual": "likeness only"}
SORTS = ("relevance", *sql.ORDERS)
COUNTED = 10_001
DEPTH = 1000
"""Ranks that a search goes down to; beyond, a person narrows the question."""


@dataclass(frozen=True)
class HybridQuery:
    """A question: words, pictures, filters, or any of them together. Empty means everything, newest first.

    `text` and each of `filters` are in the language of search.language; `tags` and `collections` are names.
    """

    user: "User | AnonymousUser"
    text: str = ""
    image: bytes | None = None
    liked: tuple[int, ...] = ()
    unliked: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    mode: str = "best"
    weak: bool = True
    """Whether weak results follow the strong ones; where none is strong they are there all the same."""
    sort: str = "relevance"
    limit: int = 48
    offset: int = 0

    @property
    def asks(self) -> bool:
        """Whether there is anything to rank by; else this is a list."""
        return bool(self.image or self.liked or parse(self.text).sentence)

    def key(self, space: EmbeddingSpace | None) -> str:
        """Equal for the same question of the same person in the same space, whatever the page."""
        values = {**asdict(replace(self, user=AnonymousUser(), image=None)), "user": self.user.pk}
        values = {k: v for k, v in values.items() if k not in {"limit", "offset", "weak"}}
        values["image"] = hashlib.sha256(self.image).hexdigest() if self.image else ""
        values["space"] = space.slug if space else ""
        return hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()


@dataclass
class Results:
    """One page of an answer."""

    space: str = ""
    total: int = 0
    """Assets that pass the filters; in mode `keywords`, those that match."""
    reachable: int = 0
    """How many of them paging can show."""
    hits: list[Hit] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    """In the order of the hits, with all that a grid shows."""
    matched: int | None = None
    """How many were found by their words, an accession number or a title; None where no words were asked."""
    strong: int | None = None
    """How many match well; None for a list, and where that cannot be told."""
    ranked: int = 0
    """How many the whole ranking has, strong and weak."""
    notices: list[str] = field(default_factory=list)
    """Calm sentences for the person who asked."""
    mistakes: list[Wrong] = field(default_factory=list)
    """What was not understood, and where it stands; the rest was searched."""


def run(query: HybridQuery, space: EmbeddingSpace | None = None) -> Results:
    """Answer a question in one space from start to end: the one in use, unless another is to be tried.

    A filter is applied inside every arm, so that a page is full whenever it can be.
    """
    space = space or spaces.active()
    results = Results(space=space.slug if space else "")
    asked = _understood(query)
    results.notices += asked.notices
    results.mistakes += asked.mistakes
    if asked.is_impossible:
        return results
    where = asked.where
    if not query.asks:
        order = "added" if query.sort == "relevance" else query.sort
        results.total = results.reachable = sql.count(where)
        first = asked.accession_keys if query.sort == "relevance" else []
        results.hits = [Hit(pk) for pk in sql.listed(where, order, query.limit, query.offset, first)]
    else:
        ranked = _ranked(query, space, asked, results.notices)
        results.total = len(ranked) if query.mode == "keywords" else sql.count(where)
        results.ranked, results.strong = len(ranked), background.count_strong(ranked)
        if results.strong and not query.weak:
            ranked = ranked[: results.strong]
        results.reachable = len(ranked)
        if asked.parsed.sentence and query.mode != "visual":
            results.matched = sum(bool(hit.signals.keys() - {"visual", "words"}) for hit in ranked)
        if query.mode != "keywords":
            results.notices += _filling(results.total)
        results.hits = ranked[query.offset : query.offset + query.limit]
    return _with_assets(query, results)


def rank(query: HybridQuery, space: EmbeddingSpace | None = None) -> list[Hit]:
    """The whole ranking down to DEPTH, without loading assets: for measuring."""
    asked = _understood(query)
    return [] if asked.is_impossible else _compute(query, space or spaces.active(), asked, [])


def size(query: HybridQuery) -> int:
    """How many assets pass the filters of a query."""
    return sql.count(_understood(query).where)


def _understood(query: HybridQuery) -> Asked:
    shown = [*query.liked, *query.unliked]
    return understand(query.text, query.user, query.filters, query.tags, query.collections, shown)


def _ranked(query: HybridQuery, space: EmbeddingSpace | None, asked: Asked, notices: list[str]) -> list[Hit]:
    """The whole ranking. Its first page computes and stores it, further pages read what was stored."""
    key = query.key(space)
    stored = cached.ranking(key) if query.offset else None
    if stored is not None:
        return stored
    if query.offset:
        notices.append("The results were put together again, since the list had expired.")
    hits = _compute(query, space, asked, notices)
    cached.keep_ranking(key, hits)
    return hits


def _compute(query: HybridQuery, space: EmbeddingSpace | None, asked: Asked, notices: list[str]) -> list[Hit]:
    rankings: dict[str, list[int]] = {}
    near: dict[str, list[sql.Ranked]] = {}
    cutoffs: dict[str, float] = {}
    sentence = asked.parsed.sentence
    if sentence and query.mode != "visual":
        rankings |= _word_rankings(query, asked, notices)
    if query.mode != "keywords" and space:
        question = Question(sentence, query.image, query.liked, query.unliked)
        vector = question.vector(space, notices)
        if vector is not None:
            kinds = ("visual", "words") if query.mode == "best" and question.is_sentence else ("visual",)
            near = _nearest(space, vector, asked.where, kinds)
            rankings |= {kind: [found.asset_id for found in ranked] for kind, ranked in near.items()}
            cutoffs = _cutoffs(query, space, vector, asked.where, near)
        elif query.mode == "visual" and sentence:
            rankings |= _word_rankings(query, asked, notices)
    return background.judge(fuse(rankings, DEPTH), near, cutoffs)


def _cutoffs(
    query: HybridQuery,
    space: EmbeddingSpace,
    vector: sql.Vector,
    where: sql.Where,
    near: dict[str, list[sql.Ranked]],
) -> dict[str, float]:
    """From what the question scores against a sample of all that this person may see."""
    drawn = background.scores(space, vector, sql.visible_to(sql.Where(), query.user))
    passing = max(map(len, near.values()), default=0)
    passing = passing if passing < DEPTH else sql.estimate(where)
    return background.cutoffs(space, near, drawn, passing, not (query.image or query.liked))


def _word_rankings(query: HybridQuery, asked: Asked, notices: list[str]) -> dict[str, list[int]]:
    where, sentence = asked.where, asked.parsed.sentence
    found = _by_words(query, asked, notices)
    numbers = [accession_key(sentence), *asked.accession_keys]
    if exact := [
        pk for key in dict.fromkeys(numbers) if key for pk in sql.exact_accession(key, where, DEPTH)
    ]:
        found["accession"] = exact
    if title := fold(sentence):
        found["title"] = sql.exact_title(title, where, DEPTH)
    return found


def _by_words(query: HybridQuery, asked: Asked, notices: list[str]) -> dict[str, list[int]]:
    """Those that have all of the words; in mode `keywords`, where there are none, at least one of them."""
    parsed, where = asked.parsed, asked.where
    if parsed.ranked is None:  # words only as one possibility among others: the filters have decided
        some = any_of(parsed.tree) if parsed.tree else sql.Fragment("''::tsquery")
        return {"keywords": _ids(sql.matching_words(some, where, DEPTH, query.mode != "keywords"))}
    found = _ids(sql.matching_words(all_of(parsed.ranked, parsed.beginning), where, DEPTH))
    if found or query.mode != "keywords":
        return {"keywords": found}
    some_words = _ids(sql.matching_words(any_of(parsed.ranked), where, DEPTH))
    if some_words:
        notices.append("No picture has all of these words; these have at least one of them.")
    return {"keywords": [], "some_words": some_words}


def _ids(found: Sequence[sql.Ranked]) -> list[int]:
    return [ranked.asset_id for ranked in found]


def _filling(total: int) -> list[str]:
    """A sentence while many pictures have no vector yet, as in a large import or after a new encoder."""
    open_states = [StageRun.State.WAITING, StageRun.State.QUEUED, StageRun.State.RUNNING]
    waiting = StageRun.objects.filter(stage=vectorise_picture.name, state__in=open_states)[:COUNTED].count()
    if waiting < max(10, 0.1 * total):
        return []
    number = f"{waiting:,}" if waiting < COUNTED else f"More than {COUNTED - 1:,}"
    return [f"{number} pictures are still being looked at; likeness will find them when that is done."]


def _nearest(
    space: EmbeddingSpace, vector: sql.Vector, where: sql.Where, kinds: Sequence[str]
) -> dict[str, list[sql.Ranked]]:
    """By kind of vector, nearest first, the way the planner chooses; exact if the index has too few."""
    way = planner.choose(sql.estimate(where), sql.estimate(sql.Where()), DEPTH)
    found: dict[str, list[sql.Ranked]] = {}
    for kind in kinds:
        near: list[sql.Ranked] = []
        if way == planner.ITERATIVE:
            near = sql.nearest_iterative(space, vector, where, DEPTH, kind)
        if len(near) < DEPTH:
            near = sql.nearest_exact(space, vector, where, DEPTH, kind)
        found[kind] = near
    return found


def _with_assets(query: HybridQuery, results: Results) -> Results:
    """Load what the page shows. Permission is checked again: a stored list may be ten minutes old."""
    ids = [hit.asset_id for hit in results.hits]
    visible = Asset.objects.live().visible_to(query.user).for_grid()
    assets: dict[int, Any] = visible.in_bulk(ids)
    results.hits = [hit for hit in results.hits if hit.asset_id in assets]
    results.assets = [assets[hit.asset_id] for hit in results.hits]
    return results


recall_image = cached.picture
