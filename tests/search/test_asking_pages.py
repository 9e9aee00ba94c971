"""The language where people and programs meet it: the page, the API, the command line."""

import json
import time
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.html import escape
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import ApiToken, User
from dam.security.limits import LONGEST_ADDRESS
from search import explained
from search.models import EmbeddingSpace
from tests.conftest import Kept
from tests.factories import asset
from tests.often import often
from tests.search.test_language import TEXTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space", "library")]
MODES = st.sampled_from(["best", "keywords", "visual"])


@pytest.fixture
def api(viewer: User) -> Client:
    return Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})


@pytest.fixture(scope="module")
def library(kept: Kept) -> None:
    kept(make_library)


def make_library() -> None:
    asset("red", done=True, title="Fire", date="1880", tags="hot", collection="Elements / Warm")
    asset("blue", done=True, title="Sea", date="1950", tags="wet", collection="Elements / Cold")


def page(browser: Client, q: str) -> str:
    answer = browser.get("/", {"q": q})
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


# --- the page -------------------------------------------------------------------------------------


def test_fields_narrow_the_page(browser: Client) -> None:
    for q, titles in (
        ("date:1870..1890", ["Fire"]),
        ("-tag:hot", ["Sea"]),
        ("collection:elements", ["Sea", "Fire"]),
        ("sea date:1880", ["Fire"]),
        ("colour:blue OR title:fire", ["Sea", "Fire"]),
    ):
        assert [card.title for card in browser.get("/", {"q": q}).context["cards"]] == titles, q


def test_a_question_of_fields_alone_is_a_list_with_an_order(browser: Client) -> None:
    shown = page(browser, "collection:elements")
    assert (
        'id="sort"' in shown and 'id="mode"' not in shown and "pictures, the most fitting first" not in shown
    )
    shown = page(browser, "sea collection:elements")
    assert 'id="mode"' in shown and "pictures, the most fitting first" in shown


def test_a_mistake_is_marked_where_it_stands(browser: Client) -> None:
    shown = page(browser, "sea date:18x8 <b> tgs:hot")
    assert "sea date:<mark>18x8</mark> &lt;b&gt; <mark>tgs:hot</mark>" in shown
    assert "is no date" in shown and "Did you mean tag:?" in shown
    assert (
        'aria-invalid="true"' in shown and 'id="q-mistakes" role="status"' in shown and "q-mistakes" in shown
    )
    shown = page(browser, "sea tag:nosuch")
    assert "<mark>nosuch</mark>" in shown and "There is no tag" in shown and "Nothing found" in shown
    assert "<mark>" not in page(browser, "sea") and "aria-invalid" not in page(browser, "sea")


def test_parts_can_be_taken_out_of_the_question(browser: Client) -> None:
    shown = browser.get("/", {"q": "sea tag:wet -title:fire", "tag": "wet"})
    assert shown.context["parts"] == [
        ("tag:wet", "/?q=sea+-title%3Afire&tag=wet"),
        ("-title:fire", "/?q=sea+tag%3Awet&tag=wet"),
    ]
    assert "Remove tag:wet from the question" in shown.content.decode()


def test_the_help_has_examples_that_work(browser: Client) -> None:
    shown, examples = browser.get("/").content.decode(), [*explained.ways(), *explained.fields()]
    assert len(examples) > 20
    for example in examples:
        assert escape(example.text) in shown
        if example.address:
            results = browser.get(example.address).context["results"]
            assert all("There is no" in m.mistake.message for m in results.mistakes), example.text
    assert "How to search" in page(browser, "")


def test_a_question_without_answer_offers_the_whole_library(browser: Client) -> None:
    assert "Show the whole library" in page(browser, "date:1066")


# --- the API --------------------------------------------------------------------------------------


def test_the_api_takes_the_same_language(api: Client) -> None:
    found = api.get("/api/v1/search", {"q": "sea tag:hot dat:1"}).json()
    assert [r["title"] for r in found["results"]] == ["Fire"]
    assert found["mistakes"] == [
        {
            "where": "q",
            "start": 12,
            "end": 17,
            "message": "There is no field “dat”, so these were taken as words. Did you mean date:?",
        }
    ]
    found = api.get("/api/v1/search", {"filter": ["date:..1900", "-tag:wet", "size:huge"]}).json()
    assert [r["title"] for r in found["results"]] == ["Fire"]
    assert [m["where"] for m in found["mistakes"]] == ["filter[2]"]
    deep = api.get("/api/v1/search", {"q": "tag:hot", "offset": 5000})
    assert deep.status_code == 200  # a list goes on to its end


# --- the command line -----------------------------------------------------------------------------


def test_the_command_takes_any_field_as_a_filter(capsys: Any) -> None:

    def found(*words: str) -> list[str]:
        call_command("search", *words, "--json")
        return [r["title"] for r in json.loads(capsys.readouterr().out)["results"]]

    assert found("--filter", "date:1870..1890") == ["Fire"]
    assert found("--filter", "collection:Elements / Cold", "--filter=-tag:hot") == ["Sea"]
    assert found("sea tag:hot") == ["Fire"]
    mistakes = {"color:octarine": "is no colour", "dat:1": "Did you mean date:?", "size:": "Nothing stands"}
    for wrong, said in mistakes.items():
        with pytest.raises(CommandError, match="not understood") as refused:
            call_command("search", "--filter", wrong)
        assert said in str(refused.value)


def test_the_command_points_at_a_mistake(capsys: Any) -> None:
    call_command("search", "sea date:18x8")
    said = capsys.readouterr()
    assert "sea date:18x8\n         ^^^^\n“18x8” is no date" in said.err and "Sea" in said.out


# --- anything that can be typed -------------------------------------------------------------------

FUZZ = rules(
    deadline=None, max_examples=often(20), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(q=TEXTS, mode=MODES)
def test_no_question_breaks_the_page(q: str, mode: str, browser: Client) -> None:
    q = q.encode("utf-8", "replace").decode()
    assert browser.get("/", {"q": q, "mode": mode}).status_code == 200


@FUZZ
@given(q=TEXTS, filters=st.lists(TEXTS, max_size=3), mode=MODES)
def test_no_question_breaks_the_api(q: str, filters: list[str], mode: str, api: Client) -> None:
    q, *filters = (text.encode("utf-8", "replace").decode() for text in (q, *filters))
    answer = api.get("/api/v1/search", {"q": q, "filter": filters, "mode": mode})
    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize(
    "q",
    ["(" * 10_000, "-(a OR " * 2000, "\x00" * 50, "‏אבג‎ OR ‮abc", "tag:" * 2000, 'tag:"' * 2000, "a OR " * 2000]
    + [
        "colour:blue OR " * 500,
        "-tag:a " * 1000,
        "creator:a* " * 900,
        "title:a,b,c " * 900,
        "%%s {} \\",
        "🎨" * 3000,
    ]
    + ["size:" + "9" * 5000, "date:" + "9" * 5000, "added:9999-12-31", "added:2099-12-31..", "\ud800"],
)
def test_long_and_strange_questions_are_answered_soon(
    q: str, browser: Client, api: Client, space: EmbeddingSpace
) -> None:
    q = q.encode("utf-8", "replace").decode()
    begun, is_too_long = time.process_time(), len(quote_plus(q)) > LONGEST_ADDRESS
    for mode in ("best", "keywords"):
        assert browser.get("/", {"q": q, "mode": mode}).status_code == (414 if is_too_long else 200)
    refused = 414 if is_too_long else 422
    assert api.get("/api/v1/search", {"q": q}).status_code == (refused if len(q) > 2000 else 200)
    assert time.process_time() - begun < 10
