"""The database as one file, and back, with the PostgreSQL programs that come with the system."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dam.services import ServiceError
from dam.services.postgres import packaged_programs


def save(database: Mapping[str, Any], file: Path) -> None:
    """Write a dump (compressed, for `restore`). `database` is an entry of Django's DATABASES."""
    part = file.with_name(file.name + ".part")
    part.touch(0o600)
    try:
        _run("pg_dump", database, "--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def load(database: Mapping[str, Any], file: Path) -> None:
    """Replace what the database holds by the dump, wholly or not at all."""
    if not file.is_file():
        raise ServiceError(f"There is no file {file}.")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "restore.sql"
        _run("pg_restore", None, "--no-owner", "--no-privileges", f"--file={script}", str(file))
        # pg_restore --clean cannot drop partitions one by one, so the whole schema goes first.
        empty = "set client_min_messages to warning; drop schema public cascade; create schema public"
        options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction")
        _run("psql", database, *options, f"--command={empty}", f"--file={script}")


def _run(program: str, database: Mapping[str, Any] | None, *options: str) -> None:
    env = {"PATH": os.defpath, "LC_ALL": "C"}
    if database is not None:
        options = ("--no-password", f"--dbname={database['NAME']}", *options)
        place = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
        env |= {theirs: str(database[ours]) for theirs, ours in place.items() if database[ours]}
    done = subprocess.run(  # noqa: S603
        [str(packaged_programs() / program), *options],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceError(f"{program} failed: {done.stderr.strip()}")
