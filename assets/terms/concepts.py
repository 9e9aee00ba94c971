"""What a file says of terms: the same for every format, in the order of the file."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from assets.changes import clean_label

LONGEST_NOTE = 20_000  # characters


class FileRefused(ValueError):
    """The file cannot be read; the message is for people."""


@dataclass
class Concept:
    where: str
    """Where it stands, for people: `line 12`, or its address."""
    uri: str = ""
    label: str = ""
    labels: dict[str, list[str]] = field(default_factory=dict)
    """By language, the preferred one first."""
    broader: list[str] = field(default_factory=list)
    """Addresses, or labels where the file has none."""
    note: str = ""


@dataclass(frozen=True)
class Languages:
    """Which languages are taken over, and in which order a label is looked for; empty: all."""

    wanted: tuple[str, ...] = ()
    otherwise: str = "en"

    def takes(self, language: str) -> bool:
        return not self.wanted or not language or self._rank(language) < len(self.wanted)

    def best(self, preferred: dict[str, str]) -> str:
        """Of the preferred labels by language, the one that a term is called by."""
        order = sorted(preferred, key=lambda language: (self._rank(language), language))
        return preferred[order[0]] if order else ""

    def _rank(self, language: str) -> int:
        wanted = self.wanted or (self.otherwise,)
        for place, one in enumerate(wanted):
            if language == one or language.startswith(f"{one}-"):
                return place
        return len(wanted) + (1 if language else 0)


@dataclass
class Gathered:
    """A concept while its statements come in, in any order. `preferred` and `others` by language."""

    preferred: dict[str, str] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    broader: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def concept(self, uri: str, languages: Languages) -> Concept:
        label = languages.best(self.preferred)
        labels: dict[str, list[str]] = {}
        for language in sorted({*self.preferred, *self.others}):
            first = [self.preferred[language]] if language in self.preferred else []
            found = list(dict.fromkeys([*first, *sorted(self.others.get(language, []))]))
            if not language:
                found = [one for one in found if one != label]
            if found:
                labels[language] = found
        note = languages.best(self.notes)
        return Concept(uri, uri, label, labels, sorted(set(self.broader)), note)


def cleaned(concept: Concept) -> Concept:
    """As it can be stored: no null characters, no label longer than 200 characters."""
    concept.label = clean_label(concept.label)
    labels = {
        language: list(dict.fromkeys(label for one in found if (label := clean_label(one))))
        for language, found in concept.labels.items()
    }
    concept.labels = {language: found for language, found in labels.items() if found}
    concept.note = concept.note.replace("\x00", "").strip()[:LONGEST_NOTE]
    return concept


def keep(concepts: Iterable[Concept], path: Path) -> int:
    """Put them into a file, a line each; how many."""
    number = 0
    with path.open("w", encoding="utf-8") as target:
        for concept in concepts:
            target.write(json.dumps(asdict(cleaned(concept)), ensure_ascii=False) + "\n")
            number += 1
    return number


def kept(path: Path) -> Iterator[Concept]:
    with path.open(encoding="utf-8") as source:
        for line in source:
            yield Concept(**json.loads(line))
