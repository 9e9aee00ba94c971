"""Damaged and harmful files; `make soak` has more of them, and those that take long."""

import resource
import time
from pathlib import Path

import pytest

from assets.identify import NotAPicture, identify
from assets.renditions import decoded
from assets.stages import PermanentFailure
from tests import malformed

MOST_SECONDS, MOST_BYTES = 30, 1_500_000_000


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(4))
def test_a_damaged_file_is_taken_or_says_why(part: int, tmp_path: Path) -> None:
    files = list(malformed.files(len(malformed.CRAFTED) + 16))[part::4]
    for file in files:
        outcome(file, tmp_path)
    used = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    assert max(used) * 1024 < MOST_BYTES


def outcome(file: malformed.Malformed, folder: Path) -> str:
    """What became of it: anything but these two errors is a failure, and so is a worker that dies."""
    path = folder / "file"
    path.write_bytes(file.content)
    began, said = time.monotonic(), "taken"
    try:
        found = identify(path, file.name)
        image, _ = decoded(path, found.format, found.width * found.height)
        assert image.mode == "RGB" and max(image.size) <= 1600
    except (NotAPicture, PermanentFailure) as error:
        said = str(error)
        assert len(said) > 20 and str(folder) not in said and said[0].isupper(), (file.name, said)
    assert time.monotonic() - began < MOST_SECONDS, file.name
    return said


def test_a_picture_that_needs_too_much_memory_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.bmp").write_bytes(malformed.large_bmp(25_000))
    with pytest.raises(PermanentFailure, match="MB of memory"):
        decoded(tmp_path / "a.bmp", "BMP", 25_000**2)
