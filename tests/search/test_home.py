"""The home page: its numbers are those of the lists that they lead to, for each person their own."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from assets import changes
from assets.models import Asset, StageRun
from search import home, question_log, rows
from search.models import SearchLog, SearchRow
from search.tasks import prune_questions
from tests.conftest import Kept
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space", "made")]


@pytest.fixture(scope="module")
def made(kept: Kept) -> None:
    kept(library)


def library() -> None:
    """Five pictures: one restricted, one described, one failed, one in the trash, rights that have an end."""
    now = timezone.now()
    red, blue, green, black, white = (
        asset(color, done=True, title=color, **words)
        for color, words in (
            ("red", {"description": "A fire"}),
            ("blue", {}),
            ("green", {"tags": "leaf"}),
            ("black", {}),
            ("white", {}),
        )
    )
    Asset.objects.filter(pk=blue.pk).update(access="restricted", embargo_until=now + timedelta(days=1))
    Asset.objects.filter(pk=green.pk).update(rights_expire_at=now + timedelta(days=20))
    Asset.objects.filter(pk=red.pk).update(rights_expire_at=now - timedelta(days=2))
    Asset.objects.filter(pk=black.pk).update(created_at=now - timedelta(days=70))
    StageRun.objects.filter(version__asset=black, stage="make_renditions").update(state="failed")
    rows.refresh([one.pk for one in (red, blue, green, black)])
    changes.trash([white], None)


def numbers(page: Any) -> dict[str, int]:
    return {number.name: number.count for number in (*page.context["numbers"], *page.context["work"])}


def test_every_number_is_that_of_the_list_it_leads_to(browser: Client, admin: User) -> None:
    page = browser.get("/home/")
    seen = {"undescribed": 2, "untagged": 2, "expired": 1, "expiring": 1, "failed": 1, "trashed": 1}
    assert (page.context["pictures"], numbers(page)) == (3, seen)
    for number in page.context["numbers"]:
        assert browser.get(number.address).context["results"].total == number.count, number.name
    browser.force_login(admin)
    page = browser.get("/home/")
    more = {**seen, "undescribed": 3, "untagged": 3, "embargo": 1}
    assert (page.context["pictures"], numbers(page)) == (4, more)
    for number in page.context["numbers"]:
        assert browser.get(number.address).context["results"].total == number.count, number.name


def test_what_somebody_may_not_see_is_in_no_part_of_it(browser: Client) -> None:
    page = browser.get("/home/")
    assert {card.title for card in page.context["cards"]} == {"red", "green", "black"}
    assert sum(bar.number for bar in page.context["growth"]) == 3


def test_it_plots_what_came_and_what_will_end_by_month(browser: Client) -> None:
    page = browser.get("/home/")
    today = timezone.localdate()
    growth, ending = page.context["growth"], page.context["ending"]
    assert len(growth) == len(ending) == 12
    assert (growth[-1].month, ending[0].month) == (today.replace(day=1),) * 2
    before = (timezone.now() - timedelta(days=70)).date().replace(day=1)
    assert {bar.month: bar.number for bar in growth if bar.number} == {today.replace(day=1): 2, before: 1}
    assert growth[-1].height == 58 and growth[-1].bytes > 0
    end = (timezone.now() + timedelta(days=20)).date().replace(day=1)
    expected = {end: 1} | ({today.replace(day=1): 1} if today.day > 2 else {})
    assert {bar.month: bar.number for bar in ending if bar.number} == expected


def test_months_go_over_the_turn_of_a_year() -> None:
    begun = home.months(-12)
    assert len(begun) == 12 and begun[-1] == timezone.localdate().replace(day=1)
    assert [(b - a).days in range(28, 32) for a, b in zip(begun, begun[1:], strict=False)] == [True] * 11
    assert home.edges([date(2026, 12, 1)])[1].date() == date(2027, 1, 1)


def test_one_part_that_fails_leaves_the_others(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:

    def broken(*_: Any) -> None:
        raise RuntimeError("The part is broken.")

    monkeypatch.setattr(home, "glance", broken)
    page = browser.get("/home/")
    text = page.content.decode()
    assert page.status_code == 200 and "could not be put together" in text
    assert len(page.context["cards"]) == 3 and {n.name for n in page.context["work"]} >= {"failed"}
    monkeypatch.undo()
    monkeypatch.setattr(home, "recent", broken)
    page = browser.get("/home/")
    assert page.context["cards"] is None and numbers(page)["expired"] == 1


def test_it_is_asked_for_once_a_minute_and_in_few_queries(desk: Client) -> None:
    with CaptureQueriesContext(connection) as first:
        desk.get("/home/")
    with CaptureQueriesContext(connection) as second:
        desk.get("/home/")
    assert len(first) <= 10 and len(second) <= 7  # two of them are for the session
    kept()


def kept() -> list[str]:
    client = cache._cache.get_client()
    found = [key.decode() for key in client.keys("*home:*")]
    assert found and all(0 < client.ttl(key) <= 60 for key in found)
    return found


def test_an_empty_library_leads_to_the_upload(browser: Client) -> None:
    SearchRow.objects.update(access="restricted")
    page = browser.get("/home/").content.decode()
    assert "The library is empty" in page and 'href="/upload/"' in page


def test_it_is_for_those_who_are_signed_in(client: Client) -> None:
    assert client.get("/home/")["Location"].startswith("/accounts/login/")


# --- searches -------------------------------------------------------------------------------------------


def logged() -> set[tuple[str, str, int]]:
    return set(SearchLog.objects.values_list("question", "mode", "times"))


def test_a_question_is_counted_when_it_is_put_and_not_while_it_is_typed(browser: Client) -> None:
    for address in (
        "/?q=Red",
        "/?q=+red+",
        "/?q=red&mode=keywords",
        "/?q=red&page=2",
        "/?q=red&tag=leaf",
        "/?q=red&why=1",
        "/suggest?q=fir",
        "/search/facets/?q=red",
        "/",
        "/?tag=leaf",
        f"/?q={'x' * 201}",
    ):
        assert browser.get(address).status_code == 200
    assert logged() == {("red", "best", 2), ("red", "keywords", 1)}
    assert not any(field.is_relation for field in SearchLog._meta.get_fields())
    assert SearchLog.objects.first().day == timezone.now().date()


def test_staff_see_what_was_searched_most_and_what_found_nothing(desk: Client, viewer: User) -> None:
    for _ in range(2):
        desk.get("/?q=zeppelin&mode=keywords")
    desk.get("/?q=red&mode=keywords")
    most, nothing = desk.get("/home/").context["searches"]
    assert [(one.put.question, one.put.times) for one in most] == [("zeppelin", 2), ("red", 1)]
    assert [one.put.question for one in nothing] == ["zeppelin"]
    assert most[0].address == "/?q=zeppelin&mode=keywords"
    desk.force_login(viewer)
    assert "searches" not in desk.get("/home/").context
    viewer.is_staff = True
    viewer.save()
    assert "searches" not in desk.get("/home/").context
    viewer.user_permissions.set(Permission.objects.filter(codename="view_searchlog"))
    assert desk.get("/home/").context["searches"]


def test_a_question_that_finds_something_later_is_no_more_among_those_that_found_nothing(
    desk: Client,
) -> None:
    yesterday = timezone.now().date() - timedelta(days=1)
    SearchLog.objects.create(
        day=yesterday, key="fire", mode="keywords", question="fire", total=0, strong=None, times=5
    )
    question_log.note("Fire", "keywords", 3, None)
    assert desk.get("/home/").context["searches"][1] == []


def test_questions_are_forgotten_after_a_while(settings: Any) -> None:
    today, settings.SEARCH_LOG_DAYS = timezone.now().date(), 90
    for days in (0, 89, 90, 400):
        day = today - timedelta(days=days)
        SearchLog.objects.create(day=day, key="fire", mode="best", question="fire", total=1)
    prune_questions()
    assert set(SearchLog.objects.values_list("day", flat=True)) == {today, today - timedelta(days=89)}
    settings.SEARCH_LOG_DAYS = 0
    question_log.note("sea", "best", 1, 1)
    prune_questions()
    assert not SearchLog.objects.exists()
