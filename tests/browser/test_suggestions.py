"""The list under the search box: by keys alone, by touch, and when the server is slow or away."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from accounts.models import User
from tests.browser.test_journey import NO_SHIFT, Open, Shoot, shifted, sign_in
from tests.factories import asset

pytestmark = pytest.mark.browser


@dataclass
class Site:
    url: str
    username: str = "viewer"
    password: str = "a long pass phrase"
    session: list[Any] = field(default_factory=list)


@pytest.fixture(autouse=True, scope="module")
def beside_a_loop() -> Iterator[None]:
    """Playwright has a loop in this thread, and Django would refuse to work beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def stack(live_server: Any, vocabularies: None, space: object, viewer: User) -> Site:
    """The web server alone, in this process: what these tests look at needs no workers."""
    asset(title="Photographer at work", tags="photographer; bright", creator="Lav Varshney")
    asset("blue", title="Photograph of a port", tags="photograph; bright", collection="Photographs / Late")
    return Site(live_server.url)


def test_the_keys_of_a_combobox(stack: Site, open_page: Open, trouble: list[str], screenshot: Shoot) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    field = page.get_by_role("combobox", name="Search the library")
    listed = page.get_by_role("listbox", name="Suggestions")
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("bright pho")
    expect(listed.get_by_role("option").first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(listed.get_by_role("group", name="Tags")).to_be_visible()
    screenshot(page, "suggestions")
    page.keyboard.press("ArrowDown")
    first = listed.get_by_role("option").first
    expect(first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(first.get_attribute("id")))
    page.keyboard.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowUp")
    expect(listed.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    expect(field).to_have_value("bright pho")
    page.keyboard.press("ArrowDown")
    expect(listed).to_be_visible()
    page.keyboard.press("ArrowDown")
    taken = str(listed.get_by_role("option").first.get_attribute("data-text"))
    page.keyboard.press("Enter")
    expect(field).to_have_value(f"{taken} ")
    expect(field).to_be_focused()
    expect(listed).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=bright\+tag%3A"))
    expect(page.locator("#cards .card").first).to_be_visible()
    assert trouble == []


def test_nothing_chosen_sends_the_form_as_it_is_and_tab_leaves(
    stack: Site, open_page: Open, trouble: list[str]
) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    field = page.get_by_role("combobox", name="Search the library")
    listed = page.get_by_role("listbox", name="Suggestions")
    field.fill("pho")
    expect(listed).to_be_visible()
    page.keyboard.press("Tab")
    expect(listed).to_be_hidden()
    expect(field).not_to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("End")
    page.keyboard.type("t")
    expect(listed).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=phot(&|$)"))
    assert shifted(page) < NO_SHIFT
    assert trouble == []


def test_a_touch_takes_a_name(stack: Site, open_page: Open, trouble: list[str], screenshot: Shoot) -> None:
    page = open_page(390)
    sign_in(page, stack)
    field = page.get_by_role("combobox", name="Search the library")
    field.tap()
    field.fill("pho")  # at once: with each letter's own answer the list would change under the finger
    option = page.get_by_role("option").first
    expect(option).to_be_visible()
    screenshot(page, "suggestions-390")
    taken = str(option.get_attribute("data-text"))
    option.tap()
    expect(field).to_have_value(f"{taken} ")
    expect(field).to_be_focused()
    assert trouble == []


def test_old_answers_and_failures_change_nothing(stack: Site, open_page: Open, trouble: list[str]) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    field = page.get_by_role("combobox", name="Search the library")
    listed = page.get_by_role("listbox", name="Suggestions")
    held: list[Route] = []
    page.route("**/suggest?q=ph", lambda route: held.append(route))
    with page.expect_request("**/suggest?q=ph"):
        field.press_sequentially("ph")
    page.wait_for_timeout(300)
    assert len(held) == 1  # the server is asked once, when the keys rest
    field.fill("photograph")
    expect(listed.get_by_role("option").first).to_be_visible()
    shown = listed.inner_text()
    held[0].abort()
    page.wait_for_timeout(200)
    assert listed.inner_text() == shown
    page.unroute("**/suggest?q=ph")
    chosen = listed.locator("[aria-selected=true]")
    page.route("**/suggest?q=photographe", lambda route: held.append(route))
    with page.expect_request("**/suggest?q=photographe"):
        field.press_sequentially("e")
    page.keyboard.press("ArrowDown")  # before the answer is there, which then comes too late
    held[1].continue_()
    page.wait_for_timeout(200)
    expect(chosen).to_have_count(1)
    page.route("**/suggest?**", lambda route: route.fulfill(status=500))
    field.press_sequentially("s")
    expect(listed).to_be_hidden()
    expect(page.locator("#messages")).to_be_empty()
    trouble.clear()  # the browser notes the 500 itself


def test_words_that_are_being_composed_are_not_asked_for(
    stack: Site, open_page: Open, trouble: list[str]
) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    field = page.get_by_role("combobox", name="Search the library")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/suggest" in request.url else None)
    field.focus()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "pho", "selectionStart": 3, "selectionEnd": 3})
    page.wait_for_timeout(400)
    assert asked == []
    keyboard.send("Input.insertText", {"text": "photo"})
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()
    assert len(asked) == 1 and trouble == []
