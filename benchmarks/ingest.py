"""How much of the speed of the bare stages the whole way of a picture keeps, and the memory of the workers.

    python -m benchmarks.ingest [--assets 30] [--rounds 2] [--megapixels 24] [--json]

JPEG, TIFF and PNG in equal shares, made by code with the grain of a photograph. In each round a system of
its own takes in new files, from the first byte to the last vector; then as many processes as it has for
imports call the same stages on the same files in a loop, without a queue, a broker or a result that is
written. `pipeline_vs_stages` is the median of the rounds; `processor_time_vs_stages`, the same of processor
time, says more where other work runs on the machine; `pipeline_vs_one_process` is against a loop of a few of
the pictures in a single process. While all this runs, the memory of each worker process is looked at every
few seconds: what it shares counts by its share.

    python -m benchmarks.ingest --assets 5000 --rounds 1 --megapixels 0.3     # is their memory flat?
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from tests.services_fixture import ROOT, Stack

WANTED, MOST_MB, MOST_MB_PER_1000 = 0.8, 1024, 20
KINDS = ("jpg", "tif", "png")
PROCESSES = 2
EVERY_SECONDS = 3  # to look at memory stops the process for some milliseconds
WARM = 6
PARTS = ("worker", "importer", "filler", "beat", "web", "postgresql", "valkey")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.bare:
        return bare(json.loads(options.bare))
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        found = measure(Path(folder), options)
    if not options.json:
        print("\n".join(f"{name:24} {value}" for name, value in found.items()))
    print(json.dumps(found if options.json else {name: found[name] for name in LAST}))
    flat = found["mb_per_1000_assets"] is None or found["mb_per_1000_assets"] < MOST_MB_PER_1000
    return 0 if found["pipeline_vs_stages"] >= WANTED and found["peak_worker_mb"] < MOST_MB and flat else 1


LAST = ("pipeline_vs_stages", "assets_per_second", "peak_worker_mb")


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Ratios of all rounds, assets a second of the median one, memory in MB."""
    megapixels: float = options.megapixels
    with Stack(folder / "data", patience=300, WORKER_CONCURRENCY=str(PROCESSES)) as stack:
        os.environ.update({**stack.env, "DJANGO_SETTINGS_MODULE": "dam.settings"})
        import django

        django.setup()
        take_in(stack, folder, megapixels, WARM, "warm")
        rounds = []
        with watched(stack) as memory:
            for number in range(options.rounds):
                rounds.append(one_round(stack, folder, megapixels, options.assets, number))
                if not options.json:
                    print(f"round {number}: {rounds[-1]}", flush=True)
    middle = statistics.median
    return {
        "pipeline_vs_stages": round(middle(one.ratio for one in rounds), 3),
        "assets_per_second": round(middle(options.assets / one.seconds for one in rounds), 2),
        "peak_worker_mb": round(memory.peak()),
        "processor_time_vs_stages": round(middle(one.loop_cpu / one.cpu for one in rounds), 3),
        "pipeline_vs_one_process": round(middle(one.alone / one.seconds for one in rounds), 3),
        "stages_per_second": round(middle(options.assets / one.loop_seconds for one in rounds), 2),
        "ratios": [round(one.ratio, 3) for one in rounds],
        "mb_per_1000_assets": memory.slope(),
        "worker_mb": memory.peaks(),
        "decoder_mb": round(memory.decoder),
    }


# --- pictures -------------------------------------------------------------------------------------


def encoded(kind: str, megapixels: float, seed: str) -> bytes:
    """A picture of soft shapes with grain; three by two. Another one for each seed."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    draw = np.random.default_rng([*f"{kind} {seed}".encode()])
    shapes = Image.fromarray(draw.integers(0, 256, (12, 18, 3), dtype=np.uint8)).resize((width, height))
    grain = draw.integers(-6, 7, (height, width, 1), dtype=np.int16)
    pixels = np.clip(np.asarray(shapes, dtype=np.int16) + grain, 0, 255).astype(np.uint8)
    image = pyvips.Image.new_from_array(pixels)
    options: dict[str, dict[str, Any]] = {
        "jpg": {"Q": 90},
        "tif": {"compression": "lzw"},
        "png": {"compression": 3},
    }
    return bytes(image.write_to_buffer(f".{kind}", **options[kind]))


def delivery(folder: Path, megapixels: float, number: int, name: str) -> Path:
    """A folder of pictures of which no two look alike: else most of the work would be to say so."""
    made = folder / f"delivery-{name}"
    made.mkdir()

    def write(n: int) -> None:
        kind = KINDS[n % len(KINDS)]
        (made / f"{n:05}.{kind}").write_bytes(encoded(kind, megapixels, f"{name} {n}"))

    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(write, range(number)))
    return made


# --- the two ways ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Round:
    """Seconds by the clock and of processors, of the pipeline and of the loop; `alone`: in one process."""

    seconds: float
    loop_seconds: float
    alone: float
    cpu: float
    loop_cpu: float
    parts: dict[str, float]  # whose processor seconds they are; `import` is the one that takes files in

    @property
    def ratio(self) -> float:
        return self.loop_seconds / self.seconds


def one_round(stack: Stack, folder: Path, megapixels: float, assets: int, number: int) -> Round:
    from assets import storage
    from assets.models import Blob

    seconds, parts, versions = take_in(stack, folder, megapixels, assets, str(number))
    loop_seconds, loop_cpu = loop(stack, versions)
    some = versions[: 4 * len(KINDS)]
    alone = loop(stack, some, processes=1)[0] / len(some)
    for blob in Blob.objects.filter(versions__in=versions):  # else each round would find less memory at hand
        storage.let_go(blob)
    return Round(seconds, loop_seconds, alone * assets, sum(parts.values()), loop_cpu, parts)


def cpu(stack: Stack) -> dict[str, float]:
    """Processor seconds so far of this thread and of each part of the system, what has ended included."""
    found = {"import": time.thread_time() + sum(os.times()[2:4])}
    for part in PARTS:
        found[part] = 0.0
        leader = stack.leader(part)
        beside = Path(f"/proc/{leader}/task/{leader}/children").read_text().split() if leader else []
        for pid in stack.pids(part) | {*map(int, beside)}:  # those of PostgreSQL have groups of their own
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                found[part] += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return found


def take_in(
    stack: Stack, folder: Path, megapixels: float, number: int, name: str
) -> tuple[float, dict[str, float], list[int]]:
    """Seconds until all are searchable, as the command says; whose processor seconds that took; the versions.

    Raises where one is not searchable.
    """
    from django.core.management import call_command

    from assets.models import AssetVersion

    last = AssetVersion.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    made, said = delivery(folder, megapixels, number, name), io.StringIO()
    os.sync()  # that these files are written to the disk is no part of taking them in
    before = cpu(stack)
    call_command("ingest", str(made), "--wait", "--json", stdout=said, stderr=io.StringIO())
    parts = {part: round(used - before.get(part, 0.0), 1) for part, used in cpu(stack).items()}
    report = json.loads(said.getvalue())
    if report["accepted"] != number or report["failed"]:
        raise RuntimeError(said.getvalue())
    for file in made.iterdir():
        file.unlink()
    versions = AssetVersion.objects.filter(pk__gt=last).values_list("pk", flat=True)
    return report["seconds"], parts, list(versions)


def loop(stack: Stack, versions: list[int], processes: int = PROCESSES) -> tuple[float, float]:
    """Seconds that so many processes side by side need for these stages, by the clock and of processors."""
    command = ["nice", "-n", "5", sys.executable, "-m", "benchmarks.ingest", "--bare"]  # as an importer
    running = [
        subprocess.Popen(
            [*command, json.dumps(versions[n::processes])],
            cwd=ROOT,
            env=stack.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(processes)
    ]
    for one in running:
        if not one.stdout or one.stdout.readline().strip() != "ready":
            raise RuntimeError("The stages could not be called.")
    began = time.monotonic()
    for one in running:
        if one.stdin:
            one.stdin.write("go\n")
            one.stdin.flush()
    if any(one.wait() for one in running):
        raise RuntimeError("A stage failed in the loop.")
    seconds = time.monotonic() - began
    return seconds, sum(float(one.stdout.read()) for one in running if one.stdout)


def bare(version_ids: list[int]) -> int:
    """In a process of its own: the stages one after the other, their results thrown away."""
    import django

    django.setup()
    from assets import storage
    from assets.models import AssetVersion
    from assets.stages import pipeline
    from search import spaces

    space = spaces.active()
    wanted = [
        (stage, space.pk if space and stage.queue == "vectorise" else 0)
        for stage in pipeline().values()
        if not stage.quiet
    ]
    versions = AssetVersion.objects.select_related("asset", "blob").in_bulk(version_ids)

    def work(version: AssetVersion) -> None:
        for stage, variant in wanted:
            stage(version, variant)

    work(versions[version_ids[0]])  # so that models and libraries are there
    for version in versions.values():  # the pipeline has just written its originals, which are in memory
        storage.digest_of(storage.originals(), version.blob.storage_name)
    print("ready", flush=True)
    sys.stdin.readline()
    before = sum(os.times()[:4])
    for pk in version_ids:
        work(versions[pk])
    print(sum(os.times()[:4]) - before, flush=True)
    os._exit(0)  # how long an interpreter takes to end is no matter of the stages


# --- memory ---------------------------------------------------------------------------------------


class Memory:
    """Proportional megabytes of worker processes: by process, (seconds, assets done, MB)."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.decoder = stack, 0.0
        self.seen: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.ended = threading.Event()

    def look(self) -> None:
        import psycopg

        from dam.services import addresses

        with psycopg.connect(
            addresses.read(self.stack.data_dir)["DATABASE_URL"], autocommit=True
        ) as database:
            while not self.ended.wait(EVERY_SECONDS):
                row = database.execute(
                    "SELECT count(*) FROM assets_rendition WHERE name = 'small'"
                ).fetchone()
                done = int(row[0]) if row else 0
                for part in ("worker", "importer"):
                    leader = self.stack.leader(part)
                    for pid in self.stack.pids(part) - {leader}:
                        self._note(part, pid, done)

    def _note(self, part: str, pid: int, done: int) -> None:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended
            return
        mb = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
        if b"assets.apart" in words:
            self.decoder = max(self.decoder, mb)
        else:
            self.seen[f"{part} {pid}"].append((done, mb))

    def peak(self) -> float:
        return max(mb for seen in self.seen.values() for _, mb in seen)

    def peaks(self) -> dict[str, int]:
        return {name: round(max(mb for _, mb in seen)) for name, seen in self.seen.items()}

    def slope(self) -> float | None:
        """Megabytes that the worst process gains in 1,000 assets, once warm; None where there are few."""
        found = []
        for seen in self.seen.values():
            assets, mb = np.array(seen[len(seen) // 3 :], dtype=float).reshape(-1, 2).T
            if len(assets) > 10 and np.ptp(assets) >= 300:
                found.append(float(np.polyfit(assets, mb, 1)[0]) * 1000)
        return round(max(found), 1) if found else None


@contextmanager
def watched(stack: Stack) -> Iterator[Memory]:
    memory = Memory(stack)
    thread = threading.Thread(target=memory.look)
    thread.start()
    try:
        yield memory
    finally:
        memory.ended.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
