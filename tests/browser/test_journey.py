"""What a person does on the first day, in a real browser against the real system."""

import json
import os
import re
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import pages
from tests.browser.guide import follow, sections
from tests.browser.slow_line import slow_line
from tests.services_fixture import Stack

pytestmark = [pytest.mark.stack, pytest.mark.browser]
UNTIL_SEARCHABLE = 90_000  # milliseconds, for a handful of pictures on a slow machine
NO_SHIFT = 0.02  # Google's "good" ends at 0.1
Open, Shoot = Callable[..., Page], Callable[[Page, str], None]


def sign_in(page: Page, stack: Stack, *, by_form: bool = False) -> None:
    """By the form, or with the session of whoever did so before: the password alone takes half a second."""
    page.context.add_cookies([] if by_form else stack.session)
    page.goto("/")
    if by_form or not stack.session:
        fill_in(page, stack)
    expect(page.locator("#q")).to_be_visible()


def fill_in(page: Page, stack: Stack) -> None:
    page.get_by_label("Username").fill(stack.username)
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#q")).to_be_visible()
    page.wait_for_load_state()
    stack.session = list(page.context.cookies())


def upload(page: Page, paths: Sequence[Path], tags: str, good: int | None = None) -> None:
    """Hand in files by the upload page and wait until every good one can be found (all, if not said)."""
    page.get_by_role("link", name="Upload").first.click()
    page.get_by_label("Collection").fill("Journeys / First")
    page.get_by_label("Tags").fill(tags)
    page.get_by_label("Choose pictures").set_input_files(paths)
    count = len(paths) if good is None else good
    expect(page.locator("[data-searchable]")).to_have_count(count, timeout=UNTIL_SEARCHABLE)


def listening(page: Page) -> None:
    """Wait until the scripts of this page hear keys and clicks."""
    expect(page.locator("html.scripted")).to_have_count(1)


def search(page: Page, words: str) -> None:
    expect(page.locator("#q")).to_be_visible()
    listening(page)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"[?&]q="))


def titles(page: Page) -> list[str]:
    return page.locator("#cards .card-label a").all_inner_texts()


def shifted(page: Page) -> float:
    page.wait_for_load_state("networkidle")
    return float(page.evaluate("window.shifted"))


@pytest.mark.parametrize("width", [1440, 390])
def test_the_first_day(
    width: int,
    stack: Stack,
    open_page: Open,
    photographs: Callable[[str], list[Path]],
    trouble: list[str],
    screenshot: Shoot,
) -> None:
    """The steps of docs/guide/first-day.md, and beside them what a guide need not say."""
    page, mark = open_page(width), "" if width > 600 else " phone"
    names = [f"{name}{mark}.jpg" for name in ("cat", "coffee", "rocket")]
    pictures = [
        path.rename(path.with_name(new)) for path, new in zip(photographs(str(width)), names, strict=True)
    ]
    given = {"Username": stack.username, "Password": stack.password, "Choose pictures": pictures}
    guide = sections(mark)

    def walk(heading: str, page: Page = page) -> None:
        follow(page, guide.pop(heading), given, screenshot)

    assert all(f"  {step.label}  " in stack.output for step in guide.pop("Start"))
    page.goto("/")
    walk("Sign in")
    walk("Upload")
    expect(page.locator("[data-searchable]")).to_have_count(3, timeout=UNTIL_SEARCHABLE)
    page.locator("[data-searchable]").last.scroll_into_view_if_needed()
    walk("See it arrive")
    walk("Find it by a sentence")
    assert names[0] in titles(page)[:5]
    found = page.url
    if shifted(page) >= NO_SHIFT:  # half a second after the key the answer itself counts: on a busy machine
        page.reload()
        page.wait_for_load_state("networkidle")
    assert shifted(page) < NO_SHIFT, page.evaluate("window.moved")
    narrow_down_and_find_alike(page, f"first day{mark}", names)

    page.goto(found)
    walk("Correct the title")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"A cat at home{mark}")
    expect(page.locator("#preview img")).to_have_js_property("complete", True)
    expect(page.get_by_role("region", name="More like this")).to_be_visible()
    change_tags(page)
    change_title(page, f"A cat at home{mark}")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    if width > 600:
        walk("Make a collection")
        walk("Put the picture into it")
        walk("Share it")
        colleague = open_page(width)
        colleague.goto(page.locator("[data-copied]").inner_text())
        walk("What your colleague sees", colleague)
        assert guide == {}  # nothing of it is left out
    assert trouble == []


def narrow_down_and_find_alike(page: Page, tag: str, names: list[str]) -> None:
    page.get_by_label("Only with the tag").fill(tag)
    page.get_by_label("Only with the tag").press("Enter")
    expect(page.locator("#cards .card")).to_have_count(3)
    assert titles(page)[0] == names[0]
    card = page.locator("#cards .card").filter(has_text=names[1])
    card.hover()
    card.get_by_role("link", name="More like this").click()
    expect(page.get_by_role("link", name="Stop searching for more like")).to_be_visible()
    expect(page.locator("#cards .card").first).to_be_visible()
    assert names[1] not in titles(page)


def test_a_sidecar_goes_with_its_picture_and_the_words_come_back(
    stack: Stack,
    open_page: Open,
    photographs: Callable[[str], list[Path]],
    trouble: list[str],
    tmp_path: Path,
) -> None:
    page, path = open_page(1440), photographs("77")[2]
    beside = path.with_suffix(".xmp")
    title = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Take-off</rdf:li></rdf:Alt></dc:title>'
    beside.write_text(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{title}</rdf:Description></rdf:RDF>'
    )
    sign_in(page, stack)
    page.get_by_role("link", name="Upload").first.click()
    page.get_by_label("Choose pictures").set_input_files([path, beside])
    expect(page.locator("[data-searchable]")).to_have_count(1, timeout=UNTIL_SEARCHABLE)
    expect(page.locator("#overall")).to_have_text("1 picture, 1 received")
    page.get_by_role("link", name=path.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Take-off")
    for name, holds_it in (("Download", True), ("original, as it came in", False), ("XMP sidecar", True)):
        with page.expect_download() as sent:
            page.get_by_role("link", name=name, exact=True).click()
        assert (b"Take-off" in sent.value.path().read_bytes()) is holds_it
    assert trouble == []


def change_tags(page: Page) -> None:
    tags = page.get_by_role("region", name="Tags")
    tags.get_by_label("Add a tag").fill("whiskers")
    tags.get_by_role("button", name="Add").click()
    expect(tags.get_by_role("link", name="whiskers")).to_be_visible()
    expect(tags.get_by_label("Add a tag")).to_be_focused()
    tags.get_by_role("button", name="Remove the tag animal").click()
    expect(tags.get_by_role("link", name="animal")).to_have_count(0)
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone: Removed the tag animal")
    expect(tags.get_by_role("link", name="animal")).to_be_visible()
    expect(tags.get_by_role("link", name="whiskers")).to_be_visible()


def change_title(page: Page, before: str) -> None:
    page.get_by_role("link", name="Edit all").click()
    page.get_by_label("Collection").fill("")
    page.get_by_label("Title").fill("Chelsea the cat")
    page.evaluate("document.querySelector('form.edit').noValidate = true")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("Collection").fill("Journeys / Second")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chelsea the cat")
    expect(page).to_have_title(re.compile("^Chelsea the cat"))
    page.get_by_text("History").click()
    page.get_by_role("button", name=f"Undo: Edited {before}", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(before)


def test_what_cannot_be_taken_in_says_why(
    stack: Stack, open_page: Open, noise: Path, tmp_path: Path, trouble: list[str]
) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    letter, empty = tmp_path / "letter.jpg", tmp_path / "empty.jpg"
    letter.write_text("Dear museum,")
    empty.touch()
    upload(page, [letter, noise, empty], "odd", good=1)
    expect(page.locator("#overall")).to_have_text("3 pictures, 1 received, 2 refused")
    expect(page.locator("#files")).to_contain_text("The file is empty")
    page.get_by_label("Choose pictures").set_input_files([noise])
    expect(page.locator("#overall")).to_contain_text("1 already here")
    page.goto("/jobs/")
    expect(page.get_by_role("main")).to_contain_text("letter.jpg")
    assert trouble == []


NOTE = """() => {
  const files = document.getElementById("files");
  window.noted = [];
  const changed = () => window.noted.push(files.textContent);
  new MutationObserver(changed).observe(files, {subtree: true, childList: true, characterData: true});
}"""


def test_a_transfer_that_breaks_off_goes_on_by_itself(
    stack: Stack, open_page: Open, noise: Path, tmp_path: Path
) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    page.get_by_role("link", name="Upload").first.click()
    page.route("**/uploads/*/", lambda route: route.abort("connectionreset"), times=1)
    page.wait_for_url("**/upload/")  # and until it is there: a click does not wait for the page that it opens
    page.evaluate(NOTE)
    page.get_by_label("Choose pictures").set_input_files([noise])
    expect(page.locator("[data-searchable]")).to_have_count(1, timeout=UNTIL_SEARCHABLE)
    assert "The server cannot be reached." in page.evaluate("window.noted.join()")  # for a second at most


def test_a_dropped_picture_searches(stack: Stack, open_page: Open, noise: Path, trouble: list[str]) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    page.locator("#picture-file").set_input_files([noise])
    expect(page.get_by_text("Like the picture you gave")).to_be_visible()
    expect(page.locator("#cards .card").first).to_be_visible()
    assert titles(page)[0] == noise.name  # it was uploaded by the test above, or by this one's neighbour
    assert trouble == []


def test_the_library_at_rest(stack: Stack, open_page: Open, trouble: list[str], screenshot: Shoot) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    until = time.monotonic() + UNTIL_SEARCHABLE / 1000
    while page.get_by_text("Processing", exact=True).count():
        assert time.monotonic() < until, "the demonstration is still being processed"
        page.goto("/?collection=Demonstration")
    page.goto("/?collection=Demonstration")
    assert shifted(page) < NO_SHIFT
    assert page.locator("#cards .card").count() > 10
    screenshot(page, "library")
    assert trouble == []


def test_nothing_moves_when_the_scripts_arrive(stack: Stack, open_page: Open) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    boxes = []
    for _ in range(2):
        for path, landmark in (("/", "#cards"), ("/upload/", "#drop")):
            page.goto(path)
            boxes.append(page.locator(landmark).bounding_box())
        page.route("**/static/js/**", lambda route: route.abort())
    assert boxes[:2] == boxes[2:]


def test_nothing_moves_when_the_answer_arrives_in_pieces(stack: Stack, open_page: Open) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    with slow_line(stack.url) as address:
        for path in ("/?q=cat", "/home/"):
            page.goto(address + path)
            expect(page.locator(".card img").first).to_be_visible()
            assert shifted(page) < NO_SHIFT, path


def test_keys_alone_lead_from_the_question_to_the_picture(stack: Stack, open_page: Open) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    page.wait_for_load_state("networkidle")  # a person looks at the page first
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    search(page, "astronaut")
    skip = page.get_by_role("link", name="Skip to the pictures")
    expect(skip).to_have_count(1)
    for _ in range(40):
        page.keyboard.press("Tab")
        if skip.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    first = page.locator("#cards .card").first
    page.keyboard.press("Tab")
    expect(first.locator(".card-label a")).to_be_focused()
    page.keyboard.press("Tab")
    expect(first.get_by_role("link", name="More like this")).to_be_focused()
    expect(first.locator(".card-tools")).not_to_have_css("opacity", "0")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("astronaut")


def test_without_a_script_one_can_sign_in_search_open_and_upload(
    stack: Stack, open_page: Open, tmp_path: Path, trouble: list[str], noise: Path
) -> None:
    page = open_page(390, script=False)
    sign_in(page, stack, by_form=True)
    page.locator("#q").fill("astronaut")
    page.get_by_role("button", name="Search", exact=True).click()
    page.locator("#cards .card-label a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("astronaut")
    page.get_by_role("link", name="Upload").first.click()
    second = tmp_path / "second.png"
    second.write_bytes(noise.read_bytes() + b" ")
    page.get_by_label("Choose pictures").set_input_files([noise, second])
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("li.outcome")).to_have_count(2)
    assert trouble == []


def test_selected_pictures_are_changed_together_and_it_is_undone(
    stack: Stack, open_page: Open, trouble: list[str], screenshot: Shoot
) -> None:
    """By keys alone up to the button; then all results, and a zip of them."""
    page = open_page(1440)
    sign_in(page, stack)
    boxes = page.locator('#cards [name="asset"]')
    for n in (0, 1):
        boxes.nth(n).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Change or download").press("Enter")
    expect(page.get_by_role("heading", name="2 pictures selected")).to_be_visible()
    page.get_by_role("link", name="Add tags").press("Enter")
    page.get_by_label("Tags").fill("chosen together")
    page.keyboard.press("Enter")
    expect(page.locator("table.preview ins")).to_have_count(2)
    screenshot(page, "bulk")
    page.get_by_role("button", name="Change 2 pictures").press("Enter")
    expect(page.get_by_text("Done,")).to_be_visible()
    result = page.url
    page.goto("/?tag=chosen together")
    expect(page.locator("#cards .card")).to_have_count(2)
    page.goto(result)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("All is as it was before")).to_be_visible()
    page.goto("/?tag=chosen together")
    expect(page.locator("#cards .card")).to_have_count(0)
    assert trouble == []


def test_the_demonstration_leaves_with_one_click_and_can_come_back(
    stack: Stack, open_page: Open, trouble: list[str]
) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    page.get_by_role("link", name="Remove them").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status").first).to_contain_text("Moved to the trash")
    expect(page.get_by_text("demonstration pictures.")).to_have_count(0)
    page.get_by_role("status").first.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("demonstration pictures.")).to_be_visible()
    assert trouble == []


# --- searching for a detail --------------------------------------------------------------------------------


def open_picture(page: Page, stack: Stack) -> None:
    """The page of one of the demonstration pictures, once they have been looked at."""
    sign_in(page, stack)
    expect(page.locator("#cards .card img").first).to_be_visible(timeout=UNTIL_SEARCHABLE)
    page.locator("#cards .card-label a").first.click()
    expect(page.locator("#preview img")).to_have_js_property("complete", True)


def number(page: Page, name: str) -> float:
    return float(page.get_by_role("spinbutton", name=name).input_value())


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
    expect(page.get_by_role("spinbutton", name="Left")).to_be_visible()
    assert [number(page, name) for name in ("Left", "Top", "Width", "Height")] == pytest.approx(kept, abs=0.1)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0 and trouble == []


def test_a_detail_is_chosen_with_keys_alone(stack: Stack, open_page: Open, trouble: list[str]) -> None:
    page, held = open_page(1440), list[Route]()
    page.route("**/js/region*", lambda route: held.append(route))
    with page.expect_request("**/js/region*"):
        open_picture(page, stack)
    summary = page.get_by_text("Search for a detail")
    summary.focus()
    page.keyboard.press("Enter")
    held[0].continue_()  # a script that comes late goes on from there
    page.unroute("**/js/region*")
    box = page.get_by_role("application", name="The detail to search for")
    expect(box).to_be_focused()
    for key in ["ArrowLeft"] * 3 + ["ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowUp"]:
        page.keyboard.press(key)
    assert [number(page, name) for name in ("Left", "Top", "Width", "Height")] == [22, 26, 51, 48]
    expect(page.locator("#detail output")).to_have_text("Left 22 %, Top 26 %, Width 51 %, Height 48 %")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
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


def test_a_detail_is_written_as_numbers_without_a_script(stack: Stack, open_page: Open) -> None:
    page = open_page(390, script=False)
    sign_in(page, stack)
    page.locator("#cards .card-label a").first.click()
    page.get_by_text("Search for a detail").click()
    page.get_by_role("spinbutton", name="Width").fill("30")
    page.get_by_role("button", name="Search for this detail").click()
    expect(page).to_have_url(re.compile(r"0\.25%2C0\.25%2C0\.3%2C0\.5"))
    expect(page.locator("#cards .card").first).to_be_visible()


# --- narrowing down --------------------------------------------------------------------------------------


AT_ONCE = """document.addEventListener("htmx:afterSwap", ({target}) => {
  setTimeout(() => target.querySelector("[data-narrow] > summary")?.click());
});"""  # somebody who opens it as soon as it is there


@pytest.mark.parametrize("width", [1440, 390])
def test_narrowing_down(width: int, stack: Stack, open_page: Open, trouble: list[str]) -> None:
    page = open_page(width)
    sign_in(page, stack)
    panel = page.get_by_role("complementary", name="Narrow down")
    if width < 600:
        panel.locator("summary", has_text="Narrow down").click()  # not the link that stands there before
    png = panel.get_by_role("link", name=re.compile(r"^PNG ?, \d+ pictures$"))
    expect(png).to_be_visible()
    assert shifted(page) < NO_SHIFT
    png.press("Enter")
    expect(page.locator("p.count")).to_have_text(re.compile(r"^\s*\d+ pictures"))
    expect(page.get_by_role("link", name="Remove the filter PNG")).to_be_visible()
    page.get_by_label("Only with the tag").fill("space")
    page.get_by_label("Only with the tag").press("Enter")  # the form keeps what was chosen
    expect(page.get_by_role("link", name="Remove the filter space")).to_be_visible()
    page.get_by_role("link", name="Remove the filter PNG").click()
    expect(page).to_have_url(re.compile(r"/\?tag=space$"))
    if width < 600:
        page.add_init_script(AT_ONCE)
        page.goto("/")
        expect(png).to_be_visible()
    assert trouble == []


def test_narrowing_down_without_a_script_and_when_it_fails(
    stack: Stack, open_page: Open, trouble: list[str]
) -> None:
    plain = open_page(1440, script=False)
    sign_in(plain, stack)
    plain.get_by_role("link", name="Narrow down").click()
    plain.get_by_role("link", name=re.compile("^grey ?, ")).click()
    expect(plain.get_by_role("link", name="Remove the filter Grey")).to_be_visible()
    assert trouble == []

    page = open_page(1440)
    page.route("**/search/facets/**", lambda route: route.fulfill(status=503))
    sign_in(page, stack)
    expect(page.get_by_role("link", name="Narrow down")).to_be_visible()
    expect(page.locator("#cards .card").first).to_be_visible()
    expect(page.locator("#messages [data-message]")).to_have_count(0)


def test_an_object_waits_and_its_picture_comes(
    stack: Stack,
    open_page: Open,
    photographs: Callable[[str], list[Path]],
    trouble: list[str],
    screenshot: Shoot,
    tmp_path: Path,
) -> None:
    listed = tmp_path / "objects.csv"
    listed.write_text("accession,title,creator\nW.1,A cat that was photographed late,Somebody\n", "utf-8")
    assert "1 new" in stack.manage("ingest", "--records", str(listed)).stdout
    page = open_page(390)
    sign_in(page, stack)
    search(page, "photographed late")
    card = page.locator("#cards .card").first
    expect(card).to_contain_text("Waiting for its picture")
    expect(card).not_to_contain_text("Processing")
    screenshot(page, "awaited-card")
    card.get_by_role("link").click()
    expect(page.get_by_role("link", name="More like this")).to_have_count(0)
    screenshot(page, "awaited-page")
    address = page.url.partition("?")[0]  # behind it stands where it was among the results
    page.get_by_label("Add the picture").set_input_files(photographs("77")[0])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("The picture is here.")).to_be_visible()
    expect(page.locator("#preview img")).to_be_visible(timeout=UNTIL_SEARCHABLE)
    assert page.url == address
    expect(page.get_by_role("link", name="More like this").first).to_be_visible()
    assert trouble == []


def test_an_import_in_four_steps(
    stack: Stack,
    open_page: Open,
    photographs: Callable[[str], list[Path]],
    trouble: list[str],
    screenshot: Shoot,
    tmp_path: Path,
) -> None:
    delivery = tmp_path / "delivery.zip"
    names = [path.name for path in photographs("77")]
    with zipfile.ZipFile(delivery, "w") as archive:
        for path in photographs("77"):
            archive.write(path, path.name)
        rows = [f"{name};7.{number};Import {number}" for number, name in enumerate(names)]
        archive.writestr("list.csv", "\n".join(["Datei;Nr;Titel", *rows, "gone.jpg;7.9;Gone"]))
    page = open_page(390)
    sign_in(page, stack)
    page.get_by_role("link", name="Import").first.click()
    page.get_by_role("link", name="New import").click()
    page.get_by_label("A zip archive with pictures").set_input_files(delivery)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("heading", name="What are the columns?")).to_be_visible()
    expect(page.get_by_label("What “Datei” is")).to_have_value("file")
    page.get_by_label("What “Nr” is").select_option("tags")
    divider = page.get_by_label("Several are divided by Nr")
    expect(divider).to_be_visible()
    page.get_by_label("What “Nr” is").select_option("accession")
    expect(divider).to_be_hidden()
    screenshot(page, "import-columns")
    page.get_by_role("button", name="Show what would happen").click()

    go = page.get_by_role("button", name="Import now")
    expect(go).to_be_visible(timeout=UNTIL_SEARCHABLE)  # the page has moved by itself
    expect(page.get_by_text("The file gone.jpg is not there.")).to_be_visible()
    screenshot(page, "import-preview")
    go.click()
    expect(page.get_by_role("link", name="Undo…")).to_be_visible(timeout=UNTIL_SEARCHABLE)
    page.get_by_role("link", name="1 problem").click()
    page.get_by_role("link", name="Correct row 5").click()
    page.get_by_label("File name").fill("")
    page.get_by_role("button", name="Save and try again").click()
    object_ = page.get_by_role("link", name="1 new object without a picture")
    expect(object_).to_be_visible(timeout=UNTIL_SEARCHABLE)
    assert trouble == []


# --- the library by keys, and endless; last, since objects without pictures are the newest then ----------


def focused(page: Page) -> str:
    """The title of the picture that the keyboard is on."""
    return str(page.evaluate("document.activeElement.closest('.card')?.querySelector('a').textContent ?? ''"))


@pytest.fixture(scope="module")
def many(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fifty objects that wait for their pictures: two pages of results, without work for anybody."""
    listed = tmp_path_factory.mktemp("many") / "many.csv"
    lines = [f"M.{n},Many {n:02},many" for n in range(50)]
    listed.write_text("\n".join(["accession,title,tags", *lines]), "utf-8")
    assert "50 new" in stack.manage("ingest", "--records", str(listed)).stdout


@pytest.mark.usefixtures("many")
def test_without_a_script_the_next_page_is_a_link(stack: Stack, open_page: Open, trouble: list[str]) -> None:
    page = open_page(390, script=False)
    sign_in(page, stack)
    page.goto("/?tag=many&sort=title")
    assert titles(page)[0] == "Many 00"
    page.get_by_role("link", name="Show more").click()
    expect(page.locator("#cards .card")).to_have_count(2)
    assert titles(page) == ["Many 48", "Many 49"]
    page.get_by_role("link", name="Many 49", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Many 49")
    assert trouble == []


@pytest.mark.usefixtures("many")
def test_coming_back_from_a_picture_shows_all_that_was_shown(
    stack: Stack, open_page: Open, trouble: list[str]
) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    page.goto("/?tag=many&sort=title")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight - innerHeight - 400)")
    expect(page.locator("#cards .card")).to_have_count(50)  # before the end is in sight
    assert shifted(page) < NO_SHIFT, page.evaluate("window.moved")
    last = page.get_by_role("link", name="Many 49", exact=True)
    last.scroll_into_view_if_needed()
    expect(page).to_have_url(re.compile("page=2&first=1"))
    before = last.bounding_box()
    assert before and page.evaluate("scrollY") > 300
    last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Many 49")
    page.go_back()
    expect(page.locator("#cards .card")).to_have_count(50)
    expect(last).to_be_in_viewport()
    after = last.bounding_box()
    assert after and abs(after["y"] - before["y"]) < 50

    page.goto("/?tag=many&sort=title&page=2")  # as a bookmark
    assert titles(page)[0] == "Many 48"
    page.get_by_role("link", name="Earlier results").click()
    expect(page.locator("#cards .card")).to_have_count(50)
    assert titles(page) == [f"Many {n:02}" for n in range(50)]
    expect(page.get_by_role("link", name="Earlier results")).to_have_count(0)
    expect(page.get_by_role("link", name="Many 48", exact=True)).to_be_in_viewport()

    page.goto("/?tag=many&view=timeline&page=2")
    page.get_by_role("link", name="Earlier results").click()
    expect(page.locator("#cards .card")).to_have_count(50)
    assert page.locator("#cards h3").all_inner_texts() == ["Without a year"]  # both pages had begun with it
    assert trouble == []


@pytest.mark.usefixtures("many")
def test_pictures_are_gone_through_and_selected_with_keys_alone(
    stack: Stack, open_page: Open, trouble: list[str], screenshot: Shoot
) -> None:
    page, said = open_page(1440), "#selection output"
    sign_in(page, stack)
    page.goto("/?tag=many&sort=title")
    moves = [("ArrowRight", 0), ("ArrowRight", 1), ("ArrowDown", 5), ("End", 7), ("Home", 4), ("ArrowUp", 0)]
    for key, number in moves:  # four stand in a row
        page.keyboard.press(key)
        assert focused(page) == f"Many {number:02}", key
    page.keyboard.press("Meta+ArrowRight")  # forward, of a Mac's browser
    assert focused(page) == "Many 00"
    page.keyboard.press("Space")
    expect(page.locator(said)).to_have_text("1 picture selected")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    expect(page.locator(said)).to_have_text("5 pictures selected")
    expect(page.get_by_role("checkbox", name="Select Many 04")).to_be_checked()
    owner = page.locator("#selection").get_attribute("data-owner")
    kept = page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('selection'))")
    assert owner and kept == [f"selection-{owner}"]  # of this person
    screenshot(page, "selection")
    page.goto("/?q=astronaut")
    expect(page.locator(said)).to_have_text("5 pictures selected (5 of them not on this page)")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("#selection")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    arrow = "document.querySelector('#keys button').dispatchEvent(new KeyboardEvent('keydown', {}))"
    page.evaluate(arrow.format("{key: 'ArrowRight', bubbles: true}"))  # it may have the focus for a frame
    assert focused(page) == titles(page)[0]
    first = page.locator("#cards .card").first
    page.keyboard.press("w")
    expect(first.get_by_role("status")).to_contain_text("by words")
    page.keyboard.press("w")
    expect(first.get_by_role("status")).to_have_count(0)
    assert trouble == []


def test_more_and_less_like_this_rank_anew_at_once(stack: Stack, open_page: Open, trouble: list[str]) -> None:
    page = open_page(390)
    sign_in(page, stack)
    page.goto("/?q=astronaut&view=list")
    page.evaluate("window.stays = true")
    gone = titles(page)[1]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("-")
    expect(page.locator("#examples")).to_contain_text(f"Not like {gone}")
    assert gone not in titles(page) and focused(page) == titles(page)[0]
    expect(page).to_have_url(re.compile("view=list.*unlike="))
    page.keyboard.press("+")
    expect(page.locator("#examples li")).to_have_count(2)
    assert page.evaluate("window.stays")  # the same page, and the way back is there all the same
    page.go_back()
    expect(page.locator("#examples li")).to_have_count(1)
    assert trouble == []


KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
EARLY = """
let listened = false;
document.addEventListener("DOMContentLoaded", () => (listened = true)); // as the scripts of the passkey do
new MutationObserver((changes) => {
  if (changes.some(({target}) => target.matches("[data-passkey]"))) window.early = !listened;
}).observe(document, {subtree: true, attributeFilter: ["hidden"]});
"""  # whether passkeys are offered before their buttons do anything


def test_a_passkey_lets_in_without_a_password(stack: Stack, open_page: Open, trouble: list[str]) -> None:
    """With the authenticator that Chromium makes up for tests."""
    page = open_page(1440)
    keys = page.context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    home = stack.url.replace("127.0.0.1", "localhost")
    page.goto(f"{home}/accounts/passkeys/add/")
    page.get_by_label("Username").fill(stack.username)
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("Reading room")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url(f"{home}/accounts/")  # an answer still on its way would bring cookies back
    page.context.clear_cookies()
    page.add_init_script(EARLY)
    page.goto(f"{home}/trash/")
    assert page.evaluate("window.early") is False
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{home}/trash/")
    page.goto(f"{home}/accounts/")
    page.get_by_role("link", name="Remove Reading room").click()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("The passkey was removed.")).to_be_visible()
    assert trouble == []


GIVE = """([name, type, kinds]) => {
  const given = new DataTransfer();
  given.items.add(new File(["x"], name, {type}));
  const all = {bubbles: true, cancelable: true, dataTransfer: given, clipboardData: given};
  let shown = false;
  for (const kind of kinds) {
    const event = kind === "paste" ? new ClipboardEvent(kind, all) : new DragEvent(kind, all);
    document.body.dispatchEvent(event);
    shown ||= !document.getElementById("drop-target").hidden;
  }
  return shown;
}"""


def test_a_picture_is_dropped_or_pasted_anywhere(stack: Stack, open_page: Open, trouble: list[str]) -> None:
    page = open_page(1440)
    sign_in(page, stack)
    listening(page)
    assert page.evaluate(GIVE, ["letter.txt", "text/plain", ["dragenter", "dragover", "drop"]])
    expect(page.get_by_text("That is no picture.")).to_be_visible()
    expect(page.locator("#drop-target")).to_be_hidden()
    page.evaluate(GIVE, ["a.png", "image/png", ["paste"]])
    expect(page.get_by_text("Like the picture you gave")).to_be_visible()
    assert trouble == []


SCHEMES = ((1440, "light"), (390, "dark"))


def test_nothing_keeps_people_from_using_any_page(
    stack: Stack, open_page: Open, axe: str, trouble: list[str]
) -> None:
    """Every other page in light and wide, the rest in dark and narrow; with EVERY_SCHEME=1 each in both.

    A new page is added to tests/browser/filled.py.
    """
    page = open_page(1440)
    sign_in(page, stack)
    said = stack.manage("shell", "-v0", "-c", "from tests.browser import filled; filled.main()")
    assert said.returncode == 0, said.stderr
    filled = json.loads(said.stdout)
    known = {name.partition(" ")[0] for name in filled["pages"]} | {"login"}
    assert known | pages.NO_PAGES == pages.addressed() and not known & pages.NO_PAGES
    for name, html in filled["answers"].items():
        page.route(f"/answers/{name}", answering(html))
    addresses = [*filled["pages"].values(), *(f"/answers/{name}" for name in filled["answers"])]
    found = []
    for number, address in enumerate(addresses):
        schemes = SCHEMES if os.environ.get("EVERY_SCHEME") else [SCHEMES[number % 2]]
        for width, scheme in schemes:
            said_of_it = pages.look_at(page, axe, address, width, scheme)
            found += [f"{address} {width} {scheme} {problem}" for problem in said_of_it]
    assert found == [] and trouble == []


def answering(html: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
