"""The page of a picture in a real browser: looking closer, going along the results, editing in place."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import User
from assets import changes, light_tables
from assets.models import Asset, Record
from iiif import pyramids
from tests import factories
from tests.iiif.conftest import placed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vocabularies", "space"),
]
STRICT = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'"


@pytest.fixture(scope="module", autouse=True)
def beside_a_browser() -> Iterator[None]:
    """Playwright runs an event loop in this thread, beside which Django would refuse to ask its database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def page(
    chromium: Browser,
    live_server: Any,
    client: Client,
    viewer: User,
    trouble: list[str],
    settings: Any,
    tmp_path: Path,
) -> Iterator[Page]:
    """Of a person who is signed in."""
    settings.IIIF_CACHE_DIR = tmp_path / "iiif"
    client.force_login(viewer)
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1200, "height": 900})
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    context.set_default_timeout(30_000)
    made = context.new_page()
    made.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    made.on("pageerror", lambda error: trouble.append(str(error)))
    yield made
    context.close()


def strict(page: Page, where: str = "**/assets/**") -> None:
    """Pages come with rules that allow neither inline scripts nor inline styles."""

    def answer(route: Route) -> None:
        if route.request.resource_type != "document":
            return route.fallback()
        got = route.fetch()
        route.fulfill(response=got, headers={**got.headers, "content-security-policy": STRICT})

    page.route(where, answer)


def until(page: Page, found: Callable[[], bool]) -> None:
    for _ in range(300):
        if found():
            return
        page.wait_for_timeout(100)
    raise AssertionError("It did not come within 30 seconds.")


def test_looking_closer(page: Page, trouble: list[str]) -> None:
    asset = factories.take_in(factories.encoded(placed(), "PNG", compress_level=1), "placed.png").asset
    assert asset is not None and asset.current_version is not None
    factories.process(asset)
    tiles: list[str] = []
    page.on("response", lambda got: tiles.append(got.url) if ".jpg" in got.url and got.ok else None)
    strict(page)
    page.goto(asset.get_absolute_url())
    page.keyboard.press("z")
    expect(page.locator(".zoom-told")).to_have_text("The closer view is being prepared…")
    assert pyramids.make(asset.current_version)
    preview = page.locator("#preview")
    expect(preview).to_have_attribute("data-zoom", "open")
    canvas = page.get_by_role("application", name="Closer view of placed.png")
    expect(canvas).to_be_focused()
    for key in ("+", "+", "+", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    finest = re.compile(rf"/iiif/3/{asset.uid}:1/\d+,\d+,512,512/512,512/0/default\.jpg$")
    until(page, lambda: any(finest.search(address) for address in tiles))
    page.get_by_role("button", name="Turn").click()
    page.get_by_role("button", name="The whole picture").click()
    canvas.focus()
    page.keyboard.press("Escape")
    expect(canvas).to_have_count(0)
    expect(page.get_by_role("button", name="Look closer")).to_be_focused()
    expect(page.locator("#preview img")).to_be_visible()
    assert trouble == []


def test_along_the_results_with_keys(page: Page, trouble: list[str]) -> None:
    pictures = [factories.asset("red", title=title, tags="row") for title in ("One", "Two", "Three")]
    factories.process(*pictures)
    page.goto("/?tag=row")
    page.get_by_role("link", name="Three", exact=True).click()
    along = page.get_by_role("navigation", name="Results")
    title = page.get_by_role("heading", level=1)
    expect(along).to_contain_text("1 of 3")
    for key, number, name in (("]", 2, "Two"), ("ArrowRight", 3, "One"), ("[", 2, "Two")):
        page.keyboard.press(key)
        expect(title).to_have_text(name)
        expect(along).to_contain_text(f"{number} of 3")
    page.get_by_label("Add a tag").focus()
    page.keyboard.press("ArrowRight")  # while one writes, arrows are for the text
    along.get_by_role("link", name="Back to the results").click()
    expect(page).to_have_url(re.compile(rf"/\?tag=row#card-{pictures[1].uid}$"))
    assert trouble == []


def test_an_object_is_described_with_names_that_are_offered(page: Page, trouble: list[str]) -> None:
    factories.asset("red", title="Sea", accession="7", creator="Vincent van Gogh")
    record = Record.objects.get()
    strict(page)
    page.goto(record.get_absolute_url())
    page.get_by_role("link", name="Change: Creator").click()
    expect(page.get_by_label("Creator", exact=True)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("; gogh")
    expect(page.locator("#id_creators_known option")).to_have_attribute(
        "value", "Vincent van Gogh; Vincent van Gogh"
    )
    page.keyboard.type(" junior")
    expect(page.get_by_text("gogh junior: new")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="gogh junior")).to_be_visible()
    assert record.creators == ["Vincent van Gogh", "gogh junior"] and trouble == []


def test_editing_in_place_beside_somebody_else(page: Page, admin: User, trouble: list[str]) -> None:
    asset = factories.asset("red", title="Nite", medium="paper")
    strict(page)
    page.goto(asset.get_absolute_url())
    change = page.get_by_role("link", name="Change: Title")
    change.click()
    box = page.get_by_label("Title", exact=True)
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(change).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    changes.apply(changes.operation("edit", "Theirs", user=admin), [asset], {"title": "Theirs"})
    page.keyboard.type("Mine")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It says now: “Theirs”.")).to_be_visible()
    expect(box).to_have_value("Mine")
    assert Asset.objects.get().title == "Theirs"
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mine")
    expect(change).to_be_focused()
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Theirs")
    assert trouble == []


def test_a_light_table_by_keys_and_by_hand(page: Page, viewer: User, trouble: list[str]) -> None:
    pictures = [factories.asset("red", title=title) for title in ("One", "Two", "Three")]
    table = light_tables.make(viewer, "Spring")
    light_tables.add(viewer, table, [picture.pk for picture in pictures])
    strict(page, "**/tables/**")
    page.goto(table.get_absolute_url())
    titles = page.locator(".item .name a")
    last = page.get_by_role("link", name="Three", exact=True)
    last.focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(titles).to_have_text(["One", "Three", "Two"])
    expect(last).to_be_focused()
    expect(page.locator("#table-said")).to_have_text("Three: place 2 of 3")
    later = page.get_by_role("button", name="Later: One")
    later.focus()
    page.keyboard.press("Enter")
    expect(titles).to_have_text(["Three", "One", "Two"])
    expect(later).to_be_focused()
    first, second = page.locator(".item").nth(0), page.locator(".item").nth(2)
    second.drag_to(first, target_position={"x": 10, "y": 40})
    expect(titles).to_have_text(["Two", "Three", "One"])
    page.get_by_role("button", name="Take off the table: Three").click()
    expect(titles).to_have_text(["Two", "One"])
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(titles).to_have_text(["Two", "Three", "One"])
    assert trouble == []
