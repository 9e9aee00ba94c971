"""Loaded by pytest before anything of Django: starts the real PostgreSQL and Valkey of this run.

With pytest-xdist (-n) every worker has services of its own; the process that hands out tests has none.
"""

import os
import sys
from pathlib import Path

from tests.services_fixture import ROOT, start_for_tests

WORKERS = dict(zip(sys.argv, sys.argv[1:], strict=False)).get("-n", "0")
HANDS_OUT = WORKERS != "0" and "PYTEST_XDIST_WORKER" not in os.environ

if os.environ.pop(
    "PYTHONDONTWRITEBYTECODE", None
):  # else every process of every system compiles all of it anew
    sys.dont_write_bytecode = False
if not HANDS_OUT:
    os.environ.update(start_for_tests())
    (Path(os.environ["DATA_DIR"]) / "static").mkdir(exist_ok=True)  # whitenoise looks for it
os.environ["DEFAULT_ROLE"] = "Curators"  # most tests are not about who may do what
os.environ.setdefault("MODEL_DIR", str(ROOT / "var" / "models"))  # built once, also for the real system
