"""Comparing two spaces in the administration: with known questions, and side by side."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assets.models import Asset
from search import comparing, encoders, rows
from search.admin.figures import figures_of
from search.models import Comparison, EmbeddingSpace
from tests.encoder import ColourEncoder
from tests.search.pages import HTMX, at, text

GOLDEN = b"query,filename\nred,red.jpg\ngreen,green.jpg\nnothing,nowhere.jpg\n"


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
    part = desk.get(address, **HTMX)
    assert "every 3s" in part.content.decode() and "<html" not in part.content.decode()
    Comparison.objects.update(state="running", asked=1)
    assert "1 of 3 questions asked." in text(desk.get(address, **HTMX))
    Comparison.objects.update(state="waiting")
    comparing.run(started.pk)
    part = desk.get(address, **HTMX)
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


# --- side by side -----------------------------------------------------------------------------------


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
