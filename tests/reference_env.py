"""The environment of the reference implementations (torch and others, 1.3 GB), which only a few tests need.

    python -m tests.reference_env         makes it, if it is not there, and says where it is

It lies in var/reference-env, or where REFERENCE_ENV says, and is made again when its requirements change.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements-reference.txt"
MOST_SECONDS = 900.0


class Unavailable(Exception):
    """It could not be made; the message says why."""


def python() -> Path:
    """Its interpreter; it is made first if need be, in about a minute. Raises Unavailable."""
    folder = Path(os.environ.get("REFERENCE_ENV") or ROOT / "var/reference-env")
    folder.parent.mkdir(parents=True, exist_ok=True)
    found, mark = folder / "bin/python", folder / "made-from.txt"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != REQUIREMENTS.read_text():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            _install(found)
            mark.write_text(REQUIREMENTS.read_text())
    return found


def _install(interpreter: Path) -> None:
    command = [interpreter, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--retries", "1"]
    try:
        subprocess.run(
            [*command, "--disable-pip-version-check", "-r", REQUIREMENTS],
            check=True,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or ["pip failed"]
        raise Unavailable(f"The reference implementations cannot be installed: {said[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"Installing them took more than {MOST_SECONDS:.0f} seconds.") from error


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{python()}\n")
    except Unavailable as error:
        sys.exit(str(error))
