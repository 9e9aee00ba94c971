from dataclasses import replace
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
from redis.exceptions import ConnectionError as RedisAway

from accounts.models import User
from assets import changes
from assets.changes import apply, operation
from assets.models import Asset
from search import sql
from search.encoders import Limits
from search.facets import facets
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.query import run
from search.ranking import Hit, fuse
from tests.conftest import Kept
from tests.encoder import ColourEncoder
from tests.factories import asset, picture
from tests.often import often

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def kept_colours(kept: Kept) -> dict[str, Asset]:
    """Two pictures of each of four colours, the second tagged `second` and without words."""
    return kept(make_colours)


@pytest.fixture
def colours(kept_colours: dict[str, Asset], space: EmbeddingSpace) -> dict[str, Asset]:
    return {name: Asset.objects.get(pk=one.pk) for name, one in kept_colours.items()}


def make_colours() -> dict[str, Asset]:
    found = {}
    for color in ("red", "green", "blue", "yellow"):
        found[color] = asset(color, f"{color}.jpg", done=True, title=f"Study in {color}", tags="first; plain")
        found[f"{color} 2"] = asset(
            color, f"{color}2.jpg", done=True, tags="second", collection="Prints / Late"
        )
    return found


def names(user: Any, **question: Any) -> list[str]:
    return [a.filename for a in run(HybridQuery(user=user, **question)).assets]


def test_an_empty_question_lists_everything_newest_first(colours: dict[str, Asset], viewer: User) -> None:
    results = run(HybridQuery(user=viewer, limit=3))
    assert [a.filename for a in results.assets] == ["yellow2.jpg", "yellow.jpg", "blue2.jpg"]
    assert results.total == 8


def test_a_sentence_finds_pictures_without_words(colours: dict[str, Asset], viewer: User) -> None:
    found = names(viewer, text="something green")
    assert set(found[:2]) == {"green.jpg", "green2.jpg"} and len(found) == 8


def test_words_and_likeness_together_beat_either(colours: dict[str, Asset], viewer: User) -> None:
    results = run(HybridQuery(user=viewer, text="study green"))
    assert results.assets[0].filename == "green.jpg"
    assert set(results.hits[0].signals) == {"keywords", "visual", "words"}


def test_modes(colours: dict[str, Asset], viewer: User) -> None:
    assert names(viewer, text="study red", mode="keywords") == ["red.jpg"]
    by_likeness = run(HybridQuery(user=viewer, text="study red", mode="visual"))
    assert {tuple(h.signals) for h in by_likeness.hits} == {("visual",)}


def test_keywords_fall_back_to_any_word_and_say_so(colours: dict[str, Asset], viewer: User) -> None:
    results = run(HybridQuery(user=viewer, text="study of a crimson elephant", mode="keywords"))
    assert results.total == 4 and "at least one" in results.notices[0]


@pytest.mark.parametrize(
    "asked", ["The", "boat", "the boat", "1942.51", "boat 1942.51", "train", "train boat"]
)
def test_the_ranking_of_words_counts_all_that_passes(asked: str, viewer: User) -> None:
    """By what it says, by a number or by a title alone; the page after it counts the rows anew."""
    for title, number in [("The", ""), ("The boat", "1942.51"), ("The boat", ""), ("Boat and horse", "7")]:
        asset("red", f"{title}{number}.jpg", title=title, accession=number)
    hidden = asset("red", "restricted.jpg", title="The boat")
    apply(operation("edit", ""), [hidden], {"access": "restricted"})
    query = HybridQuery(user=viewer, text=asked, mode="keywords", limit=1)
    first, second = run(query), run(replace(query, offset=1))
    found = [hit.asset_id for hit in run(replace(query, limit=10)).hits]
    assert first.total == second.total == len(found) == facets(query).total


def test_an_exact_accession_number_or_title_comes_first(colours: dict[str, Asset], viewer: User) -> None:
    asset("blue", "numbered.jpg", done=True, accession="1942.51", title="Red")
    assert names(viewer, text="1942-51")[0] == "numbered.jpg"
    assert names(viewer, text="RED")[0] == "numbered.jpg"


def test_filters_hold_inside_the_ranking(colours: dict[str, Asset], viewer: User) -> None:
    assert names(viewer, text="red", tags=("second",))[0] == "red2.jpg"
    assert len(names(viewer, text="red", tags=("second",))) == 4
    assert len(names(viewer, tags=("First", "plain"))) == 4
    assert names(viewer, tags=("first", "second")) == []
    assert len(names(viewer, collections=("prints",))) == 4
    assert len(names(viewer, collections=("Late",), text="blue")) == 4


def test_what_does_not_exist_is_said(colours: dict[str, Asset], viewer: User) -> None:
    results = run(HybridQuery(user=viewer, tags=("third",)))
    assert results.assets == [] and "no tag “third”" in results.notices[0]
    assert "no collection" in run(HybridQuery(user=viewer, collections=("x",))).notices[0]


def test_more_like_this_and_less_like_that(colours: dict[str, Asset], viewer: User) -> None:
    assert names(viewer, liked=(colours["blue"].pk,))[0] == "blue2.jpg"
    assert "blue.jpg" not in names(viewer, liked=(colours["blue"].pk,))
    both = names(viewer, liked=(colours["blue"].pk,), text="yellow", mode="visual")
    assert set(both[:3]) == {"blue2.jpg", "yellow.jpg", "yellow2.jpg"}
    away = names(viewer, text="blue", unliked=(colours["blue"].pk,), mode="visual")
    assert "blue.jpg" not in away


def test_a_picture_finds_its_like(colours: dict[str, Asset], viewer: User) -> None:
    assert set(names(viewer, image=picture("yellow", format="PNG"))[:2]) == {"yellow.jpg", "yellow2.jpg"}
    unreadable = run(HybridQuery(user=viewer, image=b"not a picture", text="study"))
    assert "could not be read" in unreadable.notices[0] and unreadable.assets[0].title.startswith("Study")


def test_hidden_pictures_never_show(colours: dict[str, Asset], viewer: User, admin: User) -> None:
    one, two, three = colours["red"], colours["red 2"], colours["green"]
    apply(operation("edit", ""), [one], {"access": "restricted"})
    apply(operation("edit", ""), [two], {"embargo_until": timezone.now() + timedelta(days=1)})
    changes.trash([three], admin)
    hidden = {one.pk, two.pk, three.pk}
    for question in (
        {},
        {"text": "red"},
        {"text": "study"},
        {"liked": (colours["blue"].pk,)},
        {"tags": ("first",)},
    ):
        results = run(HybridQuery(user=viewer, **question))  # type: ignore[arg-type]
        assert not hidden & {hit.asset_id for hit in results.hits}
        assert results.total == len(results.hits)
    assert len(names(admin)) == 7 and names(AnonymousUser()) == []


@rules(deadline=None, max_examples=often(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_and_querysets_agree_on_who_may_see_what(
    data: st.DataObject, colours: dict[str, Asset], viewer: User, admin: User
) -> None:
    for one in colours.values():
        hours = data.draw(st.sampled_from([None, -1, 1]))
        until = None if hours is None else timezone.now() + timedelta(hours=hours)
        access = data.draw(st.sampled_from(["public", "staff", "restricted"]))
        trashed = timezone.now() if data.draw(st.booleans()) else None
        apply(operation("edit", ""), [one], {"access": access, "embargo_until": until, "trashed_at": trashed})
    for user in (viewer, admin, AnonymousUser()):
        by_rows = set(sql.listed(sql.visible_to(sql.Where(), user), "added", 100, 0))
        assert by_rows == set(Asset.objects.live().visible_to(user).values_list("pk", flat=True))


def test_pages_follow_each_other_and_survive_new_pictures(colours: dict[str, Asset], viewer: User) -> None:
    whole = names(viewer, text="study blue")
    pages = names(viewer, text="study blue", limit=3)
    asset("blue", "late.jpg", done=True, title="Study in blue blue blue")
    pages += names(viewer, text="study blue", limit=3, offset=3) + names(
        viewer, text="study blue", limit=3, offset=6
    )
    assert pages == whole


def test_an_expired_list_is_put_together_again_and_says_so(colours: dict[str, Asset], viewer: User) -> None:
    names(viewer, text="blue", limit=3)
    cache.clear()
    results = run(HybridQuery(user=viewer, text="blue", limit=3, offset=3))
    assert len(results.assets) == 3 and "put together again" in " ".join(results.notices)


def test_a_stored_list_shows_nothing_that_was_hidden_since(colours: dict[str, Asset], viewer: User) -> None:
    last = run(HybridQuery(user=viewer, text="blue")).assets[-1]
    names(viewer, text="blue", limit=3)
    apply(operation("edit", ""), [last], {"access": "restricted"})
    assert last.filename not in names(viewer, text="blue", limit=8, offset=3)


def test_without_the_encoder_it_searches_by_words_and_says_so(
    colours: dict[str, Asset], viewer: User, encoder: ColourEncoder
) -> None:
    encoder.away = True
    for mode in ("best", "visual"):
        results = run(HybridQuery(user=viewer, text="study red", mode=mode))
        assert [a.filename for a in results.assets] == ["red.jpg"] and "by words only" in results.notices[0]


def test_a_changed_encoder_is_never_compared_with_old_vectors(
    colours: dict[str, Asset], viewer: User, encoder: ColourEncoder
) -> None:
    encoder.version = "2"
    results = run(HybridQuery(user=viewer, text="study red"))
    assert "by words only" in results.notices[0] and "visual" not in results.hits[0].signals


def test_while_many_pictures_wait_the_page_says_so(space: EmbeddingSpace, viewer: User) -> None:
    asset("red", done=True)
    for _ in range(10):
        asset("blue")
    assert "10 pictures are still" in " ".join(run(HybridQuery(user=viewer, text="red")).notices)
    assert run(HybridQuery(user=viewer, text="red", mode="keywords")).notices == []


def test_collections_are_told_apart_by_their_path(colours: dict[str, Asset], viewer: User) -> None:
    asset("red", "else.jpg", collection="Drawings / Late")
    assert len(names(viewer, collections=("late",))) == 5
    assert names(viewer, collections=("Drawings / late",)) == ["else.jpg"]
    assert "no collection" in run(HybridQuery(user=viewer, collections=("Late / Prints",))).notices[0]


def test_without_the_cache_it_still_searches(
    colours: dict[str, Asset], viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisAway("refused")

    monkeypatch.setattr(cache, "get", away)
    monkeypatch.setattr(cache, "set", away)
    assert len(names(viewer, text="green", limit=4, offset=4)) == 4


def test_a_number_of_queries_that_does_not_grow(
    colours: dict[str, Asset], viewer: User, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(17):
        run(HybridQuery(user=viewer, text="red", tags=("first",)))


def test_fusion() -> None:
    hits = fuse({"keywords": [1, 2], "visual": [3, 2]}, limit=10)
    assert hits[0] == Hit(2, 1 / 62 + 1 / 62, {"keywords": 2, "visual": 2})
    assert [h.asset_id for h in hits] == [2, 1, 3]
    assert [h.asset_id for h in fuse({"visual": [5, 6], "accession": [9]}, limit=2)] == [9, 5]


def test_a_vector_of_other_dimensions_is_refused_by_the_database(space: EmbeddingSpace) -> None:
    from django.db import IntegrityError, transaction

    one = asset()
    with pytest.raises(IntegrityError), transaction.atomic():
        sql.write_vector(space, one.current_version_id or 0, one.pk, "visual", np.ones(3, dtype=np.float32))


def test_a_text_that_is_too_long_for_the_encoder_is_cut_and_said(
    colours: dict[str, Asset], encoder: ColourEncoder, viewer: User
) -> None:
    encoder.limits = Limits(input_pixels=32, max_text_words=3, batch_size=4)
    said = "Only the first 3 words were used to search by likeness."
    for _ in range(2):  # the second time the vector comes out of the cache
        assert said in run(HybridQuery(user=viewer, text="a very long question", mode="visual")).notices
    assert said not in run(HybridQuery(user=viewer, text="a short question", mode="visual")).notices
    assert said not in run(HybridQuery(user=viewer, text="a very long question", mode="keywords")).notices
