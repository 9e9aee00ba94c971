"""The whole system under faults: killed workers, a flushed broker, and files that are no good."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pyvips
import redis

from assets.kinds import ACCEPTED
from dam.services import addresses
from tests.factories import picture
from tests.services_fixture import ROOT, Stack

pytestmark = pytest.mark.stack
GOOD = 60
SQL = "SELECT count(*), count(DISTINCT version_id) FROM search_embedding"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("faults") / "data"
    with Stack(folder, STAGE_SECONDS="30", QUEUE_LEASE_SECONDS="5") as running:
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
    pyvips.Image.black(20_000, 20_000).pngsave(str(folder / "huge.png"), compression=1)
    return folder


def test_everything_that_can_be_is_searchable_in_the_end(stack: Stack, delivery: Path) -> None:
    report = import_while_breaking(stack, delivery)
    assert report["accepted"] == GOOD + 3 and report["duplicates"] == 0
    assert {Path(r["file"]).name: r["reason"] for r in report["rejected"]} == {
        "letter.jpg": f"This is a text file, not a picture. Accepted: {ACCEPTED}. "
        "An administrator can allow further kinds with OTHER_TYPES.",
        "empty.jpg": "The file is empty (0 bytes). It may not have been copied completely.",
    }
    assert [(f["file"], f["stage"]) for f in report["failed"]] == [("truncated.jpg", "make_renditions")]
    assert "truncated" in report["failed"][0]["reason"]
    with psycopg.connect(addresses.read(stack.data_dir)["DATABASE_URL"]) as database:
        assert database.execute(SQL).fetchone() == (GOOD + 2, GOOD + 2)

    found = json.loads(stack.manage("search", "--limit", "100", "--json").stdout)
    names = {result["filename"] for result in found["results"]}
    assert found["total"] == GOOD + 3 and {"浮世絵 北斎.jpg", "huge.png"} <= names
    again = json.loads(stack.manage("ingest", str(delivery), "--wait", "--json").stdout)
    assert (again["accepted"], again["duplicates"], len(again["failed"])) == (0, GOOD + 3, 1)


def import_while_breaking(stack: Stack, delivery: Path) -> dict[str, Any]:
    """The report of an import during which workers are killed and the broker forgets everything."""
    importing = subprocess.Popen(
        [sys.executable, "manage.py", "ingest", str(delivery), "--wait", "--json"],
        cwd=ROOT,
        env=stack.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: done(stack) > 5)
    leader = stack.leader("worker")
    assert leader is not None
    for child in stack.pids("worker") - {leader}:
        os.kill(child, signal.SIGKILL)
    wait_for(lambda: done(stack) > 20)
    redis.Redis.from_url(addresses.read(stack.data_dir)["REDIS_URL"]).flushall()
    wait_for(lambda: done(stack) > 40)
    os.kill(stack.leader("worker") or leader, signal.SIGKILL)
    output, _ = importing.communicate(timeout=240)
    report: dict[str, Any] = json.loads(output)
    return report


def done(stack: Stack) -> int:
    with psycopg.connect(addresses.read(stack.data_dir)["DATABASE_URL"]) as database:
        row = database.execute("SELECT count(*) FROM assets_stagerun WHERE state = 'done'").fetchone()
    return int(row[0]) if row else 0


def wait_for(condition: Any, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "nothing moved"
        time.sleep(0.1)
