"""Real services for the tests: embedded PostgreSQL and Valkey for the run, or a whole system of its own."""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from dam.services import folders, warden
from dam.services.lock import AlreadyRunning
from tests.embedded import ROOT, lay, running


def start_for_tests() -> dict[str, str]:
    """Start PostgreSQL and Valkey for this test run; returns what to put into os.environ before Django loads.

    The data is kept in var/test (var/test-2 … when another run is using it), so the next start is quick; the
    database `dam` in it has all tables and nothing in them: that of the tests is made from it.
    They stop when the interpreter exits, and also when it is killed.
    """
    stack = ExitStack()
    for number in range(1, 10):
        data_dir = ROOT / "var" / ("test" if number == 1 else f"test-{number}")
        try:
            parts = stack.enter_context(running(data_dir, migrated=True))
        except AlreadyRunning:
            continue
        atexit.register(stack.close)
        found = {name: value for part in parts for name, value in part.addresses.items()}
        found["DATABASE_URL"] = found.pop("DATABASE_OWNER_URL")  # tests make databases
        return {**found, "DATA_DIR": str(data_dir)}
    raise RuntimeError("Nine test runs are using var/test already.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def group(leader: int) -> set[int]:
    """The living processes of a part: its leader and everything in the leader's process group."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(process_group) == leader and state != "Z":
            found.add(int(stat.parent.name))
    return found


class Stack:
    """A complete system of its own, started by the same command that people use.

    with Stack(tmp_path) as stack:
        httpx.get(stack.url)
        stack.manage("ingest", "pictures", "--wait")

    Its tables are there before its first start, except with `bare=True`.
    """

    def __init__(
        self, data_dir: Path, *, demo: bool = False, bare: bool = False, patience: float = 120, **env: str
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.bare = bare or "DATABASE_URL" in env
        self.port, self.patience = free_port(), patience
        self.url = f"http://127.0.0.1:{self.port}"
        self.username = self.password = ""
        self.session: list[Any] = []  # cookies of a browser that has signed in
        self.output_file = self.data_dir.with_name(self.data_dir.name + ".out")
        outside = {"DATABASE_URL", "REDIS_URL", "BROKER_URL", "CACHE_URL"}  # those of the test run
        self.start_env: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if name not in outside},
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "DEMO": "1" if demo else "0",
            "MODEL_DIR": os.environ.get("MODEL_DIR", str(ROOT / "var" / "models")),  # built once for all
            **env,
        }
        self.supervisor: subprocess.Popen[bytes] | None = None
        if self.data_dir.is_relative_to(Path(tempfile.gettempdir()).resolve()):
            atexit.register(self.remove_moved_database)

    def __enter__(self) -> "Stack":
        return self if self.supervisor and self.supervisor.poll() is None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *arguments: str, wait: bool = True) -> "Stack":
        """`manage.py up`, until it says where to open it."""
        self.output_file.parent.mkdir(parents=True, exist_ok=True)
        if not self.bare and not (self.data_dir / "postgres").exists():
            lay(self.data_dir)
        with self.output_file.open("wb") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=ROOT,
                env=dict(self.start_env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + self.patience
        while wait and "  Open  " not in self.output:
            if self.supervisor.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"The system did not start:\n{self.output}")
            time.sleep(0.05)
        if login := re.search(r"^  Login +(\S+) / (\S+)$", self.output, re.MULTILINE):
            self.username, self.password = login.groups()
        return self

    @property
    def output(self) -> str:
        return self.output_file.read_text(errors="replace") if self.output_file.exists() else ""

    @property
    def env(self) -> dict[str, str]:
        """The environment in which manage.py commands find this system."""
        return dict(self.start_env)

    def manage(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def leader(self, part: str) -> int | None:
        """The main process of `postgresql`, `valkey`, `worker`, `importer`, `filler`, `beat` or `web`."""
        try:
            rows = json.loads((self.data_dir / "run" / "processes.json").read_text())
        except (OSError, ValueError):
            return None
        return int(rows[part]["pid"]) if part in rows else None

    def pids(self, part: str) -> set[int]:
        leader = self.leader(part)
        return group(leader) if leader else set()

    def remove_moved_database(self) -> None:
        """For root, the database of a folder that is closed to others lies elsewhere; pytest cannot know."""
        note = self.data_dir / "postgres" / "moved-to"
        if note.exists():
            self.stop()
            shutil.rmtree(note.read_text().strip(), ignore_errors=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """Stop it and return its exit code; kill it when that takes longer than half a minute."""
        if self.supervisor is None:
            return None
        if self.supervisor.poll() is None:
            self.supervisor.send_signal(number)
        try:
            return self.supervisor.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            return self.supervisor.wait()


def left_over(data_dir: Path) -> list[str]:
    """The living processes that name this data folder in their command line or environment."""
    marks = [os.fsencode(data_dir) + end for end in (b"\0", b"/")] + [folders.digest(data_dir).encode()]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        mine = any(mark in words + b"\0" + environment for mark in marks)
        if mine and int(process.name) != os.getpid() and warden.birth(int(process.name)):
            found.append(f"{process.name} {words.replace(bytes(1), b' ').decode(errors='replace')}")
    return found
