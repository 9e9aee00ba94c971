"""Changing the model of a library while people search it, from the first step to the last.

    python -m benchmarks.changing_model [--assets 20000] [--readers 4] [--baseline 60] [--json]

A whole system of its own, two encoders on loopback, and readers at two searches a second each: while a
second space is made, filled, indexed, activated, rolled back and dropped. The same without a fill is measured
before, after, and in between, by letting those who fill stand still for a while: so other work on the machine
touches both alike. Every answer is checked. It fails when a search failed, when a list mixes the spaces, or
when the readers' median during the fill, or during the building of the index, is more than twice that of the
quiet times.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import loopback, readers
from tests.services_fixture import Stack

MOST_TIMES_SLOWER = 2.0
WARM_SECONDS, AFTER_SECONDS, FILL_SECONDS, POLL_SECONDS = 15.0, 20.0, 7200.0, 3.0
QUIET = ("before", "standing still", "afterwards")
LONG = ("filling", "indexing")
TURN_SECONDS = 20.0  # of filling, and of standing still
Mark = Callable[[str], None]
Marks = list[tuple[str, float]]  # what began, and when (seconds since 1970)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=20_000)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--baseline", type=float, default=60, help="seconds without a fill, before and after")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        urls = [running.enter_context(loopback.encoder(seed)) for seed in (1, 2)]
        stack = running.enter_context(system(Path(folder) / "data", *urls))
        found = measure(stack, Path(folder), options)
    print(json.dumps(found) if options.json else "\n".join(lines(found)))
    return 0 if not found["failed"] and not found["mixed"] and found["ratio"] <= MOST_TIMES_SLOWER else 1


def system(data: Path, first: str, second: str) -> Stack:
    return Stack(
        data,
        patience=300,
        ENCODER="openai",
        ENCODERS="next",
        ENCODER_NEXT_KIND="openai",
        NO_PROXY="127.0.0.1",
        **loopback.settings("ENCODER", first, "benchmark/1"),
        **loopback.settings("ENCODER_NEXT", second, "benchmark/2"),
    )


def measure(stack: Stack, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    os.environ.update({**stack.env, "DJANGO_SETTINGS_MODULE": "dam.settings"})
    import django

    django.setup()
    from benchmarks import museum
    from benchmarks.mixing import Judge

    began = time.monotonic()
    with stopped(stack, "beat"):  # nobody looks what is missing meanwhile
        museum.make(options.assets, stack.data_dir / "renditions")
    say(options, f"{options.assets} assets made in {time.monotonic() - began:.0f} s")
    token = stack.manage("token", stack.username, "--name", "readers").stdout.split()[-1]
    phases: Marks = []

    def mark(name: str) -> None:
        if name not in dict(phases):
            say(options, f"{time.strftime('%H:%M:%S')} {name}")
        phases.append((name, time.time()))

    with readers.reading(options.readers, stack.url, token, folder) as files:
        time.sleep(WARM_SECONDS)
        mark("before")
        time.sleep(options.baseline)
        figures, judge = change(stack, mark), Judge()
        mark("dropping")
        figures["drop_seconds"] = timed(stack, "drop", str(figures["space"]), "--yes")
        mark("afterwards")
        time.sleep(options.baseline)
        mark("end")
    return {"assets": options.assets, **figures, **summary(readers.answers(files), phases, judge)}


@contextmanager
def stopped(stack: Stack, part: str) -> Iterator[None]:
    """All processes of a part stand still, in the middle of whatever they do, and go on afterwards."""
    pids = stack.pids(part)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def change(stack: Stack, mark: Mark) -> dict[str, Any]:
    """Create, fill, index, activate, roll back; how long each took, in seconds."""
    from search.models import EmbeddingSpace

    mark("filling")
    figures: dict[str, Any] = {"create_seconds": timed(stack, "create", "next")}
    space = EmbeddingSpace.objects.get(encoder="next")
    figures |= {"space": space.slug, **fill(stack, space, mark)}
    mark("indexing")
    began = time.monotonic()
    while space.state == "building":
        wait(space, began)
    figures["index_seconds"] = round(time.monotonic() - began, 1)
    steps = {"activated": ["activate", space.slug], "rolled back": ["rollback"]}
    for phase, arguments in steps.items():
        mark(phase)
        figures[f"{arguments[0]}_seconds"] = timed(stack, *arguments)
        time.sleep(AFTER_SECONDS)
    return figures


def fill(stack: Stack, space: Any, mark: Mark) -> dict[str, Any]:
    """Until all vectors are there; times without those of standing still."""
    from search import filling

    began = turn = time.monotonic()
    stood = 0.0
    while (progress := filling.progress_of(space)).waiting or not space.planned:
        wait(space, began)
        if time.monotonic() - turn > TURN_SECONDS and progress.done:
            with stopped(stack, "filler"):
                mark("standing still")
                time.sleep(TURN_SECONDS)
            mark("filling")
            turn, stood = time.monotonic(), stood + TURN_SECONDS
    took = time.monotonic() - began - stood
    rate = (progress.done + progress.words) / took
    return {
        "filled": progress.done,
        "fill_seconds": round(took, 1),
        "vectors_a_second": round(rate, 1),
    }


def wait(space: Any, began: float) -> None:
    if time.monotonic() - began > FILL_SECONDS or space.problem:
        raise RuntimeError(f"The fill did not end. {space.problem}")
    time.sleep(POLL_SECONDS)
    space.refresh_from_db()


def timed(stack: Stack, *arguments: str) -> float:
    """Seconds of one `manage.py spaces`, with the start of the command."""
    began = time.monotonic()
    done = stack.manage("spaces", *arguments, "--json")
    if done.returncode:
        raise RuntimeError(done.stderr)
    return round(time.monotonic() - began, 2)


def summary(answers: list[dict[str, Any]], phases: Marks, judge: Any) -> dict[str, Any]:
    """Times in milliseconds by phase, and what was wrong."""
    times: dict[str, list[float]] = {}
    for (name, start), (_, end) in pairwise(phases):
        found = [1000 * one["took"] for one in answers if start <= one["at"] < end]
        times.setdefault(name, []).extend(found)
    base = statistics.median(one for name in QUIET for one in times.get(name, []))
    slowest = max(statistics.median(times[name]) for name in LONG if times.get(name))
    return {
        "searches": len(answers),
        "failed": [one["problem"] for one in answers if one["problem"]][:20],
        **judge.verdict([one for one in answers if not one["problem"]]),
        "phases": {name: described(found, base) for name, found in times.items() if found},
        "ratio": round(slowest / base, 2),
    }


def described(times: list[float], base: float) -> dict[str, float]:
    middle, high = statistics.median(times), float(np.quantile(times, 0.95))
    return {
        "searches": len(times),
        "p50_ms": round(middle),
        "p95_ms": round(high),
        "times_slower": round(middle / base, 2),
    }


def lines(found: dict[str, Any]) -> list[str]:
    said = [f"{name:20} {value}" for name, value in found.items() if name != "phases"]
    for name, phase in found["phases"].items():
        said.append(
            f"{name:14} {phase['searches']:5} searches, p50 {phase['p50_ms']} ms, p95 {phase['p95_ms']} ms, "
            f"{phase['times_slower']} times the quiet median"
        )
    said.append(f"the slowest of filling and indexing: {found['ratio']} times the quiet median")
    return said


def say(options: argparse.Namespace, text: str) -> None:
    if not options.json:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
