"""The database as one file, and back, with the PostgreSQL programs that come with the system."""

import os
import subprocess
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
        _run("pg_dump", database, "--format=custom", "--no-owner", f"--file={part}")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def load(database: Mapping[str, Any], file: Path) -> None:
    """Replace what the database holds by the dump, wholly or not at all."""
    if not file.is_file():
        raise ServiceError(f"There is no file {file}.")
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _run("pg_restore", database, *options, str(file))


def _run(program: str, database: Mapping[str, Any], *options: str) -> None:
    place = {
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"]),
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
    }
    name = f"--dbname={database['NAME']}"
    done = subprocess.run(  # noqa: S603
        [str(packaged_programs() / program), "--no-password", name, *options],
        env={"PATH": os.defpath, "LC_ALL": "C", **{key: value for key, value in place.items() if value}},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceError(f"{program} failed: {done.stderr.strip()}")
