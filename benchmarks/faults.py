"""An import while everything breaks, and whether all is right in the end.

    python -m benchmarks.faults [--assets 2000] [--every 3] [--json]

Worker processes are killed with -9 every few seconds, now and then a whole worker; the broker forgets all at
a third and at two thirds of the way; at half of it PostgreSQL is killed while a transaction is open.
An import that breaks off with it is begun again, as a person would. In the end every picture is searchable
or failed with its reason, each exactly once; every original is read again; no file is nobody's, no row
without its file. It fails when anything is wrong, and says what.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import redis
from PIL import Image

from dam.services import addresses
from tests import endstate
from tests.services_fixture import ROOT, Stack

PATIENCE_SECONDS = 3600.0
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><text y="20">{}</text></svg>'
DONE = "SELECT count(*) FROM assets_stagerun WHERE stage = 'make_renditions' AND state IN ('done', 'failed')"


@dataclass
class Found:
    assets: int = 0
    searchable: int = 0
    failed: dict[str, int] = field(default_factory=dict)  # reason -> pictures
    killed: int = 0
    workers_killed: int = 0
    flushed: int = 0
    restarted: int = 0
    imports: int = 0
    left_in_incoming: int = 0
    minutes: float = 0.0
    wrong: list[str] = field(default_factory=list)


def delivery(folder: Path, number: int) -> Path:
    """Small pictures; some drawings, which are decoded apart; one in fifty is cut off."""
    folder.mkdir()
    draw = np.random.default_rng(1)
    for n in range(number):
        if n % 20 == 7:
            (folder / f"{n:05}.svg").write_text(DRAWING.format(n))
            continue
        path = folder / f"{n:05}.jpg"
        Image.fromarray(draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((640, 480)).save(path)
        if n % 50 == 10:
            path.write_bytes(path.read_bytes()[:3000] + str(n).encode())
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=2000)
    parser.add_argument("--every", type=float, default=3, help="seconds between two kills")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as made:
        folder = Path(made)
        files = delivery(folder / "delivery", options.assets)
        with Stack(folder / "data", STAGE_SECONDS="30", QUEUE_LEASE_SECONDS="10") as stack:
            found = break_everything(stack, files, options.assets, options.every)
            look(stack, found)
    print(json.dumps(asdict(found), indent=None if options.json else 1))
    return 1 if found.wrong else 0


def break_everything(stack: Stack, files: Path, number: int, every: float) -> Found:
    """Until the import has ended and nothing is left to be done."""
    found, began = Found(), time.monotonic()
    chance, next_kill = random.Random(1), began + every  # noqa: S311
    importing = import_again(stack, files, found)
    while True:
        time.sleep(0.2)
        if time.monotonic() - began > PATIENCE_SECONDS:
            found.wrong.append("it did not end within an hour")
            break
        if importing.poll() not in (None, 0):
            importing = import_again(stack, files, found)
        try:
            done = _number(stack, DONE)
            if importing.poll() == 0 and done >= number and not endstate.unfinished(stack.data_dir):
                break
        except (psycopg.OperationalError, KeyError):  # it is being restarted
            continue
        if time.monotonic() > next_kill:
            kill_one(stack, chance, found)
            next_kill = time.monotonic() + every
        if done > number * (found.flushed + 1) / 3 and found.flushed < 2:
            redis.Redis.from_url(addresses.read(stack.data_dir)["REDIS_URL"]).flushall()
            found.flushed += 1
        if done > number / 2 and not found.restarted:
            restart_database(stack)
            found.restarted += 1
    found.minutes = round((time.monotonic() - began) / 60, 1)
    return found


def import_again(stack: Stack, files: Path, found: Found) -> "subprocess.Popen[bytes]":
    found.imports += 1
    return subprocess.Popen(
        [sys.executable, "manage.py", "ingest", str(files)],
        cwd=ROOT,
        env=stack.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_one(stack: Stack, chance: random.Random, found: Found) -> None:
    """A process that works; every tenth time a whole worker, which the supervisor starts again.

    One that is only starting is left alone, or none would ever work on a busy machine.
    """
    part = chance.choice(["worker", "importer", "importer", "importer", "filler"])
    leader, whole = stack.leader(part), chance.random() < 0.1
    others = sorted(stack.pids(part) - {leader})
    if leader is None or not others or not (stack.data_dir / "run" / f"{part}.ready").exists():
        return
    with suppress(ProcessLookupError):
        os.kill(leader if whole else chance.choice(others), signal.SIGKILL)
        found.killed += 1
        found.workers_killed += whole


def restart_database(stack: Stack) -> None:
    """Killed in the middle of a transaction of ours, and of whatever else is under way: what was committed
    without waiting for the disk (assets.commits) is lost."""
    leader = stack.leader("postgresql")
    with suppress(psycopg.OperationalError), psycopg.connect(_url(stack)) as database:
        database.execute(
            "UPDATE assets_stagerun SET reason = reason WHERE id IN "
            "(SELECT id FROM assets_stagerun WHERE state = 'queued' LIMIT 10)"
        )
        os.kill(leader or 0, signal.SIGKILL)
        while True:
            database.execute("SELECT 1")
            time.sleep(0.1)


def look(stack: Stack, found: Found) -> None:
    """Put the end state into `found`; what killed processes left in `incoming` goes as it would in a day."""
    found.left_in_incoming = sum(1 for _ in (stack.data_dir / "incoming").iterdir())
    swept = stack.manage("shell", "-c", f"from assets import storage; import datetime; storage.sweep({DAY})")
    found.wrong += [swept.stderr] if swept.returncode else []
    found.wrong += endstate.wrong(stack.data_dir)
    found.assets = _number(stack, "SELECT count(*) FROM assets_asset")
    with psycopg.connect(_url(stack)) as database:
        reasons = "SELECT reason, count(*) FROM assets_stagerun WHERE state = 'failed' GROUP BY reason"
        found.failed = dict(database.execute(reasons).fetchall())
    found.searchable = _number(stack, "SELECT count(*) FROM search_embedding WHERE kind = 'visual'")


DAY = repr(timedelta(0))


def _url(stack: Stack) -> str:
    return addresses.read(stack.data_dir)["DATABASE_URL"]


def _number(stack: Stack, statement: str) -> int:
    with psycopg.connect(_url(stack)) as database:
        row = database.execute(statement).fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(main())
