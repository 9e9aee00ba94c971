"""Tags learned from the catalogue: guessed for other pictures, and answered on a page."""

import re

import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset, AssetTerm, Collection, TagAnswer, Term
from search import rows, tag_rows, tag_suggestions
from search.learning import tag_lessons
from search.models import EmbeddingSpace, TagGuess, TagLesson
from tests.search.learning import museum

TAGGED = 2 * len(museum.PAIRS)
PAGE = "/learning/tags/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def catalogue(space: EmbeddingSpace) -> list[Asset]:
    """84 pictures of two colours each; two thirds have these as tags, the others have none."""
    pictures = museum.pictures(space, museum.titles(3), museum.features(3))
    terms = {name: Term.objects.labelled("tags", name) for name in museum.NAMES}
    AssetTerm.objects.bulk_create(
        AssetTerm(asset=one, term=terms[name]) for one in pictures[:TAGGED] for name in colours(one)
    )
    rows.refresh([one.pk for one in pictures])
    return pictures


def colours(one: Asset) -> list[str]:
    return one.title.split(",")[0].split(" and ")


def waiting(user: User) -> set[tuple[int, str]]:
    labels = dict(Term.objects.values_list("pk", "label"))
    return {(one.asset_id, labels[one.term_id]) for one in tag_rows.surest(user, None, 1000)}


def address(one: Asset, label: str) -> str:
    return f"/assets/{one.uid}/guessed/{Term.objects.get(label=label).uid}/"


def test_what_others_have_is_guessed_for_those_without(catalogue: list[Asset], viewer: User) -> None:
    lesson = tag_lessons.learn()
    assert lesson and (lesson.tags, lesson.pictures) == (8, TAGGED) and len(lesson.reliability) == 10
    found = waiting(viewer)
    right = {(one.pk, name) for one in catalogue[TAGGED:] for name in colours(one)}
    assert len(found & right) > 45 and len(found - right) <= 4
    assert {label for label, _ in _said(viewer)} == set(museum.NAMES)
    again = tag_lessons.learn()
    assert again == lesson and TagLesson.objects.count() == 1  # nothing is new
    surest = tag_rows.surest(viewer, None, 5)
    assert [one.probability for one in surest] == sorted((one.probability for one in surest), reverse=True)
    third = surest[2]
    assert tag_rows.surest(viewer, None, 2, (third.asset_id, third.term_id)) == surest[3:5]


def _said(user: User) -> list[tuple[str, int]]:
    return [(one.label, one.number) for one in tag_rows.waiting(user)]


def test_the_page_of_a_picture_says_it_too_and_how_likely_it_is(
    catalogue: list[Asset], browser: Client, viewer: User
) -> None:
    one = catalogue[-1]
    before = tag_suggestions.suggest(one.pk, viewer)
    lesson = tag_lessons.learn()
    found = {each.label: each for each in tag_suggestions.suggest(one.pk, viewer)}
    assert lesson and not any(each.head for each in before) and set(found) == set(colours(one))
    assert all(each.head == lesson.sha256 and each.score > 0.5 for each in found.values())
    shown = browser.get(f"/assets/{one.uid}/suggested/").content.decode()
    assert f"likely, {found[colours(one)[0]].percent} %" in shown


def test_an_answer_is_remembered_with_its_source_and_can_be_taken_back(
    catalogue: list[Asset], browser: Client, viewer: User
) -> None:
    lesson = tag_lessons.learn()
    assert lesson
    one, (label, other) = catalogue[-1], colours(catalogue[-1])
    assert "wait for an answer" in browser.get(PAGE).content.decode()
    part = browser.post(address(one, label), {"answer": "accept"}, headers=HTMX).content.decode()
    assert "was added" in part and "1 done today" in part and "<html" not in part
    said = TagAnswer.objects.get()
    assert (said.answer, said.user, said.head) == ("accepted", viewer, lesson.sha256) and said.score > 0.5
    assert Asset.objects.get(pk=one.pk).tags == [label] and (one.pk, label) not in waiting(viewer)
    assert "Your last answer" in browser.get(PAGE).content.decode()
    part = browser.post(address(one, label), {"answer": "undo"}, headers=HTMX).content.decode()
    assert "Accept" in part and "done today" not in part
    assert Asset.objects.get(pk=one.pk).tags == [] and (one.pk, label) in waiting(viewer)
    done = browser.post(address(one, other), {"answer": "refuse", "next": f"{PAGE}?tag=x"})
    assert done["Location"] == f"{PAGE}?tag=x" and (one.pk, other) not in waiting(viewer)
    tag_lessons.learn()
    assert (one.pk, other) not in waiting(viewer)
    browser.post(address(one, other), {"answer": "undo"})
    assert (one.pk, other) in waiting(viewer) and not TagAnswer.objects.filter(answer="refused").exists()
    late = browser.post(address(catalogue[0], colours(catalogue[0])[0]), {"answer": "accept"}, follow=True)
    assert "not suggested any more" in late.content.decode()


def test_only_what_one_may_see_and_describe_is_asked(
    catalogue: list[Asset], browser: Client, viewer: User, admin: User
) -> None:
    tag_lessons.learn()
    hidden, apart = catalogue[-1], catalogue[-2]
    changes.apply(changes.operation("edit", ""), [hidden], {"access": "restricted"})
    closed = Collection.objects.named("Closed")
    Asset.objects.filter(pk=apart.pk).update(collection=closed, access="public")
    Collection.objects.filter(pk=closed.pk).update(inherits=False)
    rows.refresh([apart.pk])
    ids = {pk for pk, _ in waiting(viewer)}
    assert ids and not ids & {hidden.pk, apart.pk}
    assert {hidden.pk, apart.pk} <= {pk for pk, _ in waiting(admin)}
    assert hidden.title not in browser.get(PAGE).content.decode()
    assert browser.post(address(hidden, colours(hidden)[0]), {"answer": "accept"}).status_code == 404
    assert browser.post(address(apart, colours(apart)[0]), {"answer": "accept"}).status_code == 403
    assert not TagAnswer.objects.exists()


def test_a_tag_that_only_hidden_pictures_have_is_not_told(catalogue: list[Asset], viewer: User) -> None:
    tag_lessons.learn()
    name = colours(catalogue[-1])[0]
    having = [one.pk for one in catalogue[:TAGGED] if name in colours(one)]
    Asset.objects.filter(pk__in=having).update(access="restricted")
    rows.refresh(having)
    assert name not in {label for _, label in waiting(viewer)} and name not in dict(_said(viewer))
    assert name not in {one.label for one in tag_suggestions.suggest(catalogue[-1].pk, viewer)}


def test_a_page_of_one_tag_and_the_one_behind_it(catalogue: list[Asset], browser: Client) -> None:
    tag_lessons.learn()
    first = browser.get(PAGE).content.decode()
    assert first.count("data-question") == 24 and 'rel="next"' in first
    after = first.split("after=")[1].split('"')[0]
    second = browser.get(f"{PAGE}?after={after}").content.decode()
    ids = [set(re.findall('id="(guess-[^"]+)"', part)) for part in (first, second)]
    assert ids[0] and ids[1] and not ids[0] & ids[1] and "Begin again" in second
    uid = Term.objects.get(label=museum.NAMES[0]).uid
    one = browser.get(f"{PAGE}?tag={uid}").content.decode()
    assert f"Suggested: {museum.NAMES[0]}" in one and 0 < one.count("data-question") < 10
    assert browser.get(f"{PAGE}?tag=nonsense&after=nonsense").status_code == 200


def test_without_enough_examples_the_page_says_why(space: EmbeddingSpace, browser: Client) -> None:
    assert "no tag has enough examples" in browser.get(PAGE).content.decode()
    museum.pictures(space, museum.titles(1), museum.features(1))
    lesson = tag_lessons.learn()
    assert lesson and lesson.tags == 0 and not TagGuess.objects.exists()
    assert "no tag has enough examples" in browser.get(PAGE).content.decode()


def test_what_is_unknown_of_a_picture_is_not_taken_for_no(
    catalogue: list[Asset], browser: Client, viewer: User
) -> None:
    lesson = tag_lessons.learn()
    assert lesson
    one, (label, other) = catalogue[-1], colours(catalogue[-1])
    browser.post(address(one, label), {"answer": "accept"})
    browser.post(address(catalogue[-2], colours(catalogue[-2])[0]), {"answer": "refuse"})
    found = {each.asset_id: each for each in tag_rows.examples(lesson.model, False)}
    assert len(found) == TAGGED + 2
    assert found[catalogue[0].pk].catalogued and not found[one.pk].catalogued
    known = tag_lessons._Known(list(found.values()))
    places = {each.asset_id: n for n, each in enumerate(known.examples)}
    accepted, refused = known.answers([places[one.pk], places[catalogue[-2].pk]])
    assert sorted(accepted) == [0] * 7 + [1] and sorted(refused) == [-1] + [0] * 7
    by_hand = Asset.objects.get(pk=one.pk)
    changes.apply(changes.operation("edit", ""), [by_hand], {"add_terms": {"tags": [other]}})
    assert {each.asset_id: each for each in tag_rows.examples(lesson.model, False)}[one.pk].catalogued
