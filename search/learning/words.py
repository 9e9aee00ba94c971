"""What people wrote of a picture, taken apart, and how much each part tells.

A title, a description and each tag are parts. A sentence that stands in many descriptions (who gave it, how
to order a copy) is left out of them; a whole part that stands at many pictures counts less, by the logarithm
of how rare it is (Spärck Jones 1972): one that all have counts nothing.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assets.models import CREATORS, PLACES, SUBJECTS, TAGS
from assets.text import fold

COLUMNS = ("title", "description", "alt_text", "medium")
TERMS = {"tags": TAGS, "creators": CREATORS, "places": PLACES, "subjects": SUBJECTS}
FIELDS = (*COLUMNS, *TERMS)
"""What settings.LEARN_FIELDS may name."""
SHARE_OF_TERM = 0.5
"""What a tag counts beside a title, in the vector of all words of a picture."""
REPEATED, REPEATED_SHARE = 5, 0.01
"""A sentence is boilerplate from so many pictures on, and from this share of all that are described."""
Written = dict[str, list[str]]
"""By field, what stands in it of one object or picture: the text of a column, the labels of terms."""
SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Part:
    text: str
    weight: float
    prose: bool = False
    """Whether it is made of sentences, each of which may be boilerplate."""


def parts_of(subjects: Iterable[Written], fields: Sequence[str]) -> list[Part]:
    """What the objects of a picture and the picture itself say in these fields, each text once."""
    found: dict[str, Part] = {}
    for subject in subjects:
        for field in fields:
            for text in subject.get(field, ()):
                if part := _part(text.strip(), field):
                    found.setdefault(fold(part.text), part)
    return list(found.values())


def _part(text: str, field: str) -> Part | None:
    if field in TERMS:
        return Part(text, SHARE_OF_TERM)
    return Part(text, 1.0, prose=field == "description") if any(map(str.isalnum, text)) else None


def sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in SENTENCES.split(text) if sentence.strip()]


def digest(text: str) -> int:
    """64 bits of the sha256, as PostgreSQL's bigint has them."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)


@dataclass(frozen=True)
class Telling:
    """How often sentences and whole texts stand, by their digest, in `described` pictures."""

    described: int
    sentences: Counter[int]
    texts: Counter[int]

    def told(self, parts: Iterable[Part]) -> dict[str, float]:
        """The texts that are to be encoded, and what each counts (more than 0)."""
        found: dict[str, float] = {}
        for part in parts:
            weight = part.weight * self._rarity(part)
            text = self._without_boilerplate(part.text) if part.prose else part.text
            if weight > 0 and text:
                found[text] = max(weight, found.get(text, 0.0))
        return found

    def _rarity(self, part: Part) -> float:
        """1 for what one picture has, 0 for what all have."""
        if self.described < 2:
            return 1.0
        times = max(self.texts[digest(part.text)], 1)
        return math.log(self.described / times) / math.log(self.described)

    def _without_boilerplate(self, text: str) -> str:
        most = max(REPEATED, REPEATED_SHARE * self.described)
        return " ".join(one for one in sentences(text) if self.sentences[digest(one)] < most)


def count(all_parts: Iterable[Sequence[Part]]) -> Telling:
    """Count what repeats, picture by picture."""
    described, of_sentences, of_texts = 0, Counter[int](), Counter[int]()
    for parts in all_parts:
        described += bool(parts)
        of_texts.update({digest(part.text) for part in parts})
        of_sentences.update({digest(one) for part in parts if part.prose for one in sentences(part.text)})
    return Telling(described, of_sentences, of_texts)
