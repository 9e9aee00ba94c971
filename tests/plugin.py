"""Loaded by pytest before anything of Django: starts the real PostgreSQL and Valkey of this run."""

import os
from pathlib import Path

from tests.services_fixture import ROOT, start_for_tests

os.environ.update(start_for_tests())
(Path(os.environ["DATA_DIR"]) / "static").mkdir(exist_ok=True)  # whitenoise looks for it
os.environ.setdefault("MODEL_DIR", str(ROOT / "var" / "models"))  # built once, also for the real system
