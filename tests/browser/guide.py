"""The guide of the first day, read as steps and walked through: what it says has to stand on the pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Locator, Page, expect

from tests.services_fixture import ROOT

FIRST_DAY = ROOT / "docs" / "guide" / "first-day.md"
EXAMPLES = ("first day;", "cat.jpg", "A cat at home", "Cats")  # what a second walk has to call otherwise
UNTIL_THERE = 90_000  # milliseconds: a picture has to become searchable meanwhile
STEP = re.compile(
    r"!\[[^\]]*\]\([^)]*/(?P<shoot>[\w-]+)\.webp\)"
    r"|[Ww]rite `(?P<text>[^`]+)` into \*\*(?P<write>[^*]+)\*\*"
    r"|[Pp]ress \*\*(?P<press>[^*]+)\*\*"
    r"|\*\*(?P<look>[^*]+)\*\*"
)
Given = Mapping[str, str | Sequence[Path]]


class Step(NamedTuple):
    act: str  # write, press, look or shoot
    label: str  # as it stands on the page; of a picture, its name without the suffix
    text: str = ""


def sections(mark: str = "") -> dict[str, list[Step]]:
    """The guide's steps below each of its headings, in order; `mark` goes behind its examples."""
    text = FIRST_DAY.read_text("utf-8")
    for example in EXAMPLES if mark else ():
        stem, dot, suffix = example.partition("." if "." in example else ";")
        text = re.sub(rf"(?<=[`*]){re.escape(example)}", f"{stem}{mark}{dot}{suffix}", text)
    found = {}
    for section in text.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        if steps := [step(match) for match in STEP.finditer(" ".join(body.split()))]:
            found[heading] = steps
    return found


def step(match: re.Match[str]) -> Step:
    act = str(match.lastgroup)
    return Step(act, match[act], match["text"] or "")


def follow(page: Page, steps: Sequence[Step], given: Given, shoot: Callable[[Page, str], None]) -> None:
    """Do what the steps say and see what they name; `given` says what goes into boxes, by their labels.

    A picture is taken with what was seen last in sight.
    """
    last = page.locator("body")
    for act, label, text in steps:
        if act == "shoot":
            last.scroll_into_view_if_needed()
            shoot(page, label)
        elif label in given:
            put(page, label, given[label])
        elif act == "write":
            put(page, label, text)
        elif act == "press":
            pressed(page, label).click()
        else:
            last = seen(page, label)
            expect(last).to_be_visible(timeout=UNTIL_THERE)


def put(page: Page, label: str, value: str | Sequence[Path]) -> None:
    box = page.get_by_label(label, exact=True).or_(page.get_by_placeholder(label, exact=True)).first
    if isinstance(value, str):
        box.fill(value)
    else:
        box.set_input_files(list(value))


def pressed(page: Page, label: str) -> Locator:
    """The first button, link or menu in sight that bears this label."""
    menu = page.locator("summary", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$"))
    link = page.get_by_role("link", name=label, exact=True)
    return page.get_by_role("button", name=label, exact=True).or_(link).or_(menu).filter(visible=True).first


def seen(page: Page, label: str) -> Locator:
    text = page.get_by_text(label, exact=True)
    return text.or_(page.get_by_label(label, exact=True)).filter(visible=True).first
