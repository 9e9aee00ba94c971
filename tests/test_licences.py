"""What the installed packages carry: no GPL in the default installation, bundled libraries included."""

import mmap
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
import rawpy

from dam.licences import GPL, LIST, installed, licence, normal, said

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


def libraries(package: Distribution) -> list[Path]:
    files = (Path(str(package.locate_file(file))) for file in package.files or [])
    return [file for file in files if re.search(r"\.so(\.|$)", file.name) and file.is_file()]


def complaints(package: Distribution) -> list[str]:
    found = [f"{package.name} is under {text}" for text in said(package) if GPL.search(text)]
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


def test_the_list_in_the_documentation_has_all_of_them() -> None:
    """Other systems pull in fewer packages, so the list may have more. `python -m dam.licences` writes it."""
    listed, found = LIST.read_text(encoding="utf-8").splitlines(), {p.name: licence(p) for p in installed()}
    assert not [name for name, text in found.items() if not text]
    assert {f"| {normal(name)} | {text} |" for name, text in found.items()} <= {*listed}


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
