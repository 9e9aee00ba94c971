"""The whole system under faults: hung and killed workers, a broker that forgets, a database that restarts,
and files that are no good. `python -m benchmarks.faults` does it with 2,000 pictures."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pyvips
import redis

from assets.kinds import ACCEPTED
from dam.services import addresses
from tests import endstate
from tests.factories import picture
from tests.services_fixture import Stack, left_over

pytestmark = pytest.mark.stack
GOOD = 40
STATES = """
    SELECT v.original_filename, r.stage, r.reason FROM assets_stagerun r
    JOIN assets_assetversion v ON v.id = r.version_id
    WHERE r.state = %s AND r.stage <> 'vectorise_words' AND r.worker LIKE %s
"""
HUNG_RUNS = "SELECT id FROM assets_stagerun WHERE state = 'running' AND worker LIKE 'importer%%'"
# A process that hangs in a transaction keeps its run locked until it is killed; then it is a lost worker.
CAUGHT = """
    SELECT 1 FROM assets_stagerun WHERE id = %s AND (lost_workers = 1
    OR reason = 'It took longer than 16 seconds and did not stop when it was asked to.')
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("faults") / "data"
    with Stack(folder, STAGE_SECONDS="16", QUEUE_LEASE_SECONDS="5") as running:
        yield running


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files among bad ones."""
    folder = tmp_path_factory.mktemp("delivery")
    for number in range(GOOD):
        color = ["red", "green", "blue", "yellow"][number % 4]
        (folder / f"{number:03}.jpg").write_bytes(picture(color, (1200, 900)))
    (folder / "浮世絵 北斎.jpg").write_bytes(picture("cyan"))
    (folder / "truncated.jpg").write_bytes(picture("magenta", (1200, 900))[:4000])
    (folder / "letter.jpg").write_text("Dear Sir or Madam")
    (folder / "empty.jpg").write_bytes(b"")
    pyvips.Image.black(6_000, 5_000).pngsave(str(folder / "huge.png"), compression=1)
    return folder


@pytest.fixture(scope="module")
def report(stack: Stack, delivery: Path) -> dict[str, Any]:
    """Of an import that has been taken in, whose pictures are now being processed."""
    token = stack.manage("token", stack.username, "--name", "faults").stdout.split()[-1]
    stood = stack.pids("importer")
    for pid in stood:  # so that nothing is finished before it is broken
        os.kill(pid, signal.SIGSTOP)
    done = stack.manage("ingest", str(delivery), "--json")
    for pid in stood:
        os.kill(pid, signal.SIGCONT)
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(done.stdout), "token": token}


def test_an_upload_is_searchable_while_an_import_stands_still(stack: Stack, report: dict[str, Any]) -> None:
    """The processes of the importer hang in the middle of a picture, until they are killed for it."""
    children, hung = hang(stack)
    answer = httpx.post(
        f"{stack.url}/api/v1/assets",
        headers={"Authorization": f"Bearer {report['token']}"},
        files={"file": ("quick.jpg", picture("orange"))},
        timeout=30,
    )
    assert answer.status_code in (200, 201), answer.text
    wait_for(lambda: ("quick.jpg", "vectorise_picture", "") in rows(stack, STATES, "done", "worker%"))
    assert len(rows(stack, STATES, "waiting", "%")) > GOOD / 3, "the import was over before"
    wait_for(lambda: all(rows(stack, CAUGHT, str(pk)) for (pk,) in hung))
    for child in children:  # one that stood still between two pictures has no time limit
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    wait_for(lambda: not children & stack.pids("importer"))


def hang(stack: Stack) -> tuple[set[int], list[tuple[int]]]:
    """Let the processes of the importer stand still; returns them, and the runs that they have in hand."""
    while True:
        wait_for(lambda: rows(stack, STATES, "running", "importer%"))
        children = stack.pids("importer") - {stack.leader("importer") or 0}
        for child in children:
            os.kill(child, signal.SIGSTOP)
        if hung := rows(stack, HUNG_RUNS):
            return children, hung
        for child in children:
            os.kill(child, signal.SIGCONT)


def test_everything_that_can_be_is_searchable_in_the_end(
    stack: Stack, report: dict[str, Any], delivery: Path
) -> None:
    assert report["accepted"] == GOOD + 3 and report["duplicates"] == 0
    assert {Path(r["file"]).name: r["reason"] for r in report["rejected"]} == {
        "letter.jpg": f"This is a text file, not a picture. Accepted: {ACCEPTED}. "
        "An administrator can allow further kinds with OTHER_TYPES.",
        "empty.jpg": "The file is empty (0 bytes). It may not have been copied completely.",
    }
    break_everything(stack)
    assert stack.manage("resume", "--failed").returncode == 0
    wait_for(lambda: not endstate.unfinished(stack.data_dir))
    failed = {row[:2]: row[2] for row in rows(stack, STATES, "failed", "%")}
    assert list(failed) == [("truncated.jpg", "make_renditions")], failed
    assert "truncated" in failed["truncated.jpg", "make_renditions"]
    assert endstate.wrong(stack.data_dir, incoming=False) == []

    found = json.loads(stack.manage("search", "--limit", "100", "--json").stdout)
    names = {result["filename"] for result in found["results"]}
    assert found["total"] == GOOD + 4 and {"浮世絵 北斎.jpg", "huge.png", "quick.jpg"} <= names
    again = json.loads(stack.manage("ingest", str(delivery), "--wait", "--json").stdout)
    assert (again["accepted"], again["duplicates"], len(again["failed"])) == (0, GOOD + 3, 1)


def test_kill_9_of_supervisor_and_warden_together(stack: Stack) -> None:
    """Nobody is there to tidy up but the system's own parent-death signal. The last: the others need it."""
    assert stack.supervisor is not None
    [warden] = [line for line in left_over(stack.data_dir) if "warden.py" in line]
    os.kill(int(warden.split()[0]), signal.SIGKILL)
    stack.supervisor.kill()
    stack.supervisor.wait()
    wait_for(lambda: not left_over(stack.data_dir))


def break_everything(stack: Stack) -> None:
    """Kill processes, let the broker forget everything, restart the database, kill a whole worker."""
    began = done(stack)
    for child in stack.pids("importer") - {stack.leader("importer")}:
        os.kill(child, signal.SIGKILL)
    wait_for(lambda: done(stack) > began + 10)
    redis.Redis.from_url(addresses.read(stack.data_dir)["REDIS_URL"]).flushall()
    wait_for(lambda: done(stack) > began + 25)
    restart_database(stack)
    wait_for(lambda: done(stack) > began + 45)
    leader = stack.leader("importer")
    os.kill(leader or 0, signal.SIGKILL)


def restart_database(stack: Stack) -> None:
    """In the middle of a transaction, by ending it; the supervisor starts it again."""
    leader = stack.leader("postgresql")
    with suppress(psycopg.OperationalError), connected(stack) as database:
        database.execute("UPDATE assets_stagerun SET reason = 'never' WHERE state = 'waiting'")
        os.kill(leader or 0, signal.SIGINT)
        wait_for(lambda: database.execute("SELECT pg_sleep(0.1)") is None)

    def is_back() -> bool:
        with suppress(psycopg.OperationalError):
            return done(stack) > 0
        return False

    wait_for(is_back)


def connected(stack: Stack) -> "psycopg.Connection[Any]":
    return psycopg.connect(addresses.read(stack.data_dir)["DATABASE_URL"])


def rows(stack: Stack, statement: str, *params: str) -> list[tuple[Any, ...]]:
    with connected(stack) as database:
        return database.execute(statement, params).fetchall()


def done(stack: Stack) -> int:
    return int(rows(stack, "SELECT count(*) FROM assets_stagerun WHERE state = 'done'")[0][0])


def wait_for(condition: Any, seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "nothing moved"
        time.sleep(0.3)  # each look is a connection of its own
