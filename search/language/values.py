"""Reading the values of fields. A reader takes the text of one value and returns what it means."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from typing import NamedTuple
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.dates import parse_years
from assets.text import fold
from search.language.nodes import Area, Days, Meaning, Name, Sides, Size, Span

RANGE = re.compile(r"(?P<low>.*?)\s*(?:\.\.+|…)\s*(?P<high>.*)", re.DOTALL)
COMPARED = re.compile(r"(?P<sign>[<>]=?|=|≥|≤)\s*(?P<rest>.+)", re.DOTALL)
DAY = re.compile(r"(?P<year>(?:19|20)\d\d)(?:-(?P<month>\d\d?)(?:-(?P<day>\d\d?))?)?")
AMOUNT = re.compile(r"(?P<number>\d{1,9}(?:[.,]\d{1,3})?)\s*(?P<unit>[a-z]*)", re.I)
SIDES = re.compile(r"(\d{1,9})\s*[x×]\s*(\d{1,9})\s*(?:px)?", re.I)
DEGREES = r"([+-]?\d{1,3}(?:\.\d{1,20})?(?:e-?\d{1,2})?)"
AREA = re.compile(rf"{DEGREES}\s*\.\.+\s*{DEGREES}\s*/\s*{DEGREES}\s*\.\.+\s*{DEGREES}", re.I | re.ASCII)
NOWHERE = "none"
UNITS = {"": "px", "px": "px", "pixel": "px", "pixels": "px", "mp": "pixels", "megapixels": "pixels"}
UNITS |= dict.fromkeys(("kb", "mb", "gb"), "bytes")
SCALE = {"mp": 1_000_000, "megapixels": 1_000_000, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
MOST_YEARS = 9999  # from our era, in both directions
NO_ENDS = gettext_lazy("“%(text)s” has no beginning and no end. Write at least one of them.")


class WrongValue(ValueError):
    """The message is for people: what is not understood, and what to write."""


def name(text: str, quoted: bool, today: date) -> Name:
    """Something to be looked up; an asterisk at the end stands for any ending."""
    beginning = not quoted and text.endswith("*")
    text = " ".join(text.rstrip("*").split() if beginning else text.split())
    if not fold(text):
        raise WrongValue(_("Write at least one letter or digit before the asterisk."))
    return Name(text, beginning)


def choice(
    known: Sequence[str], aliases: Mapping[str, str], wrong: Promise
) -> Callable[[str, bool, date], Meaning]:
    """A reader of one of a few words; `wrong` says of another `text` that it is none of them."""

    def read(text: str, quoted: bool, today: date) -> str:
        said = " ".join(text.casefold().split())
        found = aliases.get(said, said)
        if found in known:
            return found
        close = get_close_matches(said, [*known, *aliases], 1)
        sentences = [str(wrong) % {"text": text}]
        sentences += [_("Did you mean %(name)s?") % {"name": close[0]}] if close else []
        sentences += [_("There are: %(names)s.") % {"names": ", ".join(known)}]
        raise WrongValue(" ".join(sentences))

    return read


def uid(text: str, quoted: bool, today: date) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError:
        raise WrongValue(
            _("“%(text)s” is no id. Copy the whole id from a picture's address, with its hyphens.")
            % {"text": text}
        ) from None


# --- areas ----------------------------------------------------------------------------------------


def area(text: str, quoted: bool, today: date) -> Area | str:
    """`48..49/2..3`, degrees of latitude and of longitude; or `none`."""
    if text.strip().casefold() == NOWHERE:
        return NOWHERE
    if found := AREA.fullmatch(text.strip()):
        wanted = Area(*map(float, found.groups()))
        if -90 <= wanted.south <= wanted.north <= 90 and max(abs(wanted.west), abs(wanted.east)) <= 180:
            return wanted
    raise WrongValue(
        _(
            "“%(text)s” is no area. Write degrees of latitude from south to north, a slash, and degrees of "
            "longitude from west to east, with a minus for south and west: 48..49/-2..3."
        )
        % {"text": text}
    )


# --- years ----------------------------------------------------------------------------------------


def years(text: str, quoted: bool, today: date) -> Span:
    """`1880`, `1880..1900`, `..1850`, `>1850`, `-300..-200`, and dates as museums write them."""
    if found := RANGE.fullmatch(text):
        low = _years(found["low"]).low if found["low"] else None
        high = _years(found["high"]).high if found["high"] else None
        return _ordered(text, Span(low, high))
    if found := COMPARED.fullmatch(text):
        return _compared(found["sign"], _years(found["rest"]))
    return _years(text)


def _years(text: str) -> Span:
    if re.fullmatch(r"-?[0-9]{1,4}", text):
        return Span(int(text), int(text))
    found = parse_years(text[:200])
    if found == (None, None):
        said = _('“%(text)s” is no date. Write a year, a span such as 1880..1900, or "19th century".')
        raise WrongValue(said % {"text": text})
    low, high = (
        None if year is None else max(-MOST_YEARS, min(year, MOST_YEARS))
        for year in (found.earliest, found.latest)
    )
    return Span(low, high)


def _ordered(text: str, span: Span) -> Span:
    if span.low is None and span.high is None:
        raise WrongValue(str(NO_ENDS) % {"text": text})
    if span.low is not None and span.high is not None and span.low > span.high:
        raise WrongValue(_("“%(text)s” ends before it begins. Write the smaller one first.") % {"text": text})
    return span


def _compared(sign: str, of: Span) -> Span:
    """What `>` and the like say of one value, which may be a span itself."""
    match sign:
        case ">":
            return Span(None if of.high is None else of.high + 1, None)
        case "<":
            return Span(None, None if of.low is None else of.low - 1)
        case ">=" | "≥":
            return Span(of.low, None)
        case "<=" | "≤":
            return Span(None, of.high)
    return of


# --- days -----------------------------------------------------------------------------------------


def days(text: str, quoted: bool, today: date) -> Days:
    """`2026-11`, `today`, `week`, `2026-01-01..`, `..2025`, `>2026-03`."""
    if found := RANGE.fullmatch(text):
        first = _days(found["low"], today).first if found["low"] else None
        last = _days(found["high"], today).last if found["high"] else None
    elif found := COMPARED.fullmatch(text):
        of = _days(found["rest"], today)
        first, last = _span_of_days(found["sign"], of)
    else:
        return _days(text, today)
    if first is None and last is None:
        raise WrongValue(str(NO_ENDS) % {"text": text})
    if first is not None and last is not None and first > last:
        raise WrongValue(_("“%(text)s” ends before it begins. Write the earlier day first.") % {"text": text})
    return Days(first, last)


def _span_of_days(sign: str, of: Days) -> tuple[date | None, date | None]:
    assert of.first is not None and of.last is not None  # noqa: S101 (as _days gives them)
    after, before = of.last + timedelta(1), of.first - timedelta(1)
    ends = {">": (after, None), "<": (None, before), ">=": (of.first, None), "≥": (of.first, None)}
    return {**ends, "<=": (None, of.last), "≤": (None, of.last), "=": (of.first, of.last)}[sign]


def _days(text: str, today: date) -> Days:
    """One day, one month, one year, or a word for days up to today."""
    monday, first = today - timedelta(today.weekday()), today.replace(day=1)
    yesterday = today - timedelta(1)
    words = {
        "today": Days(today, today),
        "yesterday": Days(yesterday, yesterday),
        "week": Days(monday, today),
        "month": Days(first, today),
        "year": Days(first.replace(month=1), today),
    }
    if found := words.get(text.casefold().removeprefix("this ").strip()):
        return found
    if written := DAY.fullmatch(text):
        return _written_days(text, written)
    said = _("“%(text)s” is no day. Write 2026-11-22, 2026-11, 2026, today, yesterday, week or month.")
    raise WrongValue(said % {"text": text})


def _written_days(text: str, found: re.Match[str]) -> Days:
    year, month, day = (int(found[part]) if found[part] else None for part in ("year", "month", "day"))
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError:
        said = _("There is no day “%(text)s” in the calendar. Write 2026-11-22.") % {"text": text}
        raise WrongValue(said) from None
    if day:
        return Days(first, first)
    last = first.replace(month=month or 12)
    return Days(first, last.replace(day=monthrange(last.year, last.month)[1]))


# --- sizes ----------------------------------------------------------------------------------------


class Amount(NamedTuple):
    exact: int
    half: int
    """Half of the last digit that was written: 20MP is all that is shown as 20 megapixels."""
    measure: str


def size(text: str, quoted: bool, today: date) -> Size | Sides:
    """`>4000px`, `>10MB`, `20MP`, `2000..4000px`, `4000x3000`. Without a unit: pixels of the longer side."""
    if sides := SIDES.fullmatch(text):
        return Sides(int(sides[1]), int(sides[2]))
    if found := RANGE.fullmatch(text):
        return _size_span(text, found["low"], found["high"])
    if found := COMPARED.fullmatch(text):
        of = _amount(found["rest"])
        return Size(of.measure, _compared(found["sign"], Span(of.exact, of.exact)))
    of = _amount(text)
    return Size(of.measure, Span(of.exact - of.half, of.exact + of.half))


def _size_span(text: str, low: str, high: str) -> Size:
    """The unit of the end counts for the beginning too, where that has none: 10..20MP."""
    unit = "".join(c for c in high if c.isalpha())
    least = _amount(low if any(c.isalpha() for c in low) else low + unit) if low else None
    most = _amount(high) if high else None
    if least and most and least.measure != most.measure:
        raise WrongValue(
            _("“%(text)s” begins and ends in different units. Write both in one.") % {"text": text}
        )
    measure = (most or least or Amount(0, 0, "px")).measure
    return Size(measure, _ordered(text, Span(least and least.exact, most and most.exact)))


def _amount(text: str) -> Amount:
    found = AMOUNT.fullmatch(text.strip())
    unit = found["unit"].casefold() if found else "none"
    if not found or unit not in UNITS:
        said = _("“%(text)s” is no size. Write >4000px, >10MB, 20MP, 2000..4000px or 4000x3000.")
        raise WrongValue(said % {"text": text})
    number, scale = found["number"].replace(",", "."), SCALE.get(unit, 1)
    places = len(number.partition(".")[2])
    return Amount(round(float(number) * scale), scale // (2 * 10**places), UNITS[unit])
