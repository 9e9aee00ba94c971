"""A request's body in pieces, with an end to waiting.

The web server lets a read wait for ever on a connection whose other side has vanished without a word, and
with it one of the few threads that serve everybody, and the lock of the file. So a helper reads, and we wait
for it.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

CHUNK = 64 * 1024  # what has not filled one of these is lost when nothing more comes
AHEAD = 4


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def pieces(stream: Readable, seconds: float) -> Iterator[bytes]:
    """Until its end, an error of the connection, or `seconds` without anything new."""
    arrived: queue.Queue[bytes] = queue.Queue(AHEAD)
    enough = threading.Event()

    def offer(chunk: bytes) -> None:
        while not enough.is_set():
            with suppress(queue.Full):
                return arrived.put(chunk, timeout=1)

    def read() -> None:
        chunk = b"-"
        while chunk and not enough.is_set():
            try:
                chunk = stream.read(CHUNK)
            except OSError:  # the connection broke off: Django's UnreadablePostError is one
                chunk = b""
            offer(chunk)

    threading.Thread(target=read, name="upload", daemon=True).start()
    try:
        with suppress(queue.Empty):
            while chunk := arrived.get(timeout=seconds):
                yield chunk
    finally:
        enough.set()
