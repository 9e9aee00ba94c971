"""Names of files from anywhere: one form of Unicode, no way out of their source, readable in any alphabet."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePosixPath

JUNK = {"thumbs.db", "desktop.ini", "__macosx"}
DRIVE = re.compile(r"[A-Za-z]:")
LONGEST = 1000  # characters of a path, as a batch keeps it
ENCODINGS = {"cp437": False, "cp850": False, "cp1252": False, "cp866": True, "cp932": True}
"""Old encodings, and whether their letters come in runs."""
OUT_OF_BOUNDS = "Its name leads out of where it comes from, so that it was not read."


def is_junk(path: str) -> bool:
    """Whether a file is hidden or made by a system, such as .DS_Store; or in such a folder."""
    return any(
        part.startswith(".") or part.lower() in JUNK for part in path.split("/") if part not in ("..", ".")
    )


def inside(path: str) -> str:
    """The path as an item has it. Raises ValueError where it is absolute, has `..`, or is no name."""
    plain = unicodedata.normalize("NFC", path.replace("\\", "/"))
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or DRIVE.match(plain) or ".." in parts or not parts or "\0" in plain:
        raise ValueError(OUT_OF_BOUNDS)
    if len(plain) > LONGEST:
        raise ValueError(f"Its name is longer than {LONGEST} characters.")
    return "/".join(parts)


class Distinct:
    """Gives the second file of the same name another one, so that none is lost: `boat (2).jpg`."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def __call__(self, path: str) -> str:
        self._seen[path] += 1
        if self._seen[path] == 1:
            return path
        name = PurePosixPath(path)
        return self(str(name.with_name(f"{name.stem} ({self._seen[path]}){name.suffix}")))


def from_disk(name: str) -> str:
    """A name of the file system as text: bytes that are no UTF-8 are read as an old encoding."""
    raw = os.fsencode(name)
    return decoded(raw, encoding_of([raw], "cp1252"))


def decoded(raw: bytes, otherwise: str) -> str:
    """UTF-8 where it is, else the other encoding; never fails."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(otherwise, "replace")


def encoding_of(names: Sequence[bytes], likeliest: str = "cp437") -> str:
    """The likeliest encoding of names that are no UTF-8: Western ones by their letters, Russian and Japanese
    by the runs that their letters come in. All names of an archive are looked at together. By their format,
    archives are in the encoding of the first PCs.
    """
    foreign = b"\n".join(name for name in names if not _is_utf8(name))
    best, most = likeliest, 0.0
    for encoding in (likeliest, *ENCODINGS):
        runs = ENCODINGS[encoding]
        try:
            text = foreign.decode(encoding)
        except UnicodeDecodeError:
            continue
        score = _score(text, runs, "CYRILLIC" if encoding == "cp866" else "CJK HIRAGANA KATAKANA")
        if score > most:
            best, most = encoding, score
    return best


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _score(text: str, runs: bool, scripts: str) -> float:
    """How plausible a reading is, from 0 to 1: by the pairs of characters of which one is not ASCII."""
    good = bad = 0
    for one, other in pairwise(f" {text} "):
        if one.isascii() and other.isascii():
            continue
        kinds = {_kind(c, scripts if runs else "LATIN") for c in (one, other)}
        if "strange" in kinds or kinds == ({"letter", "ascii"} if runs else {"letter"}):
            bad += 1
        else:
            good += 1
    return good / (good + bad) if good else 0.0


def _kind(character: str, scripts: str) -> str:
    if character.isascii():
        return "ascii" if character.isalpha() else "other"
    if unicodedata.category(character) == "Pd":
        return "other"  # a dash
    script = unicodedata.name(character, "?").split()[0]
    return "letter" if script in scripts.split() and character.isalpha() else "strange"
