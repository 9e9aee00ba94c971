"""Where the words and values of a text stand, and what is being typed at its end. Pure."""

import re
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from assets.text import word_key
from search.language.nodes import QUOTES, Value
from search.language.parser import Parser, Raw

MOST_WORDS, FEW_WORDS = 8, 3
Place = tuple[int, int]


@dataclass(frozen=True)
class Typed:
    """Something that may go on: the words at the end of a text, or the value of a field."""

    field: str
    """The field whose value it is; empty for words in the open."""
    beginnings: tuple[tuple[int, str], ...]
    """Where each possible beginning of a name stands, and its words; the longest first."""


class Noting(Parser):
    """Reads as every parser does, and notes the places of what it reads."""

    def __init__(self, text: str, today: date) -> None:
        super().__init__(text, today)
        self.words: list[Place] = []
        self.phrases: list[Place] = []
        self.values_at: list[tuple[str, Place]] = []
        self.open_value: tuple[str, int] | None = None
        self.open_phrase = -1
        self.either()

    def word(self, named: re.Match[str] | None) -> Raw:
        start = self.at
        node = super().word(named)
        self.words.append((start, self.at))
        return node

    def phrase(self) -> Raw | None:
        start = self.at
        if self.quoted_end(start) is None:
            self.open_phrase = start
        node = super().phrase()
        if node:
            self.phrases.append((start, self.at))
        return node

    def value(self, name: str) -> Value | None:
        start = self.at
        if self.text[start] in QUOTES and self.quoted_value_end(start) is None and not self.open_value:
            self.open_value = (name, start)
        value = super().value(name)
        self.values_at.append((name, (start, self.at)))
        return value


def noted(text: str) -> Noting:
    """The places of the words, phrases and values of a text."""
    return Noting(text, timezone.localdate())


def typed(text: str) -> Typed:
    """What a text ends with that may go on. Never raises; without anything, there are no beginnings."""
    found = noted(text)
    end = len(found.text)
    if found.open_value:
        name, start = found.open_value
        return _value(name, start, found.text[start + 1 :])
    if found.values_at and found.values_at[-1][1][1] == end:
        name, (start, _) = found.values_at[-1]
        written = found.text[start:]
        return Typed(name, ()) if written[0] in QUOTES else _value(name, start, written)
    return Typed("", _sayable(_words(found)))


def _value(name: str, start: int, written: str) -> Typed:
    """Of the path of a collection, the last name is looked for."""
    begun = written.rpartition("/")[2] if name == "collection" else written
    return Typed(name, _sayable([(start, begun)]))


def _words(found: Noting) -> list[tuple[int, str]]:
    """The last words, with nothing but spaces between them: all of them, then the last three, two, one."""
    text, run, after = found.text, list[int](), len(found.text)
    for start, end in reversed(found.words):
        if text[end:after].strip() or len(run) == MOST_WORDS:
            break
        run.append(start)
        after = start
    if found.open_phrase >= 0:  # a quotation mark before them would stay open
        before = text[: found.open_phrase][-1:]
        apart = not before.strip() or before in "(-"  # right after a word, a name would be a part of it
        whole = run and run[-1] == found.open_phrase + 1 and apart
        return [(found.open_phrase, text[run[-1] :])] if whole else []
    kept = run[:FEW_WORDS] + run[-1:] if len(run) > FEW_WORDS else run
    return [(start, text[start:]) for start in reversed(kept)]


def _sayable(beginnings: list[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Those long enough to mean something: two letters, or one of a script that has many."""
    keys = [(start, word_key(words).strip()) for start, words in beginnings]
    return tuple((start, key) for start, key in keys if len(key) > 1 or not key.isascii())
