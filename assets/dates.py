"""Dates as museums write them: text for people, earliest and latest year (signed) for searching.

A text is cut into tokens by the table LEXICON, and the tokens are read from left to right.
"""

import re
import unicodedata
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Years(NamedTuple):
    earliest: int | None
    latest: int | None


CIRCA = 5  # years allowed on both sides of "about"

# In percent of a century or a millennium.
PARTS = {
    r"early|beginning|anfang|frühe\w*|début|begin|vroeg\w*": (0, 33),
    r"mid|middle|mitte|milieu|midden": (33, 66),
    r"late|laat|end|einde?|ende|späte\w*|fin": (66, 99),
}
COUNTED = {
    r"1(?:st|er|ère|e)?\.?|first|erste\w*|eerste|premi[eè]re?": 1,
    r"2(?:nd|ème|de|e)?\.?|second|zweite\w*|tweede|deuxième|seconde": 2,
    r"3(?:rd|ème|de|e)?\.?|third|dritte\w*|derde|troisième": 3,
    r"4(?:th|ème|de|e)?\.?|fourth|vierte\w*|vierde|quatrième": 4,
    r"last|letzte\w*|laatste|derni[eè]re?": -1,
}
SHARES = {r"half|hälfte|helft|moitié": 2, r"third|drittel|derde|tiers": 3, r"quarter|viertel|kwart|quart": 4}
CENTURY = (
    r"century|centuries|cent\.|jahrhunderts?|jhs?\.?|jhdt\.?|eeuw|siècles?"
    r"|(?<=st|nd|rd|th)\s*c(?!\.?\s?e\b)\.?"  # 18th c.
)
MILLENNIUM = r"millennium|jahrtausends?|millénaire"
BCE = r"b\.?\s?c(?:\.?\s?e)?|v(?:oo?r)?\.?\s?chr\w*|v\.\s?u\.\s?z|av(?:ant)?\.?\s?j\.?-?\s?c"
CE = r"a\.?\s?d|c\.?\s?e|n(?:ach|a)?\.?\s?chr\w*|n\.\s?u\.\s?z|ap(?:rès|r)?\.?\s?j\.?-?\s?c"
AFTER = r"not before|nicht vor|niet voor|later than|after|since|nach|seit|ab|après|depuis|na|sinds"
BEFORE = r"not after|nicht nach|niet na|(?:no|not) later than|before|vor|avant|voor"
MONTH = (
    r"jan(?:uary?|uari|vier)?|feb(?:ruary?|ruari)?|f[ée]v(?:rier)?|mar(?:ch|s)?|märz|maart|a[pv]r(?:il)?|ma[iy]|mei"
    r"|june?|juni|juin|july?|juli|juillet|aug(?:ust|ustus)?|ao[uû]t|sept?(?:em(?:ber|bre))?|o[ck]t(?:ober|obre)?"
    r"|nov(?:em(?:ber|bre))?|de[cz](?:ember)?|d[ée]c(?:embre)?"
)


def _any(table: dict[str, int] | dict[str, tuple[int, int]]) -> str:
    return "|".join(table)


# The first that fits at a place wins; letters behind a word make it another word.
LEXICON = {
    "date": (
        r"(?P<iso>\d{4})(?P<mark>[-:.])\d{2}(?P=mark)\d{2}(?!\d)"
        r"|\d{1,2}[./]\d{1,2}[./](?P<dotted>\d{4})(?!\d)"
    ),
    "share": rf"(?<!\d)(?P<counted>{_any(COUNTED)})[\s-]+(?P<of>{_any(SHARES)})(?!LETTER)",
    "number": r"(?P<digits>\d+)(?:(?P<decade>'?s|er jahre)(?!LETTER)|(?:st|nd|rd|th|ème|er|de|e)(?!LETTER))?",
    "bce": rf"(?:{BCE})(?!LETTER)\.?",
    "ce": rf"(?:{CE})(?!LETTER)\.?",
    "century": rf"(?:{CENTURY})(?!LETTER)",
    "millennium": rf"(?:{MILLENNIUM})(?!LETTER)",
    "part": rf"(?:{_any(PARTS)})(?!LETTER)",
    "about": r"(?:circa|ca|c|about|around|um|vers|probably|possibly)(?!LETTER)\.?",
    "after": rf"(?:{AFTER})(?!LETTER)",
    "before": rf"(?:{BEFORE})(?!LETTER)",
    "by": r"by(?!LETTER)",
    "join": r"[-–—/]|(?:to|and|or|bis|und|oder|tot|en|au|et|ou)(?!LETTER)",
    "month": rf"(?:{MONTH})(?!LETTER)",
    "filling": r"(?:of|the|des|dem|den|der|du|de|van|het|year|jahre?)(?!LETTER)",
    "end": r"[,;]",
    "word": r"LETTER+",
}
_TOKEN = re.compile(
    "|".join(f"(?P<{kind}>{form})" for kind, form in LEXICON.items()).replace("LETTER", r"[^\W\d_]"), re.I
)


class Number(NamedTuple):
    digits: str
    decade: bool
    joined: bool
    """To the number before it: `17th/18th`, `120-80`."""
    era: int
    """-1 or 1 where it is said in front of the number; else 0."""
    parts: list[tuple[int, int]]

    @property
    def short(self) -> bool:
        """Too few digits for a year by itself: a day, a century, `25` in `1923-25`, `79` in `79 AD`."""
        return len(self.digits) < 3


class Reader:
    """Numbers wait until it is known what they count."""

    def __init__(self) -> None:
        self.found: list[Years] = []
        self.clause: list[Years] = []  # since the last comma: an "about" belongs to these
        self.waiting: list[Number] = []
        self.ages: list[tuple[Number, int]] = []  # the centuries just read, to which "BC" may belong
        self.parts: list[tuple[int, int]] = []
        self.about = self.joined = False
        self.open = ""
        self.era = 0

    def take(self, kind: str, token: re.Match[str]) -> None:
        if kind not in {"bce", "ce", "filling"}:
            self.close_ages(1)
        match kind:
            case "date" | "number":
                self.number(token)
            case "bce" | "ce":
                self.era_of(-1 if kind == "bce" else 1)
            case "century" | "millennium":
                unit = 100 if kind == "century" else 1000
                self.ages = [(number, unit) for number in self.last_run(2) if int(number.digits)]
            case "share":
                self.parts.append(_share(token["counted"], token["of"]))
            case "part":
                self.parts.append(_looked_up(PARTS, token[0]))
            case "about":
                self.about = True
            case "join":
                self.joined = True
            case "before" | "after" | "by":
                self.close_years()
                self.open = kind
            case "month":
                if self.waiting and self.waiting[-1].short:
                    self.waiting.pop()
            case "word":
                self.word()
            case "end":
                self.end_clause()

    def number(self, token: re.Match[str]) -> None:
        digits = token["iso"] or token["dotted"] or token["digits"]
        if len(digits) > 4:
            self.word()
            return
        self.waiting.append(Number(digits, bool(token["decade"]), self.joined, self.era, self.parts))
        self.parts, self.joined, self.era = [], False, 0

    def last_run(self, longest: int) -> list[Number]:
        """Take the last number away, and those that are joined to it."""
        run: list[Number] = []
        while self.waiting and len(self.waiting[-1].digits) <= longest and not self.waiting[-1].era:
            run.append(self.waiting.pop())
            if not run[-1].joined:
                break
        return run

    def era_of(self, sign: int) -> None:
        if self.ages:
            self.close_ages(sign)
        elif run := self.last_run(4):
            years = [sign * int(number.digits) for number in run]
            self.add(self.clause, min(years), max(years))
        else:
            self.era = sign

    def close_ages(self, sign: int) -> None:
        spans = [_age(number, unit, sign) for number, unit in self.ages]
        self.ages = []
        if spans:
            self.add(self.found, min(low for low, _ in spans), max(high for _, high in spans))

    def close_years(self) -> None:
        """The numbers that wait are years, where they have enough digits or the era was said."""
        years: list[int] = []
        first, era = "", 0
        for number in self.waiting:
            era = number.era or (era if number.joined else 0)
            digits = number.digits
            if number.short and not era:  # 1923-25
                digits = first[: -len(digits)] + digits if number.joined else ""
                if digits <= first:
                    continue
            first = "" if number.short else digits
            year = int(digits) * (era or 1)
            years += [year, year + 9 if number.decade else year]
        self.waiting = []
        if years:
            self.add(self.clause, min(years), max(years))

    def add(self, spans: list[Years], low: int, high: int) -> None:
        spans.append(
            Years(None if self.open in {"before", "by"} else low, None if self.open == "after" else high)
        )
        self.open = ""

    def word(self) -> None:
        self.close_years()
        self.joined, self.era = False, 0
        if self.open == "by":  # a person, as in "printed by Smith 1642"
            self.open = ""

    def end_clause(self) -> None:
        day = bool(self.waiting)  # the comma of "before May 4, 1889" does not end it
        self.close_ages(1)
        self.close_years()
        slack = CIRCA if self.about else 0
        for low, high in self.clause:
            self.found.append(
                Years(low if low is None else low - slack, high if high is None else high + slack)
            )
        self.clause, self.parts, self.about, self.joined, self.era = [], [], False, False, 0
        if not day:
            self.open = ""


def _looked_up(table: dict[str, T], word: str) -> T:
    return next(value for form, value in table.items() if re.fullmatch(form, word, re.I))


def _share(counted: str, of: str) -> tuple[int, int]:
    which, count = _looked_up(COUNTED, counted), _looked_up(SHARES, of)
    which = count if which < 0 else which
    return (100 * (which - 1) // count, 100 * which // count - 1) if which <= count else (0, 99)


def _age(number: Number, unit: int, sign: int) -> tuple[int, int]:
    """The years of a century or millennium, or of the parts of it that were named."""
    n = int(number.digits)
    start = (n - 1) * unit + 1 if sign > 0 else -n * unit
    low = min((low for low, _ in number.parts), default=0)
    high = max((high for _, high in number.parts), default=99)
    return start + low * unit // 100, start + (high + 1) * unit // 100 - 1


def _together(found: list[Years]) -> Years:
    """All of the years, within the "before" and "after" that fit to them."""
    closed = [years for years in found if None not in years]
    rest = [years for years in found if None in years]
    both = [*([_around(closed)] if closed else []), *rest]
    low = max((years.earliest for years in both if years.earliest is not None), default=None)
    high = min((years.latest for years in both if years.latest is not None), default=None)
    return _around(found) if low is not None and high is not None and low > high else Years(low, high)


def _around(found: list[Years]) -> Years:
    lows = [years.earliest for years in found if years.earliest is not None]
    highs = [years.latest for years in found if years.latest is not None]
    return Years(
        min(lows) if len(lows) == len(found) else None, max(highs) if len(highs) == len(found) else None
    )


def parse_years(text: str) -> Years:
    """The years that a date text covers; both None where it names none. Never raises.

    Understands `1889`, `c. 1710`, `1880s`, `1923-25`, `18th century`, `early 19th century`, `before 1500`,
    `300 BC`, `27 BC-14 AD`, `1. Hälfte 19. Jh.`, `1889-05-04`. Anything else keeps its text and is not
    searchable by year.
    """
    reader = Reader()
    for token in _TOKEN.finditer(unicodedata.normalize("NFKC", text)):
        reader.take(str(token.lastgroup), token)
    reader.end_clause()
    return _together(reader.found)
