"""What may have been meant: typing mistakes are put right with words of pictures that one may see."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import ApiToken, User
from assets import changes
from assets.changes import apply, operation
from assets.models import Asset
from search import checking, lexicon
from search.hybrid import HybridQuery
from search.models import Word
from search.query import run
from search.spelling import allowed, as_written, distance, slips
from tests.factories import asset
from tests.often import often
from tests.search.test_language import TEXTS


def meant(text: str, user: Any, mode: str = "keywords", **more: Any) -> str | None:
    found = run(HybridQuery(user=user, text=text, mode=mode, **more)).did_you_mean
    return found.q if found else None


def learn() -> None:
    """What the round does once a day; in tests nothing is committed, so that no word was noted before."""
    for _ in checking.check(repair=True):
        pass


# --- spelling: no database ------------------------------------------------------------------------


def test_slips_are_counted() -> None:
    for one, other, far in (
        ("madona", "madonna", 1),
        ("baot", "boat", 1),
        ("potrait", "portrait", 1),
        ("kadinski", "kandinsky", 2),
        ("", "abc", 3),
        ("abcdef", "uvwxyz", 4),
        ("same", "same", 0),
    ):
        assert distance(one, other) == far == distance(other, one)
    assert [allowed(n) for n in (2, 3, 5, 6, 9, 10)] == [0, 1, 1, 2, 2, 3]


@rules(max_examples=often(60))
@given(st.text("abcz", max_size=6), st.text("abcz", max_size=6))
def test_one_slip_is_what_the_distance_calls_one(one: str, other: str) -> None:
    assert (other in slips(one)) == (distance(one, other) == 1)


def test_capitals_are_kept() -> None:
    written = [as_written("rembrandt", like) for like in ("rembrant", "Rembrant", "REMBRANT", "R")]
    assert written == ["rembrandt", "Rembrandt", "REMBRANDT", "Rembrandt"]


# --- the lexicon ----------------------------------------------------------------------------------


def words() -> list[str]:
    return list(Word.objects.order_by("word").values_list("word", flat=True))


def test_words_are_letters_as_people_write_them() -> None:
    texts = ["Käthe Kollwitz, 1903", "IMG_2034.jpg a4 of", "l’été  Кошка 夕焼け雲", "x" * 41]
    assert lexicon.words_of(texts) == {"kathe", "kollwitz", "jpg", "ete", "кошка", "夕焼け雲"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_words_are_noted_when_a_change_is_there_for_others() -> None:
    one = asset(title="Boats", tags="harbour", name="1.jpg")
    assert {"boats", "harbour"} <= set(words())
    apply(operation("edit", ""), [one], {"title": "Ships"})
    assert {"boats", "ships"} <= set(words())


@pytest.mark.django_db
@pytest.mark.usefixtures("space")
def test_the_round_notes_the_words_of_old_rows_and_forgets_those_that_nothing_has() -> None:
    asset(title="Boat")
    lexicon.note(["boat", "gone"])
    Word.objects.update(seen=date(2020, 1, 1))
    checking.work()
    assert "boat" in words() and "gone" not in words()
    assert set(Word.objects.values_list("seen", flat=True)) == {timezone.now().date()}


# --- words ----------------------------------------------------------------------------------------


@pytest.fixture
def library(space: object) -> None:
    asset(title="Madonna and child", creator="Rembrandt van Rijn", tags="portrait; old master")
    asset(
        title="Impressionist harbour",
        creator="Käthe Kollwitz",
        tags="boat; print",
        collection="Prints / Late",
    )
    asset(title="Great wave", creator="Utagawa Hiroshige", description="The wave of Kandinsky", tags="Кошка")
    learn()


MISTYPED = [
    ("Rembrant", "Rembrandt"),
    ("Madona", "Madonna"),
    ("madona and child", "madonna and child"),
    ("impresionist", "impressionist"),
    ("Hiroshigue", "Hiroshige"),
    ("potrait", "portrait"),
    ("a potrait of the Madona", "a portrait of the Madonna"),
    ("baot", "boat"),
    ("Kadinski", "Kandinsky"),
    ("кошкка", "кошка"),
    ("KOLWITZ", "KOLLWITZ"),
    ("Kathe Kolwitz", "Kathe Kollwitz"),
    ('"graet wave"', '"great wave"'),
    ("wave (impresionist OR zebra)", "wave (impressionist OR zebra)"),
    ("wave -zebra Hiroshigue", "wave -zebra Hiroshige"),
    ("hiroshigue title:wave", "hiroshige title:wave"),
    ("hiroshigue title:madonna", None),
]


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_a_mistyped_word_is_put_right(viewer: User) -> None:
    for typed, right in MISTYPED:
        assert meant(typed, viewer) == right == meant(typed, viewer, "best"), typed


RIGHT = [
    "Rembrandt",
    "Kathe Kollwitz",
    "portraits",
    "boats",
    "the",
    "rembr",
    "Rem",
    "madonna wave",
    "zzzzzzz",
]
RIGHT += ["18", "-Rembrant", "xy", "title:wave", "", "rembr*", "Madonna and child", "harbor*"]


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_what_is_right_or_unlike_everything_is_left_alone(viewer: User) -> None:
    for text in RIGHT:
        assert meant(text, viewer) is None is meant(text, viewer, "best"), text


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_likeness_alone_and_later_pages_are_not_asked(viewer: User) -> None:
    assert meant("Rembrant", viewer, "visual") is None is meant("Rembrant", viewer, offset=10)


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_changes_say_where_they_stand(viewer: User) -> None:
    found = run(HybridQuery(user=viewer, text="a potrait, Madona", mode="keywords")).did_you_mean
    assert found is not None and found.q == "a portrait, Madonna"
    assert [(c.start, c.end, c.text) for c in found.changes] == [(2, 9, "portrait"), (11, 17, "Madonna")]


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_filters_hold_for_what_is_meant(viewer: User) -> None:
    assert meant("Hiroshigue", viewer, tags=("Кошка",)) == "Hiroshige"
    assert meant("Hiroshigue", viewer, tags=("portrait",)) is None
    assert meant("Hiroshigue", viewer, filters=("collection:Late",)) is None
    # the word is right, but not within the filter, where another one is near
    asset(title="Wage", tags="money")
    learn()
    assert meant("wave", viewer, tags=("money",)) == "wage"


def hide(one: Asset, how: str, admin: User) -> None:
    if how == "trashed":
        changes.trash([one], admin)
    elif how == "restricted":
        apply(operation("edit", ""), [one], {"access": "restricted"})
    else:
        apply(operation("edit", ""), [one], {"embargo_until": timezone.now() + timedelta(days=1)})


@pytest.mark.django_db
@pytest.mark.usefixtures("space")
@pytest.mark.parametrize("how", ["trashed", "restricted", "embargo"])
def test_a_word_of_hidden_pictures_alone_is_never_shown(how: str, viewer: User, admin: User) -> None:
    hidden = asset(title="Zanzibar", creator="Zephyrine", tags="zucchini", collection="Zoology")
    asset(title="Boat")
    hide(hidden, how, admin)
    learn()
    assert {"zanzibar", "zephyrine", "zucchini"} <= set(words())
    for typed, right in (
        ("Zanzibra", "Zanzibar"),
        ("creator:Zephyrin", "creator:Zephyrine"),
        ("tag:zuchini", "tag:zucchini"),
        ("collection:Zology", "collection:Zoology"),
    ):
        for mode in ("best", "keywords"):
            assert meant(typed, viewer, mode) is None, typed
        assert meant(typed, admin) == (None if how == "trashed" else right)


# --- names ----------------------------------------------------------------------------------------


NAMES = [
    ("creator:rembrant", 'creator:"Rembrandt van Rijn"'),
    ('creator:"rembrant van rijn"', 'creator:"Rembrandt van Rijn"'),
    ("creator:kolwitz", 'creator:"Käthe Kollwitz"'),
    ("tag:potrait", "tag:portrait"),
    ("tag:baot", "tag:boat"),
    ('tag:"old mastre" madonna', 'tag:"old master" madonna'),
    ("collection:Print", "collection:Prints"),
    ('collection:"Prints / Lat"', 'collection:"Prints / Late"'),
    ("-tag:boat,potrait wave", "-tag:boat,portrait wave"),
    ("tag:potrait wave", None),
    ("tag:potrait creator:rembrant", 'tag:portrait creator:"Rembrandt van Rijn"'),
    ("tag:potrait creator:hiroshige", None),
    ("tag:zzzzz", None),
    ("creator:rembrn*", None),
]


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_a_mistyped_name_is_put_right(viewer: User) -> None:
    for typed, right in NAMES:
        assert meant(typed, viewer) == right, typed


# --- the page, the API, the command line ----------------------------------------------------------


def page(browser: Client, **asked: str) -> str:
    return " ".join(browser.get("/", asked).content.decode().split())


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_the_page_links_what_is_meant_and_keeps_the_rest(browser: Client) -> None:
    shown = page(browser, q="Madona <b>", mode="keywords", tag="portrait")
    link = (
        '<a href="/?q=Madonna+%3Cb%3E&amp;tag=portrait&amp;mode=keywords"><mark>Madonna</mark> &lt;b&gt;</a>?'
    )
    assert f"Did you mean {link}" in shown
    shown = page(browser, q="creator:rembrant wave", mode="keywords")
    assert (
        "There is no creator “rembrant”." in shown and "Did you mean" not in shown
    )  # no wave is by Rembrandt
    shown = page(browser, q="creator:rembrant")
    link = '<a href="/?q=creator%3A%22Rembrandt+van+Rijn%22">creator:&quot;Rembrandt van Rijn&quot;</a>?'
    assert f"There is no creator “rembrant”. Did you mean {link}" in shown
    assert "Did you mean" not in page(browser, q="Madonna")


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_programs_and_commands_are_told_as_well(viewer: User, capsys: Any) -> None:
    api = Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})
    found = api.get("/api/v1/search", {"q": "the Madona"}).json()
    assert found["did_you_mean"] == {
        "q": "the Madonna",
        "changes": [{"start": 4, "end": 10, "text": "Madonna"}],
    }
    assert api.get("/api/v1/search", {"q": "Madonna"}).json()["did_you_mean"] is None
    found = api.get("/api/v1/search", {"q": "tag:potrait"}).json()
    assert found["mistakes"][0]["message"] == "There is no tag “potrait”. Did you mean tag:portrait?"
    call_command("search", "the Madona")
    assert "Did you mean: the Madonna" in capsys.readouterr().err


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
def test_a_right_question_costs_no_query_more_and_a_wrong_one_a_fixed_number(viewer: User) -> None:
    def queries(text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            run(HybridQuery(user=viewer, text=text, mode="keywords"))
        return len([one for one in captured if "search_word" in one["sql"] or "AS few)" in one["sql"]])

    assert queries("Madonna") == 0
    before = queries("Madona")
    for n in range(5):
        asset(title=f"Madonna {n}", tags=f"madone {n}")
    learn()
    assert queries("Madona") == before <= 4


FUZZ = rules(
    deadline=None, max_examples=often(15), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.django_db
@pytest.mark.usefixtures("library")
@FUZZ
@given(text=TEXTS, near=st.sampled_from(["Madona", "creator:rembrant", "tag:potrait", '"graet wave"']))
def test_no_text_breaks_it(text: str, near: str, viewer: User) -> None:
    for q in (f"{text} {near}", f"{near} {text}"):
        found = run(HybridQuery(user=viewer, text=q, mode="keywords")).did_you_mean
        assert found is None or found.q != q
