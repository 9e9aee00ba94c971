"""python -m benchmarks [NAME] [OPTIONS]: run all benchmarks one after the other, or one with its options."""

import subprocess
import sys

BENCH = {
    "search_page": ["--assets", "10000"],
    "search": ["--rows", "20000"],
    "permission": ["--rows", "20000", "--rounds", "20"],
    "suggest": ["--rows", "20000"],
    "encoder": [],
    "cutoff": [],
    "example": [],
    "rate": [],
    "ingest": [],
    "fill_rate": [],
    "changing_model": ["--assets", "2000"],
    "upload": ["--size", "500M", "--cuts", "2"],
    "duplicates": ["--rows", "20000"],
    "bulk": ["--assets", "10000"],
    "vocabulary": [],
    "audit": [],
    "learning": ["--assets", "20000"],
}
WITH_DATA = (
    "catalogue",
    "learning_curve",
    "suggest_tags",
    "tag_calibration",
)  # asked for by name, with files of your own
SOAK = {
    "search": ["--rows", "200000"],
    "permission": ["--rows", "200000"],
    "search_page": ["--assets", "100000"],
    "suggest": ["--rows", "200000"],
    "changing_model": ["--assets", "20000"],
    "duplicates": ["--rows", "200000"],
    "vocabulary": ["--concepts", "50000", "--pictures", "20000"],
    "malformed": ["--files", "500"],
    "ingest": ["--assets", "5000", "--rounds", "1", "--megapixels", "0.3"],
    "faults": ["--assets", "2000"],
    "upload": ["--size", "2G", "--cuts", "5"],
    "learning": ["--assets", "100000"],
}


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] in {*BENCH, *SOAK, *WITH_DATA}:
        return run(arguments[0], arguments[1:])
    chosen = SOAK if arguments[:1] == ["soak"] else BENCH
    return max([run(name, options) for name, options in chosen.items()], default=0)


def run(name: str, options: list[str]) -> int:
    print(f"== {name} {' '.join(options)}", flush=True)
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
