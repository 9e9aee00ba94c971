"""Uploads in pieces: the tus protocol, request by request, and what follows on the last byte."""

import base64
import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from assets import storage, uploads
from assets.models import Asset, Batch, BatchItem, Upload
from assets.uploads import _files, finishing
from assets.views import tus
from tests.factories import picture, take_in

pytestmark = pytest.mark.django_db
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def metadata(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def make(client: Client, length: int, filename: str = "a.jpg", **said: str) -> Any:
    headers = {"Upload-Length": str(length), "Upload-Metadata": metadata(filename=filename, **said)}
    return client.post("/uploads/", headers=TUS | headers)


def patch(client: Client, where: str, offset: int, content: bytes, **headers: str) -> Any:
    sent = TUS | {"Upload-Offset": str(offset)} | {k.replace("_", "-"): v for k, v in headers.items()}
    return client.generic("PATCH", where, content, BYTES, headers=sent, CONTENT_TYPE=BYTES)


def head(client: Client, where: str) -> Any:
    return client.head(where, headers=TUS)


def begun(client: Client, content: bytes, part: int, **said: str) -> str:
    """The address of an upload of `content` of which the first `part` bytes are there."""
    where: str = make(client, len(content), **said)["Location"]
    assert patch(client, where, 0, content[:part]).status_code == 204
    return where


def detail(response: HttpResponse) -> str:
    found: str = response.json()["detail"]  # type: ignore[attr-defined]
    return found


def left() -> list[Path]:
    return [*storage.settings.UPLOADS_DIR.iterdir(), *storage.settings.INCOMING_DIR.iterdir()]


# --- the protocol ---------------------------------------------------------------------------------------


def test_the_server_says_what_it_can(settings: Any) -> None:
    said = Client().options("/uploads/")
    assert (said.status_code, said["Tus-Version"], said["Tus-Resumable"]) == (204, "1.0.0", "1.0.0")
    assert said["Tus-Max-Size"] == str(settings.MAX_UPLOAD_BYTES)
    wanted = {"creation", "creation-with-upload", "expiration", "checksum", "termination"}
    assert set(said["Tus-Extension"].split(",")) == wanted
    assert set(said["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256"}


def test_a_picture_in_three_pieces_becomes_an_asset(browser: Client, viewer: User) -> None:
    content = picture()
    batch = str(uuid4())
    said = {"collection": "Prints / Night", "tags": "river; moon", "accession": "1.2", "batch": batch}
    created = make(browser, len(content), "浮世絵.jpg", **said)
    assert created.status_code == 201 and created["Upload-Expires"].endswith("GMT")
    where, third = created["Location"], len(content) // 3
    for at in (0, third):
        sent = patch(browser, where, at, content[at : at + third])
        assert (sent.status_code, sent["Upload-Offset"]) == (204, str(at + third))
    asked = head(browser, where)
    assert (asked.status_code, asked["Upload-Offset"], asked["Cache-Control"]) == (
        200,
        str(2 * third),
        "no-store",
    )
    assert (
        asked["Upload-Length"] == str(len(content))
        and metadata(filename="浮世絵.jpg") in asked["Upload-Metadata"]
    )
    assert patch(browser, where, 2 * third, content[2 * third :])["Upload-Offset"] == str(len(content))
    found = Asset.objects.get()
    assert (found.filename, str(found.collection), found.uploaded_by) == ("浮世絵.jpg", "Night", viewer)
    assert found.tags == ["river", "moon"] and str(found.record) == "1.2"
    assert found.current_version is not None
    with storage.originals().open(found.current_version.blob.storage_name) as stored:
        assert stored.read() == content
    assert head(browser, where)["Upload-Offset"] == str(len(content))
    assert Batch.objects.get().source == "upload page" and left() == []


def test_everything_in_one_request(browser: Client) -> None:
    content = picture()
    headers = {"Upload-Length": str(len(content)), "Upload-Metadata": metadata(filename="a.jpg")}
    made = browser.post("/uploads/", content, content_type=BYTES, headers=TUS | headers)
    assert (made.status_code, made["Upload-Offset"]) == (201, str(len(content)))
    assert Asset.objects.count() == 1


def test_the_bytes_must_follow_on_what_is_here(browser: Client) -> None:
    content = picture()
    where = begun(browser, content, 10)
    for offset in (0, 9, 11, len(content)):
        assert patch(browser, where, offset, b"x").status_code == 409
    assert head(browser, where)["Upload-Offset"] == "10"


def test_a_version_that_is_not_spoken_here(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        for answer in (browser.head(where, headers=headers), browser.post("/uploads/", headers=headers)):
            assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "many"}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Length": "3000000000"}, 413),
        ({"Upload-Length": "5", "Upload-Metadata": "filename *"}, 400),
        (
            {"Upload-Length": "5", "Upload-Metadata": metadata(filename="a") + "," + metadata(filename="b")},
            400,
        ),
        ({"Upload-Length": "5", "Upload-Metadata": ""}, 422),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(filename="a.jpg", collection="x" * 201)}, 422),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(filename="a.jpg", accession="x" * 101)}, 422),
        ({"Upload-Length": "5", "Upload-Metadata": metadata(filename="letter.DOCX")}, 422),
    ],
)
def test_what_cannot_be_is_refused_before_a_byte_is_sent(
    browser: Client, headers: dict[str, str], status: int
) -> None:
    headers = {"Upload-Metadata": metadata(filename="a.jpg")} | headers
    answer = browser.post("/uploads/", headers=TUS | headers)
    assert answer.status_code == status and detail(answer) and answer["Tus-Resumable"] == "1.0.0"
    assert not Upload.objects.exists()


def test_a_kind_that_is_allowed_is_not_refused_for_its_name(browser: Client, settings: Any) -> None:
    said = make(browser, 5, "letter.docx").json()
    assert "a text document" in said["fields"]["filename"]
    settings.OTHER_TYPES = ["docx"]
    assert make(browser, 5, "letter.docx").status_code == 201


def test_more_than_was_announced_is_not_taken(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    assert patch(browser, where, 2, b"3456").status_code == 413
    assert unlimited(browser, where, 2, b"3456").status_code == 413
    assert head(browser, where)["Upload-Offset"] == "2"


def unlimited(client: Client, where: str, offset: int, content: bytes) -> Any:
    """A body in chunks, whose length nobody has said, as the web server hands it on."""
    body = {"wsgi.input": io.BytesIO(content), "wsgi.input_terminated": True, "CONTENT_TYPE": BYTES}
    headers = TUS | {"Upload-Offset": str(offset)}
    return client.generic("PATCH", where, headers=headers, **body)  # type: ignore[arg-type]


def test_a_body_whose_length_nobody_said(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    sent = unlimited(browser, where, 2, b"34")
    assert (sent.status_code, sent["Upload-Offset"]) == (204, "4")


def test_only_bytes_are_taken(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    headers = TUS | {"Upload-Offset": "2"}
    assert browser.patch(where, b"3", content_type="text/plain", headers=headers).status_code == 415
    assert browser.patch(where, b"3", content_type=BYTES, headers=TUS).status_code == 400
    assert browser.put(where, headers=TUS).status_code == 405
    assert browser.get("/uploads/", headers=TUS).status_code == 405


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_bytes_that_were_changed_on_the_way_are_thrown_away(browser: Client, algorithm: str) -> None:
    def checksum(content: bytes) -> str:
        return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"

    where = begun(browser, b"12345", 2)
    assert patch(browser, where, 2, b"34", Upload_Checksum=checksum(b"xx")).status_code == 460
    assert head(browser, where)["Upload-Offset"] == "2"
    for wrong in ("crc32 AAAA", f"{algorithm} *", algorithm):
        assert patch(browser, where, 2, b"34", Upload_Checksum=wrong).status_code in (400, 460)
    assert patch(browser, where, 2, b"34", Upload_Checksum=checksum(b"34"))["Upload-Offset"] == "4"


def test_a_server_that_stops_before_it_compared_the_checksum_forgets_the_bytes(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    uid = Upload.objects.get().uid
    with _files.held(uid) as descriptor:
        _files.doubt(uid, 2)
        _files.write(descriptor, b"??")
    assert head(browser, where)["Upload-Offset"] == "2"
    assert patch(browser, where, 2, b"34")["Upload-Offset"] == "4"
    assert _files.path_of(uid).read_bytes() == b"1234"


def test_two_connections_cannot_send_the_same_file_at_once(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    with _files.held(Upload.objects.get().uid):
        assert patch(browser, where, 2, b"3").status_code == 423
        assert browser.delete(where, headers=TUS).status_code == 423
    assert patch(browser, where, 2, b"3").status_code == 204


def test_no_room_on_the_disk(browser: Client, settings: Any) -> None:
    where = begun(browser, b"12345", 2)
    path = _files.path_of(Upload.objects.get().uid)
    path.unlink()
    path.symlink_to("/dev/full")  # whose size is 0, and where every write finds the disk full
    full = patch(browser, where, 0, b"123")
    assert full.status_code == 507 and "disk is full" in detail(full)
    settings.UPLOAD_RESERVE_BYTES = 1 << 60
    assert make(browser, 5).status_code == 507


def test_so_much_and_no_more_unfinished_for_one_person(browser: Client, settings: Any) -> None:
    settings.UPLOAD_UNFINISHED_BYTES = 10
    assert make(browser, 6).status_code == 201
    refused = make(browser, 5)
    assert refused.status_code == 413 and "unfinished" in detail(refused)
    assert make(browser, 4).status_code == 201


def test_a_removed_upload_is_gone(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    assert browser.delete(where, headers=TUS).status_code == 204
    assert head(browser, where).status_code == patch(browser, where, 2, b"3").status_code == 404
    assert left() == [] and not Upload.objects.exists()


def test_what_was_taken_in_cannot_be_given_up(browser: Client) -> None:
    content = picture()
    where = begun(browser, content, len(content))
    assert browser.delete(where, headers=TUS).status_code == 409
    assert browser.get(where).json()["outcome"] == "accepted" and Asset.objects.count() == 1


def test_an_upload_that_was_left_alone_expires(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    kept = begun(browser, b"12345", 3)
    Upload.objects.filter(uid=where.split("/")[2]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert head(browser, where).status_code == patch(browser, where, 2, b"3").status_code == 410
    uploads.tend()
    assert head(browser, where).status_code == 404
    assert head(browser, kept)["Upload-Offset"] == "3" and len(left()) == 1


def test_each_byte_puts_the_end_off(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    soon = timezone.now() + timedelta(minutes=1)
    Upload.objects.update(expires_at=soon)
    patch(browser, where, 2, b"3")
    assert Upload.objects.get().expires_at > soon


def test_a_method_that_a_proxy_would_not_let_through(browser: Client) -> None:
    where = begun(browser, b"12345", 2)
    headers = TUS | {"Upload-Offset": "2", "X-HTTP-Method-Override": "PATCH"}
    assert browser.post(where, b"3", content_type=BYTES, headers=headers)["Upload-Offset"] == "3"
    assert browser.get(where, headers=headers | {"Upload-Offset": "3"}).status_code == 200
    assert head(browser, where)["Upload-Offset"] == "3"


# --- who may --------------------------------------------------------------------------------------------


def test_nobody_without_a_session_or_a_token(viewer: User) -> None:
    wrong = Client(headers={"authorization": "Bearer pm_wrong"})
    for stranger in (Client(), wrong):
        assert make(stranger, 5).status_code == 401


def test_a_session_needs_the_mark_of_the_page_and_a_token_does_not(viewer: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(viewer)
    assert make(strict, 5).status_code == 403
    strict.get("/upload/")
    token = strict.cookies["csrftoken"].value
    headers = {"Upload-Length": "5", "Upload-Metadata": metadata(filename="a.jpg"), "X-CSRFToken": token}
    where = strict.post("/uploads/", headers=TUS | headers)["Location"]
    assert patch(strict, where, 0, b"1").status_code == 403
    assert patch(strict, where, 0, b"1", X_CSRFToken=token).status_code == 204
    bearer = {"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"}
    assert patch(Client(enforce_csrf_checks=True, headers=bearer), where, 1, b"2").status_code == 204


def test_the_uploads_of_others_do_not_exist(browser: Client, admin: User) -> None:
    where = begun(browser, b"12345", 2)
    uid = Upload.objects.get().uid
    other = Client()
    other.force_login(admin)
    assert head(other, where).status_code == patch(other, where, 2, b"3").status_code == 404
    assert other.get(f"/upload/{uid}/outcome/").status_code == 404
    assert other.post(f"/upload/{uid}/remove/").status_code == 404
    assert other.get("/upload/").context["unfinished"] == []
    with pytest.raises(uploads.NotThere):
        uploads.claim(uid, admin, storage.settings.INCOMING_DIR)


# --- after the last byte ----------------------------------------------------------------------------------


def test_what_is_no_picture_after_all_says_why(browser: Client) -> None:
    where = begun(browser, b"Dear Sir", 8, filename="letter.jpg")
    said = browser.get(where).json()
    assert (said["state"], said["outcome"], said["asset"]) == ("finished", "rejected", None)
    row = browser.get(f"/upload/{where.split('/')[2]}/outcome/").content.decode()
    assert 'data-outcome="rejected"' in row and "not a picture" in row and left() == []


def test_an_empty_file_says_so(browser: Client) -> None:
    where = make(browser, 0)["Location"]
    assert "empty" in browser.get(where).json()["reason"]


def test_a_picture_that_is_here_already(browser: Client) -> None:
    content = picture()
    first = take_in(content).asset
    where = begun(browser, content, len(content), tags="seen")
    assert first is not None
    said = browser.get(where).json()
    assert (said["outcome"], said["asset"]) == ("duplicate", str(first.uid))
    assert Asset.objects.get().tags == ["seen"] and left() == []
    Asset.objects.update(access="restricted")
    assert browser.get(where).json()["asset"] is None


def test_a_sidecar_that_was_sent_first_goes_with_its_picture(browser: Client) -> None:
    xmp = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'dc:title="Take-off" xmlns:dc="http://purl.org/dc/elements/1.1/"/></rdf:RDF>'
    )
    beside = begun(browser, xmp, len(xmp), filename="a.xmp", purpose="file")
    content = picture()
    begun(browser, content, len(content), sidecar=beside.split("/")[2])
    version = Asset.objects.get().current_version
    assert version is not None and "Take-off" in version.sidecar
    assert left() == [] and Upload.objects.count() == 1


def test_a_file_is_kept_for_what_claims_it(browser: Client, viewer: User, tmp_path: Path) -> None:
    where = begun(browser, b"file,title\n", 4, filename="../list.csv", purpose="file")
    uid = Upload.objects.get().uid
    with pytest.raises(uploads.NotThere):
        uploads.claim(uid, viewer, tmp_path / "import")
    patch(browser, where, 4, b",title\n")
    assert not Asset.objects.exists() and not BatchItem.objects.exists()
    path = uploads.claim(uid, viewer, tmp_path / "import")
    assert path == tmp_path / "import" / "list.csv" and path.read_bytes() == b"file,title\n"
    with pytest.raises(uploads.NotThere):
        uploads.claim(uid, viewer, tmp_path / "import")
    assert head(browser, where).status_code == 404


def test_a_large_file_is_taken_in_by_a_worker(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finishing, "AT_ONCE_BYTES", 100)
    content = picture()
    where = begun(browser, content, len(content))
    uid = where.split("/")[2]
    assert browser.get(where).json()["state"] == "received"
    assert browser.get(f"/upload/{uid}/outcome/").status_code == 202
    assert patch(browser, where, len(content), b"").status_code == 204  # once more, as after a lost answer
    uploads.finish(Upload.objects.get().pk)
    uploads.finish(Upload.objects.get().pk)
    assert Asset.objects.count() == BatchItem.objects.count() == 1
    assert 'data-outcome="accepted"' in browser.get(f"/upload/{uid}/outcome/").content.decode()


def test_a_stop_between_the_last_byte_and_the_rest_costs_nothing(browser: Client) -> None:
    content = picture()
    where = begun(browser, content, len(content) - 1)
    with _files.held(Upload.objects.get().uid) as descriptor:
        _files.write(descriptor, content[-1:])  # and here the server stops
    assert not Asset.objects.exists()
    assert head(browser, where)["Upload-Offset"] == str(len(content))
    assert Asset.objects.count() == 1


def test_tending_goes_on_with_what_a_stop_left_behind(browser: Client) -> None:
    for step in ("open", "received", "stored"):
        content = picture()
        begun(browser, content, len(content) - 1)
        upload = Upload.objects.latest("pk")
        with _files.held(upload.uid) as descriptor:
            _files.write(descriptor, content[-1:])
        if step != "open":
            Upload.objects.filter(pk=upload.pk).update(state="received")
        if step == "stored":
            take_in(content)  # the asset is there, and the upload does not know it
    uploads.tend()
    assert set(Upload.objects.values_list("state", flat=True)) == {"finished"}
    assert Asset.objects.count() == 3 and left() == []


def test_a_file_that_takes_its_worker_along_is_given_up(browser: Client) -> None:
    content = picture()
    begun(browser, content, len(content) - 1)
    upload = Upload.objects.get()
    with _files.held(upload.uid) as descriptor:
        _files.write(descriptor, content[-1:])
    Upload.objects.update(state="received", attempts=3)
    uploads.finish(upload.pk)
    assert BatchItem.objects.get().outcome == "rejected" and "3 attempts" in BatchItem.objects.get().reason


def test_a_storage_that_is_full_for_a_while_costs_nothing(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise storage.StorageFull("The disk is full.")

    content = picture()
    with monkeypatch.context() as patched:
        patched.setattr(storage, "store", full)
        begun(browser, content, len(content))
        for _ in range(5):
            uploads.tend()
    assert Upload.objects.get().state == "received" and not BatchItem.objects.exists()
    uploads.tend()
    assert Asset.objects.get().current_version and left() == []


def test_an_original_already_is_still_held_by_one_at_a_time(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored file may be the very same one, which nobody but root may write to."""
    content = picture()
    begun(browser, content, len(content) - 1)
    upload, real = Upload.objects.get(), os.open

    def refuses(path: Any, flags: int, *rest: Any) -> int:
        if flags & os.O_RDWR and str(upload.uid) in str(path):
            raise PermissionError
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuses)
    with _files.held(upload.uid), pytest.raises(_files.Locked), _files.held(upload.uid):
        pass


def test_the_page_lists_what_was_broken_off_and_can_remove_it(browser: Client) -> None:
    content = b"1" * 100
    where = begun(browser, content, 40, filename="large scan.tif", fingerprint="large scan.tif 100 7")
    uid = where.split("/")[2]
    page = browser.get("/upload/").content.decode()
    assert "large scan.tif" in page and "40" in page and f'data-address="{where}"' in page
    assert 'data-fingerprint="large scan.tif 100 7"' in page
    assert browser.post(f"/upload/{uid}/remove/").status_code == 302
    assert not Upload.objects.exists() and left() == []


# --- several at once ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_people_with_the_same_file_at_the_same_moment_are_one_asset(
    vocabularies: None, viewer: User, admin: User
) -> None:
    content = picture()
    clients = [Client(), Client()]
    for client, user in zip(clients, (viewer, admin), strict=True):
        client.force_login(user)
    where = [begun(client, content, len(content) - 1) for client in clients]

    def end(number: int) -> str:
        try:
            assert patch(clients[number], where[number], len(content) - 1, content[-1:]).status_code == 204
            found: str = clients[number].get(where[number]).json()["outcome"]
            return found
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(end, range(2))) == ["accepted", "duplicate"]
    assert Asset.objects.count() == 1


def test_so_many_at_once_and_the_next_is_told_to_come_again(browser: Client, settings: Any) -> None:
    settings.UPLOADS_AT_ONCE = 1
    where = begun(browser, b"12345", 2)
    with tus._turns[1]:
        busy = patch(browser, where, 2, b"3")
    assert busy.status_code == 503 and busy["Retry-After"]
    assert patch(browser, where, 2, b"3").status_code == 204


# --- a body that does not end -------------------------------------------------------------------------------


class Stalled:
    """A connection whose other side has vanished after its first bytes."""

    def __init__(self) -> None:
        self.chunks: Iterator[bytes] = iter([b"12", b"3"])
        self.released = Event()

    def read(self, size: int, /) -> bytes:
        if (chunk := next(self.chunks, None)) is None:
            self.released.wait(10)
            return b""
        return chunk


def test_a_connection_that_says_nothing_more_ends_and_what_came_is_kept(browser: Client) -> None:
    begun(browser, b"12345", 0)
    upload, stream = Upload.objects.get(), Stalled()
    assert uploads.receive(upload, uploads.pieces(stream, 0.2), 0) == 3
    stream.released.set()


def test_bytes_of_nobody_are_swept_after_a_day(browser: Client, settings: Any) -> None:
    begun(browser, b"12345", 2)
    for name, age in (("0" * 32, 0), ("1" * 32, 2)):
        path = settings.UPLOADS_DIR / name
        path.touch()
        then = (timezone.now() - timedelta(days=age)).timestamp()
        os.utime(path, (then, then))
    uploads.tend()
    assert not (settings.UPLOADS_DIR / ("1" * 32)).exists() and len(left()) == 2
