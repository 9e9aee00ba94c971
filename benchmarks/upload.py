"""A large file whose connection breaks again and again, and whose server is killed once, arrives unharmed.

    python -m benchmarks.upload [--size 2G] [--cuts 5] [--json]

Starts the whole system, sends a file in requests that are cut off in the middle, kills the web server during
one of them, and sends the rest with tuspy. Compares what is stored with what was sent. Memory is that of the
web server's processes, before, at most and after.
"""

import argparse
import hashlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
from tusclient.client import TusClient

from tests.services_fixture import Stack

MB = 1024**2
BLOCK, PIECE = 4 * MB, 16 * MB
MOST_GROWTH = 1.3
UNITS = {"K": 1024, "M": MB, "G": 1024 * MB}


def bytes_of(text: str) -> int:
    """From 2G, 500M or a number."""
    unit = UNITS.get(text[-1].upper())
    return int(float(text[:-1]) * unit) if unit else int(text)


def write(path: Path, size: int) -> str:
    """Bytes that repeat nowhere; returns their SHA-256."""
    digest, block = hashlib.sha256(), os.urandom(BLOCK)
    with path.open("wb") as file:
        for at in range(0, size, BLOCK):
            part = (at.to_bytes(8) + block[8:])[: size - at]
            file.write(part)
            digest.update(part)
    return digest.hexdigest()


@dataclass
class Memory:
    """Of the web server, in MB, sampled until `end`."""

    stack: Stack
    seen: list[float] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def now(self) -> float:
        total = 0
        for pid in self.stack.pids("web"):
            try:
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except OSError:
                continue
            total += pages * os.sysconf("SC_PAGE_SIZE")
        return total / MB

    def watch(self) -> None:
        while not self.over.wait(0.1):
            self.seen.append(self.now())


@dataclass
class Sender:
    """Sends the way a program does whose connection is bad."""

    stack: Stack
    headers: dict[str, str]
    path: Path
    address: str

    def offset(self) -> int:
        answer = httpx.head(self.address, headers=self.headers, timeout=60)
        return int(answer.headers["Upload-Offset"])

    def cut_at(self, end: int, then: Callable[[], None] = lambda: None) -> None:
        """One request from where the server is, for all that is left, which breaks off at `end`."""
        at, size = self.offset(), self.path.stat().st_size
        lines = {
            "Host": "127.0.0.1",
            "Upload-Offset": at,
            "Content-Length": size - at,
            "Content-Type": "application/offset+octet-stream",
            **self.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        with socket.create_connection(("127.0.0.1", self.stack.port)) as connection:
            connection.sendall(f"PATCH {httpx.URL(self.address).path} HTTP/1.1\r\n{head}\r\n".encode())
            with self.path.open("rb") as file:
                file.seek(at)
                while at < end:
                    part = file.read(min(BLOCK, end - at))
                    connection.sendall(part)
                    at += len(part)
            then()

    def settle(self) -> int:
        """Until the server is there and has let go of the broken request; where it is then."""
        for _ in range(1200):
            try:
                before = self.offset()
                time.sleep(0.1)
                if self.offset() == before:
                    return before
            except (httpx.TransportError, KeyError):
                time.sleep(0.1)
        raise RuntimeError("The server did not come back.")


def kill(stack: Stack) -> None:
    for pid in stack.pids("web"):
        os.kill(pid, signal.SIGKILL)


def measure(stack: Stack, folder: Path, size: int, cuts: int) -> dict[str, Any]:
    path = folder / "large.bin"
    digest = write(path, size)
    token = stack.manage("token", stack.username).stdout.strip()
    bearer = {"Authorization": f"Bearer {token}"}
    client = TusClient(f"{stack.url}/uploads/", headers=bearer)
    warm = folder / "warm.bin"
    write(warm, PIECE * 2)
    client.uploader(str(warm), chunk_size=PIECE, metadata={"filename": warm.name}).upload()
    memory = Memory(stack)
    before = memory.now()
    watching = Thread(target=memory.watch)
    watching.start()
    uploader = client.uploader(str(path), chunk_size=PIECE, metadata={"filename": path.name})
    uploader.set_url(uploader.create_url())
    sender = Sender(stack, {**bearer, "Tus-Resumable": "1.0.0"}, path, uploader.url)
    began, kept = time.monotonic(), []
    for number in range(1, cuts + 1):
        end = size * number // (cuts + 1)
        sender.cut_at(end, (lambda: kill(stack)) if number == (cuts + 1) // 2 else (lambda: None))
        kept.append(sender.settle())
        print(f"  cut at {end / MB:8.1f} MB, kept {kept[-1] / MB:8.1f} MB", flush=True)
    uploader.offset = kept[-1] if kept else 0
    answered = began
    while uploader.offset < size:
        answered = time.monotonic()
        uploader.upload_chunk()
    last_answer = time.monotonic() - answered
    sent = time.monotonic()
    while (found := httpx.get(uploader.url, headers=bearer).json())["state"] != "finished":
        time.sleep(0.2)
    finished = time.monotonic() - sent
    memory.over.set()
    watching.join()
    name = stack.data_dir / "originals" / digest[:2] / digest[2:4] / digest
    with name.open("rb") as file:
        right = hashlib.file_digest(file, "sha256").hexdigest() == digest
    left = len(list((stack.data_dir / "uploads").iterdir()))
    return {
        "bytes": size,
        "cuts": cuts,
        "outcome": found["outcome"],
        "checksum_right": right,
        "files_left": left,
        "sent_twice": round(
            sum(max(0, size * n // (cuts + 1) - at) for n, at in enumerate(kept, 1)) / max(1, size), 4
        ),
        "mb_a_second": round(size / MB / (sent - began), 1),
        "last_answer_seconds": round(last_answer, 2),
        "taken_in_after_seconds": round(finished, 2),
        "memory_mb": [round(n) for n in (before, max(memory.seen), memory.now())],
        "memory_peak_over_before": round(max(memory.seen) / before, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=bytes_of, default=bytes_of("2G"))
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        limits = {"MAX_UPLOAD_MB": str(options.size // MB + 1), "OTHER_TYPES": "bin"}
        with Stack(folder / "data", **limits) as stack:
            found = measure(stack, folder, options.size, options.cuts)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"  {key:26} {value}" for key, value in found.items()))
    right = found["checksum_right"] and found["outcome"] == "accepted" and not found["files_left"]
    return int(not right or found["memory_peak_over_before"] > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
