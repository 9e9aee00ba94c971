"""What a page of the search asks of the database: never more than eight statements, whoever asks for what."""

import itertools
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from assets.models import Collection, Grant
from search import cached, views
from tests.conftest import Kept
from tests.factories import asset, picture

MOST = 8
Made = dict[str, Any]


def library() -> Made:
    """Pictures, objects and one that waits, in three collections, two of which `granted` may look at."""
    made = [
        asset(color, f"{color}.jpg", done=True, title=f"Fire {n}", creator="Berthe Morisot", tags="hot; red")
        for n, color in enumerate(("red", "green", "blue", "cyan", "yellow"))
    ]
    asset("white", done=True, title="Madonna", accession="M 7", collection="Oil / Large", tags="hot")
    asset("black", done=True, title="Madonna of the night", collection="Hidden", creator="Somebody")
    group = Group.objects.create(name="Painters")
    for name in ("Oil", made[0].collection.name):
        Grant.objects.create(group=group, collection=Collection.objects.get(name=name), actions=["see"])
    granted = User.objects.create_user("granted")
    granted.groups.set([group])
    return {"people": [granted, User.objects.create_superuser("chief")], "uid": made[0].uid}


@pytest.fixture(scope="module")
def made(kept: Kept) -> Made:
    return kept(library)


FILTERS = "&tag=hot&collection=Oil&filter=creator%3Amorisot&filter=-tag%3Acold&filter=type%3Ajpeg"
QUESTIONS = {
    "library": "",
    "list": "view=list",
    "filters": FILTERS,
    "question": "q=fire",
    "question with filters": f"q=fire{FILTERS}",
    "question as a list": f"q=fire&view=list{FILTERS}",
    "sorted": "q=fire&sort=title",
    "mistyped": "q=madona",
    "mistyped with filters": "q=madona&tag=hot&collection=Oil&view=list",
    "two mistyped": "q=madona+of+the+nihgt",
    "mistyped name": "q=creator:morisott+fire",
    "no such tag": "q=fire&tag=nothing",
    "next page": "q=fire&page=2",
    "next page with filters": "q=fire&page=2&tag=hot&view=list",
    "next page of all": "page=2&view=list",
    "words only": "q=fire&mode=keywords",
    "words only, next page": "q=fire&mode=keywords&page=2",
    "words only, sorted": "q=fire&mode=keywords&sort=title",
    "words only, mistyped": "q=madona+fire&mode=keywords",
    "words only, mistyped and sorted": "q=madona+fire&mode=keywords&sort=title",
    "number": "q=M+7&mode=keywords",
    "likeness": "q=fire&mode=visual&tag=hot",
    "like": "like={uid}",
    "like with words and filters": f"q=fire&like={{uid}}{FILTERS}",
    "unlike": "q=fire&unlike={uid}",
    "detail": "region={uid}:0.1,0.1,0.5,0.5",
    "detail with words": "q=fire&region={uid}:0.1,0.1,0.5,0.5&tag=hot",
    "picture": "picture={token}",
    "map": "q=fire&view=map&tag=hot",
    "timeline": "q=fire&view=timeline&tag=hot",
    "timeline, next page": "q=fire&view=timeline&tag=hot&page=2&by=10",
}


def asked(client: Client, address: str, **headers: str) -> list[str]:
    """The statements of one request; a question is counted when its answer has been sent."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, headers=headers).status_code == 200
    found = [str(one["sql"]) for one in captured.captured_queries]
    passed_over = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [sql for sql in found if "INTO search_searchlog" not in sql and not sql.startswith(passed_over)]


@pytest.mark.django_db
def test_no_page_asks_more_than_eight_statements(
    made: Made, encoder: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PER_PAGE", 2)
    given = picture()
    numbers: dict[tuple[str, ...], int] = {}
    for person, (name, question) in itertools.product(made["people"], QUESTIONS.items()):
        client.force_login(person)
        htmx = {"HX-Request": "true", "HX-Target": "cards"} if "page=" in question else {}
        both = person.username == "granted" or name == "question"
        for kept in ("nothing", "all") if both else ("nothing",):
            if kept == "nothing":
                cache.clear()
            address = "/?" + question.format(uid=made["uid"], token=cached.keep_picture(given))
            numbers[name, person.username, kept] = len(asked(client, address, **htmx))
    above = {key: number for key, number in numbers.items() if number > MOST}
    plots = [above.pop(("timeline", person.username, "nothing"), 0) for person in made["people"]]
    assert above == {} and max(plots) <= MOST + 4  # the plot of a timeline is counted once a minute
    assert numbers["question", "chief", "all"] == 5
