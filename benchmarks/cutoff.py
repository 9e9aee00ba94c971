"""How often a right answer is called strong, and how often something is where nothing is right.

    python -m benchmarks cutoff --photographs DIR --paintings DIR [--json]

The folders are those of benchmarks.encoder. Asked of `visual`, the vectors of pictures, and of `words`, those
of other sentences about the same pictures. "Nothing is right" is asked in several ways: questions about the
other library, made-up ones (absent_queries.csv), and the right answer taken out with all that is like it.
The rule is search.strength; beside it one fixed number, the best for each kind in hindsight.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")

from benchmarks.encoder import opened, rows  # noqa: E402
from search import encoders, strength  # noqa: E402

FOUND, DEPTH, ALIKE = 10, 1000, 0.1


@dataclass
class Asked:
    """Questions of one library: scores (questions, pictures), and which pictures are there for each."""

    scores: np.ndarray
    there: np.ndarray
    right: np.ndarray | None = None

    def each(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each question: the scores of the nearest, best first, and those of a sample."""
        draw, found = np.random.default_rng(5), []
        for scores, there in zip(self.scores, self.there, strict=True):
            kept = scores[there]
            found.append((np.sort(kept)[::-1][:DEPTH], draw.permutation(kept)[: strength.SAMPLE]))
        return found


def whole(scores: np.ndarray, right: np.ndarray | None = None) -> Asked:
    return Asked(scores, np.ones(scores.shape, bool), right)


def gone(scores: np.ndarray, right: np.ndarray, alike: np.ndarray) -> Asked:
    """Without the right answer and the tenth of the library that is most like the question."""
    there = np.ones(scores.shape, bool)
    away = np.argsort(-alike, axis=1)[:, : int(ALIKE * scores.shape[1])]
    np.put_along_axis(there, away, False, axis=1)
    there[np.arange(len(right)), right] = False
    return Asked(scores, there)


def data(encoder: Any, photographs: Path, paintings: Path) -> dict[str, dict[str, Asked]]:
    golden, catalogue = rows(photographs / "golden.csv"), rows(photographs / "catalogue.csv")
    works = rows(paintings / "metadata.csv")
    names = sorted({r["filename"] for r in golden} | {Path(r["file"]).name for r in catalogue})
    place = {name: n for n, name in enumerate(names)}
    first, second = golden[::2], golden[1::2]  # two sentences about each picture, by two people
    asked = encoder.encode_texts([r["query"] for r in first])
    pictures = encoder.encode_images([opened(photographs / "images" / name) for name in names])
    painted = encoder.encode_images([opened(paintings / r["file"]) for r in works])
    told = [(r["query"], r["filename"]) for r in second]
    told += [(r["title"], Path(r["file"]).name) for r in catalogue]
    words = encoder.encode_texts([text for text, _ in told])
    order = [place[name] for _, name in told]
    words = words[np.argsort(order)]  # as the pictures stand
    labels = encoder.encode_texts([". ".join([r["title"], r["creator"], r["medium"]]) for r in works])
    titles = encoder.encode_texts([r["title"] for r in works])
    absent = rows(HERE / "absent_queries.csv")
    made = {
        library: encoder.encode_texts([r["query"] for r in absent if r["library"] == library])
        for library in ("photographs", "paintings")
    }
    right = np.array([place[r["filename"]] for r in first])
    alike = asked @ words.T

    def kind(here: np.ndarray, there: np.ndarray) -> dict[str, Asked]:
        return {
            "right": whole(asked @ here.T, right),
            "captions of paintings": whole(asked @ there.T),
            "titles of photographs": whole(titles @ here.T),
            "made up, photographs": whole(made["photographs"] @ here.T),
            "made up, paintings": whole(made["paintings"] @ there.T),
            "right and alike gone": gone(asked @ here.T, right, alike),
        }

    return {
        "visual": kind(pictures, painted),
        "words": kind(words, labels),
        "by example": examples(encoder, [opened(paintings / r["file"]) for r in works], painted),
    }


def examples(encoder: Any, images: list[Image.Image], painted: np.ndarray) -> dict[str, Asked]:
    """Changed copies of the paintings, with the painting in the library and without it."""

    def quarter(image: Image.Image) -> Image.Image:
        return image.crop((image.width // 4, image.height // 4, image.width * 3 // 4, image.height * 3 // 4))

    changed = [quarter(im) if n % 2 else ImageOps.mirror(im) for n, im in enumerate(images)]
    scores, own = encoder.encode_images(changed) @ painted.T, np.arange(len(images))
    without = Asked(scores, ~np.eye(len(images), dtype=bool))
    return {"right": whole(scores, own), "its original gone": without}


def cutoffs(asked: Asked, usual: strength.Usual) -> np.ndarray:
    found = [
        strength.cutoff(best.tolist(), drawn.tolist(), int(there.sum()), usual)
        for (best, drawn), there in zip(asked.each(), asked.there, strict=True)
    ]
    return np.array([np.inf if lowest is None else lowest for lowest in found])


def alarms(asked: Asked, lowest: np.ndarray) -> float:
    best = np.where(asked.there, asked.scores, -np.inf).max(axis=1)
    return round(100 * float((best >= lowest).mean()), 1)


def hits(asked: Asked, lowest: np.ndarray) -> dict[str, float]:
    """Of the right answers among the first ten, how many are strong; and how many strong ones there are."""
    assert asked.right is not None
    own = asked.scores[np.arange(len(asked.right)), asked.right]
    found = (asked.scores > own[:, None]).sum(axis=1) < FOUND
    strong = (asked.scores >= lowest[:, None]).sum(axis=1)
    return {
        "right answer in the first ten": round(100 * float(found.mean()), 1),
        "of these strong": round(100 * float((own >= lowest)[found].mean()), 1),
        "questions with strong results": round(100 * float((strong > 0).mean()), 1),
        "strong results, median": float(np.median(strong[strong > 0])) if strong.any() else 0.0,
    }


def summary(asked: dict[str, Asked], lowest: dict[str, np.ndarray]) -> dict[str, Any]:
    wrong = {name: alarms(one, lowest[name]) for name, one in asked.items() if name != "right"}
    mean = round(float(np.mean(list(wrong.values()))), 1)
    return {**hits(asked["right"], lowest["right"]), "false alarms": wrong, "mean of false alarms": mean}


def fixed(asked: dict[str, Asked], most: float) -> dict[str, Any]:
    """The lowest single number with no more false alarms, in the mean, than `most`."""
    for number in np.arange(-0.5, 1.0, 0.002):
        lowest = {name: np.full(len(one.scores), number) for name, one in asked.items()}
        found = summary(asked, lowest)
        if found["mean of false alarms"] <= most:
            break
    return {"number": round(float(number), 3), **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--paintings", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.photographs and options.paintings):
        print("Nothing to measure: name --photographs and --paintings.")
        return
    encoder = encoders.get("builtin")
    out: dict[str, Any] = {}
    for kind, asked in data(encoder, options.photographs, options.paintings).items():
        usual = strength.MEASURED.get(("builtin", kind), strength.EXAMPLE)
        rules = {"cutoff": usual, "cutoff, encoder not measured": strength.UNKNOWN}
        out[kind] = {
            name: summary(asked, {part: cutoffs(one, rule) for part, one in asked.items()})
            for name, rule in rules.items()
        }
        out[kind]["one fixed number"] = fixed(asked, out[kind]["cutoff"]["mean of false alarms"])
    if options.json:
        print(json.dumps(out, indent=1))
        return
    for kind, rules_found in out.items():
        print(f"\n{kind}")
        for name, found in rules_found.items():
            print(f"  {name}")
            for part, value in found.items():
                print(f"    {part:34} {value}")


if __name__ == "__main__":
    main()
