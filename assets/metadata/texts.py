"""Texts out of files as they can be stored: without control characters, of bounded length."""

import unicodedata
from typing import Any

from assets.text import label_key

MAX_KEYWORDS, MAX_KEYWORD, MAX_TEXT = 100, 200, 20_000
MAX_RAW = 5000  # characters of a raw value
MAX_VALUES, MAX_DEPTH = 500, 20  # raw values of one standard, and how deep they are nested
GROWTH = 18  # characters that one may become when it is normalised
# What cameras and scanners write when nobody has written anything.
BOILERPLATE = {"olympus digital camera", "sony dsc", "samsung camera pictures", "dcim", "default", "untitled"}
BOILERPLATE |= {"picasa", "exif_jpeg_picture", "digital camera", "kodak digital still camera", "image"}


def clean(text: str) -> str:
    """Without control characters and halves of characters, at most MAX_TEXT characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(c for c in text if c in "\n\t" or not unfit(c))
    return plain.strip()[:MAX_TEXT].rstrip()


def unfit(c: str) -> bool:
    """Whether XML or PostgreSQL do not store it, or nobody sees it: controls, surrogates, non-characters."""
    return unicodedata.category(c) in {"Cc", "Cs"} or ord(c) & 0xFFFE == 0xFFFE


def first(*values: Any) -> str:
    """The first that somebody has written."""
    for value in values:
        text = value[0] if isinstance(value, list) and value else value
        if text and str(text).casefold() not in BOILERPLATE:
            return str(text)
    return ""


def labels(values: Any) -> list[str]:
    """One text or several as labels of terms, each once."""
    texts = values if isinstance(values, list) else [values] if values else []
    found = (label(str(text)) for text in texts)
    return list(dict.fromkeys(text for text in found if label_key(text)))[:MAX_KEYWORDS]


def label(text: str) -> str:
    """Cut, where it must be, so that it also fits as it is compared."""
    text = text.strip()[:MAX_KEYWORD]
    while (excess := len(label_key(text)) - MAX_KEYWORD) > 0:
        text = text[: -max(1, excess // GROWTH)]
    return text.strip()


def split(text: Any) -> list[str]:
    """Labels out of a text with semicolons between them."""
    return labels([part.strip() for part in str(text or "").split(";") if part.strip()])


def cut(text: str, limit: int) -> bytes:
    """As UTF-8 of at most `limit` bytes, never in the middle of a character or of its accents."""
    data = text.encode("utf-8", "ignore")
    if len(data) <= limit:
        return data
    kept = data[:limit].decode("utf-8", "ignore")
    following = text[len(kept) : len(kept) + 1]
    while kept and (unicodedata.combining(following) or _joins(following) or _joins(kept[-1])):
        following, kept = kept[-1], kept[:-1]
    return kept.rstrip().encode()


def _joins(c: str) -> bool:
    """The joiner of emoji, a variation selector, a colour of skin: parts of the character beside them."""
    return c == "\u200d" or "\ufe00" <= c <= "\ufe0f" or "\U0001f3fb" <= c <= "\U0001f3ff"


def bounded(value: Any) -> Any:
    """Raw values as they are kept: at most MAX_VALUES of a standard, of MAX_RAW characters each."""
    if isinstance(value, dict):
        return {name[:MAX_KEYWORD]: bounded(inner) for name, inner in list(value.items())[:MAX_VALUES]}
    if isinstance(value, list):
        return [bounded(item) for item in value[:MAX_VALUES]]
    return value[:MAX_RAW] if isinstance(value, str) else value
