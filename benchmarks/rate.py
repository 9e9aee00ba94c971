"""How much of a service's allowance a fill uses, and how many of its calls are refused.

    python -m benchmarks.rate [--seconds 30] [--json]

A contract server answers after 50 ms and allows 20 calls a second, counted over the last second and over each
second of the clock; one worker process and two fill from it, each with as many threads as the encoder asks
for. Beside it the same without the shared limits and the breaker, with retries alone.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from threading import Thread
from typing import Any

PER_SECOND, LATENCY = 20, 0.05


@dataclass(frozen=True)
class Measured:
    window: str
    workers: int
    limits: bool
    used: float  # of the allowance
    refused: float  # of the calls
    calls: int


def measure(window: str, workers: int, seconds: float, limits: bool = True) -> Measured:
    """By the server's own count. Needs a Redis that the environment names."""
    from tests.search import services, serving

    allowance = serving.Allowance(PER_SECOND, window)
    with serving.serving(services.Azure(), LATENCY, allowance) as server:
        command = [sys.executable, "-m", "benchmarks.rate", "--fill", "--seconds", str(seconds)]
        command += [] if limits else ["--without"]
        own = {"ENCODER": "azure", "ENCODER_URL": server.url, "ENCODER_KEY": services.KEY}
        environment = {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "dam.settings", "NO_PROXY": "127.0.0.1"}
        running = [subprocess.Popen(command, env=environment) for _ in range(workers)]
        if sum(process.wait(seconds + 60) for process in running):
            raise RuntimeError("A worker failed; its output says why.")
        return Measured(
            window, workers, limits, allowance.used, allowance.refused_share, len(server.requests)
        )


def fill(seconds: float, limits: bool) -> None:
    """What one worker process does: pictures, by all threads that are worthwhile, and nothing else."""
    import django

    django.setup()
    from PIL import Image

    from search import encoders
    from search.encoders import _breaker, _limits

    if not limits:
        without: Any = lambda *_: nullcontext()  # noqa: E731
        _limits.Limiter.turn = without  # type: ignore[method-assign]
        _limits.Limiter.hold = _breaker.Breaker.check = lambda *_, **__: None  # type: ignore[method-assign]
        _breaker.Breaker.failed = lambda *_: 0.0  # type: ignore[method-assign]
    encoder, until = encoders.get(), time.monotonic() + seconds

    def work() -> None:
        while time.monotonic() < until:
            try:
                encoder.encode_images([Image.new("RGB", (60, 40))])
            except encoders.EncoderError as error:
                time.sleep(getattr(error, "retry_after", 0.0))

    threads = [Thread(target=work) for _ in range(encoder.limits.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--without", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        fill(options.seconds, limits=not options.without)
        return
    from tests.services_fixture import start_for_tests

    os.environ.update(start_for_tests())
    found = []
    for window in ("sliding", "fixed"):
        for workers, limits in ((1, True), (2, True), (2, False)):
            found.append(measure(window, workers, options.seconds, limits))
            if not options.json:
                print(line(found[-1]), flush=True)
    if options.json:
        print(json.dumps([asdict(one) for one in found]))


def line(one: Measured) -> str:
    how = "shared limits" if one.limits else "retries alone"
    return (
        f"{one.window:8} {one.workers} worker(s), {how}: {one.calls:5} calls, "
        f"{one.used:6.1%} of the allowance used, {one.refused:6.2%} of the calls refused"
    )


if __name__ == "__main__":
    main()
