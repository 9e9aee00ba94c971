"""What people read: README and docs, their links and their screenshots."""

import re
from functools import cache
from pathlib import Path

from tests.services_fixture import ROOT

SCREENSHOTS = ROOT / "docs" / "screenshots"
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def targets(document: Path) -> list[Path]:
    """The files that a document links to or shows."""
    found = LINK.findall(document.read_text("utf-8"))
    return [(document.parent / link).resolve() for link in found if "://" not in link]


@cache
def screenshots() -> frozenset[str]:
    """The names of the screenshots that documents show, without the suffix."""
    shown = (path for document in documents() for path in targets(document))
    return frozenset(path.stem for path in shown if path.parent == SCREENSHOTS)
