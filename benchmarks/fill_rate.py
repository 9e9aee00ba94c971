"""How much of a service's allowance a whole fill uses, and how many of its calls are refused.

    python -m benchmarks.fill_rate [--pictures 400] [--json]

A system of its own moves a library to a second encoder. The contract server of that one answers after 50 ms
and allows 20 calls a second, counted over the last second; it counts from the first call of the fill to the
last one, pictures and words, with everything that a fill does between its calls. Once with one process that
fills, once with two.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.search import services, serving
from tests.services_fixture import Stack

PER_SECOND, LATENCY, LEAST_USED, MOST_REFUSED = 20, 0.05, 0.9, 0.01
FILL_SECONDS = 900.0  # the most that one fill may take


@dataclass(frozen=True)
class Measured:
    processes: int
    pictures: int
    calls: int
    seconds: float  # from the first call to the last one
    used: float  # of the allowance
    refused: float  # of the calls

    @property
    def good(self) -> bool:
        return self.used >= LEAST_USED and self.refused < MOST_REFUSED


def library(folder: Path, number: int) -> Path:
    """Small pictures of different colours, and the list of them with their titles."""
    draw = np.random.default_rng(1)
    with (folder / "list.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "title"])
        for n in range(number):
            blocks = draw.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            Image.fromarray(blocks).resize((640, 480)).save(folder / f"{n:05}.jpg")
            table.writerow([f"{n:05}.jpg", f"Study {n} in colours"])
    return folder / "list.csv"


@contextmanager
def system(data: Path, own: str, azure: str, processes: int) -> Iterator[Stack]:
    """A library on an encoder of its own, and beside it the other one in the settings, by their addresses."""
    env = {
        "FILL_CONCURRENCY": str(processes),
        "ENCODER": "openai",
        "ENCODER_URL": own,
        "ENCODER_KEY": services.KEY,
        "ENCODER_MODEL": services.Infinity.model,
        "ENCODER_DIMENSIONS": str(services.SIZE),
        "ENCODERS": "azure",
        "ENCODER_AZURE_URL": azure,
        "ENCODER_AZURE_KEY": services.KEY,
        "NO_PROXY": "127.0.0.1",
    }
    with Stack(data, **env) as stack:
        yield stack


def measure(stack: Stack, server: serving.Server, processes: int) -> Measured:
    """Make the space and wait until it is ready; by the server's own count."""
    server.allowance = None  # for the one question that making it asks
    made = spaces(stack, "create", "azure")
    told = server.allowance = serving.Allowance(PER_SECOND, "sliding")
    server.requests.clear()
    until = time.monotonic() + FILL_SECONDS
    while made["state"] == "building":
        if time.monotonic() > until:
            raise RuntimeError(f"The fill did not end: {made}")
        time.sleep(1)
        (made,) = (space for space in spaces(stack, "list")["spaces"] if space["slug"] == made["slug"])
    calls = len(server.requests)
    spaces(stack, "drop", made["slug"], "--yes")
    return Measured(
        processes, made["done"], calls, calls / PER_SECOND / told.used, told.used, told.refused_share
    )


def spaces(stack: Stack, *arguments: str) -> dict[str, Any]:
    """What `manage.py spaces` says, as plain data."""
    done = stack.manage("spaces", *arguments, "--json")
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as made, ExitStack() as open_servers:
        folder = Path(made)
        pictures = library(folder, options.pictures)
        own, azure = (
            open_servers.enter_context(serving.serving(contract, latency))
            for contract, latency in ((services.Infinity(), 0.0), (services.Azure(), LATENCY))
        )
        for processes in (1, 2):
            with system(folder / "data", own.url, azure.url, processes) as stack:
                taken = stack.manage("ingest", "--csv", str(pictures), "--wait", timeout=1800)
                if taken.returncode:
                    raise RuntimeError(taken.stdout + taken.stderr)
                found.append(measure(stack, azure, processes))
            if not options.json:
                print(line(found[-1]), flush=True)
    if options.json:
        print(json.dumps([asdict(one) for one in found]))
    return 0 if all(one.good for one in found) else 1


def line(one: Measured) -> str:
    return (
        f"{one.processes} process(es), {one.pictures} pictures: {one.calls} calls in {one.seconds:.0f} s, "
        f"{one.used:.1%} of the allowance used, {one.refused:.2%} of the calls refused"
        f"{'' if one.good else '  <- too little, or too many refused'}"
    )


if __name__ == "__main__":
    sys.exit(main())
