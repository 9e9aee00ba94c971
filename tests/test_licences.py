"""What the installed packages carry: no GPL in the default installation, bundled libraries included."""

import mmap
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
import rawpy
from packaging.requirements import Requirement

from tests.services_fixture import ROOT

LISTS = ("requirements.txt", "requirements-video.txt")
ALONE = "requirements-data.txt"  # installed without what they need
# GPL and AGPL, and not LGPL; a licence that may be chosen instead is none of ours to take.
GPL = re.compile(r"(?<!L)(?<!lesser )(?<!library )(?:\bA?GPL|general public license)", re.I)
LICENCE_FILE = re.compile(r"(?:licen[cs]e|copying|notice)", re.I)
LESSENED = (
    "GNU LESSER GENERAL PUBLIC LICENSE",
    "GNU LIBRARY GENERAL PUBLIC",
    "GCC RUNTIME LIBRARY EXCEPTION",
)
# Libraries that are GPL or AGPL, by the names of their files.
GPL_LIBRARIES = re.compile(
    r"lib(?:x264|x265|xvidcore|postproc|readline|gdbm|fftw3|gsl|exiv2|poppler|mupdf|gs|rubberband|vidstab|cdio)\b",
    re.I,
)
# What such libraries say of themselves when they are built into others.
GPL_MARKS = (
    b"--enable-gpl",
    b"--enable-nonfree",
    b"license: GPL",
    b"x264_encoder_open",
    b"x265_encoder_open",
)


def installed() -> Iterator[Distribution]:
    """What the requirements pull in."""
    ahead, seen = [Requirement(line) for name in LISTS for line in lines(name)], set()
    alone = [Requirement(line).name for line in lines(ALONE)]
    yield from map(distribution, alone)
    while ahead:
        wanted = ahead.pop()
        for extra in ("", *wanted.extras):
            if (wanted.name, extra) in seen:
                continue
            seen.add((wanted.name, extra))
            found = distribution(wanted.name)
            if not extra:
                yield found
            for line in found.requires or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    ahead.append(needed)


def lines(name: str) -> list[str]:
    stripped = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in stripped if line and not line.startswith("-")]


def libraries(package: Distribution) -> list[Path]:
    files = (Path(str(package.locate_file(file))) for file in package.files or [])
    return [file for file in files if re.search(r"\.so(\.|$)", file.name) and file.is_file()]


def complaints(package: Distribution) -> list[str]:
    metadata = package.metadata
    said = [metadata.get("License-Expression") or "", (metadata.get("License") or "").partition("\n")[0]]
    said += [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    found = [f"{package.name} is under {text}" for text in said if GPL.search(text)]
    found += [f"{package.name} has the text of the GPL: {file.name}" for file in texts_of_the_gpl(package)]
    for file in libraries(package):
        found += [f"{package.name} carries {file.name}: {mark}" for mark in marks(file)]
    return found


def texts_of_the_gpl(package: Distribution) -> list[Path]:
    """Its licence files with the GPL in them, unless one of them lessens it or excepts what compilers add."""
    files = [Path(str(package.locate_file(file))) for file in package.files or []]
    texts = {file: file.read_text(errors="replace") for file in files if LICENCE_FILE.match(file.name)}
    if any(lessened in text for text in texts.values() for lessened in LESSENED):
        return []
    return [file for file, text in texts.items() if "GNU GENERAL PUBLIC LICENSE" in text]


def marks(file: Path) -> list[str]:
    if GPL_LIBRARIES.match(file.name):
        return ["by its name"]
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return [mark.decode() for mark in GPL_MARKS if content.find(mark) >= 0]


def test_no_package_and_no_bundled_library_is_under_the_gpl() -> None:
    packages = {package.name.lower(): package for package in installed()}
    assert {"django", "pi_heif", "rawpy", "pypdfium2", "opencv-python-headless"} <= {*packages}
    carried = {name: [file.name for file in libraries(package)] for name, package in packages.items()}
    assert any(name.startswith("libavcodec") for name in carried["opencv-python-headless"])
    assert not [line for package in packages.values() for line in complaints(package)]


def test_the_raw_decoder_has_no_parts_under_the_gpl() -> None:
    assert not rawpy.flags["DEMOSAIC_PACK_GPL2"] and not rawpy.flags["DEMOSAIC_PACK_GPL3"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["pillow-heif", "av", "pyexiv2", "opencv-python"])
def test_packages_with_gpl_inside_are_not_there(name: str) -> None:
    with pytest.raises(PackageNotFoundError):
        distribution(name)


@pytest.mark.parametrize(
    ("name", "content", "complains"),
    [
        ("libx265-1a2b.so.215", b"\x7fELF", True),
        ("libavcodec-1a2b.so.62", b"configuration: --enable-gpl --enable-libx264", True),
        ("_heif.so", b"..x265_encoder_open_215..", True),
        ("libavcodec.so.62", b"libavcodec license: LGPL version 2.1 or later, x264 - core %d", False),
        ("libgsm.so", b"\x7fELF", False),
    ],
)
def test_the_check_would_find_them(tmp_path: Path, name: str, content: bytes, complains: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert bool(marks(tmp_path / name)) == complains


@pytest.mark.parametrize(
    ("text", "is_gpl"),
    [
        ("GPL-3.0-or-later", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("AGPL-3.0", True),
        ("LGPL-3.0-only", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GNU Library General Public License (LGPL)", False),
    ],
)
def test_lesser_licences_are_told_apart(text: str, is_gpl: bool) -> None:
    assert bool(GPL.search(text)) == is_gpl
