"""The trash: how long, for good, and what stays of what was deleted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from assets import backends, changes, purging, storage
from assets.models import Asset, AssetVersion, Blob, Change, Operation, Record, Rendition, StageRun, Tombstone
from search.models import Embedding, EmbeddingSpace, SearchRow
from tests.assets.test_storage import wait_until_somebody_waits_for_a_lock
from tests.factories import asset, picture, take_in

pytestmark = pytest.mark.django_db


def trashed(found: Asset, days: int = 0) -> Asset:
    """In the trash for so many days."""
    changes.trash([found], None)
    Asset.objects.filter(pk=found.pk).update(trashed_at=timezone.now() - timedelta(days=days))
    return Asset.objects.get(pk=found.pk)


def test_what_was_long_in_the_trash_goes_with_all_that_was_made_of_it(space: EmbeddingSpace) -> None:
    old, young, live = (
        asset("red", done=True, title="Old"),
        asset("blue", done=True),
        asset("green", done=True),
    )
    trashed(old, 31)
    trashed(young, 29)
    assert Embedding.objects.filter(asset=old).exists()
    assert purging.empty() == 1 and purging.empty() == 0
    assert set(Asset.objects.all()) == {young, live}
    for left in (AssetVersion, Rendition, StageRun, SearchRow, Embedding):
        manager: Any = left._base_manager
        of_old = (
            {"asset": old.pk} if left in (SearchRow, Embedding, AssetVersion) else {"version__asset": old.pk}
        )
        assert not manager.filter(**of_old).exists() and manager.exists()
    assert Blob.objects.count() == len(list(backends.contents(storage.originals()))) == 2
    assert Rendition.objects.count() == len(list(backends.contents(storage.renditions()))) == 6
    stone = Tombstone.objects.get()
    assert (stone.uid, stone.title, stone.deleted_by) == (old.uid, "Old", None)
    assert len(stone.sha256[0]) == 64 and stone.operation is not None
    assert "Old (after 30 days in the trash)" in stone.operation.label
    assert Change.objects.filter(field="deleted", object_id=old.pk).exists()


def test_nothing_is_ever_deleted_where_the_trash_has_no_end(settings: Any) -> None:
    settings.TRASH_DAYS = 0
    found = trashed(asset(), 10_000)
    assert purging.empty() == 0 and purging.days_left(found) is None


def test_bytes_stay_while_any_other_picture_has_them_even_in_the_trash() -> None:
    content = picture()
    first = take_in(content).asset
    assert first is not None
    trashed(first, 40)
    second = take_in(content).asset  # a trashed picture can be uploaded again
    assert second is not None and second.pk != first.pk
    blob = Blob.objects.get()
    trashed(second, 35)
    assert purging.purge([first.pk], None) == 1
    assert storage.originals().exists(blob.storage_name)
    assert purging.empty() == 1
    assert not Blob.objects.exists() and not storage.originals().exists(blob.storage_name)


def test_an_object_goes_along_only_from_the_trash_and_only_if_no_other_picture_shows_it(viewer: User) -> None:
    alone, shared, other = asset(accession="1"), asset("blue", accession="2"), asset("green", accession="2")
    kept = asset("cyan", accession="3", title="Kept")
    for op in Operation.objects.filter(
        kind="upload", changes__object_id__in=[alone.pk, shared.pk]
    ).distinct():
        changes.undo(op, None)  # the objects go to the trash with their pictures
    trashed(kept)
    ids = list(Asset.objects.exclude(trashed_at=None).values_list("pk", flat=True))
    assert other.pk not in ids and purging.purge(ids, viewer) == 3
    assert set(Record.objects.values_list("accession_number", flat=True)) == {"2", "3"}
    stones = {(stone.kind, stone.accession_number) for stone in Tombstone.objects.all()}
    assert stones == {("asset", "1"), ("record", "1"), ("asset", "2"), ("asset", "3")}


def test_a_live_picture_is_never_purged() -> None:
    found = asset()
    assert purging.purge([found.pk], None) == 0 and Asset.objects.filter(pk=found.pk).exists()


def test_restoring_brings_back_previews_and_vectors(space: EmbeddingSpace, browser: Client) -> None:
    found = trashed(asset(done=True), 20)
    changes.restore([found], None)
    assert Embedding.objects.filter(asset=found).exists() and not SearchRow.objects.get(asset=found).trashed
    assert browser.get(f"{found.get_absolute_url()}v1/small/").status_code == 200


# --- at the same moment -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["restore", "delete"])
def test_restoring_at_the_moment_of_deletion(
    first: str, vocabularies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the picture first wins; the other one sees what has become of it."""
    found = trashed(asset(), 31)
    begun = Event()

    def slowly(function: Any) -> Any:
        def wrapped(*args: Any) -> Any:
            result = function(*args)
            begun.set()
            wait_until_somebody_waits_for_a_lock()
            return result

        return wrapped

    def restore() -> str:
        try:
            if first == "delete":
                begun.wait(5)
            return changes.restore([found], None).label
        except changes.ChangeRefused as refused:
            return str(refused)
        finally:
            connection.close()

    slow = (purging, "_delete_rows") if first == "delete" else (changes, "_restore_records")
    monkeypatch.setattr(*slow, slowly(getattr(*slow)))
    with ThreadPoolExecutor(1) as threads:
        said = threads.submit(restore)
        if first == "restore":
            begun.wait(5)
        deleted = purging.empty()
        label = said.result()
    if first == "delete":
        assert deleted == 1 and "deleted for good meanwhile" in label
        assert not Asset.objects.exists() and not Operation.objects.filter(kind="restore").exists()
    else:
        assert deleted == 0 and label.startswith("Restored")
        assert Asset.objects.get().trashed_at is None and not Tombstone.objects.exists()
        assert storage.originals().exists(Blob.objects.get().storage_name)


# --- pages ----------------------------------------------------------------------------------------------


@pytest.fixture
def deleter(client: Client, viewer: User) -> Client:
    """Somebody who may delete for good."""
    viewer.user_permissions.add(Permission.objects.get(codename="delete_asset"))
    client.force_login(viewer)
    return client


def test_the_page_says_how_long_and_deletes_after_a_question(deleter: Client, viewer: User) -> None:
    found = trashed(asset(done=True, accession="7", title="Night"), 10)
    address = found.get_absolute_url()
    page = deleter.get("/trash/").content.decode()
    assert "19 days left" in page and f"{address}delete/" in page
    question = deleter.get(f"{address}delete/").content.decode()
    assert "picture.jpg" in question and "The object 7 Night in the catalogue" in question
    assert Asset.objects.exists()
    said = deleter.post(f"{address}delete/", follow=True).content.decode()
    assert "Deleted for good: Night" in said and not Asset.objects.exists()
    for old in (address, f"{address}original/", f"{address}download/", f"{address}delete/"):
        gone = deleter.get(old)
        assert gone.status_code == 410 and "Night" in gone.content.decode(), old
    assert viewer.username in deleter.get(address).content.decode()
    assert Tombstone.objects.get().deleted_by == viewer
    with pytest.raises(changes.ChangeRefused):
        changes.undo(Operation.objects.get(kind="deleted"), viewer)


def test_only_those_who_may_delete_for_good(browser: Client) -> None:
    found = trashed(asset())
    assert "Delete now" not in browser.get("/trash/").content.decode()
    for answer in (browser.get, browser.post):
        assert answer(f"{found.get_absolute_url()}delete/").status_code == 403
    assert Asset.objects.exists()


def test_what_is_in_use_cannot_be_deleted_at_once(deleter: Client) -> None:
    assert deleter.post(f"{asset().get_absolute_url()}delete/").status_code == 404
    assert Asset.objects.exists()


def test_the_question_says_what_another_picture_keeps(deleter: Client) -> None:
    content = picture()
    first = take_in(content).asset
    assert first is not None
    trashed(first)
    take_in(content)
    page = deleter.get(f"{first.get_absolute_url()}delete/").content.decode()
    assert "because another picture has the same one" in page


@pytest.mark.parametrize(
    "hidden", [{"access": "restricted"}, {"embargo_until": timezone.now() + timedelta(9)}]
)
def test_a_tombstone_tells_nobody_more_than_the_picture_did(
    hidden: dict[str, Any], browser: Client, admin: User
) -> None:
    found = asset(title="Secret")
    Asset.objects.filter(pk=found.pk).update(**hidden)
    trashed(found)
    purging.purge([found.pk], admin)
    answer = browser.get(found.get_absolute_url())
    assert answer.status_code == 404 and "Secret" not in answer.content.decode()
    browser.force_login(admin)
    assert browser.get(found.get_absolute_url()).status_code == 410
    browser.logout()
    assert browser.get(found.get_absolute_url()).status_code == 302


def test_the_api_says_it_too(client: Client, viewer: User) -> None:
    found = trashed(asset())
    purging.purge([found.pk], None)
    bearer = {"Authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"}
    answer = client.get(f"/api/v1/assets/{found.uid}", headers=bearer)
    assert answer.status_code == 410 and "deleted for good on" in answer.json()["detail"]


def test_a_place_whose_picture_never_came_goes_too(admin: User) -> None:
    found = asset(title="Place")
    changes.apply(changes.operation("edit", ""), [found], {"current_version": None})
    trashed(found, 40)
    assert purging.empty() == 1 and not Blob.objects.exists() and Tombstone.objects.get().title == "Place"


def test_undoing_what_was_deleted_for_good_says_so(admin: User) -> None:
    found = asset()
    operation = changes.trash([found], admin)
    purging.purge([found.pk], admin)
    with pytest.raises(changes.ChangeRefused, match="deleted for good"):
        changes.undo(operation, admin)


def test_restoring_what_is_gone_says_so(browser: Client) -> None:
    found = trashed(asset())
    purging.purge([found.pk], None)
    assert browser.post(f"{found.get_absolute_url()}restore/").status_code == 410
