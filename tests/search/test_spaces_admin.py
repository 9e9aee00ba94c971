"""Embedding spaces in the administration: looking, making, trying, using, leaving and dropping them."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from assets.models import Asset, StageRun
from search import comparing, encoders, filling, partitions, spaces
from search.admin.figures import figures_of
from search.admin.rows import in_words, row_of
from search.models import Comparison, EmbeddingSpace
from tests.encoder import ColourEncoder
from tests.factories import asset
from tests.search.test_spaces import fill

State = EmbeddingSpace.State
GOLDEN = b"query,filename\nred,red.jpg\ngreen,green.jpg\nnothing,nowhere.jpg\n"


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def looker(client: Client, viewer: User, space: EmbeddingSpace) -> Client:
    """Staff who may see everything and change nothing."""
    viewer.is_staff = True
    viewer.save()
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    return client


@pytest.fixture
def pictures(space: EmbeddingSpace) -> list[Asset]:
    return [asset(color, f"{color}.jpg", done=True) for color in ("red", "green", "blue")]


@pytest.fixture
def filled(pictures: list[Asset], next_encoder: ColourEncoder) -> EmbeddingSpace:
    return fill(spaces.create("next"))


def at(name: str, *args: Any, model: str = "embeddingspace") -> str:
    return reverse(f"admin:search_{model}_{name}", args=args)


def text(answer: Any) -> str:
    """What is to be read on a page."""
    words = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(words).split())


# --- who may --------------------------------------------------------------------------------------


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


def test_what_changes_something_is_asked_by_post(desk: Client, filled: EmbeddingSpace) -> None:
    for name in ("retry", "resume"):
        assert desk.get(at(name, filled.pk)).status_code == 405
    assert desk.post(at("changelist")).status_code == 405
    assert desk.put(at("activate", filled.pk)).status_code == 405


# --- looking --------------------------------------------------------------------------------------


def test_the_list_says_how_far_each_is(desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace) -> None:
    said = text(desk.get(at("changelist")))
    assert "in use" in said and "filled, not in use" in said
    assert said.count("100 % 3 of 3 pictures done, 3 descriptions; none failed") == 2
    assert said.index(space.slug) < said.index(filled.slug), "the one in use comes first"
    assert "hx-get" not in desk.get(at("changelist")).content.decode(), "nothing moves, nothing is asked"


def test_progress_is_asked_for_while_something_is_under_way(
    desk: Client, pictures: list[Asset], next_encoder: ColourEncoder
) -> None:
    made = spaces.create("next")
    assert 'hx-trigger="every 4s"' in desk.get(at("changelist")).content.decode()
    filling.tend(), filling.tend()  # all are noted; none is missing
    htmx = {"HTTP_HX_REQUEST": "true"}
    part = desk.get(at("progress", made.pk), {"key": "building"}, **htmx)
    assert "HX-Retarget" not in part.headers and "<section" not in part.content.decode()
    assert "0 % 0 of 3 pictures done" in text(part) and "Being filled" in text(part)
    fill(made)
    whole = desk.get(at("progress", made.pk), {"key": "building"}, **htmx)
    assert whole.headers["HX-Retarget"] == f"#space-{made.pk}"
    assert "Activate…" in text(whole) and f"{made.slug}: filled, not in use." in text(whole)
    assert desk.get(at("progress", made.pk)).headers["Location"] == at("change", made.pk)
    assert "dropped" in text(desk.get(at("progress", 9999), **htmx))


def test_a_poll_costs_few_queries(desk: Client, filled: EmbeddingSpace) -> None:
    with CaptureQueriesContext(connection) as captured:
        desk.get(at("progress", filled.pk), {"key": "ready"}, HTTP_HX_REQUEST="true")
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


# --- making and using -----------------------------------------------------------------------------


def test_the_page_of_new_ones_says_what_can_be_made(
    desk: Client, space: EmbeddingSpace, next_encoder: ColourEncoder, settings: Any
) -> None:
    settings.ENCODERS = {**settings.ENCODERS, "azure": {"kind": "azure", "prefix": "ENCODER_AZURE"}}
    said = text(desk.get(at("add")))
    assert f"It has its space already: {space.slug}" in said
    assert "Make a space for next" in said and "Make a space for azure" not in said
    assert "Set ENCODER_AZURE_KEY" in said and "Then restart the library." in said


def test_a_space_is_made_and_what_cannot_be_made_is_said(
    desk: Client, pictures: list[Asset], next_encoder: ColourEncoder
) -> None:
    next_encoder.away = True
    said = text(desk.post(at("add"), {"encoder": "next"}, follow=True))
    assert "The test encoder is away." in said and "New embedding space" in said
    next_encoder.away = False
    said = text(desk.post(at("add"), {"encoder": "next"}, follow=True))
    assert "is being filled in the background" in said and "being filled" in said
    assert "has its space already" in text(desk.post(at("add"), {"encoder": "next"}, follow=True))
    assert "There is no encoder" in text(desk.post(at("add"), {"encoder": "nonesuch"}, follow=True))
    assert EmbeddingSpace.objects.count() == 2


def test_activating_is_asked_first_and_taken_back(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    asset("cyan", "late.jpg")
    said = text(desk.get(at("activate", filled.pk)))
    assert f"instead of {space.slug}" in said and "Pictures with a vector 3" in said
    assert "Missing 1; the workers see to them" in said and "Have you compared them?" in said
    assert spaces.active() == space
    assert "is in use from now on" in text(desk.post(at("activate", filled.pk), follow=True))
    assert spaces.active() == filled
    assert "is in use already" in text(desk.post(at("activate", filled.pk), follow=True))
    assert "This space is in use already." in text(desk.get(at("activate", filled.pk)))
    assert f"Roll back to {space.slug}" in text(desk.get(at("changelist")))
    assert f"Go back to {space.slug}" in text(desk.get(at("rollback")))
    desk.post(at("rollback"))
    assert spaces.active() == space
    assert "Activated." in text(desk.get(at("history", space.pk)))


def test_what_is_not_ready_cannot_be_activated(
    desk: Client, pictures: list[Asset], space: EmbeddingSpace, next_encoder: ColourEncoder
) -> None:
    made = spaces.create("next")
    page = desk.get(at("activate", made.pk))
    assert "It can be activated when it is ready." in text(page) and '<button class="desk' not in str(
        page.content
    )
    assert "still being filled" in text(desk.post(at("activate", made.pk), follow=True))
    assert "no earlier space" in text(desk.get(at("rollback"), follow=True))
    assert "no earlier space" in text(desk.post(at("rollback"), follow=True))
    assert spaces.active() == space


def test_who_activates_hears_that_the_encoder_is_away(
    desk: Client, filled: EmbeddingSpace, next_encoder: ColourEncoder
) -> None:
    next_encoder.version = "3"
    assert "The encoder next was changed" in text(desk.get(at("activate", filled.pk)))


# --- dropping -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_dropping_asks_for_the_name(desk: Client, space: EmbeddingSpace, next_encoder: ColourEncoder) -> None:
    made = spaces.create("next")
    said = text(desk.get(at("delete", made.pk)))
    assert "cannot be undone" in said and "0 pictures" in said and "KB" in said
    said = text(desk.post(at("delete", made.pk), {"slug": "something"}))
    assert "nothing was dropped" in said and EmbeddingSpace.objects.filter(pk=made.pk).exists()
    said = text(desk.post(at("delete", made.pk), {"slug": made.slug}, follow=True))
    assert f"The space {made.slug} was dropped" in said and partitions.size(made) == 0
    assert not EmbeddingSpace.objects.filter(pk=made.pk).exists()
    assert desk.get(at("delete", made.pk)).status_code == 404
    said = text(desk.get(at("delete", space.pk)))
    assert "This space is in use." in said and "Type" not in said
    said = text(desk.post(at("delete", space.pk), {"slug": space.slug}, follow=True))
    assert "Activate another space first" in said and spaces.active() == space


def test_who_drops_what_the_settings_still_name_is_told(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    assert "still names" not in text(desk.get(at("delete", filled.pk)))
    spaces.activate(filled)
    assert "ENCODER in the settings still names test" in text(desk.get(at("delete", space.pk)))


def test_a_table_that_is_in_use_for_long_is_said(
    desk: Client, filled: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def locked(space: EmbeddingSpace) -> int:
        raise OperationalError("lock timeout")

    monkeypatch.setattr(spaces, "drop", locked)
    said = text(desk.post(at("delete", filled.pk), {"slug": filled.slug}, follow=True))
    assert "Try again in a minute." in said


# --- comparing ------------------------------------------------------------------------------------


def upload(content: bytes = GOLDEN, name: str = "golden.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/csv")


def ask(desk: Client, first: EmbeddingSpace, second: EmbeddingSpace, **more: Any) -> Any:
    data = {"first": first.pk, "second": second.pk, "mode": "visual", "golden": upload(), **more}
    return desk.post(at("add", model="comparison"), data, follow=True)


def test_a_comparison_from_the_question_to_the_figures(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    page = desk.get(at("add", model="comparison"), {"first": space.pk, "second": filled.pk})
    assert page.context["form"].initial["second"] == filled.pk
    said = ask(desk, space, filled)
    started = Comparison.objects.get()
    assert "Waiting for a worker" in text(said) and "every 3s" in said.content.decode()
    address = at("progress", started.pk, model="comparison")
    part = desk.get(address, HTTP_HX_REQUEST="true")
    assert "every 3s" in part.content.decode() and "<html" not in part.content.decode()
    Comparison.objects.update(state="running", asked=1)
    assert "1 of 3 questions asked." in text(desk.get(address, HTTP_HX_REQUEST="true"))
    Comparison.objects.update(state="waiting")
    comparing.run(started.pk)
    part = desk.get(address, HTTP_HX_REQUEST="true")
    assert "every 3s" not in part.content.decode()
    said = text(part)
    assert "(recall@1) 66.7 % 66.7 % the same" in said and "the same to 100%" in said
    assert "For 1 question neither space has the right picture" in said
    assert desk.get(address).headers["Location"] == at("change", started.pk, model="comparison")
    listed = text(desk.get(at("changelist", model="comparison")))
    assert space.slug in listed and "66.7%" in listed and "done" in listed


def test_a_comparison_that_could_not_be_finished_says_so(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    made = comparing.start(space, filled, [comparing.Golden("red", "red.jpg")], "visual", None)
    Comparison.objects.update(state="failed", problem="The library was empty.")
    assert "The library was empty." in text(desk.get(at("change", made.pk, model="comparison")))


def test_figures_are_never_those_of_words_alone(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace, next_encoder: ColourEncoder
) -> None:
    made = comparing.start(space, filled, [comparing.Golden("red", "red.jpg")], "visual", None)
    next_encoder.away = True
    with pytest.raises(encoders.EncoderUnavailable):
        comparing.run(made.pk)
    assert "The test encoder is away." in text(desk.get(at("change", made.pk, model="comparison")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The submitted file is empty"),
        (b"a,b\n1,2\n", "golden.csv needs the columns query and filename"),
        (b"\xff\xfe\x00", "golden.csv cannot be read"),
        (b"query,filename\n" + b"x,y\n" * 5001, "1 to 5,000 can be asked"),
        (b"query,filename\n" + b"x" * 2_200_000, "2 MB at most"),
    ],
)
def test_a_file_of_questions_that_is_none_is_said_at_the_form(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace, content: bytes, said: str
) -> None:
    page = ask(desk, space, filled, golden=upload(content))
    assert said in text(page) and "Such a file" in text(page)
    assert not Comparison.objects.exists()


def test_a_space_is_not_compared_with_itself(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    assert "Choose two different spaces." in text(ask(desk, space, space))


def test_with_one_space_there_is_nothing_to_compare(desk: Client, space: EmbeddingSpace) -> None:
    assert "nothing to compare it with" in text(desk.get(at("add", model="comparison")))
    assert "nothing to set beside it" in text(desk.get(at("side", model="comparison")))


def test_the_largest_changes_come_first() -> None:
    places = [(1, 2), (50, 60), (None, 1), (3, None), (4, 4), (None, None), (10, 1)]
    questions = [
        {"query": str(n), "first": a, "second": b, "overlap": 1.0} for n, (a, b) in enumerate(places)
    ]
    figures = {"recall@1": 0.4211, "recall@5": 0.5, "recall@10": 0.5, "median_rank": 4}
    result = {
        "first": figures,
        "second": {**figures, "recall@1": 0.0526, "median_rank": 2.5},
        "overlap@10": 0.55,
        "questions": questions,
    }
    found = figures_of(result)
    assert [moved.query for moved in found.won] == ["2", "6"]
    assert [moved.query for moved in found.lost] == ["0", "3", "1"]
    assert (found.number_same, found.nowhere, found.overlap) == (2, 1, "55%")
    assert found.lines[0].difference == "−36.8 points" and found.lines[1].difference == "the same"
    assert found.lines[3].difference == "1.5 higher up" and found.lines[3].gain > 0


# --- side by side ---------------------------------------------------------------------------------


def test_two_lists_side_by_side(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace, encoder: ColourEncoder
) -> None:
    side = at("side", model="comparison")
    assert "Type a question" in text(desk.get(side))
    query = {"q": "red", "first": space.pk, "second": filled.pk, "mode": "visual"}
    page = desk.get(side, query)
    first, second = page.context["sides"]
    assert [place.card.title for place in first.places][0] == "red.jpg"
    assert first.shared == second.shared == 3 and "in both; place 1 there" in text(page)
    encoder.away = True
    assert "this is by words only. (The test encoder is away.)" in text(
        desk.get(side, {**query, "q": "blue"})
    )


def test_golden_questions_are_proposed_side_by_side(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    made = comparing.start(space, filled, [comparing.Golden("something red", "red.jpg")], "visual", None)
    page = desk.get(at("side", model="comparison"), {"comparison": made.pk})
    assert '<option value="something red">' in page.content.decode()


def test_side_by_side_shows_only_what_the_person_may_see(
    looker: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    Asset.objects.filter(current_version__original_filename="red.jpg").update(access="restricted")
    from search import rows

    rows.refresh(list(Asset.objects.values_list("pk", flat=True)))
    page = looker.get(at("side", model="comparison"), {"q": "red", "first": space.pk, "second": filled.pk})
    assert all("red.jpg" not in [p.card.title for p in side.places] for side in page.context["sides"])
    assert len(page.context["sides"][0].places) == 2


def test_odd_addresses_do_no_harm(desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace) -> None:
    side = at("side", model="comparison")
    assert desk.get(side, {"q": "red", "first": "x", "second": "9999", "comparison": "y"}).status_code == 200
    assert desk.get(side, {"q": "x" * 900}).status_code == 200
    assert desk.get(at("change", "x")).status_code == 404
    assert desk.get(at("change", "99", model="comparison")).status_code == 404


def test_pages_have_no_scripts_or_styles_of_their_own(desk: Client, filled: EmbeddingSpace) -> None:
    for page in (at("changelist"), at("change", filled.pk), at("add"), at("add", model="comparison")):
        source = desk.get(page).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", source), page
        assert "<style" not in source and not re.search(r"<[^>]+\s(style|onclick)=", source)
