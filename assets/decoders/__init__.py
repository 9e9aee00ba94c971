"""Decoders of single kinds of files, one module each. They run in a process of their own: see assets.apart.

A module has `look(path) -> Look` and `show(path, longest)`, an upright sRGB picture of at most `longest`
pixels; one for documents has `words(path)` too. They raise Refused with words for people, one of
assets.decode.DAMAGED, or one of their own ERRORS.
"""

from typing import NamedTuple


class Refused(Exception):
    """The message is for people."""


class Look(NamedTuple):
    width: int
    """Pixels, upright."""
    height: int
    """Pixels, upright."""
    pages: int = 1
    duration_ms: int | None = None
    media_type: str = ""
