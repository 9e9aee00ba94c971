"""Suggested tags: from pictures that are alike and may be seen, with a score, answered once and for all."""

from typing import Any, NamedTuple

import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset, Operation, Record, RecordTerm, TagAnswer, Term
from search import tag_suggestions as tags
from search.models import EmbeddingSpace
from search.sql import Ranked
from tests.encoder import ColourEncoder
from tests.factories import asset

pytestmark = pytest.mark.django_db


def tag(n: int, pictures: int = 5) -> tags.Tag:
    return tags.Tag(n, Term().uid, f"tag {n}", pictures)


def test_the_nearer_the_more_a_picture_says_and_every_scale_is_the_same() -> None:
    own = {1: [tag(1)], 2: [tag(2)], 3: [tag(1), tag(2)]}
    near = [Ranked(1, 0.9), Ranked(2, 0.5), Ranked(3, 0.1)]
    found = tags.shares(near, own)
    assert found[1] > found[2] and 0 < found[2] < 1
    stretched = [Ranked(pk, 10 * score - 3) for pk, score in near]
    assert tags.shares(stretched, own) == pytest.approx(found)
    assert tags.shares([], own) == {}


def evidence(visual: float, words: float | None = None, share: float = 0.1, near: float = 3.0) -> float:
    return tags.likely(tags.Evidence(visual, words, share, near))


def test_a_score_grows_with_votes_with_rarity_and_with_likeness() -> None:
    assert evidence(0.9) > evidence(0.5) and evidence(0.5, 0.5) > evidence(0.5, 0.5, share=0.5)
    assert evidence(0.9, 0.9) > evidence(0.9, 0.1) and evidence(0.9) > evidence(0.9, near=0.5)
    assert evidence(0.0, 0.0, 1.0, -1.0) > 0 and evidence(1.0, 1.0, 1e-9, 1e9) <= 1


def test_what_one_alone_has_is_no_suggestion() -> None:
    near = {"visual": [Ranked(1, 0.9), Ranked(2, 0.8), Ranked(3, 0.7)]}
    both, one = tag(1), tag(2)
    assert list(tags.evidence(near, {1: [both, one], 2: [both], 3: []}, 10, 3.0)) == [both]
    assert tags.nearness(near["visual"], [0.0, 0.1, 0.2]) > 4 and tags.nearness([], [0.0]) == 0


class Library(NamedTuple):
    red: int
    """A red picture without tags; three red ones are tagged `fire`, two blue ones `sea`."""
    hidden: int


@pytest.fixture(scope="module")
def library(kept: Any) -> Library:
    def build() -> Library:
        for color in ("red", "red", "red", "blue", "blue", "cyan", "yellow", "black"):
            asset(color, tags={"red": "fire", "blue": "sea"}.get(color, color), done=True)
        hidden = [asset("red", tags="secret", done=True), asset("red", tags="secret", done=True)]
        hidden.append(asset("red", title="Secret", done=True))
        changes.apply(changes.operation("edit", ""), hidden, {"access": "restricted"})
        asset("green", name="meadow.jpg", done=True)
        return Library(asset("red", done=True).pk, hidden[-1].pk)

    return kept(build)


@pytest.fixture
def red(library: Library, encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch) -> Asset:
    monkeypatch.setattr(tags, "ENOUGH", 3)
    return Asset.objects.get(pk=library.red)


def offered(one: Asset, user: User) -> list[str]:
    return [s.label for s in tags.suggest(one.pk, user)]


def test_what_is_alike_has_it(red: Asset, viewer: User) -> None:
    found = tags.suggest(red.pk, viewer)
    assert [s.label for s in found] == ["fire"] and 0.5 <= found[0].score <= 1
    tagged = Asset.objects.filter(term_uses__term__label="fire").first()
    assert tagged and offered(tagged, viewer) == []  # it has it


def test_tags_of_objects_count_and_those_of_hidden_pictures_never(
    red: Asset, viewer: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record.objects.create(title="Blaze")
    RecordTerm.objects.create(record=record, term=Term.objects.labelled("tags", "blaze"))
    for one in Asset.objects.filter(term_uses__term__label="fire"):
        changes.depict(changes.operation("edit", ""), one, record)
    assert set(offered(red, viewer)) == {"fire", "blaze"}
    space = EmbeddingSpace.objects.get()
    monkeypatch.setattr(tags, "NEAREST", 6)  # in so small a library
    assert "secret" in [s.label for s in tags.candidates(red.pk, admin, space)]
    assert "secret" not in [s.label for s in tags.candidates(red.pk, viewer, space)]


def test_accepting_adds_the_tag_and_undo_lets_it_be_suggested_again(
    red: Asset, browser: Client, viewer: User
) -> None:
    fire = Term.objects.get(label="fire")
    path = f"/assets/{red.uid}/suggested/"
    shown = browser.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "fire" in shown and " %" in shown and "<html" not in shown
    assert "<html" in browser.get(path).content.decode()
    done = browser.post(f"{path}{fire.uid}/", {"answer": "accept"}, headers={"HX-Request": "true"})
    assert 'hx-swap-oob="true"' in done.content.decode() and "Undo" in done.content.decode()
    assert Asset.objects.get(pk=red.pk).tags == ["fire"]
    said = TagAnswer.objects.get()
    assert (said.answer, said.user, said.space != "") == ("accepted", viewer, True) and said.score >= 0.5
    operation = Operation.objects.get(kind="suggested")
    changes.undo(operation, viewer)
    assert offered(red, viewer) == ["fire"]
    browser.post(f"{path}{fire.uid}/", {"answer": "accept"})
    apart = changes.operation("edit", "")
    changes.apply(apart, [Asset.objects.get(pk=red.pk)], {"remove_terms": {"tags": ["fire"]}})
    assert offered(red, viewer) == []  # a person took it off: that is an answer too


def test_what_was_refused_is_never_suggested_again_unless_that_is_taken_back(
    red: Asset, browser: Client, viewer: User
) -> None:
    fire = Term.objects.get(label="fire")
    path = f"/assets/{red.uid}/suggested/{fire.uid}/"
    browser.post(path, {"answer": "refuse"})
    assert offered(red, viewer) == [] and Asset.objects.get(pk=red.pk).tags == []
    again = browser.post(path, {"answer": "accept"}, follow=True)
    assert "not suggested any more" in again.content.decode() and Asset.objects.get(pk=red.pk).tags == []
    browser.post(path, {"answer": "forget"})
    assert offered(red, viewer) == ["fire"] and not TagAnswer.objects.exists()


def test_pictures_without_tags_are_reviewed_page_by_page(
    red: Asset, library: Library, browser: Client
) -> None:
    shown = browser.get("/suggested/").content.decode()
    assert "2 pictures" in shown and "meadow" in shown and "Secret" not in shown and "fire" in shown
    assert "Nothing else is suggested" in shown
    assert browser.get("/suggested/?page=99").status_code == 200
    hidden = Asset.objects.get(pk=library.hidden)
    assert browser.get(f"/assets/{hidden.uid}/suggested/").status_code == 404
