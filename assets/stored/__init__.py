"""Labels and reasons that were stored, in the language of who reads them.

A label of an operation or a reason of a failure is written once, by a worker or by somebody in a language of
their own, and read by many. The rows stay as they are: here a text is found among the sentences that this
library writes (assets.stored.labels, assets.stored.reasons), in whatever language, and said anew.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import chain
from typing import NamedTuple

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext, ngettext, override

from assets.stored import labels, reasons
from assets.stored.marking import Sentence

SOURCE = "en"
AROUND = "(…)"
"""Under which the sentence around others lies, which is tried first."""
PLACE = re.compile(r"%\((\w+)\)[sd]")
GROUPED = re.compile(r"\d{1,3}([,.\xa0\u202f])\d{3}(\1\d{3})*")
BETWEEN = re.compile(r"(?<=[.!?]) ")
WORDS_WITHIN = ("what", "why", "field", "access")
"""Places that hold words of ours, which are said anew as well."""
DIGITS = ("number", "most", "days", "row")
"""Places that hold nothing but a number."""
MOST_SENTENCES = 12


class Pattern(NamedTuple):
    form: re.Pattern[str]
    sentence: Sentence
    number: int
    """1, or 2 for the plural."""


def shown(text: str) -> str:
    """The same in the language that is active; what is not known here, as it is stored."""
    plain = "".join([text])  # never marked as safe HTML: the cache takes equal texts for the same
    return _shown(plain, get_language() or SOURCE) if text else text


@lru_cache(maxsize=2048)
def _shown(text: str, language: str) -> str:
    """`language` is the active one, and stands in the key of the cache."""
    if (whole := _said(text)) is not None:
        return whole
    gaps = list(BETWEEN.finditer(text))[:MOST_SENTENCES]
    for gap in reversed(gaps):
        if (first := _said(text[: gap.start()])) is not None:
            return f"{first} {_shown(text[gap.end() :], language)}"
    if not gaps:
        return text
    return f"{text[: gaps[0].start()]} {_shown(text[gaps[0].end() :], language)}"


def _said(text: str) -> str | None:
    """One whole sentence of ours; None where it is none."""
    first = text.partition(" ")[0]
    for by_word in _patterns():
        for pattern in chain(*(by_word.get(word, ()) for word in (AROUND, first, ""))):
            if found := pattern.form.fullmatch(text):
                return _again(pattern, found.groupdict())
    return None


def _again(pattern: Pattern, found: dict[str, str]) -> str:
    one, many = pattern.sentence
    values = {name: _value(name, value) for name, value in found.items()}
    said = ngettext(one, many, pattern.number) if many else gettext(one)
    return PLACE.sub(lambda place: values[place[1]], said)


def _value(name: str, value: str) -> str:
    if GROUPED.fullmatch(value):
        return number_format(int(re.sub(r"\D", "", value)), force_grouping=True)
    if name in WORDS_WITHIN:
        said = _shown(value, get_language() or SOURCE)
        return gettext(value) if said == value else said
    return value


@cache
def _patterns() -> list[dict[str, list[Pattern]]]:
    """By language, English first, and by first word (empty: any); of several the one with the most words."""
    languages = [SOURCE, *(code for code, _name in settings.LANGUAGES if code != SOURCE)]
    return [_patterns_in(code) for code in languages]


def _patterns_in(language: str) -> dict[str, list[Pattern]]:
    found: dict[str, list[Pattern]] = defaultdict(list)
    with override(language):
        forms = sorted(_forms(), key=_weight)
    for form, sentence, number in forms:
        first = AROUND if sentence == labels.AROUND else form.partition(" ")[0]
        whole = re.compile(_expression(form), re.DOTALL)
        found["" if "%(" in first else first].append(Pattern(whole, sentence, number))
    return found


def _weight(form: tuple[str, Sentence, int]) -> tuple[bool, int]:
    return form[1] != labels.AROUND, -len(PLACE.sub("", form[0]))


def _forms() -> Iterator[tuple[str, Sentence, int]]:
    for sentence in (*labels.SENTENCES, *reasons.SENTENCES):
        one, many = sentence
        if many:
            yield from ((ngettext(one, many, number), sentence, number) for number in (1, 2))
        else:
            yield gettext(one), sentence, 1


def _expression(form: str) -> str:
    """Of a sentence, a regular expression with a group for each place."""
    pieces = PLACE.split(form)
    return "".join(_group(piece) if odd % 2 else re.escape(piece) for odd, piece in enumerate(pieces))


def _group(place: str) -> str:
    return rf"(?P<{place}>-?\d[\d.,\s]*)" if place in DIGITS else f"(?P<{place}>.+?)"
