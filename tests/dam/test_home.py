"""Nothing is written outside the data folder, and nothing is kept for anybody else."""

import os
import subprocess
import sys
from pathlib import Path

from tests.services_fixture import ROOT

ENCODE = """
import django
django.setup()
from search import encoders
encoders.get("builtin").encode_texts(["a cat"])
"""


def test_the_models_leave_nothing_in_the_home_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "dam.settings"}
    subprocess.run([sys.executable, "-c", ENCODE], cwd=ROOT, env=environment, check=True, timeout=120)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
