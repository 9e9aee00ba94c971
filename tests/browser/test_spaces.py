"""Moving to another model in a real browser: make, fill, compare, activate, go back, drop."""

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import sign_in
from tests.search.serving import Server
from tests.services_fixture import Stack

pytestmark = [pytest.mark.stack, pytest.mark.browser]
UNTIL_FILLED = 90_000  # milliseconds, for the demonstration pictures on a slow machine
SPACES, SIDE = "/admin/search/embeddingspace/", "/admin/search/comparison/side/"
Open, Shoot = Callable[..., Page], Callable[[Page, str], None]


def no_overflow(page: Page) -> None:
    """At this width, and on a phone."""
    shown = page.viewport_size
    assert shown is not None
    for width in (390, shown["width"]):
        page.set_viewport_size({**shown, "width": width})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} {width}"


def make_and_fill(page: Page, service: Server) -> None:
    """By keyboard: every step is a link or a button. The model is slow until its progress has been seen."""
    service.latency = 1.0
    page.goto("/admin/")
    page.get_by_role("main").get_by_role("link", name="Embedding spaces").first.press("Enter")
    page.get_by_role("link", name="New space").press("Enter")
    page.get_by_role("button", name="Make a space for museum").press("Enter")
    expect(page.get_by_text("is being filled in the background")).to_be_visible()
    page.goto(SPACES)
    space = page.get_by_role("region", name=re.compile("^immich"))
    expect(space.get_by_role("progressbar")).to_be_visible()
    service.latency = 0.0
    expect(space).to_contain_text("filled, not in use", timeout=UNTIL_FILLED)
    expect(space).to_contain_text("100 %")
    expect(space.get_by_role("link", name="Activate…")).to_be_visible()
    expect(page.locator("#said")).to_have_text(re.compile("^immich.*: filled, not in use"))


def compare(page: Page, golden: Path) -> None:
    page.get_by_role("link", name=re.compile("^Compare… immich")).click()
    page.get_by_label("Questions").set_input_files(golden)
    page.get_by_role("button", name="Compare").click()
    figures = page.get_by_role("table", name="Figures of both spaces")
    expect(figures).to_be_visible(timeout=60_000)
    expect(figures).to_contain_text("recall@10")
    no_overflow(page)
    page.get_by_role("link", name="Ask other questions side by side").click()
    page.get_by_label("Question").fill("a cup")
    page.get_by_role("button", name="Ask both").click()
    expect(page.locator(".places")).to_have_count(2)
    expect(page.locator(".place")).to_have_count(24)
    expect(page.locator(".place img").first).to_have_js_property("complete", True)
    no_overflow(page)


def switch(page: Page) -> None:
    page.goto(SPACES)
    page.get_by_role("link", name="Activate…").click()
    page.get_by_role("button", name=re.compile("^Activate immich")).click()
    expect(page.get_by_text(re.compile("The space immich.* is in use from now on"))).to_be_visible()
    page.get_by_role("link", name=re.compile("^Roll back to builtin")).click()
    page.get_by_role("button", name=re.compile("^Go back to builtin")).click()
    expect(page.get_by_text(re.compile("The space builtin.* is in use from now on"))).to_be_visible()


def drop(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Drop… immich")).click()
    name = page.get_by_role("main").get_by_role("strong").filter(has_text="immich").inner_text()
    page.get_by_label("Type").fill("something else")
    page.get_by_role("button", name="Drop it for good").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was dropped")
    page.get_by_label("Type").fill(name)
    page.get_by_role("button", name="Drop it for good").click()
    expect(page.get_by_text(f"The space {name} was dropped")).to_be_visible()
    expect(page.get_by_role("region", name=re.compile("^immich"))).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390] if os.environ.get("EVERY_SCHEME") else [1440])
def test_moving_to_another_model(
    width: int,
    stack: Stack,
    service: Server,
    open_page: Open,
    tmp_path: Path,
    trouble: list[str],
    screenshot: Shoot,
) -> None:
    golden = tmp_path / "golden.csv"
    with golden.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["query", "filename"], ["a cup of coffee", "coffee.png"], ["a cat", "x.png"]]
        )
    page = open_page(width)
    sign_in(page, stack)
    make_and_fill(page, service)
    no_overflow(page)
    screenshot(page, f"spaces-{width}")
    compare(page, golden)
    screenshot(page, f"side-{width}")
    switch(page)
    drop(page)
    page.goto("/admin/health/")
    expect(page.get_by_role("main")).to_contain_text("Everything works.")
    expect(page.get_by_role("main")).to_contain_text("serves fill")
    no_overflow(page)
    assert trouble == []


def test_moving_works_without_a_script(stack: Stack, open_page: Open, trouble: list[str]) -> None:
    page = open_page(1440, script=False)
    page.goto("/")
    page.get_by_label("Username").fill(stack.username)
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    page.goto(SPACES)
    page.get_by_role("link", name="New space").click()
    page.get_by_role("button", name="Make a space for museum").click()
    for _ in range(90):
        page.wait_for_timeout(1000)
        if not page.get_by_role("link", name="Look again").count():
            break
        page.get_by_role("link", name="Look again").click()
    page.get_by_role("link", name="Activate…").click()
    page.get_by_role("button", name=re.compile("^Activate immich")).click()
    expect(page.get_by_text(re.compile("The space immich.* is in use from now on"))).to_be_visible()
    assert trouble == []
