"""Uploads that survive: by the page, and by a client that others wrote, against the real web server."""

import hashlib
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

from tests.browser.test_journey import sign_in
from tests.services_fixture import Stack

pytestmark = pytest.mark.stack
Open = Callable[..., Page]
MB = 1024**2
TUS = {"Tus-Resumable": "1.0.0"}
LONG = 60_000  # milliseconds, on a busy machine


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """12 MB that are a picture."""
    path = tmp_path / "large scan.bmp"
    Image.frombytes("RGB", (2000, 2000), os.urandom(12_000_000)).save(path)
    return path


def stored(stack: Stack, content: bytes) -> bool:
    """Whether these very bytes lie among the originals."""
    name = hashlib.sha256(content).hexdigest()
    path = stack.data_dir / "originals" / name[:2] / name[2:4] / name
    return path.exists() and path.read_bytes() == content


@contextmanager
def crashed(stack: Stack) -> Iterator[None]:
    """The web server is killed, as by a crash; the supervisor starts it again when this ends."""
    leader, supervisor = stack.leader("web"), stack.supervisor
    assert leader is not None and supervisor is not None
    supervisor.send_signal(signal.SIGSTOP)
    try:
        for pid in stack.pids("web"):
            os.kill(pid, signal.SIGKILL)
        yield
    finally:
        supervisor.send_signal(signal.SIGCONT)
    wait_until(lambda: stack.leader("web") not in (leader, None))


def slowly(page: Page, bytes_a_second: int) -> None:
    """-1: as fast as it goes."""
    how = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", how)


def arrived(page: Page) -> float:
    """Megabytes, as the row of the only file says."""
    found = re.search(r"([\d.]+) MB of", page.locator("#files .said").inner_text())
    return float(found[1]) if found else 0.0


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """The time is no claim: it only keeps a test from waiting for ever."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.browser
def test_pause_a_crash_of_the_server_and_a_reload_cost_nothing(
    stack: Stack, open_page: Open, large: Path
) -> None:
    page = open_page(1440)
    page.on("dialog", lambda asked: asked.accept())  # are you sure that you want to leave?
    sign_in(page, stack)
    page.get_by_role("link", name="Upload").first.click()
    page.get_by_label("Collection").fill("Prints / Night")
    slowly(page, MB)  # ten seconds to pause it in
    page.get_by_label("Choose pictures").set_input_files([large])
    wait_until(lambda: arrived(page) >= 1.5)
    page.get_by_role("button", name="Pause: large scan.bmp").click()
    expect(page.locator("#overall")).to_have_text("1 picture, 1 paused")
    with crashed(stack):
        page.get_by_role("button", name="Continue: large scan.bmp").click()
        expect(page.locator("#files .said")).to_contain_text("Trying again")
    wait_until(lambda: arrived(page) >= 4.5)

    page.reload()
    slowly(page, -1)
    page.get_by_label("Collection").fill("Elsewhere")
    expect(page.locator("#unfinished")).to_contain_text("for Prints / Night")
    assert float(page.locator("#unfinished li").get_attribute("data-arrived") or 0) > 3 * MB
    sent: list[int] = []
    page.on("request", lambda one: sent.append(1) if one.method == "PATCH" else None)
    page.get_by_label("Choose pictures").set_input_files([large])
    expect(page.locator("#overall")).to_have_text("1 picture, 1 received", timeout=LONG)
    assert len(sent) <= 9, "it began anew"
    expect(page.locator("#unfinished")).to_be_hidden()
    page.get_by_role("link", name="large scan.bmp").click()
    expect(page.get_by_role("main")).to_contain_text("Night")
    assert stored(stack, large.read_bytes()) and not list((stack.data_dir / "uploads").iterdir())


@pytest.mark.browser
def test_what_is_wrong_is_said_before_a_byte_is_sent_and_a_cancelled_file_leaves_nothing(
    stack: Stack, open_page: Open, tmp_path: Path, large: Path, trouble: list[str]
) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    Image.effect_noise((90, 60), 80).save(folder / "leaf.png")
    for name in (".hidden", "letter.txt", "alone.xmp"):
        (folder / name).write_text("Dear museum,")
    page = open_page(390)
    sign_in(page, stack)
    page.goto("/upload/")
    page.get_by_label("Collection").fill("x" * 201)
    page.get_by_label("Choose a folder").set_input_files(folder)
    expect(page.locator("#overall")).to_have_text("3 pictures, 2 refused, 1 not sent")
    expect(page.locator("#files")).to_contain_text("This is a text document, not a picture")
    expect(page.locator("#files")).to_contain_text("was not chosen with it")
    expect(page.get_by_role("status").first).to_contain_text("Nothing was sent")
    assert not list((stack.data_dir / "uploads").iterdir())
    page.get_by_label("Collection").fill("Leaves")
    page.get_by_role("button", name="Continue all").click()
    expect(page.locator("#overall")).to_have_text("3 pictures, 1 received, 2 refused")
    expect(page.locator("#announced")).to_have_text("3 pictures, 1 received, 2 refused")
    slowly(page, MB)
    page.get_by_label("Choose pictures").set_input_files([large])
    wait_until(lambda: len(list((stack.data_dir / "uploads").iterdir())) == 1)
    page.get_by_role("button", name="Cancel: large scan.bmp").click()
    expect(page.locator("#files")).to_contain_text("Cancelled; nothing of it is kept.")
    wait_until(lambda: not list((stack.data_dir / "uploads").iterdir()))
    assert [said for said in trouble if not re.search("422|423", said)] == []


def test_a_client_that_others_wrote_goes_on_after_a_cut(stack: Stack, large: Path, tmp_path: Path) -> None:
    token = stack.manage("token", stack.username).stdout.strip()
    bearer = {"Authorization": f"Bearer {token}"}
    remembered = FileStorage(str(tmp_path / "addresses.json"))
    how = {
        "file_path": str(large),
        "chunk_size": 2 * MB,
        "metadata": {"filename": large.name, "title": "By a program"},
        "upload_checksum": True,
        "store_url": True,
        "url_storage": remembered,
    }
    client = TusClient(f"{stack.url}/uploads/", headers=bearer)
    first = client.uploader(**how)
    first.upload(stop_at=4 * MB)
    cut(stack, first.url, bearer, large.read_bytes()[4 * MB :], MB)
    wait_until(lambda: first.get_offset() > 4 * MB + MB // 2)
    second = TusClient(f"{stack.url}/uploads/", headers=bearer).uploader(**how)
    assert second.url == first.url and second.offset <= 5 * MB
    second.upload()
    found = httpx.get(second.url, headers=bearer).json()
    assert (found["state"], found["outcome"], found["offset"]) == (
        "finished",
        "accepted",
        large.stat().st_size,
    )
    asset = httpx.get(f"{stack.url}/api/v1/assets/{found['asset']}", headers=bearer).json()
    assert (asset["title"], asset["sha256"]) == (
        "By a program",
        hashlib.sha256(large.read_bytes()).hexdigest(),
    )
    remembered.close()


def cut(stack: Stack, address: str, bearer: dict[str, str], rest: bytes, after: int) -> None:
    """Send some of the rest, and break off in the middle of the request."""
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        lines = {
            "Host": "127.0.0.1",
            "Upload-Offset": "4194304",
            "Content-Length": len(rest),
            "Content-Type": "application/offset+octet-stream",
            **TUS,
            **bearer,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        path = address.removeprefix(stack.url)
        connection.sendall(f"PATCH {path} HTTP/1.1\r\n{head}\r\n".encode() + rest[:after])
        time.sleep(0.3)
