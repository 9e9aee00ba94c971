import io
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from assets import changes
from assets.models import Asset, Batch, BatchItem, Collection, Depiction, Operation, Record, StageRun, Term
from assets.views.cards import cards_of, rendition_url
from search.models import EmbeddingSpace
from tests.factories import asset, picture, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
HTMX = {"HX-Request": "true"}


def address(found: Asset, page: str = "") -> str:
    return f"/assets/{found.uid}/{page}"


def failed(found: Asset, reason: str = "The file is cut off.") -> Asset:
    StageRun.objects.filter(version=found.current_version, stage="make_renditions").update(
        state="failed", reason=reason, attempts=1
    )
    return found


# --- who may see what -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/upload/", "/trash/", "/jobs/", "/bulk/", "/demo/remove/", "/accounts/password/"]
)
def test_every_page_asks_for_a_sign_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", ["", "edit/", "state/", "similar/", "original/", "v1/small/"])
def test_what_is_hidden_does_not_exist(browser: Client, page: str) -> None:
    found = asset(done=True)
    assert browser.get(address(found, page)).status_code == 200
    Asset.objects.update(access="restricted")
    assert browser.get(address(found, page)).status_code == 404


@pytest.mark.parametrize("page", ["edit/", "tags/", "trash/", "restore/", "retry/"])
def test_what_is_hidden_cannot_be_changed(browser: Client, page: str) -> None:
    found = asset()
    Asset.objects.update(access="restricted")
    assert browser.post(address(found, page), {"add": "x", "title": "x"}).status_code == 404
    assert Operation.objects.count() == 1


@pytest.mark.parametrize("page", ["tags/", "trash/", "restore/", "retry/"])
def test_looking_changes_nothing(browser: Client, page: str) -> None:
    assert browser.get(address(asset(), page)).status_code == 405


def test_the_sign_in_page_is_headed_by_the_name_of_the_site(client: Client, settings: Any) -> None:
    assert f">{settings.SITE_NAME}</a>" in client.get("/accounts/login/").content.decode()


# --- files ----------------------------------------------------------------------------------------------


def test_renditions_are_kept_by_browsers_but_not_by_others(browser: Client) -> None:
    found = asset(done=True)
    answer = browser.get(address(found, "v1/medium/"))
    assert answer["Content-Type"] == "image/webp" and answer.getvalue()[8:12] == b"WEBP"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    again = browser.get(address(found, "v1/medium/"), headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert browser.get(address(found, "v1/huge/")).status_code == 404
    assert browser.get(address(found, "v2/medium/")).status_code == 404
    assert browser.get(address(found, "v1/%00/")).status_code == 404


def test_a_rendition_that_is_gone_from_storage_is_not_found(browser: Client) -> None:
    found = asset(done=True)
    for rendition in found.current_version.renditions.all():  # type: ignore[union-attr]
        storages["renditions"].delete(rendition.storage_name)
    assert browser.get(address(found, "v1/medium/")).status_code == 404


@pytest.mark.parametrize("name", ["nacht.jpg", "夜の川 100%.jpg", 'a "quoted"; name.jpg'])
def test_the_original_comes_back_unchanged_under_its_own_name(browser: Client, name: str) -> None:
    content = picture()
    found = take_in(content, name).asset
    assert found is not None
    answer = browser.get(address(found, "original/"))
    assert answer.getvalue() == content and answer["X-Content-Type-Options"] == "nosniff"
    disposition = answer["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert quote(name) in disposition or f'"{name}"' in disposition.replace("\\", "")


def test_only_harmless_originals_are_shown_in_the_browser(browser: Client) -> None:
    jpeg, tiff = asset(), take_in(picture(format="TIFF"), "a.tif").asset
    assert tiff is not None
    shown, kept = (browser.get(address(one, "original/?show")) for one in (jpeg, tiff))
    assert (shown["Content-Type"], shown["Content-Disposition"][:6]) == ("image/jpeg", "inline")
    assert kept["Content-Disposition"].startswith("attachment")
    assert "sandbox" in shown["Content-Security-Policy"]


# --- upload ---------------------------------------------------------------------------------------------


def files(*contents: bytes) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{n}.jpg", content, "image/jpeg") for n, content in enumerate(contents)]


def test_several_files_without_a_script(browser: Client, viewer: User) -> None:
    first = picture()
    data = {"pictures": files(first, b"words", first), "collection": "Prints / Night", "tags": "river; moon"}
    page = browser.post("/upload/", data | {"batch": str(uuid4())}).content.decode()
    found = Asset.objects.get()
    assert (str(found.collection), str(found.collection.parent)) == ("Night", "Prints")
    assert (found.tags, found.uploaded_by) == (["river", "moon"], viewer)
    assert [o.outcome for o in BatchItem.objects.all()] == ["accepted", "rejected", "duplicate"]
    assert "not a picture" in page and page.count(address(found)) >= 2


def test_one_file_of_many_by_the_script(browser: Client) -> None:
    data = {"batch": str(uuid4()), "collection": "", "tags": ""}
    for content in (picture(), picture()):
        page = browser.post("/upload/", data | {"pictures": files(content)}, headers=HTMX).content.decode()
        assert 'data-outcome="accepted"' in page and "<html" not in page
    assert Batch.objects.get().items.count() == 2


def test_too_large_a_file_says_so_and_leaves_nothing(browser: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 100
    data = {"batch": str(uuid4()), "pictures": files(picture())}
    assert "Larger than" in browser.post("/upload/", data, headers=HTMX).content.decode()
    assert "Larger than" in browser.post("/upload/", data | {"pictures": files(picture())}).content.decode()
    assert Asset.objects.count() == 0


def test_a_visit_that_goes_on_under_another_name_has_a_batch_of_its_own(browser: Client, admin: User) -> None:
    data = {"batch": str(uuid4())}
    for _ in range(2):
        browser.post("/upload/", data | {"pictures": files(picture())}, headers=HTMX)
    browser.force_login(admin)
    answer = browser.post("/upload/", data | {"pictures": files(picture())}, headers=HTMX)
    assert 'data-outcome="accepted"' in answer.content.decode()
    assert sorted(batch.items.count() for batch in Batch.objects.all()) == [1, 2]


def test_sending_no_file_says_so(browser: Client) -> None:
    page = browser.post("/upload/", {"batch": str(uuid4())}).content.decode()
    assert "Choose at least one picture." in page


# --- the asset's page -----------------------------------------------------------------------------------


def test_the_page_shows_words_files_and_history(browser: Client, django_assert_max_num_queries: Any) -> None:
    found = asset(done=True, title="Night", creator="Hiroshige; Eisen", date="c. 1840", tags="river")
    with django_assert_max_num_queries(32):
        page = browser.get(address(found)).content.decode()
    for words in (
        "Night",
        "Hiroshige</a>; <a",
        "Eisen</a>",
        "c. 1840",
        "river",
        "picture.jpg",
        "320 × 240",
        "Uploaded",
    ):
        assert words in page
    assert "style=" not in page and "<script>" not in page


def test_the_words_of_a_record_are_edited_for_all_its_pictures(browser: Client) -> None:
    found = asset(accession="1942.51", title="Nite")
    page = browser.get(address(found, "edit/")).content.decode()
    assert "all its pictures" in page and 'name="accession_number"' in page
    browser.post(address(found, "edit/"), edited(browser, found, title="Night", alt_text="A river"))
    record, found = Record.objects.get(), Asset.objects.get()
    assert (record.title, found.title, found.alt_text) == ("Night", "", "A river")
    assert Operation.objects.filter(kind="edit").count() == 1


def test_an_edit_locks_as_an_upload_does_and_writes_the_search_row_once(browser: Client) -> None:
    found = asset(accession="7", title="Nite")
    data = edited(browser, found, title="Night", alt_text="A river")
    with CaptureQueriesContext(connection) as captured:
        browser.post(address(found, "edit/"), data)
    said = [query["sql"] for query in captured]
    locks = [sql for sql in said if sql.endswith(" UPDATE") and 'FROM "assets_' in sql]
    assert ['FROM "assets_asset"' in sql for sql in locks][:2] == [True, False]  # all else is locked then
    assert sum("INSERT INTO search_searchrow" in sql for sql in said) == 1


def edited(browser: Client, found: Asset, **new: str) -> dict[str, str]:
    """What a browser sends when only `new` was typed: all fields, and their hidden initial values."""
    form = browser.get(address(found, "edit/")).context["form"]
    data: dict[str, str] = {}
    for field in form:
        shown = field.value()
        value = field.field.prepare_value(shown)
        text = "" if value is None else str(value)
        data[field.html_name] = data[field.html_initial_name] = text
    return data | new


def test_saving_without_a_change_writes_nothing(browser: Client) -> None:
    found = asset(title="Night", creator="A; B")
    answer = browser.post(address(found, "edit/"), edited(browser, found), follow=True)
    assert "Nothing was changed." in answer.content.decode()
    assert not Operation.objects.filter(kind="edit").exists()


def test_two_people_who_edit_at_once_keep_each_others_work(browser: Client) -> None:
    found = asset(title="Nite", medium="paper")
    mine, theirs = edited(browser, found, title="Night"), edited(browser, found, medium="Silk")
    browser.post(address(found, "edit/"), theirs)
    browser.post(address(found, "edit/"), mine)
    found.refresh_from_db()
    assert (found.title, found.medium) == ("Night", "Silk")


def test_two_people_who_name_creators_at_once_keep_each_others(browser: Client) -> None:
    found = asset(creator="Eisen")
    mine, theirs = (edited(browser, found, creators=f"Eisen; {name}") for name in ("Hokusai", "Utamaro"))
    browser.post(address(found, "edit/"), theirs)
    browser.post(address(found, "edit/"), mine)
    assert Asset.objects.get().creators == ["Eisen", "Utamaro", "Hokusai"]


def test_an_error_stands_in_the_form_and_keeps_what_was_typed(browser: Client) -> None:
    asset("blue", accession="7")
    found = asset(accession="8", title="Night")
    taken = edited(browser, found, accession_number="7", title="Day")
    page = browser.post(address(found, "edit/"), taken, headers=HTMX).content.decode()
    assert "Another record has the accession number 7." in page and 'value="Day"' in page
    page = browser.post(address(found, "edit/"), edited(browser, found, collection="")).content.decode()
    assert "This field is required." in page
    assert Record.objects.get(accession_number="8").title == "Night"


def test_an_embargo_is_typed_in_the_persons_own_time(browser: Client) -> None:
    found = asset()
    browser.cookies["time_zone"] = "Asia/Tokyo"
    admin = User.objects.create_superuser("chief")
    browser.force_login(admin)
    browser.post(address(found, "edit/"), edited(browser, found, embargo_until="2031-01-01T09:00"))
    found.refresh_from_db()
    assert found.embargo_until is not None and found.embargo_until.isoformat() == "2031-01-01T00:00:00+00:00"
    browser.post(address(found, "edit/"), edited(browser, found, title="x"))
    assert Operation.objects.first().changes.count() == 1  # type: ignore[union-attr]


def test_tags_are_added_and_removed_with_undo(browser: Client) -> None:
    found = asset(tags="river")
    page = browser.post(address(found, "tags/"), {"add": "moon; night"}, headers=HTMX).content.decode()
    added = Operation.objects.first()
    assert added is not None and f"/operations/{added.uid}/undo/" in page and "<html" not in page
    assert Asset.objects.get().tags == ["river", "moon", "night"]
    browser.post(address(found, "tags/"), {"remove": "river"})
    assert Asset.objects.get().tags == ["moon", "night"]
    browser.post(f"/operations/{added.uid}/undo/", {"next": address(found)})
    assert Asset.objects.get().tags == []


def test_adding_a_tag_that_is_there_leaves_no_trace(browser: Client) -> None:
    found = asset(tags="river")
    browser.post(address(found, "tags/"), {"add": "River"})
    assert Operation.objects.count() == 1 and Asset.objects.get().tags == ["river"]


def test_a_part_is_never_kept_as_the_page(browser: Client) -> None:
    found = asset()
    for path in ("/", "/upload/", address(found), address(found, "edit/")):
        assert "HX-Request" in browser.get(path)["Vary"]


def test_a_comma_is_part_of_a_tag_and_control_characters_are_not(browser: Client) -> None:
    found = asset()
    browser.post(address(found, "tags/"), {"add": "Paris, France\nri\x00ver;\x00; \x07 ;\u200b"})
    assert Asset.objects.get().tags == ["Paris, France", "river"]


def test_too_long_a_tag_is_refused_in_words(browser: Client) -> None:
    found = asset()
    for tag in ("x" * 201, "\ufdfa" * 20):  # the second is short, but long once its ligatures are written out
        page = browser.post(address(found, "tags/"), {"add": tag}, headers=HTMX).content.decode()
        assert "longer than 200 characters" in page
    assert Asset.objects.get().tags == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("x" * 201, "at most 200 characters"),
        ("Prints / " + "x" * 201, "at most 200 characters"),
        (" / ".join("abcdefghijklmnopqrstu"), "Not more than 20 collections"),
        ("\x07 / ", "This field is required."),
    ],
)
def test_a_collection_that_cannot_be_is_refused_in_words(browser: Client, path: str, said: str) -> None:
    found = asset()
    page = browser.post(address(found, "edit/"), edited(browser, found, collection=path)).content.decode()
    assert said in page
    data = {"batch": str(uuid4()), "pictures": files(picture()), "collection": path}
    page = browser.post("/upload/", data).content.decode()
    assert said in page or "required" in said


def test_undo_twice_is_refused_in_words(browser: Client) -> None:
    found = asset()
    op = changes.trash([found], None)
    undo = f"/operations/{op.uid}/undo/"
    assert browser.post(undo, {"next": "https://elsewhere.example/"})["Location"] == "/"
    assert "undone already" in browser.post(undo, follow=True).content.decode()


def test_undo_of_what_one_may_not_see_does_not_exist(browser: Client) -> None:
    op = changes.trash([asset()], None)
    Asset.objects.update(access="restricted")
    assert browser.post(f"/operations/{op.uid}/undo/").status_code == 404


def test_undo_of_what_was_said_of_a_hidden_object_does_not_exist(browser: Client) -> None:
    asset(accession="7", title="Night")
    op = changes.operation("edit", "Edited")
    changes.apply(op, [Record.objects.get()], {"title": "Secret"})
    Asset.objects.update(access="restricted")
    assert browser.post(f"/operations/{op.uid}/undo/").status_code == 404
    assert Record.objects.get().title == "Secret"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_hides_a_picture_from_oneself_hears_it_and_may_undo(
    browser: Client, headers: dict[str, str]
) -> None:
    found = asset(title="Night")
    data = edited(browser, found, access="restricted")
    answer = browser.post(address(found, "edit/"), data, headers=headers)
    assert answer.headers.get("HX-Redirect" if headers else "Location") == "/"
    page = browser.get("/").content.decode()
    op = Operation.objects.get(kind="edit")
    assert "You do not see this picture any more." in page and f"/operations/{op.uid}/undo/" in page
    assert browser.get(address(found)).status_code == 404
    browser.post(f"/operations/{op.uid}/undo/", {"next": address(found)})
    assert browser.get(address(found)).status_code == 200
    redo = Operation.objects.get(kind="undo")
    assert browser.post(f"/operations/{redo.uid}/undo/", {"next": address(found)})["Location"] == "/"


# --- state ----------------------------------------------------------------------------------------------


def test_the_state_is_asked_for_until_it_is_settled(browser: Client) -> None:
    found = take_in(picture()).asset
    assert found is not None
    waiting = browser.get(address(found, "state/")).content.decode()
    assert "hx-trigger" in waiting and "Processing" in waiting
    done = browser.get(address(asset("blue", done=True), "state/")).content.decode()
    assert "hx-trigger" not in done and "Searchable" in done and 'id="preview"' in done


def test_a_failure_says_why_and_is_retried(browser: Client) -> None:
    found = failed(asset(done=True))
    page = browser.get(address(found)).content.decode()
    assert "The file is cut off." in page and "Try again" in page
    browser.post(address(found, "retry/"), headers=HTMX)
    run = StageRun.objects.get(version=found.current_version, stage="make_renditions")
    assert run.state in ("waiting", "queued") and run.attempts == 0


def test_jobs_lists_failures_and_rejected_files(browser: Client, viewer: User) -> None:
    failed(asset(done=True, title="Night"))
    take_in(b"words", "letter.jpg", batch=Batch.objects.create(source="upload page", user=viewer))
    take_in(b"words", "secret.jpg", batch=Batch.objects.create(source="upload page"))
    page = browser.get("/problems/", follow=True).content.decode()
    assert all(words in page for words in ("Night", "The file is cut off.", "letter.jpg"))
    assert "secret.jpg" not in page  # of somebody else
    browser.post("/jobs/retry/")
    assert not StageRun.objects.filter(state="failed").exists()


def test_lists_ask_a_fixed_number_of_queries(browser: Client) -> None:
    failed(asset("red", accession="red"))
    changes.trash([asset("blue", accession="blue", done=True)], None)
    before = [queries(browser, path) for path in ("/jobs/", "/trash/")]
    for color in ("green", "cyan"):
        failed(asset(color, accession=color, done=True))
        changes.trash([asset(color, done=True)], None)
    assert [queries(browser, path) for path in ("/jobs/", "/trash/")] == before


def queries(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


# --- trash ----------------------------------------------------------------------------------------------


def test_the_way_to_the_trash_and_back(browser: Client) -> None:
    found = asset(done=True, title="Night")
    page = browser.post(address(found, "trash/"), follow=True).content.decode()
    assert "Moved to the trash: Night" in page and "Undo" in page
    assert "Night" in browser.get("/trash/").content.decode()
    assert "in the trash since" in browser.get(address(found)).content.decode()
    browser.post(address(found, "restore/"), {"next": "/trash/"})
    assert Asset.objects.get().trashed_at is None
    assert "The trash is empty." in browser.get("/trash/").content.decode()


def test_the_demonstration_goes_in_one_click_and_comes_back(browser: Client) -> None:
    take_in(picture("blue"), is_demo=True)
    own = asset("red")
    assert "Remove 1 picture" in browser.get("/demo/remove/").content.decode()
    browser.post("/demo/remove/")
    assert list(Asset.objects.live()) == [own]
    op = Operation.objects.get(kind="trash")
    browser.post(f"/operations/{op.uid}/undo/")
    assert Asset.objects.live().count() == 2
    assert browser.post("/demo/remove/") and browser.post("/demo/remove/", follow=True).status_code == 200


# --- records --------------------------------------------------------------------------------------------


def test_a_record_shows_its_pictures_by_view(browser: Client) -> None:
    recto, verso, hidden = (asset(c, accession="7", title="Night") for c in ("red", "blue", "green"))
    Depiction.objects.filter(asset=verso).update(view="verso")
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")
    page = browser.get(f"/records/{Record.objects.get().uid}/").content.decode()
    assert page.index("Recto") < page.index(address(recto)) < page.index("Verso") < page.index(address(verso))
    assert address(hidden) not in page
    Record.objects.update(trashed_at=timezone.now())
    assert "in the trash since" in browser.get(f"/records/{Record.objects.get().uid}/").content.decode()
    Asset.objects.update(access="restricted")
    assert browser.get(f"/records/{Record.objects.get().uid}/").status_code == 404


def test_a_record_that_only_hidden_pictures_show_does_not_exist(browser: Client, admin: User) -> None:
    asset(accession="7", title="Night")
    page = f"/records/{Record.objects.get().uid}/"
    Asset.objects.update(access="restricted", trashed_at=timezone.now())
    assert browser.get(page).status_code == 404
    Depiction.objects.all().delete()
    assert browser.get(page).status_code == 200
    asset("blue", accession="7")
    Asset.objects.update(access="restricted")
    browser.force_login(admin)
    assert browser.get(page).status_code == 200


def test_only_tags_and_collections_of_visible_pictures_are_offered(browser: Client, admin: User) -> None:
    seen = asset(tags="river", collection="Prints / Open")
    hidden = asset("blue", tags="secret", collection="Vault / Inner")
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")
    for path in ("Empty", "Vault / Inner / Below", "Vault / Beside", "Prints / Open / New"):
        Collection.objects.named(path)
    Term.objects.labelled("tags", "unused")
    offered = {"Prints", "Prints / Open", "Prints / Open / New", "Empty", "Unsorted"}
    for page in ("/upload/", address(seen, "edit/")):
        context = browser.get(page).context
        assert set(context["collection_paths"]) == offered
    assert list(browser.get("/upload/").context["tag_labels"]) == ["river", "unused"]
    browser.force_login(admin)
    context = browser.get("/upload/").context
    assert len(context["collection_paths"]) == 9 and "secret" in list(context["tag_labels"])


def test_pages_of_errors(browser: Client) -> None:
    page = browser.get("/assets/nothing/")
    assert page.status_code == 404 and b"There is nothing at this address" in page.content
    browser.raise_request_exception = False
    assert browser.get("/favicon.ico").status_code == 302
    assert io.BytesIO(page.content).read(15) == b"<!DOCTYPE html>"


def test_a_card_knows_the_addresses_that_the_urls_have(space: EmbeddingSpace) -> None:
    one = Asset.objects.for_grid().get(pk=asset("red", done=True).pk)
    card = cards_of([one])[0]
    for rendition in (card.small, card.medium):
        assert rendition is not None
        assert rendition_url(one, rendition) == rendition.get_absolute_url()
