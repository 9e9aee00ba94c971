"""How well examples find: words with a picture, "like this, but not like that", and what is not liked alone.

    python -m benchmarks example --photographs DIR [--paintings DIR] [--json]

The folders are those of benchmarks.encoder. What a photograph shows is known by the captions that people
wrote: THINGS. Figures are the precision among the first 20 (of the right ones that there are, if fewer), in
percent, of the built-in encoder; a question's own pictures are left out. The rule is search.blend.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")

from benchmarks.encoder import opened, rows  # noqa: E402
from search import blend, encoders, strength  # noqa: E402
from search.blend import blended, unit  # noqa: E402

THINGS = {
    "dog": r"\b(dogs?|pupp)",
    "snow": r"\bsnow",
    "beach": r"\bbeach",
    "water": r"\b(water|lake|river|ocean|sea|pool)\b",
    "ball": r"ball\b",
    "child": r"\b(child|children|boys?|girls?|kids?|baby|toddler)\b",
    "man": r"\b(man|men|guy)\b",
    "woman": r"\b(woman|women|lady)\b",
    "bicycle": r"\b(bicycl|bikes?\b|biker)",
    "grass": r"\b(grass|field|lawn)",
    "street": r"\b(street|road|sidewalk)",
    "mountain": r"\b(mountain|hill|cliff|rock)",
    "crowd": r"\b(crowd|group|people)",
    "jumping": r"\bjump",
    "sitting": r"\bsit",
}
FIRST, EACH, FEWEST = 20, 4, 12
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Asked(NamedTuple):
    """A question with its answers: vectors of each sort, the rows that it shows, which rows are right."""

    words: list[np.ndarray]
    liked: list[np.ndarray]
    unliked: list[np.ndarray]
    shown: list[int]
    right: np.ndarray


Rule = Callable[[Asked], np.ndarray | None]


class Library:
    """Pictures as vectors, and a sample of them to measure spreads with."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors
        self.sample = vectors[np.random.default_rng(5).permutation(len(vectors))[: strength.SAMPLE]]

    def spreads(self, vectors: Sequence[np.ndarray]) -> list[float]:
        return [float((self.sample @ vector).std()) for vector in vectors]

    def ours(self, asked: Asked) -> np.ndarray | None:
        return blended(asked.words, asked.liked, asked.unliked, self.spreads)

    def precision(self, asked: list[Asked], rule: Rule) -> float:
        found = []
        for one in asked:
            scores = self.vectors @ rule(one)
            scores[one.shown] = -np.inf
            right = one.right.copy()
            right[one.shown] = False
            best = np.argsort(-scores)[:FIRST]
            found.append(right[best].sum() / min(FIRST, right.sum()))
        return round(100 * float(np.mean(found)), 1)

    def by_weight(self, asked: list[Asked]) -> dict[str, float]:
        """Of the rule with other weights of what is not liked, and of rules that others use."""
        out = {}
        for weight in WEIGHTS:
            blend.UNLIKED, kept = weight, blend.UNLIKED
            out[f"ours, weight {weight}"] = self.precision(asked, self.ours)
            blend.UNLIKED = kept
        out["sum less 0.5 of each"] = self.precision(asked, summed)
        return out | {"Rocchio, 0.75 and 0.15": self.precision(asked, rocchio)}


def summed(asked: Asked) -> np.ndarray:
    return unit(np.sum([*asked.words, *asked.liked], axis=0) - 0.5 * np.sum(asked.unliked or [0], axis=0))


def rocchio(asked: Asked) -> np.ndarray:
    """Rocchio (1971) with the weights that textbooks give; words are the question."""
    question = np.sum(asked.words, axis=0) if asked.words else 0
    liked = np.mean(asked.liked, axis=0) if asked.liked else 0
    return unit(question + 0.75 * liked - 0.15 * (np.mean(asked.unliked, axis=0) if asked.unliked else 0))


class Photographs(Library):
    """With what each shows, and the vector of the word for it."""

    def __init__(self, encoder: Any, folder: Path) -> None:
        captions: dict[str, str] = {}
        told = [(r["filename"], r["query"]) for r in rows(folder / "golden.csv")]
        told += [
            (Path(r["file"]).name, f"{r['title']} {r['description']}") for r in rows(folder / "catalogue.csv")
        ]
        for name, text in told:
            captions[name] = f"{captions.get(name, '')} {text.lower()}"
        names = sorted(captions)
        super().__init__(encoder.encode_images([opened(folder / "images" / name) for name in names]))
        self.shows = {
            thing: np.array([bool(re.search(pattern, captions[name])) for name in names])
            for thing, pattern in THINGS.items()
        }
        self.word = dict(zip(THINGS, encoder.encode_texts(list(THINGS)), strict=True))

    def pairs(self) -> Iterator[tuple[str, str, np.random.Generator]]:
        """Two things that are seen together and apart often enough, and a source of chance."""
        for number, (one, other) in enumerate((a, b) for a in THINGS for b in THINGS if a != b):
            here, there = self.shows[one], self.shows[other]
            if min((here & there).sum(), (here & ~there).sum(), (there & ~here).sum()) >= FEWEST:
                yield one, other, np.random.default_rng(number)

    def chosen(self, draw: np.random.Generator, which: np.ndarray, count: int) -> list[int]:
        return [int(row) for row in draw.permutation(np.flatnonzero(which))[:count]]

    def but_with(self) -> list[Asked]:
        """A picture of one thing, and the word of another: right is what shows both."""
        asked = []
        for one, other, draw in self.pairs():
            here, there = self.shows[one], self.shows[other]
            for row in self.chosen(draw, here & ~there, EACH):
                asked.append(Asked([self.word[other]], [self.vectors[row]], [], [row], here & there))
        return asked

    def but_not_like(self, count: int, in_words: bool = False) -> list[Asked]:
        """Two things in a picture, or the word of one, not like pictures of the other: right is the one."""
        asked = []
        for one, other, draw in self.pairs():
            here, there = self.shows[one], self.shows[other]
            for row in self.chosen(draw, here & there, EACH):
                away = self.chosen(draw, there & ~here, count)
                words, liked = ([self.word[one]], []) if in_words else ([], [self.vectors[row]])
                asked.append(Asked(words, liked, list(self.vectors[away]), [row, *away], here & ~there))
        return asked

    def part(self, asked: list[Asked], rule: Rule) -> list[float]:
        """How a rule's ranks go with those of the picture alone, and of the words alone: correlations."""

        def ranks(vector: np.ndarray) -> np.ndarray:
            return np.argsort(np.argsort(self.vectors @ vector))

        found = [
            [np.corrcoef(ranks(rule(one)), ranks(part))[0, 1] for part in (one.liked[0], one.words[0])]
            for one in asked
        ]
        return [round(float(value), 2) for value in np.mean(found, axis=0)]

    def measured(self) -> dict[str, Any]:
        both = self.but_with()
        rules: dict[str, Rule] = {
            "ours": self.ours,
            "sum": summed,
            "picture alone": lambda one: one.liked[0],
            "words alone": lambda one: one.words[0],
        }
        return {
            "questions": len(both),
            "picture and words": {name: self.precision(both, rule) for name, rule in rules.items()},
            "goes with picture, with words": {n: self.part(both, rules[n]) for n in ("ours", "sum")},
            **{f"not like {n}": self.by_weight(self.but_not_like(n)) for n in (1, 3, 8)},
            "words, not like 1": self.by_weight(self.but_not_like(1, in_words=True)),
            "only what is not liked": alone(self),
        }


def alone(library: Library) -> dict[str, float]:
    """How many of the first 20 two random pictures share: as what is liked, and as what alone is not."""
    pairs = np.random.default_rng(2).integers(0, len(library.vectors), (300, 2))

    def common(sign: float) -> float:
        first = np.argsort(-sign * library.vectors[pairs] @ library.vectors.T, axis=2)[:, :, :FIRST]
        return round(float(np.mean([len(np.intersect1d(a, b)) for a, b in first])), 1)

    return {"liked": common(1), "not liked": common(-1)}


def paintings(encoder: Any, folder: Path) -> dict[str, Any]:
    """As people go on: like one painting, then not like three of the first 20 that are of another time."""
    works = rows(folder / "metadata.csv")
    library = Library(encoder.encode_images([opened(folder / r["file"]) for r in works]))
    time, asked = np.array([r["collection"] for r in works]), []
    for row, one in enumerate(library.vectors):
        right = time == time[row]
        near = [int(n) for n in np.argsort(-library.vectors @ one)[1 : FIRST + 1]]
        wrong = [n for n in near if not right[n]][:3]
        if right.sum() > FEWEST and wrong:
            asked.append(Asked([], [one], list(library.vectors[wrong]), [row, *wrong], right))
    return {
        "questions": len(asked),
        "not like the first 3 wrong ones": library.by_weight(asked),
        "only what is not liked": alone(library),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--paintings", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.photographs or options.paintings):
        print("Nothing to measure: name --photographs or --paintings.")
        return
    encoder, out = encoders.get("builtin"), {}
    if options.photographs:
        out["photographs"] = Photographs(encoder, options.photographs).measured()
    if options.paintings:
        out["paintings"] = paintings(encoder, options.paintings)
    print(json.dumps(out, indent=1) if options.json else table(out))


def table(out: dict[str, Any]) -> str:
    lines = []
    for library, tasks in out.items():
        for task, found in tasks.items():
            lines.append(f"{library}: {task}" + ("" if isinstance(found, dict) else f" {found}"))
            if isinstance(found, dict):
                lines += [f"    {name:28} {value}" for name, value in found.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
