"""The embedded services on their own, on request with a database that has its tables.

All migrations take longer than most tests: they run once, in var/migrated, and its files are copied from
there, until a migration or a package changes. tests/dam/test_up.py has a first start that makes all of it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dam.services import account, folders
from dam.services.family import Family
from dam.services.lock import Lock
from dam.services.postgres import FOR_TESTS, Postgres
from dam.services.runner import Part, Runner
from dam.services.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
MIGRATED = ROOT / "var" / "migrated"
PASSWORD = Path("secrets", "postgres")
IMPORTED = ("audit/events.py", "assets/models/licences.py", "assets/models/permissions.py")
"""What migrations import."""


@contextmanager
def running(
    data_dir: Path,
    *kinds: type[Postgres] | type[Valkey],
    settings: Mapping[str, str] | None = None,
    migrated: bool = False,
) -> Iterator[list[Part]]:
    """The embedded services without the application; raises AlreadyRunning.

    `settings` are PostgreSQL's, on top of those for tests. `migrated`: see `lay`.
    """
    data_dir = data_dir.resolve()
    folders.make(data_dir)
    with Lock(data_dir / "run" / "lock"):
        family = Family(data_dir)
        try:
            if migrated:
                lay(data_dir)
            chosen = kinds or (Postgres, Valkey)
            tuned = {**FOR_TESTS, **(settings or {})}
            parts = [k(data_dir, tuned) if k is Postgres else k(data_dir) for k in chosen]
            Runner(family, lambda text: None, time.sleep).bring_up(parts)
            yield parts
        finally:
            family.end_all()
            family.close()
            folders.tidy(data_dir)


def lay(data_dir: Path) -> None:
    """Have the tables of today in the database of a data folder, in which no server runs.

    What lies there of another day is removed.
    """
    wanted, mark = digest(), data_dir / "postgres" / "made-from.txt"
    if mark.exists() and mark.read_text() == wanted:
        return
    source = made(wanted)
    folders.make(data_dir)
    target, _ = account.home(data_dir)
    shutil.rmtree(target / "pgdata", ignore_errors=True)
    shutil.copy2(source / PASSWORD, data_dir / PASSWORD)
    pgdata = account.home(source)[0] / "pgdata"
    subprocess.run(
        ["cp", "-a", pgdata, target / "pgdata"], check=True
    )  # with its owner, who is not always us
    mark.write_text(wanted)


def digest() -> str:
    """What the tables depend on."""
    paths = [*sorted(ROOT.glob("*/migrations/*.py")), ROOT / "constraints.txt", *(ROOT / p for p in IMPORTED)]
    found = hashlib.sha256()
    for path in paths:
        found.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def made(wanted: str) -> Path:
    """The folder to copy from. The first of several test processes makes it, the others wait."""
    mark = MIGRATED / "made-from.txt"
    MIGRATED.parent.mkdir(exist_ok=True)
    with MIGRATED.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != wanted:
            remove(MIGRATED)
            with running(MIGRATED) as parts:
                found = {name: value for part in parts for name, value in part.addresses.items()}
                migrate({**os.environ, **found, "DATA_DIR": str(MIGRATED)})
            mark.write_text(wanted)
    return MIGRATED


def migrate(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The tables could not be made:\n{done.stdout}{done.stderr}")


def remove(data_dir: Path) -> None:
    """A data folder, with its database where that lies elsewhere."""
    note = data_dir / "postgres" / "moved-to"
    if note.exists():
        shutil.rmtree(note.read_text().strip(), ignore_errors=True)
    shutil.rmtree(data_dir, ignore_errors=True)
