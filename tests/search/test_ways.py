"""Whole questions over random libraries, each way of the planner forced, against a plain look."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import User
from assets.models import Asset, Term
from search import nearest, planner, sql
from search.facets import facets
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.planner import EXACT, FEW, WALK, Plan
from search.query import Results, run
from search.question import Question
from tests.often import often

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("forced")]
WAYS = {EXACT: Plan(EXACT), FEW: Plan(FEW), WALK: Plan(WALK, breadth=100, budget=500)}


def go(way: str, patch: pytest.MonkeyPatch) -> None:
    """Whatever the numbers are; and a walk that finds too few is not followed by another way."""
    patch.setattr(planner, "choose", lambda *numbers: WAYS[way])
    patch.setattr(nearest, "_further", lambda *asked: {})


SAYS = ("boat", "river", "red")
Test = Callable[[set[str]], bool]


def some(*words: str) -> Test:
    return lambda said: bool(said & set(words))


def every(*words: str) -> Test:
    return lambda said: said >= set(words)


# A question in words: what must hold in every mode; of the rest, all words and any of them.
TEXTS: dict[str, tuple[Test, Test, Test]] = {
    "": (every(), every(), every()),
    "boat": (every(), every("boat"), some("boat")),
    "red boat": (every(), every("red", "boat"), some("red", "boat")),
    "boat -river": (lambda said: "river" not in said, every("boat"), some("boat")),
    "(boat OR river) red": (some("boat", "river"), lambda s: "red" in s, some("red", "boat", "river")),
}
FILTERS: dict[str, Callable[["Fact"], bool]] = {
    "tag:oil": lambda fact: "oil" in fact.tags,
    "-tag:oil": lambda fact: "oil" not in fact.tags,
    "date:1800..1850": lambda fact: fact.year is not None and 1800 <= fact.year <= 1850,
    "has:nothing": lambda fact: True,  # not understood, and so left out
}


@dataclass
class Fact:
    pk: int
    words: set[str]
    tags: set[str]
    hidden: str
    year: int | None

    def is_visible(self, user: Any) -> bool:
        if user.is_superuser:
            return self.hidden != "trashed"
        return user.is_authenticated and not self.hidden


FACTS = st.fixed_dictionaries(
    {
        "words": st.sets(st.sampled_from(SAYS)),
        "tags": st.sets(st.sampled_from(["oil", "late"])),
        "hidden": st.sampled_from(["", "", "", "", "restricted", "embargo", "trashed"]),
        "year": st.sampled_from([None, 1799, 1800, 1850, 1900]),
    }
)


def store(facts: list[Fact], space: EmbeddingSpace, seed: int) -> dict[int, np.ndarray]:
    """Write the facts where a search looks for them; the vectors by asset, as a halfvec keeps them."""
    terms = {label: Term.objects.labelled("tags", label).pk for label in ("oil", "late")}
    later = timezone.now() + timedelta(days=1)
    for fact in facts:
        access = "restricted" if fact.hidden == "restricted" else "staff"
        embargo = later if fact.hidden == "embargo" else None
        trashed = timezone.now() if fact.hidden == "trashed" else None
        sql.rows(
            "UPDATE search_searchrow SET term_ids = %s, access = %s, embargo_until = %s, trashed = %s, "
            "year_earliest = %s, year_latest = %s, words = to_tsvector('museum', %s) "
            "WHERE asset_id = %s RETURNING 1",
            [
                *(sorted(terms[tag] for tag in fact.tags), access, embargo, trashed is not None),
                *(fact.year, fact.year, " ".join(sorted(fact.words)), fact.pk),
            ],
        )
        Asset.objects.filter(pk=fact.pk).update(access=access, embargo_until=embargo, trashed_at=trashed)
    draw = np.random.default_rng(seed)
    drawn = draw.normal(size=(len(facts), space.dimensions)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    versions = dict(Asset.objects.values_list("pk", "current_version"))
    for fact, vector in zip(facts, drawn, strict=True):
        sql.write_vector(space, versions[fact.pk] or 0, fact.pk, "visual", vector)
    return sql.vectors_of(space, [fact.pk for fact in facts])


def found_by(way: str, query: HybridQuery) -> tuple[Results, dict[str, int]]:
    cache.clear()
    with pytest.MonkeyPatch.context() as patch:
        go(way, patch)
        results = run(query)
    return results, {choice.value: choice.count for choice in facets(query).choices["tags"]}


@pytest.mark.slow
@rules(max_examples=often(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_way_against_a_plain_look(
    data: st.DataObject, thirty: list[int], space: EmbeddingSpace, viewer: User, admin: User
) -> None:
    facts = [Fact(pk, **data.draw(FACTS)) for pk in thirty]
    vectors = store(facts, space, data.draw(st.integers(0, 2**32 - 1)))
    query = HybridQuery(
        user=data.draw(st.sampled_from([viewer, viewer, admin, AnonymousUser()])),
        text=data.draw(st.sampled_from([*TEXTS])),
        filters=tuple(data.draw(st.sets(st.sampled_from([*FILTERS])))),
        liked=tuple(data.draw(st.sets(st.sampled_from(thirty), max_size=2))),
        unliked=tuple(data.draw(st.sets(st.sampled_from(thirty), max_size=1))),
        mode=data.draw(st.sampled_from(["best", "keywords", "visual"])),
        limit=data.draw(st.sampled_from([3, 48])),
    )
    right = expected(query, facts)
    for way in WAYS:
        results, tags = found_by(way, query)
        ids = [hit.asset_id for hit in results.hits]
        assert len(set(ids)) == len(ids) and set(ids) <= {fact.pk for fact in right}
        assert results.total == len(right)
        if asks_something(query, facts):
            assert len(ids) == min(query.limit, len(right))
        counts = {tag: sum(tag in fact.tags for fact in right) for tag in ("oil", "late")}
        assert tags == {tag: number for tag, number in counts.items() if number}
        if query.mode == "visual" and query.asks:
            check_order(way, query, space, ids, [vectors[fact.pk] for fact in right], vectors)


def asks_something(query: HybridQuery, facts: list[Fact]) -> bool:
    """Not only pictures that this person may not see, which nothing is made of."""
    visible = {fact.pk for fact in facts if fact.is_visible(query.user)}
    liked = {*query.liked} - {*query.unliked}
    return bool(query.text or not liked or visible & liked or query.mode == "keywords")


def expected(query: HybridQuery, facts: list[Fact]) -> list[Fact]:
    must, all_words, any_word = TEXTS[query.text]
    shown = {*query.liked, *query.unliked}
    passing = [
        fact
        for fact in facts
        if fact.is_visible(query.user)
        and fact.pk not in shown
        and must(fact.words)
        and all(FILTERS[filter](fact) for filter in query.filters)
    ]
    if query.mode != "keywords" or not query.text:
        return passing
    return [f for f in passing if all_words(f.words)] or [f for f in passing if any_word(f.words)]


def check_order(
    way: str,
    query: HybridQuery,
    space: EmbeddingSpace,
    ids: list[int],
    right: list[np.ndarray],
    vectors: dict[int, np.ndarray],
) -> None:
    """The scores of what was found are the best there are; a walk may miss one of twenty."""
    liked = tuple(pk for pk in query.liked if pk not in query.unliked)
    asked = Question(query.user, query.text.replace("-river", ""), None, liked, query.unliked, None)
    question = asked.vectors(space, []).get("visual")
    if question is None:  # all that is liked is hidden from this person
        return
    best = sorted((float(vector @ question) for vector in right), reverse=True)[: len(ids)]
    found = [float(vectors[pk] @ question) for pk in ids]
    assert found == sorted(found, reverse=True) or np.diff(found).max() < 0.004
    if way != WALK:
        assert found == pytest.approx(best, abs=0.004)
    elif best:
        assert np.mean([score >= best[-1] - 0.004 for score in found]) >= 0.95
