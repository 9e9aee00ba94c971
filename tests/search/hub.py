"""A hub of models on loopback that keeps the contract of the real one: commits, digests, ranges, refusals."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".onnx", ".onnx_data", "tokenizer.json")  # kept outside git, and known by their sha256


class Hub(ThreadingHTTPServer):
    """Offers one folder as the model `own/pair` at COMMIT, which is also `main`."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.token = ""  # when set, nothing is given without it
        self.requests: list[tuple[str, str | None]] = []  # path and range of each
        self.cut_after = 0  # bytes after which a transfer breaks; 0: never
        self.ignores_ranges = False
        self.statuses: list[int] = []  # of the next answers, instead of good ones
        self.wrong: dict[str, bytes] = {}  # name -> what is sent in place of the file
        self.store = ""  # address of another server that large files are sent from, as the real hub does
        self.authorizations: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def content(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def listing(self) -> dict[str, Any]:
        paths = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {
            "id": "own/pair",
            "sha": COMMIT,
            "siblings": [self.sibling(path.relative_to(self.folder).as_posix()) for path in paths],
        }

    def sibling(self, name: str) -> dict[str, Any]:
        content = (self.folder / name).read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        about: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": blob}
        if name.endswith(LARGE):
            about["blobId"] = "0" * 40  # of the pointer, not of the content
            about["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        return about

    def handle_error(self, *_: Any) -> None:
        """Clients that go away are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        hub, path = self.server, unquote(urlsplit(self.path).path)
        hub.requests.append((self.path, self.headers.get("Range")))
        hub.authorizations.add(self.headers.get("Authorization"))
        if hub.statuses:
            return self.reply(hub.statuses.pop(0), b"{}")
        if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            return self.reply(401, b'{"error": "Invalid credentials"}')
        for revision in (COMMIT, "main", "v1"):
            if path == f"/api/models/own/pair/revision/{revision}" and "blobs=true" in self.path:
                return self.reply(200, json.dumps(hub.listing()).encode())
        prefix = f"/own/pair/resolve/{COMMIT}/"
        content = hub.content(path.removeprefix(prefix)) if path.startswith(prefix) else None
        if content is None:
            return self.reply(404, b'{"error": "not found"}')
        if hub.store and path.endswith(LARGE):
            return self.reply(302, b"", {"Location": hub.store + self.path})
        self.give(hub.wrong.get(path.removeprefix(prefix), content))

    def give(self, content: bytes) -> None:
        wanted, start = self.headers.get("Range"), 0
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "Accept-Ranges": "bytes"}
        if wanted and not self.server.ignores_ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.reply(206 if start else 200, content[start:], headers)

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        most = self.server.cut_after
        if most and len(body) > most and status in (200, 206) and "/resolve/" in self.path:
            self.wfile.write(body[:most])
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join(5)
