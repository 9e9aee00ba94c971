"""The guard of whatever is fetched: real servers of this machine, and names that mean what they like."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from ipaddress import ip_address
from typing import Any

import pytest

from assets import fetching
from assets.fetching import Fetcher, FetchRefused, Patience, _transport
from tests.assets.web import Request, Web, serving

QUICK = Patience(connect=2, silence=1, whole=2, attempts=3, pause=0.01, longest_pause=1.5)


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    with serving() as made:
        yield made


@pytest.fixture
def web(server: Web, settings: Any) -> Web:
    server.pages.clear()
    server.asked.clear()
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    return server


def fetch(url: str, most: int = 1_000_000, patience: Patience = QUICK, **headers: str) -> bytes:
    with Fetcher(patience) as fetcher, fetcher.get(url, most=most, headers=headers) as answer:
        return answer.read()


def refusal(url: str, **options: Any) -> str:
    with pytest.raises(FetchRefused) as refused:
        fetch(url, **options)
    return str(refused.value)


class Resolver:
    """Answers each question about a name with the next of its addresses, as a rebinding server does."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked, self.really = list(answers), 0, socket.getaddrinfo

    def __call__(self, host: str, port: int, *args: Any, **options: Any) -> Any:
        if ip(host):
            return self.really(host, port, *args, **options)
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return self.really(answer, port, *args, **options)


def ip(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",  # noqa: S104
        "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1",
        "2002:7f00:1::1", "2002:a00:1::", "2001::1", "192.0.0.192", "168.63.129.16", "::ffff:168.63.129.16",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str, settings: Any) -> None:
    settings.IMPORT_ALLOWED_NETWORKS = []
    assert not fetching.may_connect(ip_address(address))


def test_public_addresses_and_those_that_are_allowed(settings: Any) -> None:
    settings.IMPORT_ALLOWED_NETWORKS = ["10.1.0.0/16", "fd12::/16"]
    for address in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "2002:808:808::1"):
        assert fetching.may_connect(ip_address(address)), address
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::5"):
        assert fetching.may_connect(ip_address(address)), address
    assert not fetching.may_connect(ip_address("10.2.0.1"))


def test_a_private_address_is_not_even_connected_to(web: Web, settings: Any) -> None:
    settings.IMPORT_ALLOWED_NETWORKS = []
    web.pages["/a"] = b"secret"
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.1"):
        assert "private network" in refusal(web.url("/a", host)), host
    assert web.asked == []


def test_what_is_no_address_of_the_web(web: Web) -> None:
    for url in ("file:///etc/passwd", "ftp://example.org/a", "gopher://x", "//example.org", "http://", "http://[::1",
                "http://a:99999/", "", "http://exa mple/"):  # fmt: skip
        assert refusal(url).endswith("."), url
    assert "password" in refusal("http://me:secret@example.org/")


def test_a_name_that_means_another_address_at_the_second_look(
    web: Web, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is resolved once; the connection goes to what was looked at, under the name that was asked for."""
    web.pages["/a"] = b"here"
    resolver = Resolver("127.0.0.1", "10.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert fetch(web.url("/a", "museum.example")) == b"here" and resolver.asked == 1
    assert web.asked[0][1]["Host"] == f"museum.example:{web.port}"
    settings.IMPORT_ALLOWED_NETWORKS = []
    monkeypatch.setattr(socket, "getaddrinfo", Resolver("93.184.216.34", "127.0.0.1"))
    tried: list[str] = []

    def connect(self: Any, host: str, *args: Any, **options: Any) -> Any:
        tried.append(host)
        raise _transport.httpcore.ConnectError

    monkeypatch.setattr(_transport.httpcore.SyncBackend, "connect_tcp", connect)
    assert "cannot be reached" in refusal(web.url("/a", "museum.example"), patience=Patience(attempts=1))
    assert tried == ["93.184.216.34"]


def test_redirections_are_followed_with_a_look_at_each(web: Web, settings: Any) -> None:
    web.pages |= {
        "/old": lambda r: r.answer(301, location="/new"),
        "/new": b"moved",
        "/round": lambda r: r.answer(302, location="/round"),
        "/inside": lambda r: r.answer(302, location="http://169.254.169.254/latest/meta-data/"),
        "/file": lambda r: r.answer(302, location="file:///etc/passwd"),
    }
    assert fetch(web.url("/old")) == b"moved"
    assert "again and again" in refusal(web.url("/round"))
    assert sum(path == "/round" for path, _ in web.asked) == fetching.MOST_REDIRECTIONS + 1
    assert "169.254.169.254 is in a private network" in refusal(web.url("/inside"))
    assert "begin with http" in refusal(web.url("/file"))


def test_size_is_bounded_whatever_is_said(web: Web) -> None:
    def endless(request: Request) -> None:
        request.send_response(200)
        request.end_headers()
        request.close_connection = True
        try:
            while True:
                request.wfile.write(bytes(100_000))
        except OSError:
            pass

    web.pages |= {
        "/honest": lambda r: r.answer(200, b"x" * 2000),
        "/endless": endless,
        "/bomb": lambda r: r.answer(200, gzip.compress(bytes(30_000_000)), content_encoding="gzip"),
        "/short": lambda r: (
            r.answer(200, b"x" * 10, content_length="100"),
            setattr(r, "close_connection", True),
        ),
    }
    assert len(fetch(web.url("/honest"), most=2000)) == 2000
    for path in ("/honest", "/endless", "/bomb"):
        assert "larger than" in refusal(web.url(path), most=1999), path
    assert "broke before" in refusal(web.url("/short"))


def test_time_is_bounded_also_where_a_byte_comes_now_and_then(web: Web) -> None:
    def trickle(request: Request) -> None:
        request.close_connection = True
        try:
            for _ in range(1000):
                request.wfile.write(b"H")
                time.sleep(0.1)
        except OSError:
            pass

    web.pages["/trickle"] = trickle
    began = time.monotonic()
    patience = Patience(silence=5, whole=0.5, attempts=1)
    assert "in time" in refusal(web.url("/trickle"), patience=patience)
    assert time.monotonic() - began < 3


def test_a_busy_server_is_asked_again_when_it_says(web: Web) -> None:
    answers = iter([(429, {"retry_after": "1"}), (503, {}), (200, {})])
    web.pages["/busy"] = lambda r: r.answer((a := next(answers))[0], b"now", **a[1])
    began = time.monotonic()
    assert fetch(web.url("/busy"), patience=Patience(pause=0.01)) == b"now"
    assert time.monotonic() - began >= 1
    web.pages["/later"] = lambda r: r.answer(429, retry_after=formatdate(time.time() + 3600, usegmt=True))
    assert "asked too often" in refusal(web.url("/later"))
    web.pages["/broken"] = lambda r: r.answer(500)
    assert "trouble of its own (500)" in refusal(web.url("/broken"))
    web.pages["/no"] = lambda r: r.answer(403)
    assert "does not let us" in refusal(web.url("/no"))
    paths = [path for path, _ in web.asked]
    assert [paths.count(p) for p in ("/busy", "/later", "/broken", "/no")] == [3, 1, 3, 1]


def test_nobody_listens_and_nobody_is_called_so(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert "cannot be reached" in refusal(f"http://127.0.0.1:{closed.getsockname()[1]}/")

    def unknown(*args: Any, **options: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "no server called nowhere.example" in refusal("http://nowhere.example/")


def test_tls_asks_for_the_name_and_not_the_address(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server name of the handshake, read from the first bytes that come."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        connection, _ = listener.accept()
        heard.append(connection.recv(4096))
        connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    monkeypatch.setattr(socket, "getaddrinfo", Resolver("127.0.0.1"))
    port = listener.getsockname()[1]
    assert "museum.example" in refusal(f"https://museum.example:{port}/", patience=Patience(attempts=1))
    thread.join()
    listener.close()
    assert b"museum.example" in heard[0] and _transport._trust().verify_mode == ssl.CERT_REQUIRED


def test_proxies_of_the_environment_are_not_used(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    web.pages["/a"] = b"direct"
    assert fetch(web.url("/a")) == b"direct"
