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

import pytest

from dam.services import addresses, folders
from tests.services_fixture import ROOT, Stack, free_port, left_over

pytestmark = pytest.mark.stack
PARTS = ("postgresql", "valkey", "worker", "beat", "web")


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
    """One system for the tests that leave it as it was; each kill is healed before the next test."""
    with Stack(base / "data") as stack:
        yield stack


def eventually(true, seconds=30.0):
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
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
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
    assert set(addresses.read(stack.data_dir)) == {"DATABASE_URL", "REDIS_URL"}
    assert not (stack.data_dir / "run" / "prepare.jsonl").exists()
    for log in (stack.data_dir / "logs").iterdir():
        assert stack.password not in log.read_text()
    inodes = {
        str(link.readlink()).strip("socket:[]")
        for part in ("postgresql", "valkey", "worker", "beat")
        for pid in stack.pids(part)
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    rows = Path("/proc/net/tcp").read_text().splitlines() + Path("/proc/net/tcp6").read_text().splitlines()
    listening = {row.split()[9] for row in rows if row.split()[3] == "0A"}
    assert not inodes & listening


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
    done = up(stack, DATA_DIR=str(base / "data-other"))
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"Port {stack.port} is in use by another program. Choose another one: make run PORT={stack.port + 1}"
    )
    assert not left_over(base / "data-other")


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(stack, part):
    before = stack.leader(part)
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: stack.leader(part) not in (None, before)), stack.output
    titles = {"postgresql": "PostgreSQL", "beat": "Beat", "web": "Web server"}
    wanted = titles.get(part, part.capitalize())
    assert eventually(lambda: re.search(rf"^  {wanted}.* ready again", stack.output, re.MULTILINE)), (
        stack.output
    )
    assert eventually(lambda: healthy(stack))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stops_cleanly_and_starts_again_in_seconds(base, number):
    stack = Stack(base / "data-stop")
    stack.start()
    began = time.monotonic()
    assert stack.stop(number) == 0
    assert time.monotonic() - began < 20
    assert stack.output.rstrip().endswith("Stopped.")
    assert not left_over(stack.data_dir)
    assert not addresses.file(stack.data_dir).exists()
    assert "database system is shut down" in (stack.data_dir / "logs" / "postgresql.log").read_text()
    began = time.monotonic()
    with stack.start():
        assert time.monotonic() - began < 10
    assert "Traceback" not in stack.output


def test_kill_9_leaves_nothing_and_the_next_start_recovers(base):
    stack = Stack(base / "data-kill").start()
    stack.supervisor.kill()
    stack.supervisor.wait()
    assert eventually(lambda: not left_over(stack.data_dir), 25), left_over(stack.data_dir)
    assert addresses.file(stack.data_dir).exists()  # stale, and no obstacle
    with stack.start():
        assert healthy(stack)


def test_kill_9_of_supervisor_and_warden_together(base):
    """Nobody is there to tidy up but the system's own parent-death signal and the next start."""
    stack = Stack(base / "data-kill").start()
    wardens = [
        line
        for line in subprocess.run(
            ["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if "warden.py" in line and line.split()[1] == str(stack.supervisor.pid)
    ]
    assert len(wardens) == 1
    os.kill(int(wardens[0].split()[0]), signal.SIGKILL)
    stack.supervisor.kill()
    stack.supervisor.wait()
    with stack.start():
        assert healthy(stack)
    assert eventually(lambda: not left_over(stack.data_dir)), left_over(stack.data_dir)


def test_stopped_while_it_starts(base):
    stack = Stack(base / "data-early").start(wait=False)
    assert eventually(lambda: "Valkey" in stack.output)
    assert stack.stop(signal.SIGINT) == 0
    assert not left_over(stack.data_dir)


def test_a_second_ctrl_c_does_not_wait(base):
    stack = Stack(base / "data-stop").start()
    os.kill(stack.leader("worker"), signal.SIGSTOP)  # a worker that will not listen
    stack.supervisor.send_signal(signal.SIGINT)
    time.sleep(1.5)
    began = time.monotonic()
    assert stack.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 5
    assert not left_over(stack.data_dir)


def test_an_outside_database_that_is_not_there(base):
    with pytest.raises(RuntimeError, match="Cannot reach the database at 127.0.0.1") as failed:
        Stack(base / "data-outside", DATABASE_URL="postgres://dam:secret-word@127.0.0.1:1/dam").start()
    assert "Traceback" not in str(failed.value) and "secret-word" not in str(failed.value)


def test_outside_services_are_used(stack, base):
    """The first system's services are outside ones for the second; only the application is started."""
    found = addresses.read(stack.data_dir)
    with Stack(base / "data-second", **found) as second:
        assert healthy(second)
        assert "PostgreSQL" not in second.output and "Valkey" not in second.output
        assert second.leader("postgresql") is None
    assert healthy(stack)


def test_import_at_the_start(base):
    pictures = base / "pictures"
    pictures.mkdir()
    (pictures / "nothing.txt").write_text("no picture")
    stack = Stack(base / "data-stop").start("--import", str(pictures))
    try:
        assert eventually(lambda: "  Import  " in stack.output, 60), stack.output
    finally:
        stack.stop()
