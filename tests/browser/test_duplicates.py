"""Pairs that look alike, answered by keys alone and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import User
from assets.models import Relation, StageRun
from tests.browser.test_journey import Open, listening, sign_in
from tests.browser.test_suggestions import Site, beside_a_loop  # noqa: F401 (a fixture for this module too)
from tests.factories import encoded, process, scene, take_in

pytestmark = pytest.mark.browser


@pytest.fixture
def stack(live_server: Any, vocabularies: None, viewer: User) -> Site:
    """The web server alone, with three pictures and a copy of each of them."""
    for seed in range(3):
        image = scene(seed)
        for name, quality in (("first", 90), ("copy", 60 - 20 * seed)):
            made = take_in(encoded(image, quality=quality), f"{name} {seed}.jpg").asset
            assert made is not None
            StageRun.objects.update(state="waiting", lease_until=None)  # no worker comes for what is queued
            process(made)
    return Site(live_server.url)


def test_pairs_are_answered_by_keys_alone(stack: Site, open_page: Open, trouble: list[str]) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    page.locator("[data-menu] summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Duplicates")).to_have_text("Duplicates 3")
    page.get_by_role("link", name="Duplicates").click()
    expect(page.locator("#left-over")).to_have_text("3 pairs left")
    shown = page.locator(".side-B figcaption a")
    first = shown.inner_text()
    listening(page)
    for view in ("over", "difference", "beside"):
        page.keyboard.press("d")
        expect(page.locator(f"#view-{view}")).to_be_checked()
    page.keyboard.press("s")
    expect(shown).not_to_have_text(first)
    second = shown.inner_text()
    listening(page)
    page.keyboard.press("3")
    expect(page.locator("#messages")).to_contain_text("Noted: one is a detail of the other.")
    expect(page.locator("#left-over")).to_have_text("2 pairs left")
    assert Relation.objects.get().kind == "detail_of" and shown.inner_text() not in (first, second)
    listening(page)
    page.keyboard.press("u")
    expect(page.locator("#left-over")).to_have_text("3 pairs left")
    expect(shown).to_have_text(second)
    listening(page)
    page.keyboard.press("x")
    expect(page.locator(".side-A figcaption a")).to_have_text(second)
    listening(page)
    page.keyboard.press("5")
    expect(page.locator("#left-over")).to_have_text("2 pairs left")
    assert Relation.objects.get().kind == "unrelated" and not trouble


def test_a_phone_and_no_script(stack: Site, open_page: Open, trouble: list[str]) -> None:
    page = open_page(390, script=False)
    sign_in(page, stack)
    page.goto("/duplicates/")
    page.get_by_label("Difference").check()
    assert page.locator(".side-B").evaluate("e => getComputedStyle(e).mixBlendMode") == "difference"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="a duplicate of A").click()
    expect(page.locator("#left-over")).to_have_text("2 pairs left")
    page.get_by_role("link", name="Keep one of the two").click()
    page.get_by_label("Picture A").check()
    page.get_by_role("button", name="Move the other to the trash").click()
    expect(page.locator("#messages")).to_contain_text("the other was moved to the trash")
    assert not trouble
