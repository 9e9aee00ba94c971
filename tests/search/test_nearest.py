"""The nearest vectors: the planner alone, and every way over small random libraries against brute force."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import User
from assets.models import Asset
from search import nearest, partitions, planner, sql
from search import query as module
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.planner import EXACT, FEW, WALK, Plan
from search.query import run
from search.ranking import Hit, Ranking
from tests.factories import asset
from tests.often import often

TAG = 7
"""A term that filters ask for; search rows know no more of it than its number."""
counts = st.integers(0, 10**7)


# --- the planner ----------------------------------------------------------------------------------


def test_few_rows_are_compared_one_by_one_and_many_are_walked() -> None:
    assert planner.choose(passing=100, total=1_000_000, wanted=20, having=10**6).way == EXACT
    assert planner.choose(passing=500_000, total=1_000_000, wanted=20, having=10**6).way == WALK
    assert planner.choose(passing=12_000, total=1_000_000, wanted=20, having=10**6).way == WALK
    assert planner.choose(passing=9_000, total=1_000_000, wanted=20, having=10**6).way == EXACT
    assert planner.choose(passing=9_000, total=1_000_000, wanted=1, having=10**6).way == WALK, (
        "one is found sooner"
    )
    assert planner.choose(passing=0, total=0, wanted=20, having=10**6).way == EXACT


def test_vectors_of_which_there_are_few_are_compared_one_by_one() -> None:
    """Those of the words, where hardly anything has been described; beyond MANY nobody knows how many."""
    assert planner.choose(passing=100_000, total=100_000, wanted=400, having=0).way == FEW
    assert planner.choose(passing=100_000, total=100_000, wanted=400, having=2_000).way == FEW
    assert planner.choose(passing=100_000, total=100_000, wanted=400, having=3_000).way == WALK
    assert planner.choose(passing=1_000, total=100_000, wanted=400, having=3_000).way == EXACT
    assert planner.choose(passing=50_000, total=10**6, wanted=400, having=planner.MANY).way != FEW


@given(passing=counts, total=counts, wanted=st.integers(1, 1000), found=st.integers(0, 999), having=counts)
def test_plans_can_be_carried_out_and_come_to_an_end(
    passing: int, total: int, wanted: int, found: int, having: int
) -> None:
    plan = planner.choose(passing, total, wanted, having)
    if plan.way == FEW:
        return
    for _ in range(nearest.MOST_WALKS):
        if plan.way == EXACT:
            break
        assert planner.LEAST_BREADTH <= plan.breadth <= planner.MOST_BREADTH
        assert wanted <= plan.budget <= 1.25 * planner.PATIENCE * planner.MOST_TAKEN + 1
        plan = planner.again(plan, min(found, wanted - 1), passing, wanted)
    assert plan.way == EXACT or plan.breadth == planner.MOST_BREADTH
    assert planner.again(plan, 0, passing, wanted).way == EXACT if plan.way == WALK else True


def test_a_walk_that_met_almost_nothing_is_not_repeated() -> None:
    walk = planner.choose(passing=100_000, total=200_000, wanted=20, having=10**6)
    assert walk.way == WALK and walk.budget >= 4 * 40
    assert planner.again(walk, found=0, passing=100_000, wanted=20).way == EXACT
    longer = planner.again(walk, found=15, passing=100_000, wanted=20)
    assert longer.way == WALK and longer.breadth == planner.MOST_BREADTH and longer.budget > walk.budget
    assert planner.again(walk, found=15, passing=1000, wanted=20).way == EXACT, "comparing them is cheaper"


def test_where_most_passes_the_walk_begins_with_a_look() -> None:
    look = planner.choose(passing=185_000, total=200_000, wanted=20, having=10**6)
    assert look.is_look and look.breadth == planner.LEAST_BREADTH
    walk = planner.again(look, found=0, passing=185_000, wanted=20)
    assert walk.way == WALK and not walk.is_look and walk.budget >= 4 * look.budget
    assert not planner.choose(passing=100_000, total=200_000, wanted=20, having=10**6).is_look


def test_numbers_in_statements_are_few() -> None:
    plans = {planner.choose(passing, 200_000, 20, 200_000) for passing in range(1000, 200_000, 500)}
    assert len(plans) < 30


# --- every way over small libraries ---------------------------------------------------------------


class Drawn:
    """What one example made of the library, and the answer by brute force."""

    def __init__(self, data: st.DataObject, space: EmbeddingSpace, ids: list[int]) -> None:
        self.space, draw = space, np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        share = data.draw(st.sampled_from([0.05, 0.3, 0.7, 1.0]))
        self.tagged, self.hidden = draw.random(len(ids)) < share, draw.random(len(ids)) < 0.2
        self.ids, self.vectors = ids, draw.normal(size=(len(ids), space.dimensions)).astype(np.float32)
        if data.draw(st.booleans()):  # what is tagged lies on the far side
            self.vectors[self.tagged] += 3
            self.vectors[~self.tagged] -= 3
        self.vectors /= np.linalg.norm(self.vectors, axis=1, keepdims=True)
        question = -np.ones(space.dimensions) + draw.normal(size=space.dimensions)
        self.question = (question / np.linalg.norm(question)).astype(np.float32)
        self.limit = data.draw(st.sampled_from([1, 5, 20, 40]))
        self._store()

    def _store(self) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE search_searchrow SET term_ids = %s, access = %s WHERE asset_id = %s",
                [
                    ([TAG] if tagged else [], "restricted" if hidden else "staff", pk)
                    for pk, tagged, hidden in zip(self.ids, self.tagged, self.hidden, strict=True)
                ],
            )
        versions = dict(Asset.objects.values_list("pk", "current_version"))
        for pk, vector in zip(self.ids, self.vectors, strict=True):
            sql.write_vector(self.space, versions[pk] or 0, pk, "visual", vector)

    @property
    def passing(self) -> np.ndarray:
        return np.flatnonzero(self.tagged & ~self.hidden)

    def where(self, viewer: User) -> sql.Where:
        return sql.visible_to(sql.Where(), viewer).add("r.term_ids && %s::bigint[]", [TAG])

    def check(self, found: list[sql.Ranked]) -> None:
        """Nothing hidden, a full page, the right order, and at least 95 % of the best."""
        likeness = self.vectors @ self.question
        best = self.passing[np.argsort(-likeness[self.passing])][: self.limit]
        allowed = {self.ids[n] for n in self.passing}
        assert {ranked.asset_id for ranked in found} <= allowed and len(found) == len(best)
        assert len({ranked.asset_id for ranked in found}) == len(found)
        scores = [ranked.score for ranked in found]
        assert scores == sorted(scores, reverse=True)
        if len(best):
            worst = likeness[best[-1]] - 0.004  # a halfvec has three digits
            good = sum(likeness[self.ids.index(ranked.asset_id)] >= worst for ranked in found)
            assert good >= 0.95 * len(best)
        for ranked in found:
            assert ranked.score == pytest.approx(likeness[self.ids.index(ranked.asset_id)], abs=0.004)


examples = rules(
    deadline=None, max_examples=often(6), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@examples
@given(data=st.data())
def test_the_exact_way_is_brute_force(
    data: st.DataObject, space: EmbeddingSpace, thirty: list[int], viewer: User
) -> None:
    drawn = Drawn(data, space, thirty)
    drawn.check(nearest.exact(space, drawn.question, drawn.where(viewer), drawn.limit))
    drawn.check(nearest.few(space, drawn.question, drawn.where(viewer), drawn.limit))


@pytest.mark.usefixtures("forced")
@examples
@given(data=st.data())
def test_a_walk_that_reaches_everything_finds_it(
    data: st.DataObject, space: EmbeddingSpace, thirty: list[int], viewer: User
) -> None:
    drawn, plan = (
        Drawn(data, space, thirty),
        Plan(WALK, breadth=data.draw(st.sampled_from([10, 100])), budget=500),
    )
    drawn.check(nearest.walk(space, drawn.question, drawn.where(viewer), drawn.limit, plan=plan))


@pytest.mark.usefixtures("forced")
@examples
@given(data=st.data(), passing=counts, total=counts)
def test_estimates_decide_about_the_way_never_about_the_result(
    data: st.DataObject, passing: int, total: int, space: EmbeddingSpace, thirty: list[int], viewer: User
) -> None:
    """Whatever the statistics say, and however short the walks are that follow."""
    drawn = Drawn(data, space, thirty)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "PATIENCE", data.draw(st.sampled_from([0.1, 4])))
        patch.setattr(planner, "LEAST_BREADTH", data.draw(st.sampled_from([10, 40])))
        patch.setattr(planner, "LOOK", data.draw(st.sampled_from([0, 1.5])))
        plan = planner.choose(passing, total, drawn.limit, data.draw(counts))
        asked = (space, {"visual": drawn.question}, drawn.where(viewer), drawn.limit, {"visual": plan})
        found, _ = nearest.nearest(*asked, passing=passing)
    drawn.check(found["visual"])


@pytest.mark.django_db
@pytest.mark.usefixtures("forced")
def test_the_very_statement_of_a_walk_uses_the_index_of_the_partition(
    space: EmbeddingSpace, viewer: User
) -> None:
    where = sql.visible_to(sql.Where(), viewer).add("r.term_ids && %s::bigint[]", [TAG])
    with CaptureQueriesContext(connection) as captured:
        vector = np.ones(space.dimensions, dtype=np.float32)
        nearest.walk(space, vector, where, 5, plan=Plan(WALK, 60, 100))
    statement = next(q["sql"] for q in captured.captured_queries if "LATERAL" in q["sql"])
    plan = "\n".join(line for (line,) in sql.rows(f"EXPLAIN (GENERIC_PLAN) {statement}", []))
    assert f"Index Scan using {partitions.index_name(space, 'visual')}" in plan
    assert "One-Time Filter" in plan, "the settings are made before the scan begins"
    assert "Nested Loop" in plan and "Hash Join" not in plan


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_statements_are_prepared_and_leave_no_settings_behind(space: EmbeddingSpace, viewer: User) -> None:
    vector = np.ones(space.dimensions, dtype=np.float32)
    for _ in range(5):
        nearest.walk(space, vector, sql.visible_to(sql.Where(), viewer), 5, plan=Plan(WALK, 77, 100))
    prepared = sql.rows("SELECT statement FROM pg_prepared_statements", [])
    assert any("set_config('hnsw.ef_search', '77', true)" in statement for (statement,) in prepared)
    assert sql.rows("SHOW hnsw.ef_search", []) == [("40",)]


# --- pages ----------------------------------------------------------------------------------------


def test_a_deeper_ranking_goes_behind_what_was_shown() -> None:
    shown = Ranking([Hit(3), Hit(1)], matched=1, whole=False)
    deeper = Ranking([Hit(1), Hit(2), Hit(3), Hit(4)], matched=1, whole=True)
    together = deeper.behind(shown, 3)
    assert [hit.asset_id for hit in together.hits] == [3, 1, 2] and together.whole
    assert shown.reaches(2) and not shown.reaches(3) and together.reaches(100)


@pytest.mark.django_db
def test_nothing_moves_shows_twice_or_is_left_out_while_one_scrolls(
    space: EmbeddingSpace, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_DEPTH", {"best": 4, "visual": 4})
    colors = ("red", "green", "blue", "yellow")
    made = [
        asset(color, f"{color}{n}.jpg", done=True, title=f"A {color} one") for n in (1, 2) for color in colors
    ]
    for mode in ("best", "visual"):
        scroll(viewer, mode, made)


def scroll(viewer: User, mode: str, made: list[Asset]) -> None:
    ask = {"user": viewer, "text": "something green", "mode": mode, "limit": 3}
    pages = [run(HybridQuery(**ask, offset=offset)) for offset in range(0, 9, 3)]  # type: ignore[arg-type]
    shown = [hit.asset_id for page in pages for hit in page.hits]
    assert sorted(shown) == sorted(one.pk for one in made)
    assert {(page.total, page.reachable, page.matched) for page in pages} == {(8, 8, pages[0].matched)}
    again = [run(HybridQuery(**ask, offset=offset)) for offset in range(3, 9, 3)]  # type: ignore[arg-type]
    assert [hit.asset_id for page in again for hit in page.hits] == shown[3:]
    assert not any("put together" in notice for page in [*pages, *again] for notice in page.notices)
