"""The page about learning: who sees it, what it says when there is little, and what came of real lessons."""

import re
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from assets.models import Asset
from audit.models import Entry
from search import rows, spaces
from search.learning import curve, jobs, lessons, teaching
from search.models import EmbeddingSpace, LearningJob, Lesson
from tests.search.learning import museum
from tests.search.test_spaces import fill

pytestmark = pytest.mark.django_db
State = LearningJob.State


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def curator(viewer: User) -> Client:
    viewer.groups.set(Group.objects.filter(name="Curators"))
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def catalogue(space: EmbeddingSpace) -> list[Asset]:
    """Described pictures, and five without words: what those show, two colours of the others show as well."""
    words = museum.titles(3)
    return museum.pictures(space, [*words[:-5], *[""] * 5], museum.features(3))


def shown(client: Client) -> str:
    page = client.get("/learning/")
    assert page.status_code == 200
    return re.sub(r"\s+", " ", page.content.decode())


def test_it_is_for_those_who_manage_pictures_and_administrators_decide(
    space: EmbeddingSpace, viewer: User, curator: Client, desk: Client
) -> None:
    assert "Learn now" not in shown(curator) and "Learn now" in shown(desk)
    for what in ("now", "use", "back"):
        assert curator.post(f"/learning/{what}/").status_code == 403
    assert not LearningJob.objects.exists()
    viewer.groups.clear()
    assert curator.get("/learning/").status_code == curator.get("/learning/progress/").status_code == 403
    assert Client().get("/learning/").status_code == 302


def test_with_nothing_and_with_little_it_says_so(desk: Client, space: EmbeddingSpace) -> None:
    assert "Nothing is described yet" in shown(desk)
    museum.pictures(space, museum.titles()[:5] + [""] * 51, museum.features())
    assert "5 pictures are described; at least 30 are needed" in shown(desk)
    lessons.learn()
    page = shown(desk)
    assert "5 pictures with words have something to learn from" in page and "Too few words" in page


def test_learning_is_asked_for_and_its_progress_shown(desk: Client, catalogue: list[Asset]) -> None:
    for _ in range(2):
        assert desk.post("/learning/now/").status_code == 302
    job = LearningJob.objects.get()
    assert job.state == State.WAITING and "as soon as a worker is free" in shown(desk)
    key = desk.get("/learning/").context["key"]
    htmx = {"hx-request": "true"}
    assert "worker is free" in desk.get(f"/learning/progress/?key={key}", headers=htmx).content.decode()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.step, job.of) == (State.DONE, "proof", 5)
    assert desk.get(f"/learning/progress/?key={key}", headers=htmx)["HX-Refresh"] == "true"
    assert desk.get("/learning/progress/").status_code == 302
    jobs.run(job.pk)  # sent twice
    assert Lesson.objects.count() == 1


def test_what_fails_is_said(desk: Client, catalogue: list[Asset], encoder: Any) -> None:
    encoder.away = True
    jobs.run(jobs.ask(None).pk)
    assert "Learning did not work: The test encoder is away." in shown(desk)


def test_a_lesson_shows_its_curve_and_examples_is_used_and_left_again(
    desk: Client, curator: Client, catalogue: list[Asset], space: EmbeddingSpace
) -> None:
    made = spaces.get(lessons.learn().space or "")
    assert "The curve is being drawn" in shown(desk) and "get their place by what was learned" in shown(desk)
    lesson = Lesson.objects.get()
    curve.run(lesson.pk)
    fill(made)
    points = Lesson.objects.get().curve["points"]
    assert [point["size"] for point in points] == [0, 30, 63]
    assert points[-1]["recall@10"] > points[0]["recall@10"] + 0.2
    page = desk.get("/learning/")
    assert len(page.context["examples"]) == 6 and "63 pictures" in page.content.decode()
    assert 'name="space"' in shown(desk) and 'name="space"' not in shown(curator)
    assert desk.post("/learning/use/", {"space": "another"}).status_code == 302 and spaces.active() == space
    desk.post("/learning/use/", {"space": made.slug})
    assert spaces.active() == made and "In use is what was learned on" in shown(desk)
    assert Entry.objects.filter(event="space_changed", label=made.slug).count() == 1
    desk.post("/learning/back/", {"space": space.slug})
    assert spaces.active() == space


def test_examples_are_of_pictures_that_one_may_see(
    desk: Client, curator: Client, catalogue: list[Asset]
) -> None:
    lessons.learn()
    curve.run(Lesson.objects.get().pk)
    Asset.objects.update(access="restricted")
    seen = catalogue[0]
    Asset.objects.filter(pk=seen.pk).update(access="internal")
    rows.refresh([one.pk for one in catalogue])
    assert desk.get("/learning/").context["examples"]
    found = curator.get("/learning/").context["examples"]
    pictures = {card.asset.pk for one in found for card in (one.meant, *one.before.cards, *one.after.cards)}
    assert pictures <= {seen.pk}


def test_a_refused_lesson_says_why(desk: Client, space: EmbeddingSpace) -> None:
    titles = museum.titles(4)
    shuffled = [titles[n] for n in np.random.default_rng(4).permutation(len(titles))]
    museum.pictures(space, shuffled, museum.features(4))
    lessons.learn()
    page = shown(desk)
    assert "Not used: the words do not seem to go with the pictures" in page
    assert "Words do not go with the pictures" in page and "Use it" not in page


def test_what_to_describe_is_chosen_for_each_person(
    desk: Client, admin: User, curator: Client, viewer: User, catalogue: list[Asset]
) -> None:
    assert "The pictures are being chosen" in shown(desk)
    closed, open_ones = catalogue[-1], catalogue[-5:-1]
    Asset.objects.filter(pk=closed.pk).update(access="restricted")
    rows.refresh([closed.pk])
    for user in (admin, viewer):
        teaching.choose(user.pk)
    for client in (desk, curator):
        chosen = [one.asset.pk for _, one in client.get("/learning/").context["to_describe"]]
        assert sorted(chosen) == sorted(one.pk for one in open_ones)
    assert re.search(r"\d+ pictures like it have been described;", shown(desk))
    Asset.objects.filter(pk=open_ones[0].pk).update(title="red and cyan")
    rows.refresh([open_ones[0].pk])
    assert len(desk.get("/learning/").context["to_describe"]) == 3
