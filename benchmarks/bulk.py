"""A tag for many pictures: looking, carrying out and undoing, beside bare statements on the same rows.

    python -m benchmarks bulk [--assets 10000] [--json] [--profile]

Bare: one INSERT of the tag and one UPDATE of the search rows' terms, with no history, no words and no check.
The steps run one after the other in this process, as a worker has them.
"""

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.library import database, fill
from benchmarks.measuring import Clock

BUDGET = 30.0  # seconds for 10,000 pictures, and as many for taking them back


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with database():
        began = time.monotonic()
        fill(options.assets, with_vectors=False)
        print(f"{options.assets} assets made in {time.monotonic() - began:.0f} s")
        measured = measure(options.assets, profile=options.profile)
    if not options.json:
        for name, value in measured.items():
            print(f"{name:28} {value}")
        print(f"(budget for 10,000: {BUDGET:.0f} s each for doing and undoing, 1 s to the first progress)")
    print(json.dumps(measured))


def measure(number: int, *, profile: bool = False) -> dict[str, Any]:
    from accounts.models import User
    from assets.bulk import running, selecting
    from assets.models import BulkJob

    user = User.objects.create_superuser("bench")
    found: dict[str, Any] = {"assets": number}
    with seconds(found, "select_s"):
        job = selecting.select(user, list(selecting.changeable(user).values_list("pk", flat=True)))
    action = {"name": "add_tags", "labels": ["measured"]}
    with seconds(found, "look_s"):
        assert running.plan(job, action)
        work(job)
    job.refresh_from_db()
    assert (job.state, job.changed) == (BulkJob.State.PLANNED, number), job.state
    processor = Processor()
    for name, begin in (("do", running.start), ("undo", lambda job: running.undo(job, user))):
        with processor.seconds(found, f"{name}_cpu_s"), seconds(found, f"{name}_s"), profiled(profile):
            assert begin(job)
            found.setdefault("first_portion_ms", first_portion(job))
            work(job)
        job.refresh_from_db()
    assert job.state == BulkJob.State.UNDONE and not job.kept
    with seconds(found, "bare_s"):
        bare()
    found |= {f"{name}_vs_bare": round(found[f"{name}_s"] / found["bare_s"], 1) for name in ("do", "undo")}
    found |= {f"{name}_per_second": round(number / found[f"{name}_s"]) for name in ("look", "do", "undo")}
    return found


def work(job: Any) -> None:
    from assets.bulk import running

    while running.step(job.pk):
        pass


def first_portion(job: Any) -> float:
    """Milliseconds until the page could say that something is done."""
    from assets.bulk import running

    began = time.perf_counter()
    running.step(job.pk, 0)
    return round((time.perf_counter() - began) * 1000)


def bare() -> None:
    from django.db import connection

    from assets.models import Term

    tag = Term.objects.labelled("tags", "measured").pk
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assets_assetterm (asset_id, term_id, position) SELECT id, %s, 99 FROM assets_asset",
            [tag],
        )
        cursor.execute("UPDATE search_searchrow SET term_ids = term_ids || %s::bigint", [tag])


class Processor:
    """Seconds of work of this process and of its connection's: they tell more on a busy machine."""

    def __init__(self) -> None:
        from django.db import connection

        connection.ensure_connection()
        self.backend = Clock(connection.connection.info.backend_pid)

    @contextmanager
    def seconds(self, found: dict[str, Any], name: str) -> Iterator[None]:
        ours, theirs = time.process_time(), self.backend.read()
        yield
        found[name] = round(time.process_time() - ours + (self.backend.read() - theirs) / 1000, 2)


@contextmanager
def seconds(found: dict[str, Any], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    found[name] = round(time.perf_counter() - began, 2)


@contextmanager
def profiled(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    profile = cProfile.Profile()
    run: Callable[[], None] = profile.enable
    run()
    yield
    profile.disable()
    pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
