"""What is offered while somebody types: which names, in which order, and never one that is hidden."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, example, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import ApiToken, User
from assets import changes
from assets.changes import apply, operation
from assets.models import Term
from assets.scopes import scope_of
from assets.text import fold
from search import suggestions, tasks
from search.language import parse
from search.language.nodes import Field, Name, fields_of, named
from search.language.typed import typed
from search.models import Popularity
from search.suggestions import count_again, suggest
from tests.factories import asset
from tests.often import often
from tests.search.test_language import TEXTS


def offered(text: str, user: Any) -> dict[str, list[str]]:
    return {group.kind: [item.label for item in group.items] for group in suggest(text, user)}


def new_texts(text: str, user: Any) -> list[str]:
    return [item.text for group in suggest(text, user) for item in group.items]


# --- what is being typed: no database ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "field", "beginnings"),
    [
        ("boat", "", [(0, "boat")]),
        ("a red bo", "", [(0, "a red bo"), (2, "red bo"), (6, "bo")]),
        ("boat ", "", [(0, "boat")]),
        (
            "one two three four five",
            "",
            [(0, "one two three four five"), (8, "three four five"), (14, "four five"), (19, "five")],
        ),
        ("tag:oil boat", "", [(8, "boat")]),
        ("boat -po", "", [(6, "po")]),
        ("boat OR po", "", [(8, "po")]),
        ("(boat OR po", "", [(9, "po")]),
        ("(boat)", "", []),
        ('"still li', "", [(0, "still li")]),
        ('"still life"', "", []),
        ('"still life" re', "", [(13, "re")]),
        ("tag:por", "tag", [(4, "por")]),
        ("artist:rem", "creator", [(7, "rem")]),
        ("boat -tag:oil,tem", "tag", [(14, "tem")]),
        ('creator:"van G', "creator", [(8, "van g")]),
        ('creator:"van gogh"', "creator", []),
        ("tag: po", "tag", [(5, "po")]),
        ("tag:po*", "tag", [(4, "po")]),
        ('collection:"Prints / Ja', "collection", [(11, "ja")]),
        ("date:18", "date", [(5, "18")]),
        ("x", "", []),
        ("夕", "", [(0, "夕")]),
        ("tag:", "", []),
        ("…", "", []),
        ("", "", []),
    ],
)
def test_what_is_typed_last_counts(text: str, field: str, beginnings: list[tuple[int, str]]) -> None:
    found = typed(text)
    assert list(found.beginnings) == beginnings and (not beginnings or found.field == field)


LABELS = st.one_of(
    st.text(min_size=1, max_size=30), st.text('"“”„ ,():-*ab', min_size=1, max_size=12)
).filter(lambda text: fold(text) and "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text))


@rules(max_examples=often(60))
@given(before=TEXTS, label=LABELS, field=st.sampled_from(["tag", "creator", "title", "collection"]))
@example(before="", label='5" nails, (old): "x"', field="tag")
@example(before="", label="ends*", field="tag")
@example(before="boat -", label="OR", field="tag")
@example(before='AA:"0', label="0", field="tag")
def test_a_name_that_is_taken_is_understood_as_just_that_name(before: str, label: str, field: str) -> None:
    clean = " ".join(label.split())
    tree = parse(named(field, label)).tree
    assert isinstance(tree, Field) and tree.name == field
    assert [value.meaning for value in tree.values] == [Name(clean)]
    going_on = typed(f"{before} boat")
    if going_on.field or len(before) > 150 or not going_on.beginnings:
        return
    start = going_on.beginnings[-1][0]
    found = fields_of(parse(f"{before} boat"[:start] + named(field, label)).tree)
    assert any(f.name == field and f.values[-1].meaning == Name(clean) for f in found)


# --- names of a library -----------------------------------------------------------------------------


@pytest.fixture
def library(space: object) -> None:
    asset(
        title="Portrait of a lady",
        tags="portrait; oil on canvas",
        creator="van Goyen, Jan",
        collection="Prints / Japan",
    )
    asset(title="Portrait of a man", tags="portrait; Öl", creator="Goya", collection="Prints")
    asset(title="A port at dawn", tags="port", creator="Édouard Manet", accession="1", collection="Portfolio")
    asset(title="Portrait of a man", tags="self-portrait", accession="2", collection="Prints / Japan")
    count_again()


@pytest.mark.usefixtures("library")
def test_names_that_begin_so_come_first_then_those_with_more_pictures(viewer: User) -> None:
    found = offered("por", viewer)
    assert found["tag"] == ["portrait", "port", "self-portrait"]
    assert found["title"] == ["Portrait of a man", "Portrait of a lady", "A port at dawn"]
    assert found["collection"] == ["Portfolio"]
    assert offered("goy", viewer)["creator"] == ["Goya", "van Goyen, Jan"]


FOUND = [
    ("edouard m", "creator", "Édouard Manet"),
    ("EDOU", "creator", "Édouard Manet"),
    ("ol", "tag", "Öl"),
    ("oil on can", "tag", "oil on canvas"),
    ("boat canv", "tag", "oil on canvas"),
    ("jap", "collection", "Prints / Japan"),
    ("at dawn", "title", "A port at dawn"),
    ('creator:"van g', "creator", "van Goyen, Jan"),
    ("title:dawn", "title", "A port at dawn"),
]


@pytest.mark.usefixtures("library")
def test_accents_capitals_and_earlier_words_do_not_count(viewer: User) -> None:
    for text, kind, label in FOUND:
        assert label in offered(text, viewer).get(kind, []), text


@pytest.mark.usefixtures("library")
def test_the_new_text_keeps_what_stands_before(viewer: User) -> None:
    assert 'boat tag:"oil on canvas"' in new_texts("boat oil", viewer)
    assert 'tag:"oil on canvas"' in new_texts("oil on can", viewer)
    assert new_texts("boat -tag:port,self", viewer) == ["boat -tag:port,self-portrait"]
    assert new_texts('creator: "van', viewer) == ['creator:"van Goyen, Jan"']
    assert "tag:portrait" not in new_texts("tag:portrait", viewer)
    assert offered("boat 18 date:18", viewer) == {} == offered("zebra", viewer)


@pytest.mark.usefixtures("library")
def test_what_is_offered_finds_something(viewer: User, client: Client) -> None:
    client.force_login(viewer)
    for text in ("por", "go", "ed", "jap", "oil", "creator:j", "pri"):
        for new in new_texts(text, viewer):
            assert client.get("/", {"q": new}).context["cards"], new


def test_at_most_five_of_a_kind_and_places_by_their_field_alone(space: object, viewer: User) -> None:
    asset(tags="; ".join(f"harbour {n}" for n in range(7)))
    patch = {"terms": {"places": ["Hamburg"], "subjects": ["harlequin"]}}
    apply(operation("edit", ""), [asset(title="x")], patch)
    assert offered("har", viewer) == {"tag": [f"harbour {n}" for n in range(5)]}
    assert offered("place:ham", viewer) == {"place": ["Hamburg"]}
    assert offered("subject:har", viewer) == {"subject": ["harlequin"]}


def test_a_broader_tag_is_offered_for_the_pictures_of_narrower_ones(space: object, viewer: User) -> None:
    Term.objects.labelled("tags", "etching").parents.add(Term.objects.labelled("tags", "intaglio"))
    Term.objects.labelled("tags", "intarsia")  # nothing has it
    asset(tags="etching")
    assert offered("int", viewer) == {"tag": ["intaglio"]}


# --- what is hidden -----------------------------------------------------------------------------------


def test_what_only_hidden_pictures_have_is_never_offered(space: object, viewer: User, admin: User) -> None:
    for number, (hidden, patch) in enumerate(
        {
            "restricted": {"access": "restricted"},
            "embargo": {"embargo_until": timezone.now() + timedelta(days=1)},
            "trashed": {},
        }.items()
    ):
        one = asset(
            title=f"secret title {hidden}",
            tags=f"secret tag {hidden}",
            creator=f"secret maker {hidden}",
            collection=f"secret place / secret room {hidden}",
            accession=f"s{number}",
        )
        if hidden == "trashed":
            changes.trash([one], admin)
        else:
            apply(operation("edit", ""), [one], patch)
    for text in ("secret", "tag:secret", "creator:secret", "title:secret", "collection:secret", "room"):
        assert offered(text, viewer) == {} == offered(text, AnonymousUser()), text
    told = offered("secret", admin)
    assert told["tag"] == ["secret tag embargo", "secret tag restricted"]
    assert {kind: len(labels) for kind, labels in told.items()} == {
        "tag": 2,
        "creator": 2,
        "title": 2,
        "collection": 3,
    }
    asset(title="secret title embargo", tags="secret tag embargo", collection="secret place")
    assert offered("secret", viewer) == {
        "tag": ["secret tag embargo"],
        "title": ["secret title embargo"],
        "collection": ["secret place"],
    }


def test_hidden_pictures_do_not_change_the_order(space: object, viewer: User) -> None:
    asset(tags="cup")
    for _ in range(2):
        asset(tags="cupboard")
    for _ in range(3):
        apply(operation("edit", ""), [asset(tags="cup")], {"access": "restricted"})
    count_again()
    assert offered("cu", viewer) == {"tag": ["cupboard", "cup"]}


def test_pictures_are_counted_again_in_the_background(space: object, viewer: User) -> None:
    one = asset(tags="cup; cupboard", collection="Cups")
    asset(tags="cupboard")
    assert offered("cu", viewer)["tag"] == ["cup", "cupboard"]  # the shorter one
    tasks.check_rows()
    assert offered("cu", viewer)["tag"] == ["cupboard", "cup"]
    assert Popularity.objects.filter(pictures=2).count() == 1
    apply(operation("edit", ""), [one], {"terms": {"tags": ["vase"]}})
    tasks.check_rows()
    assert Popularity.objects.filter(pictures=2).count() == 1  # not yet
    cache.delete(suggestions.COUNTED)
    tasks.check_rows()
    counted = Term.objects.filter(pk__in=Popularity.objects.filter(kind="term").values("of_id"))
    assert {term.label for term in counted} == {"cupboard", "vase"} and not Popularity.objects.filter(
        pictures=2
    ).exists()


# --- the page and the API -----------------------------------------------------------------------------


@pytest.fixture
def api(viewer: User) -> Client:
    return Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})


@pytest.mark.usefixtures("library")
def test_the_page_and_the_api_offer_the_same(client: Client, api: Client, viewer: User) -> None:
    assert client.get("/suggest?q=por").status_code == 302
    assert Client().get("/api/v1/search/suggest?q=por").status_code == 401
    client.force_login(viewer)
    shown = client.get("/suggest", {"q": "boat oil"}).content.decode()
    assert 'data-text="boat tag:&quot;oil on canvas&quot;"' in shown and 'role="option"' in shown
    assert client.get("/suggest", {"q": "zebra"}).content.strip() == b""
    found = api.get("/api/v1/search/suggest", {"q": "boat oil"}).json()
    item = {
        "kind": "tag",
        "label": "oil on canvas",
        "part": 'tag:"oil on canvas"',
        "text": 'boat tag:"oil on canvas"',
    }
    assert found == {"groups": [{"kind": "tag", "name": "Tags", "items": [item]}]}


def test_names_are_never_markup(space: object, client: Client, viewer: User) -> None:
    asset(title="<b>night</b>", tags='<i>night"')
    client.force_login(viewer)
    shown = client.get("/suggest", {"q": "nig"}).content.decode()
    assert "<b>" not in shown and "<i>" not in shown and "&lt;b&gt;night" in shown


@pytest.mark.usefixtures("library")
def test_a_fixed_number_of_queries(viewer: User) -> None:
    def queries(text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            suggest(text, viewer)
        return len(captured)

    scope_of(viewer)  # known from here on, as it is on every page
    before = [queries(text) for text in ("por", "a portrait of a por", "tag:por", "x", "date:18")]
    for n in range(6):
        asset(title=f"Portrait {n}", tags=f"portrait {n}", creator=f"Porter {n}", collection=f"Port {n}")
    assert [queries(text) for text in ("por", "a portrait of a por", "tag:por", "x", "date:18")] == before
    assert before == [4, 4, 1, 0, 0]


FUZZ = rules(
    deadline=None, max_examples=often(15), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.usefixtures("library")
@FUZZ
@given(text=TEXTS)
def test_no_text_breaks_it(text: str, viewer: User) -> None:
    for new in new_texts(text, viewer):
        assert parse(new).tree is not None
