"""All processes of one installation: started, written down, and ended together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dam.services import addresses, process, warden
from dam.services.process import Process, Spec


class Family:
    """Keeps DATA_DIR/run/processes.json, so that the next start can recognise what this one left behind,
    and a warden, so that there is nothing left behind."""

    def __init__(self, data_dir: Path) -> None:
        self.record = data_dir / "run" / "processes.json"
        self.members: dict[str, Process] = {}
        self._end_strays()
        self._warden = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(Path(warden.__file__))],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def start(self, spec: Spec) -> Process:
        member = process.start(spec)
        self.members[spec.name] = member
        self._tell(f"+ {member.pid} {int(spec.orphaned)}")
        self._write()
        return member

    def forget(self, member: Process) -> None:
        """It has ended: whatever is left of its group goes with it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(member.pid, signal.SIGKILL)
        self.members.pop(member.spec.name, None)
        self._tell(f"- {member.pid}")
        self._write()

    def end(self, member: Process, hurry: Callable[[], bool] = lambda: False) -> None:
        member.end(hurry)
        self.forget(member)

    def end_all(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """All but the foundations at once; then these, so that they outlive everything that uses them."""
        ordered = sorted(self.members.values(), key=lambda member: member.spec.foundation)
        for member in ordered:
            if not member.spec.foundation:
                member.ask()
        for member in ordered:
            self.end(member, hurry)

    def close(self) -> None:
        self.record.unlink(missing_ok=True)
        if self._warden.stdin:
            with suppress(OSError):
                self._warden.stdin.close()
        self._warden.wait()

    def _tell(self, line: str) -> None:
        if self._warden.stdin:
            with suppress(OSError):
                self._warden.stdin.write(line.encode() + b"\n")
                self._warden.stdin.flush()

    def _write(self) -> None:
        rows = {
            name: {"pid": m.pid, "birth": warden.birth(m.pid), "signal": int(m.spec.orphaned)}
            for name, m in self.members.items()
        }
        addresses.replace(self.record, json.dumps(rows, indent=1))

    def _end_strays(self) -> None:
        """End what outlived both supervisor and warden of an earlier run, if it is really ours."""
        try:
            rows = json.loads(self.record.read_text()).values()
            strays = [r for r in rows if r["birth"] and warden.birth(r["pid"]) == r["birth"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        for stray in strays:
            warden.send(stray["pid"], stray["signal"])
        until = time.monotonic() + warden.PATIENCE
        for stray in strays:
            while warden.birth(stray["pid"]) == stray["birth"] and time.monotonic() < until:
                time.sleep(0.05)
            warden.send(stray["pid"], signal.SIGKILL)
