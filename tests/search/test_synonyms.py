"""A term is found by everything that it is called, and so is what stands below it."""

import pytest

from accounts.models import User
from assets.models import Asset, Vocabulary
from assets.terms import editing
from search.hybrid import HybridQuery
from search.models import SearchRow
from search.query import run
from search.suggestions import suggest
from tests.factories import asset

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictures(space: object) -> tuple[Asset, Asset]:
    """A picture of a dog, and one of a beagle, which is one."""
    tags = Vocabulary.objects.get(slug="tags")
    names = {"label": "dog", "labels": {"de": ["Hund", "Köter"], "": ["canine friend"]}}
    dog = editing.create(tags, names, [], None)
    editing.create(tags, {"label": "beagle"}, [dog], None)
    return asset(tags="dog"), asset(tags="beagle")


def found(text: str, user: User) -> set[int]:
    results = run(HybridQuery(user=user, text=text, mode="keywords"))
    assert not results.mistakes, results.mistakes
    return {hit.asset_id for hit in results.hits}


def test_a_filter_by_any_name_finds_the_term_and_what_is_below_it(
    pictures: tuple[Asset, Asset], viewer: User
) -> None:
    both = {picture.pk for picture in pictures}
    for name in ("dog", "Hund", "köter", "koter", '"canine friend"', "canine*", "HUND"):
        assert found(f"tag:{name}", viewer) == both, name
    assert found("tag:beagle", viewer) == {pictures[1].pk}


def test_words_of_other_names_count_but_less_than_a_tag_itself(
    pictures: tuple[Asset, Asset], viewer: User
) -> None:
    assert found("Köter", viewer) == {pictures[0].pk}
    named = asset(title="A köter")
    ranked = [hit.asset_id for hit in run(HybridQuery(user=viewer, text="köter", mode="keywords")).hits]
    assert ranked == [named.pk, pictures[0].pk]
    assert "köter':" not in SearchRow.objects.get(asset=pictures[1]).words


def test_names_are_offered_with_what_they_stand_for(pictures: tuple[Asset, Asset], viewer: User) -> None:
    for text, called in (("köt", "Köter"), ("kot", "Köter"), ("tag:canine fr", "canine friend"), ("dog", "")):
        items = [item for group in suggest(text, viewer) if group.kind == "tag" for item in group.items]
        assert [(item.label, item.called) for item in items] == [("dog", called)], text
        assert items[0].part == "tag:dog"
