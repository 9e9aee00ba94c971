"""Embedding spaces in the administration: who may look and act, and what there is to be seen."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from assets.models import Asset, StageRun
from search import encoders, filling, spaces
from search.admin.rows import in_words, row_of
from search.models import EmbeddingSpace
from tests.encoder import ColourEncoder
from tests.search.pages import HTMX, at, text
from tests.search.test_spaces import fill

State = EmbeddingSpace.State


# --- who may ----------------------------------------------------------------------------------------


def test_who_may_only_look_sees_no_button_and_may_do_nothing(
    looker: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    for page in (at("changelist"), at("change", filled.pk), at("changelist", model="comparison")):
        said = looker.get(page).content.decode()
        assert filled.slug in said or "comparison" in said
        assert "Activate…" not in said and "Drop…" not in said and "Make a space" not in said
    one = filled.pk
    for method, address in (
        ("get", at("add")),
        ("post", at("add")),
        ("get", at("activate", one)),
        ("post", at("activate", one)),
        ("post", at("rollback")),
        ("post", at("retry", one)),
        ("post", at("resume", one)),
        ("get", at("delete", one)),
        ("post", at("delete", one)),
        ("post", at("add", model="comparison")),
    ):
        assert getattr(looker, method)(address).status_code == 403, address
    assert spaces.active() == space


def test_who_is_no_staff_sees_nothing(client: Client, viewer: User, space: EmbeddingSpace) -> None:
    client.force_login(viewer)
    for page in (at("changelist"), at("progress", space.pk), at("side", model="comparison")):
        assert client.get(page).status_code == 302
    viewer.is_staff = True
    viewer.save()
    for page in (at("changelist"), at("progress", space.pk), at("side", model="comparison")):
        assert client.get(page).status_code == 403


def test_who_may_change_spaces_may_do_all_of_it(client: Client, viewer: User, filled: EmbeddingSpace) -> None:
    viewer.is_staff = True
    viewer.save()
    viewer.user_permissions.set(Permission.objects.filter(codename="change_embeddingspace"))
    client.force_login(viewer)
    for page in (at("changelist"), at("change", filled.pk), at("add"), at("activate", filled.pk)):
        assert client.get(page).status_code == 200
    for name in ("changelist", "add", "side"):
        assert client.get(at(name, model="comparison")).status_code == 200
    client.post(at("activate", filled.pk))
    assert spaces.active() == filled


def test_what_changes_something_is_asked_by_post(desk: Client, filled: EmbeddingSpace) -> None:
    for name in ("retry", "resume"):
        assert desk.get(at(name, filled.pk)).status_code == 405
    assert desk.post(at("changelist")).status_code == 405
    assert desk.put(at("activate", filled.pk)).status_code == 405


# --- looking ----------------------------------------------------------------------------------------


def test_the_list_says_how_far_each_is(desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace) -> None:
    said = text(desk.get(at("changelist")))
    assert "in use" in said and "filled, not in use" in said
    assert said.count("100 % 3 of 3 pictures done, 3 descriptions; none failed") == 2
    assert said.index(space.slug) < said.index(filled.slug), "the one in use comes first"
    assert "hx-get" not in desk.get(at("changelist")).content.decode(), "nothing moves, nothing is asked"


def test_progress_is_asked_for_while_something_is_under_way(
    desk: Client, three: list[Asset], next_encoder: ColourEncoder
) -> None:
    made = spaces.create("next")
    assert 'hx-trigger="every 4s"' in desk.get(at("changelist")).content.decode()
    filling.tend(), filling.tend()  # all are noted; none is missing
    part = desk.get(at("progress", made.pk), {"key": "building"}, **HTMX)
    assert "HX-Retarget" not in part.headers and "<section" not in part.content.decode()
    assert "0 % 0 of 3 pictures done" in text(part) and "Being filled" in text(part)
    fill(made)
    whole = desk.get(at("progress", made.pk), {"key": "building"}, **HTMX)
    assert whole.headers["HX-Retarget"] == f"#space-{made.pk}"
    assert "Activate…" in text(whole) and f"{made.slug}: filled, not in use." in text(whole)
    assert desk.get(at("progress", made.pk)).headers["Location"] == at("change", made.pk)
    assert "dropped" in text(desk.get(at("progress", 9999), **HTMX))


def test_a_poll_costs_few_queries(desk: Client, filled: EmbeddingSpace) -> None:
    with CaptureQueriesContext(connection) as captured:
        desk.get(at("progress", filled.pk), {"key": "ready"}, **HTMX)
    assert len(captured) <= 7  # session, person, space; counts, rate, index, size


def test_each_space_in_the_list_costs_the_same(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    with CaptureQueriesContext(connection) as captured:
        desk.get(at("changelist"))
    assert len(captured) <= 5 + 2 * 4


def test_a_pause_is_explained(desk: Client, filled: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    pause = encoders.Pause("The service rests.", now, now + timedelta(minutes=2))
    monkeypatch.setattr(encoders, "paused", lambda name: pause if name == "next" else None)
    StageRun.every.filter(variant=filled.pk).update(state="waiting")
    said = text(desk.get(at("change", filled.pk)))
    assert "Paused since" in said and "The service rests. The next try is at" in said
    assert "Try the service again now" in said
    assert "still paused: The service rests." in text(desk.post(at("resume", filled.pk), follow=True))
    monkeypatch.setattr(encoders, "paused", lambda name: None)
    assert "is asked again now" in text(desk.post(at("resume", filled.pk), follow=True))


def test_failures_are_listed_with_their_reasons_and_tried_again(desk: Client, filled: EmbeddingSpace) -> None:
    runs = StageRun.every.filter(variant=filled.pk)
    runs.filter(stage="vectorise_picture").update(state="failed", reason="The service refused it.")
    said = text(desk.get(at("change", filled.pk)))
    assert "3 failed" in said and said.count("The service refused it.") == 3 and "red.jpg" in said
    said = text(desk.post(at("retry", filled.pk), follow=True))
    assert "Trying again: 3 vectors." in said
    assert set(runs.values_list("state", flat=True)) == {"waiting", "done"}
    EmbeddingSpace.objects.filter(pk=filled.pk).update(state=State.RETIRED)
    assert "activate it to fill it" in text(desk.post(at("retry", filled.pk), follow=True))


def test_long_lists_of_failures_have_pages(
    desk: Client, filled: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.admin.spaces.FAILURES", 2)
    StageRun.every.filter(variant=filled.pk).update(state="failed", reason="No.")
    assert "Page 1 of 3" in text(desk.get(at("change", filled.pk)))
    assert "Page 3 of 3" in text(desk.get(at("change", filled.pk), {"page": 3}))


def test_a_space_whose_encoder_is_gone_can_be_seen(
    desk: Client, filled: EmbeddingSpace, settings: Any
) -> None:
    settings.ENCODERS = {"test": {"kind": "test"}}
    StageRun.every.filter(variant=filled.pk).update(state="waiting")
    said = text(desk.get(at("changelist")))
    assert "There is no encoder 'next'" in said
    assert filling.tend() == [], "the other space is tended as before"
    assert "is not among the settings" in text(desk.get(at("activate", filled.pk)))


def test_a_problem_is_shown(desk: Client, filled: EmbeddingSpace) -> None:
    EmbeddingSpace.objects.filter(pk=filled.pk).update(state=State.BUILDING, problem="Most failed.")
    said = text(desk.get(at("changelist")))
    assert "Most failed." in said and "Activate…" not in said


def test_lengths_of_time_are_said_in_words() -> None:
    said = [in_words(seconds) for seconds in (0, 1, 90, 600, 7200, 300_000)]
    expected = ["1 second", "1 second", "90 seconds", "10 minutes", "2 hours", "3 days"]
    assert said == [f"about {words}" for words in expected]


def test_it_is_not_at_100_before_the_last_one(filled: EmbeddingSpace) -> None:
    run = StageRun.every.filter(variant=filled.pk, stage="vectorise_picture").first()
    StageRun.every.filter(pk=run.pk).update(state="waiting")
    assert row_of(filled).percent == "66 %"


def test_pages_have_no_scripts_or_styles_of_their_own(desk: Client, filled: EmbeddingSpace) -> None:
    for page in (at("changelist"), at("change", filled.pk), at("add"), at("add", model="comparison")):
        source = desk.get(page).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", source), page
        assert "<style" not in source and not re.search(r"<[^>]+\s(style|onclick)=", source)
