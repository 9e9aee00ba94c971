"""The JavaScript of others: what the lock file says, and what pages load of it."""

import json
import re
from pathlib import Path

import pytest

from dam import javascript
from tests.services_fixture import ROOT


def test_the_lock_file_pins_what_is_asked_for_by_checksum_and_names_no_registry() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    text = (ROOT / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert packages[""]["dependencies"] == wanted
    assert {name.removeprefix("node_modules/") for name in packages if name} == set(javascript.FILES)
    for name, version in wanted.items():
        pinned = packages[f"node_modules/{name}"]
        assert pinned["version"] == version and re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert pinned["integrity"].startswith("sha512-") and pinned["license"] in ("BSD-3-Clause", "ISC")
    assert "resolved" not in text


def test_what_pages_load_is_collected_with_its_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(javascript, "PACKAGES", tmp_path)
    monkeypatch.setattr(javascript, "COLLECTED", tmp_path / "collected")
    for package, files in javascript.FILES.items():
        for name in (*files, "not-needed.js"):
            path = tmp_path / package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    (tmp_path / "collected").mkdir()
    (tmp_path / "collected" / "old.js").touch()
    javascript.collect()
    found = {path.relative_to(tmp_path / "collected").as_posix() for path in tmp_path.glob("collected/*/*")}
    assert found == {f"{p}/{Path(name).name}" for p, files in javascript.FILES.items() for name in files}
    assert {"openseadragon/LICENSE.txt", "world-atlas/LICENSE"} <= found
