"""Starting, recognising and ending one process."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LOG_LIMIT = 10 * 1024**2
PARENT_DEATH = 1  # PR_SET_PDEATHSIG in linux/prctl.h

Stops = tuple[tuple[signal.Signals, float], ...]


@dataclass(frozen=True)
class Spec:
    """What to run. `stops`: the signals that ask it to end, each with the seconds it gets for that.

    `orphaned`: the signal it gets when its supervisor has died. `foundation`: others need it until their end.
    """

    name: str
    command: list[str]
    log: Path | None = None  # None: shares our own output
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    stops: Stops = ((signal.SIGTERM, 5.0),)
    orphaned: signal.Signals = signal.SIGKILL
    foundation: bool = False
    account: tuple[int, int] | None = None  # user and group id, when not ours


@dataclass
class Process:
    spec: Spec
    popen: subprocess.Popen[bytes]
    began: float = field(default_factory=time.monotonic)
    asked: bool = False

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    @property
    def ending(self) -> str:
        """How it ended, for people."""
        code = self.popen.returncode
        return f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"

    def ask(self) -> None:
        """Send the first signal, once, without waiting."""
        if self.alive and not self.asked:
            self.popen.send_signal(self.spec.stops[0][0])
        self.asked = True

    def end(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask, then insist, then kill the whole group. Returns when the process is gone."""
        self.ask()
        for position, (number, patience) in enumerate(self.spec.stops):
            if position and self.alive and not hurry():
                self.popen.send_signal(number)
            until = time.monotonic() + patience
            while self.alive and time.monotonic() < until and not hurry():
                time.sleep(0.02)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # what its own children left over, too
        self.popen.wait()


def start(spec: Spec) -> Process:
    """Run it in a session of its own: a Ctrl-C in the terminal reaches the supervisor alone.

    Call from the main thread: Linux ties the parent-death signal to the thread that started the child.
    """
    uid, gid = spec.account or (None, None)
    output = _open_log(spec.log) if spec.log else None
    try:
        popen = subprocess.Popen(  # noqa: S603 - our own command lines
            spec.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            env=None if spec.env is None else dict(spec.env),
            cwd=spec.cwd,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            start_new_session=True,
            preexec_fn=_tied_to_us(spec.orphaned),
        )
    finally:
        if output:
            os.close(output)
    return Process(spec, popen)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the system send us this signal when our parent dies; the warden does it where it is no Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH, int(number))


def _tied_to_us(number: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        die_with_parent(number)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return prepare


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def log_tail(path: Path | None, lines: int = 12) -> str:
    """The end of a log, indented, for a message."""
    if path is None or not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8000))
        text = file.read().decode(errors="replace")
    return "\n".join("    " + line for line in text.splitlines()[-lines:])
