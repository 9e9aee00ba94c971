"""Damaged and harmful files: none kills a worker, takes more than 30 s or more than 1.5 GB.

    python -m benchmarks.malformed --files 500 --seed 1

Every file is looked at and decoded as at an upload, in a process of its own that stands for the worker.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
django.setup()

from assets.identify import NotAPicture, identify  # noqa: E402
from assets.renditions import decoded  # noqa: E402
from assets.stages import PermanentFailure  # noqa: E402
from tests import malformed  # noqa: E402

MOST_SECONDS, MOST_MB = 30, 1500


class Outcome(NamedTuple):
    name: str
    said: str
    seconds: float
    mb: float
    """The most memory that a worker or a decoder of its has had until now."""


def look(file: malformed.Malformed) -> Outcome:
    warnings.simplefilter("ignore")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(file.content)
        try:
            found = identify(path, file.name)
            decoded(path, found.format, found.width * found.height)
            said = "shown"
        except NotAPicture as error:
            said = f"refused: {error}"
        except PermanentFailure as error:
            said = f"kept without a picture: {error}"
    used = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Outcome(file.name, said, time.monotonic() - began, max(used) / 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    files = list(malformed.files(options.files, options.seed, slow=True))
    began = time.monotonic()
    with ProcessPoolExecutor(1) as worker:  # if it dies, so does this, with its error
        outcomes = list(worker.map(look, files))
    for one in sorted(outcomes, key=lambda one: -one.seconds)[:10]:
        print(f"{one.seconds:6.1f} s  {one.name}: {one.said[:120]}")
    ends = Counter(one.said.partition(":")[0] for one in outcomes)
    figures = {
        "files": len(outcomes),
        **dict(ends),
        "slowest_seconds": round(max(one.seconds for one in outcomes), 1),
        "peak_mb": round(max(one.mb for one in outcomes)),
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    print(json.dumps(figures))
    return int(figures["slowest_seconds"] > MOST_SECONDS or figures["peak_mb"] > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
