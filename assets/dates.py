"""Dates as museums write them: text for people, earliest and latest year (signed) for searching."""

import re
from typing import NamedTuple


class Years(NamedTuple):
    earliest: int | None
    latest: int | None


UNKNOWN = Years(None, None)
CIRCA = 5  # years allowed on both sides of "about"
_ABOUT = re.compile(r"\b(c|ca|circa|about|around|um|vers|probably)\b\.?", re.I)
_BCE = re.compile(r"\b(b\.?\s?c\.?(\s?e\.?)?|v\.?\s?chr\.?|av\.?\s?j\.?-?c\.?)", re.I)
_ORDINAL = re.compile(r"(?<!\d)(\d{1,2})(?!\d)")
_CENTURY = re.compile(
    r"\d{1,2}\s*(?:st|nd|rd|th|\.|e|ème)?\s*(?:century|cent\.|c\.|jh\.?|jahrhundert|eeuw|siècle)", re.I
)
_PART = {"early": (0, 33), "mid": (33, 66), "late": (66, 99), "first half": (0, 49), "second half": (50, 99)}
_RANGE = re.compile(r"(\d{3,4})\s*(?:-|–|—|/|to|bis|and)\s*(\d{1,4})(?!\d)(s)?", re.I)
_YEAR = re.compile(r"(?<!\d)(\d{3,4})(s)?(?!\d)")
_SHORT_YEAR = re.compile(r"(?<!\d)(\d{1,4})(?!\d)")
_BEFORE, _AFTER = (
    re.compile(r"\b(before|by|vor|avant|voor)\b", re.I),
    re.compile(r"\b(after|nach|après|na)\b", re.I),
)


def _century(text: str, bce: bool) -> Years:
    numbers = [int(n) for n in _ORDINAL.findall(text)]
    span = next((years for word, years in _PART.items() if word in text.lower()), (0, 99))
    if bce:
        return Years(-numbers[0] * 100, -(numbers[-1] - 1) * 100 - 1)
    start = (numbers[0] - 1) * 100 + 1
    return Years(start + span[0], (numbers[-1] - 1) * 100 + 1 + span[1])


def _range(text: str) -> Years | None:
    found = _RANGE.search(text)
    if not found:
        return None
    first, second, decade = found[1], found[2], found[3]
    if len(second) < len(first):  # 1923-25
        second = first[: len(first) - len(second)] + second
    low, high = int(first), int(second) + (9 if decade else 0)
    return Years(low, high) if low <= high else None


def parse_years(text: str) -> Years:
    """The years that a date text covers; both None where it names none.

    Understands `1889`, `c. 1710`, `1880s`, `1923-25`, `18th century`, `early 19th century`, `before 1500`,
    `300 BC`, `120-80 BCE`, `1889-05-04`. Anything else keeps its text and is not searchable by year.
    """
    about, bce = bool(_ABOUT.search(text)), bool(_BCE.search(text))
    slack = CIRCA if about else 0
    if _CENTURY.search(text):
        return _century(text, bce)
    if bce:
        numbers = [int(n) for n in _SHORT_YEAR.findall(text)]
        return Years(-max(numbers) - slack, -min(numbers) + slack) if numbers else UNKNOWN
    if re.match(r"\s*\d{4}[-:]\d{2}([-:]\d{2})?\b", text) and not re.match(r"\s*\d{4}[-–]\d{2}\s*$", text):
        return Years(int(text.strip()[:4]), int(text.strip()[:4]))
    if between := _range(text):
        return Years(between.earliest - slack, between.latest + slack)  # type: ignore[operator]
    years = [(int(n), 9 if decade else 0) for n, decade in _YEAR.findall(text)]
    if not years:
        return UNKNOWN
    low, high = min(n for n, _ in years) - slack, max(n + extra for n, extra in years) + slack
    if _BEFORE.search(text):
        return Years(None, high)
    return Years(low, None) if _AFTER.search(text) else Years(low, high)
