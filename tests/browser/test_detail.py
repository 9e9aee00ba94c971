"""Searching for a detail: a box drawn with the mouse, with keys alone, and written as numbers."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import sign_in
from tests.services_fixture import Stack

pytestmark = [pytest.mark.stack, pytest.mark.browser]
Open, Shoot = Callable[..., Page], Callable[[Page, str], None]
READY = 60_000


def open_picture(page: Page, stack: Stack) -> None:
    """The page of one of the demonstration pictures, once they have been looked at."""
    sign_in(page, stack)
    expect(page.locator("#cards .card img").first).to_be_visible(timeout=READY)
    page.locator("#cards .card-label a").first.click()
    expect(page.locator("#preview img")).to_have_js_property("complete", True)


def number(page: Page, name: str) -> float:
    return float(page.get_by_label(name, exact=True).input_value())


def pull(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the mouse, from one place of the picture to another; both in shares of its sides."""
    place = page.locator("#preview .surface").bounding_box()
    assert place is not None
    (x, y), (u, v) = [
        (place["x"] + place["width"] * a, place["y"] + place["height"] * b) for a, b in (start, end)
    ]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + u) / 2, (y + v) / 2)
    page.mouse.move(u, v)
    page.mouse.up()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_detail_is_drawn_and_searched_for(
    width: int, stack: Stack, open_page: Open, trouble: list[str], screenshot: Shoot
) -> None:
    page = open_page(width)
    open_picture(page, stack)
    page.get_by_text("Search for a detail").click()
    box = page.get_by_role("application", name="The detail to search for")
    expect(box).to_be_focused()
    pull(page, (0.1, 0.1), (0.2, 0.15))  # beside the box that is there: a new one
    assert number(page, "Left") < 15 and number(page, "Width") < 20
    pull(page, (0.15, 0.125), (0.45, 0.425))  # the box itself: it moves
    assert number(page, "Left") > 25 and number(page, "Width") < 20
    left, top, wide, high = (number(page, name) / 100 for name in ("Left", "Top", "Width", "Height"))
    pull(page, (left + wide, top + high), (0.9, 0.9))  # a corner
    assert number(page, "Width") > 25
    kept = [number(page, name) for name in ("Left", "Top", "Width", "Height")]
    pull(page, (0.05, 0.05), (0.05, 0.05))  # a click draws nothing
    assert [number(page, name) for name in ("Left", "Top", "Width", "Height")] == kept
    screenshot(page, f"detail-{width}")
    page.get_by_role("button", name="Search for this detail").click()
    expect(page).to_have_url(re.compile(r"[?&]region="))
    expect(page.locator("#cards .card").first).to_be_visible()
    expect(page.get_by_text("Like a detail of")).to_be_visible()
    screenshot(page, f"detail-found-{width}")
    page.get_by_role("link", name="Change the detail").click()
    expect(page.get_by_label("Left", exact=True)).to_be_visible()
    assert [number(page, name) for name in ("Left", "Top", "Width", "Height")] == pytest.approx(kept, abs=0.1)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0 and trouble == []


def test_with_keys_alone(stack: Stack, open_page: Open, trouble: list[str]) -> None:
    page = open_page(1440)
    open_picture(page, stack)
    summary = page.get_by_text("Search for a detail")
    summary.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("application", name="The detail to search for")
    expect(box).to_be_focused()
    for key in ["ArrowLeft"] * 3 + ["ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowUp"]:
        page.keyboard.press(key)
    assert [number(page, name) for name in ("Left", "Top", "Width", "Height")] == [22, 26, 51, 48]
    expect(page.locator("#detail output")).to_have_text("left 22 %, top 26 %, width 51 %, height 48 %")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]region=[0-9a-f-]+%3A0\.22%2C0\.26%2C0\.51%2C0\.48"))
    expect(page.locator("#cards .card").first).to_be_visible()
    card = page.locator("#cards .card").first
    card.hover()
    card.get_by_role("link", name="Less like this").click()
    expect(page.get_by_text("Not like")).to_be_visible()
    expect(page.get_by_text("Like a detail of")).to_be_visible()
    page.get_by_role("link", name="instead").click()
    expect(page.get_by_role("link", name="Stop searching for more like")).to_be_visible()
    assert trouble == []


def test_without_a_script(stack: Stack, open_page: Open) -> None:
    page = open_page(390, script=False)
    sign_in(page, stack)
    page.locator("#cards .card-label a").first.click()
    page.get_by_text("Search for a detail").click()
    page.get_by_label("Width", exact=True).fill("30")
    page.get_by_role("button", name="Search for this detail").click()
    expect(page).to_have_url(re.compile(r"0\.25%2C0\.25%2C0\.3%2C0\.5"))
    expect(page.locator("#cards .card").first).to_be_visible()
