"""What the chain of the audit log costs: entries written by eight at once, with it and without.

    python -m benchmarks.audit [--seconds 5] [--writers 8] [--json]

A PostgreSQL of its own that writes to the disk as in earnest (fsync); the two take turns, three times.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

ROUNDS = 3
IN_EARNEST = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
INSERT = (
    "insert into audit_entry (at, event, user_id, user_name, address, kind, uid, label, details) values "
    "(now(), 'downloaded', 7, 'somebody', '192.0.2.0/24', 'asset', gen_random_uuid(), 'A title', "
    """'{"what": "original"}')"""
)


def write(address: str, writers: int, seconds: float) -> list[float]:
    """Milliseconds of each transaction of one entry."""
    found: list[float] = []
    until = time.monotonic() + seconds

    def work() -> None:
        with psycopg.connect(address, autocommit=True) as connection:
            while (began := time.monotonic()) < until:
                connection.execute(INSERT)
                found.append((time.monotonic() - began) * 1000)

    threads = [threading.Thread(target=work) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def measure(writers: int, seconds: float) -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
    tables = import_module("audit.migrations.0001_initial").TABLES
    from dam.services.postgres import Postgres
    from tests.services_fixture import running

    arms: dict[str, list[float]] = {"enable": [], "disable": []}
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "data", Postgres, settings=IN_EARNEST) as [part]:
            address = part.addresses["DATABASE_OWNER_URL"]  # type: ignore[attr-defined]
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(tables)
                for _ in range(ROUNDS):
                    for how, times in arms.items():
                        connection.execute(f"alter table audit_entry {how} trigger audit_entry_chained")
                        times += write(address, writers, seconds)
    with_it, without = arms["enable"], arms["disable"]
    return {
        "writers": writers,
        "per_second": round(len(with_it) / seconds / ROUNDS),
        "per_second_without": round(len(without) / seconds / ROUNDS),
        "ratio": round(len(without) / len(with_it), 2),
        "p50_ms": round(float(np.median(with_it)), 2),
        "p95_ms": round(float(np.quantile(with_it, 0.95)), 2),
        "p50_ms_without": round(float(np.median(without)), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = [measure(writers, given.seconds) for writers in (1, given.writers)]
    if given.json:
        print(json.dumps(found))
        return
    for one in found:
        said = "{writers} at once: {per_second:,} entries a second, without the chain {per_second_without:,} "
        said += "(ratio {ratio}); p50 {p50_ms} ms, p95 {p95_ms} ms, without {p50_ms_without} ms"
        print(said.format(**one))


if __name__ == "__main__":
    main()
