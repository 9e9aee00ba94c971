"""A tiny process that outlives the supervisor by a moment, to end what it left behind.

The supervisor writes `+ GROUP SIGNAL` and `- GROUP` lines to our standard input. When that closes, the
supervisor has ended, however it ended (kill -9 included): every group still listed gets its signal, and
what is alive 20 seconds later is killed. Run as a script, without site packages, so that it stays small.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PATIENCE = 20.0


def birth(pid: int) -> str | None:
    """When a living process was started, in the system's own units; with the pid it names one process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]  # an unburied process is no living one
    except OSError:
        if Path("/proc/self").exists():
            return None
    found = subprocess.run(  # noqa: S603 - macOS
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def send(group: int, number: int) -> None:
    """Kill a whole group; ask only its leader for anything gentler, since the leader ends its children."""
    with suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(group, number)
        else:
            os.kill(group, number)


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        sign, group, *number = line.split()
        if sign == "+":
            groups[int(group)] = int(number[0])
        else:
            groups.pop(int(group), None)
    for group, wanted in groups.items():
        send(group, wanted)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and any(map(birth, groups)):
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
