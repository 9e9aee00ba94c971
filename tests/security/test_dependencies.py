"""Known weaknesses of what we are built on, where somebody can be asked about them."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.services_fixture import ROOT

SECONDS = 120
LEFT_OUT = "LEFT OUT: known weaknesses of dependencies:"


@pytest.mark.slow
def test_no_dependency_has_a_known_weakness() -> None:
    """Of the versions that constraints.txt pins. Where nobody can be asked, this is skipped."""
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    one = next(line for line in pins if line.startswith("Django=="))
    audited([one])  # skips within seconds where the others would all be asked for in vain
    report = audited(pins)
    weak = {one["name"]: [weakness["id"] for weakness in one["vulns"]] for one in report if one.get("vulns")}
    assert not weak, "Take a newer version, or say in docs/security.md why it does not touch us."


def audited(pins: list[str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "pins.txt"
        listed.write_text("\n".join(pins))
        options = ("--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off", "--timeout=5")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), *options]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
        except subprocess.TimeoutExpired:
            pytest.skip(f"{LEFT_OUT} the service that knows of them does not answer.")
        except ValueError:
            said = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
            pytest.skip(f"{LEFT_OUT} {said[0][:200]}")
    if all("skip_reason" in one for one in found):
        pytest.skip(f"{LEFT_OUT} the service that knows of them cannot be reached.")
    return found
