"""Editing a value where it stands, and what becomes of it when somebody else edits it too."""

from typing import Any

import pytest
from django.test import Client

from assets.models import Asset, Operation
from tests.assets.test_views import HTMX, address, edited
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def in_place(browser: Client, found: Asset, name: str, value: str, **options: Any) -> Any:
    """What a browser sends that opens the form of one value and changes it."""
    form = browser.get(address(found, f"edit/{name}/"), headers=HTMX).context["form"]
    assert list(form.fields) == [name]
    seen = form.fields[name].prepare_value(form[name].value())
    data = {name: value, form[name].html_initial_name: "" if seen is None else str(seen)}
    return lambda: browser.post(address(found, f"edit/{name}/"), data, headers=HTMX, **options)


def test_a_value_is_edited_where_it_stands(browser: Client) -> None:
    found = asset(title="Nite", medium="paper")
    answer = in_place(browser, found, "title", "Night")()
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#words", "outerHTML")
    page = answer.content.decode()
    assert "<h1>Night</h1>" in page and "Saved." in page and "Undo" in page
    assert Asset.objects.get().medium == "paper"
    browser.post(f"/operations/{Operation.objects.get(kind='edit').uid}/undo/")
    assert Asset.objects.get().title == "Nite"


def test_what_is_empty_is_offered_and_what_is_left_stays(browser: Client) -> None:
    found = asset(title="Night")
    assert (
        f'hx-get="{address(found, "edit/medium/")}" hx-target="#adding"'
        in browser.get(address(found)).content.decode()
    )
    assert (
        browser.get(address(found, "edit/medium/?leave"), headers=HTMX).content.decode().strip().count("<a ")
        == 0
    )
    assert "<h1>Night</h1>" in browser.get(address(found, "edit/title/?leave"), headers=HTMX).content.decode()
    in_place(browser, found, "medium", "oil")()
    page = browser.get(address(found)).content.decode()
    assert "<dt>Medium</dt>" in page and "oil" in page


def test_a_wrong_value_is_said_at_its_field(browser: Client) -> None:
    asset(accession="7")
    found = asset("blue", accession="8")
    page = in_place(browser, found, "accession_number", "7")().content.decode()
    assert "Another record has the accession number 7." in page and 'value="7"' in page
    assert browser.get(address(found, "edit/sha256/"), headers=HTMX).status_code == 404
    assert browser.get(address(asset("red"), "edit/accession_number/"), headers=HTMX).status_code == 404
    assert browser.get(address(found, "edit/title/"))["Location"] == address(found, "edit/#id_title")


def test_what_somebody_else_has_changed_is_shown_before_it_is_overwritten(browser: Client) -> None:
    found = asset(title="Nite")
    mine, theirs = (
        in_place(browser, found, "title", "Mine"),
        in_place(browser, found, "title", "Theirs & all"),
    )
    theirs()
    answer = mine()
    page = answer.content.decode()
    assert "HX-Retarget" not in answer
    assert "It says now: “Theirs &amp; all”." in page and 'value="Mine"' in page
    assert Asset.objects.get().title == "Theirs & all"
    form = answer.context["form"]
    again = {"title": "Mine", "initial-title": form.data["initial-title"]}
    browser.post(address(found, "edit/title/"), again, headers=HTMX)
    assert Asset.objects.get().title == "Mine"


def test_two_people_who_mean_the_same_do_not_disagree(browser: Client) -> None:
    found = asset(title="Nite")
    mine, theirs = (in_place(browser, found, "title", "Night") for _ in range(2))
    theirs()
    assert "Nothing was changed." in mine().content.decode()


def test_the_form_of_all_words_does_not_overwrite_unseen_either(browser: Client) -> None:
    found = asset(title="Nite", description="One line\nand another")
    mine = edited(browser, found, title="Mine", description="All mine")
    in_place(browser, found, "title", "Theirs")()
    page = browser.post(address(found, "edit/"), mine).content.decode()
    assert "Somebody else has changed this" in page
    assert Asset.objects.get().description == "One line\nand another"


def test_line_ends_of_browsers_are_no_change(browser: Client) -> None:
    found = asset(description="One line\nand another")
    sent = {"description": "One line\r\nand a third", "initial-description": "One line\r\nand another"}
    browser.post(address(found, "edit/description/"), sent, headers=HTMX)
    assert Asset.objects.get().description == "One line\r\nand a third"


def test_who_hides_a_picture_in_place_comes_back_to_the_library(browser: Client) -> None:
    found = asset()
    answer = in_place(browser, found, "access", "restricted")()
    assert answer["HX-Redirect"] == "/"
