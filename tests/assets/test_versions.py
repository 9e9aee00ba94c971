"""A better file of a picture, and the way back to the earlier one."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset, Blob, Operation, StageRun
from tests.assets.test_permissions import grant
from tests.factories import asset, picture, process

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def put(browser: Client, found: Asset, content: bytes, **data: str) -> str:
    file = SimpleUploadedFile("better.png", content)
    sent = {"picture": file, "same": "on"} | data
    return browser.post(f"/assets/{found.uid}/versions/", sent, follow=True).content.decode()


def test_a_new_version_is_shown_and_the_earlier_one_comes_back(browser: Client) -> None:
    found = asset("red", title="Fire", done=True)
    first = found.current_version
    assert first is not None
    page = put(browser, found, picture("blue", format="PNG"))
    found.refresh_from_db()
    second = found.current_version
    assert second is not None and (second.number, second.original_filename) == (2, "better.png")
    assert "The new file is here." in page and "Versions (2)" in page
    assert StageRun.objects.filter(version=second, state="waiting").exists()
    process(found)
    old = browser.get(f"/assets/{found.uid}/versions/1/").content.decode()
    assert f"/assets/{found.uid}/v1/large/" in old and "Show this version again" in old
    browser.post(f"/assets/{found.uid}/versions/1/show/")
    found.refresh_from_db()
    assert found.current_version == first
    browser.post(f"/operations/{Operation.objects.filter(kind='version').first().uid}/undo/")  # type: ignore[union-attr]
    found.refresh_from_db()
    assert (found.current_version, found.title) == (second, "Fire")


def test_what_is_no_better_file_is_refused(browser: Client) -> None:
    content = picture("red", format="PNG")
    found = asset("red")
    assert "it shows the same picture" in put(browser, found, content, same="")
    put(browser, found, content)
    assert "here already, as version 2" in put(browser, found, content)
    assert "version 3" not in put(browser, found, b"no picture at all")
    assert found.versions.count() == 2


def test_versions_of_what_is_hidden(browser: Client, admin: User) -> None:
    found = asset("red")
    changes.apply(changes.operation("edit", "Hide", user=admin), [found], {"access": "restricted"})
    for number in (1, 2):
        assert browser.get(f"/assets/{found.uid}/versions/{number}/").status_code == 404
    put(browser, found, picture("blue", format="PNG"))
    assert browser.post(f"/assets/{found.uid}/versions/1/show/").status_code == 404
    assert found.versions.count() == 1


def test_the_other_pictures_of_an_object_and_its_sets(browser: Client, admin: User) -> None:
    recto, verso, hidden = (asset(color, accession="7", title="Fan") for color in ("red", "blue", "black"))
    changes.apply(changes.operation("edit", "Hide", user=admin), [hidden], {"access": "restricted"})
    page = browser.get(recto.get_absolute_url())
    assert [card.asset for _, card in page.context["siblings"]] == [verso]
    assert "Other pictures of this object" in page.content.decode()


def test_who_may_only_look_stores_nothing(browser: Client, viewer: User) -> None:
    found = asset("red")
    grant(viewer, None, "see")
    before = Blob.objects.count()
    assert "not describe this picture" in put(browser, found, picture("blue", format="PNG"))
    assert Blob.objects.count() == before
