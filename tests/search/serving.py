"""Real HTTP on loopback before a contract of services.py: faults, latency, and a rate that is held to."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.search.services import Contract, Refusal, Request


@dataclass
class Fault:
    """How the next answer is spoiled. `change` alters the numbers of each vector of a good answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    change: Callable[[list[float]], Any] | None = None
    answer: Callable[[Any], Any] | None = None
    mode: str = ""  # slow: never answers; trickle: a byte now and then; cut: half a body; drop: no answer


class Allowance:
    """So many calls a second, counted as services do it; what is beyond is refused.

    `sliding`: over the second before each call; `fixed`: over each second of the clock.
    """

    def __init__(self, per_second: int, window: str) -> None:
        self.per_second, self.window = per_second, window
        self.refused, self._moments, self._lock = 0, list[float](), threading.Lock()

    def take(self) -> bool:
        with self._lock:
            now = time.monotonic()
            began = float(int(now)) if self.window == "fixed" else now - 1
            latest = self._moments[-self.per_second :]
            allowed = len(latest) < self.per_second or latest[0] < began
            if allowed:
                self._moments.append(now)
            else:
                self.refused += 1
            return allowed

    @property
    def used(self) -> float:
        """The part of the allowance that was used between the first call and the last one."""
        if len(self._moments) < 2:
            return 0.0
        span = self._moments[-1] - self._moments[0]
        return (len(self._moments) - 1) / (span * self.per_second)

    @property
    def refused_share(self) -> float:
        return self.refused / max(self.refused + len(self._moments), 1)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, contract: Contract, latency: float, allowance: Allowance | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.latency, self.allowance = latency, allowance
        self.contract = contract
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.faults: deque[Fault] = deque()
        self.requests: list[Request] = []
        self.connections = 0
        self.over = threading.Event()

    def handle_error(self, *args: Any) -> None:
        """A client that hangs up is part of these tests."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, *args: Any) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        request = Request(parts.path, query, self.headers, body)
        self.server.requests.append(request)
        fault = self.server.faults.popleft() if self.server.faults else Fault()
        if self.server.allowance and not self.server.allowance.take():
            fault = Fault(429, body=b'{"error": {"code": "429", "message": "Too many calls."}}')
        if self.server.latency:
            self.server.over.wait(self.server.latency)
        self.server.contract.change = fault.change
        try:
            status, answer = 200, self.server.contract.answer(request)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        if fault.answer:
            answer = fault.answer(answer)
        content = json.dumps(answer).encode() if fault.body is None else fault.body
        self.reply(fault, fault.status or status, content)

    def reply(self, fault: Fault, status: int, content: bytes) -> None:
        if fault.mode == "slow":
            self.server.over.wait(20)
        if fault.mode in {"slow", "drop"}:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault.mode == "cut":
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif fault.mode == "trickle":
            for byte in content:
                self.wfile.write(bytes([byte]))
                if self.server.over.wait(0.02):
                    return
        else:
            self.wfile.write(content)


@contextmanager
def serving(contract: Contract, latency: float = 0.0, allowance: Allowance | None = None) -> Iterator[Server]:
    """`latency`: seconds before each answer."""
    server = Server(contract, latency, allowance)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
