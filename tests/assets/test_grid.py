"""Pictures for a grid in one query, as they would be loaded by several."""

from typing import Any

import pytest
from django.utils import timezone

from assets import grid
from assets.models import Asset, Record
from assets.views.cards import cards_of
from assets.views.lines import facts_of
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def shown(assets: list[Asset]) -> list[Any]:
    """All that cards and lines say of these."""
    facts = facts_of(assets)
    return [
        (
            card.title,
            card.date,
            card.state,
            card.src,
            card.srcset,
            card.sizes,
            card.kind,
            facts[card.asset.pk],
        )
        for card in cards_of(assets)
    ]


def test_a_grid_in_one_query_says_the_same(django_assert_num_queries: Any) -> None:
    done = asset("red", done=True, title="Harbour", accession="7", date="1874", rights="Ours")
    waiting = asset("blue", "sea.jpg")
    gone = asset("green", title="Own title", accession="8")
    Record.objects.filter(accession_number="8").update(trashed_at=timezone.now())
    one = Asset.objects.get(pk=done.pk)
    assert one.current_version is not None
    one.current_version.stage_runs.filter(stage="extract_metadata").update(state="failed", reason="Broken")
    ids = [waiting.pk, done.pk, gone.pk, 0]
    before = Asset.objects.for_grid().in_bulk(ids)
    with django_assert_num_queries(1 + 2):  # and the makers of objects and pictures
        found = grid.loaded(Asset.objects.all(), ids)
        said = shown([found[pk] for pk in sorted(found)])
    assert said == shown([before[pk] for pk in sorted(before)]) and said[0][0] == "Harbour"
    record = found[done.pk].record
    assert record == before[done.pk].record and record.get_absolute_url()  # type: ignore[attr-defined]
    assert record.medium == ""  # type: ignore[attr-defined]  # asked for when it is needed


def test_makers_come_with_the_pictures_of_a_list(django_assert_num_queries: Any) -> None:
    described = asset("red", title="Harbour", accession="7", creator="Berthe Morisot; Edma")
    own = asset("blue", creator="Somebody")
    gone = asset("green", accession="8", creator="Nobody")
    Record.objects.filter(accession_number="8").update(trashed_at=timezone.now())
    ids = [described.pk, own.pk, gone.pk]
    right = facts_of(Asset.objects.for_grid().filter(pk__in=ids))
    with django_assert_num_queries(1):
        found = facts_of(grid.loaded(Asset.objects.all(), ids, makers=True).values())
    assert found == right
    assert [found[pk].makers for pk in ids] == ["Berthe Morisot; Edma", "Somebody", ""]


def test_what_is_not_among_them_is_not_loaded(admin: Any, viewer: Any) -> None:
    hidden = asset()
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")
    assert grid.loaded(Asset.objects.visible_to(viewer), [hidden.pk]) == {}
    assert list(grid.loaded(Asset.objects.visible_to(admin), [hidden.pk])) == [hidden.pk]
