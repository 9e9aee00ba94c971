"""`manage.py up`, whole: the system that people start, stopped and hurt in the ways that happen."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from dam.services import addresses, folders
from tests.services_fixture import ROOT, Stack, free_port, left_over

pytestmark = pytest.mark.stack
PARTS = ("postgresql", "valkey", "worker", "importer", "filler", "beat", "web")


@pytest.fixture(scope="module")
def base():
    """A folder that every account can reach (unlike tmp_path, for root)."""
    folder = Path(tempfile.mkdtemp(prefix="up-")).resolve()
    folder.chmod(0o755)
    yield folder
    for data in folder.glob("data*"):
        shutil.rmtree(folders.sockets(data), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack(base):
    """One system, from nothing, for the tests that leave it as it was; each kill is healed before the next
    test, and the last two end it."""
    with Stack(base / "data", bare=True) as stack:
        yield stack


@pytest.fixture(scope="module")
def second(stack, base):
    """The first system's services are outside ones for this one; only the application is started."""
    pictures = base / "pictures"
    pictures.mkdir()
    (pictures / "nothing.txt").write_text("no picture")
    second = Stack(base / "data-second", **addresses.read(stack.data_dir))
    yield second.start("--import", str(pictures))
    second.stop()


def eventually(true, seconds=120.0):
    """The time is no claim: it only keeps a test from waiting for ever."""
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.1)
    return true()


def healthy(stack: Stack) -> bool:
    try:
        with urllib.request.urlopen(stack.url + "/healthz", timeout=5) as answer:  # noqa: S310
            return answer.status == 200
    except OSError:
        return False


def up(stack: Stack, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", "up"]
    environ = {**stack.env, **env}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_says_what_is_ready_and_where_to_go(stack):
    for title in ("PostgreSQL 18", "Valkey", "Tables", "Encoder", "Worker", "Beat", "Web server"):
        assert re.search(rf"^  {title}.* ready +\d+\.\d s", stack.output, re.MULTILINE), title
    assert f"  Open     {stack.url}\n" in stack.output
    assert stack.username and stack.password
    assert healthy(stack)
    assert all(stack.pids(part) for part in PARTS)


def test_its_files_are_private_and_nothing_listens_but_the_web_server(stack):
    assert addresses.file(stack.data_dir).stat().st_mode & 0o777 == 0o600
    assert set(addresses.read(stack.data_dir)) == {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}
    assert not (stack.data_dir / "run" / "prepare.jsonl").exists()
    for log in (stack.data_dir / "logs").iterdir():
        assert stack.password not in log.read_text()
    inodes = {
        str(link.readlink()).strip("socket:[]")
        for part in PARTS
        if part != "web"
        for pid in stack.pids(part)
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    rows = Path("/proc/net/tcp").read_text().splitlines() + Path("/proc/net/tcp6").read_text().splitlines()
    listening = {row.split()[9] for row in rows if row.split()[3] == "0A"}
    assert not inodes & listening


def test_it_works_as_a_role_that_owns_all_but_the_audit_log(stack):
    owned = (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    )
    with psycopg.connect(addresses.read(stack.data_dir)["DATABASE_URL"]) as database:
        others = database.execute(f"{owned} and relowner <> current_user::regrole").fetchall()
    assert {name for (name,) in others} == {"audit_entry", "audit_link"}
    environments = [Path(f"/proc/{stack.leader(part)}/environ").read_bytes() for part in ("web", "worker")]
    assert all(b"dam_web" in said and b"DATABASE_OWNER_URL" not in said for said in environments)


def test_commands_in_another_terminal_find_it(stack):
    done = stack.manage("migrate", "--check")
    assert done.returncode == 0, done.stderr


def test_a_second_start_says_where_the_first_is(stack):
    done = up(stack, PORT=str(free_port()))
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"This library is already running (pid {stack.supervisor.pid}) at {stack.url}."
    )
    assert healthy(stack)


def test_a_busy_port_is_said_in_one_line(stack, base):
    done = up(stack, DATA_DIR=str(base / "data-busy"))
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"Port {stack.port} is in use by another program. Choose another one: make run PORT={stack.port + 1}"
    )
    assert not left_over(base / "data-busy")


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(stack, part):
    assert eventually(lambda: stack.leader(part)), stack.output  # the part before may have taken it along
    before = stack.leader(part)
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: stack.leader(part) not in (None, before)), stack.output
    titles = {"postgresql": "PostgreSQL", "beat": "Beat", "web": "Web server"}
    wanted = titles.get(part, part.capitalize())
    assert eventually(lambda: re.search(rf"^  {wanted}.* ready again", stack.output, re.MULTILINE)), (
        stack.output
    )
    assert eventually(lambda: healthy(stack))


def test_stopped_while_it_starts(base):
    other = Stack(base / "data-other")
    try:
        other.start(wait=False)
        assert eventually(lambda: "Valkey" in other.output)
    finally:
        ended = other.stop(signal.SIGTERM)
    assert ended == 0
    assert not left_over(other.data_dir)


def test_an_outside_database_that_is_not_there(base):
    with pytest.raises(RuntimeError, match="Cannot reach the database at 127.0.0.1") as failed:
        Stack(base / "data-outside", DATABASE_URL="postgres://dam:secret-word@127.0.0.1:1/dam").start()
    assert "Traceback" not in str(failed.value) and "secret-word" not in str(failed.value)


def test_outside_services_are_used(stack, second):
    assert healthy(second)
    assert "PostgreSQL" not in second.output and "Valkey" not in second.output
    assert second.leader("postgresql") is None


def test_imports_at_the_start_and_a_second_ctrl_c_does_not_wait(stack, second):
    assert eventually(lambda: "  Import  " in second.output), second.output
    os.kill(second.leader("worker"), signal.SIGSTOP)  # a worker that will not listen: it is given 13 seconds
    second.supervisor.send_signal(signal.SIGINT)
    assert eventually(lambda: "Stopping" in second.output)
    began = time.monotonic()
    assert second.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 11
    assert not left_over(second.data_dir)
    assert healthy(stack)


def test_kill_9_leaves_nothing(stack):
    """The last but one, since the others need it."""
    stack.supervisor.kill()
    stack.supervisor.wait()
    assert eventually(lambda: not left_over(stack.data_dir)), left_over(stack.data_dir)
    assert addresses.file(stack.data_dir).exists()  # stale, and no obstacle for what follows


def test_starts_again_after_that_and_stops_cleanly(stack):
    stack.start()
    assert healthy(stack)
    assert stack.stop(signal.SIGINT) == 0
    assert stack.output.rstrip().endswith("Stopped.")
    assert "Traceback" not in stack.output
    assert not left_over(stack.data_dir)
    assert not addresses.file(stack.data_dir).exists()
    assert "database system is shut down" in (stack.data_dir / "logs" / "postgresql.log").read_text()
