"""Normal forms of words: for comparing, for sorting, for accession numbers. Pure functions.

The embedded PostgreSQL has no ICU, so that what must compare or sort as people expect is folded here
and stored.
"""

import re
import unicodedata


def fold(text: str) -> str:
    """Case, accents, width and repeated spaces do not count: `Édouard  MANET` -> `edouard manet`."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(plain.replace("\x00", " ").split())


def label_key(text: str) -> str:
    """Two labels with the same key are the same term. Accents count, case and spaces do not."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("\x00", " ").split())


def sort_key(text: str) -> str:
    """As a person sorts: `1923.9` before `1923.10`, `Äpfel` beside `apfel`. At most 200 characters."""
    return re.sub(r"\d+", lambda digits: digits[0].lstrip("0").rjust(10, "0"), fold(text))[:200]


def word_key(text: str) -> str:
    """To look for words in: folded letters and digits, a space before and behind each: ` cc by 4 0 `."""
    words = "".join(c if c.isalnum() else " " for c in fold(text)).split()
    return f" {' '.join(words)} " if words else ""


def clock(milliseconds: int) -> str:
    """As players show it: `0:42`, `1:02:03`."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def accession_key(number: str) -> str:
    """`ÄBC-12/3`, `äbc 12/3` and `ÄBC.12/3` are one number: letters and digits, separators as one dot."""
    text = unicodedata.normalize("NFKC", number).casefold()
    return re.sub(r"[\W_]+", ".", text).strip(".")
