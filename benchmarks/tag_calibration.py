"""Are the probabilities of learned tags true, on pictures that nothing was learned from?

    python -m benchmarks tag_calibration DIR [--tags COLUMN,COLUMN] [--words COLUMN] [--json]

DIR has a metadata.csv with a column `file` (a path below DIR). Of each column in `--tags`
(medium,collection) the value is a tag, and so are its parts (oil on canvas: oil, canvas) and, of a decade,
what stands before it; the title makes the type of picture, if it names one. `--words` names columns each of
whose words is a tag too.
A tag that eight pictures have, and eight have not, takes part. Features are those of the built-in encoder;
no database is needed. Five times, a fifth of the pictures is held out, and asked of by what was learned from
the others.

Reported: by tenths of probability how many, what was said and what is true, the expected calibration error of
all and of what would be suggested (0.5 and more), and how many of the right tags these find.
"""

import argparse
import csv
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.library import ROOT

FOLDS, FEWEST, SUGGESTED = 5, 8, 0.5
WORD = re.compile(r"[^\W\d_]{4,}")
PART, DECADE = re.compile(r",| on |, | and "), re.compile(r"_\d+s$")
TYPES = {
    "portrait": r"portrait|madame|mrs|king|queen|duke|lady|officer",
    "sacred": r"saint|virgin|christ|madonna|crucifix|angel|annunciation|adoration|jerome",
    "landscape": r"landscape|river|road|beach|view|sea|boats|woods|forest|coast|mountain",
    "still life": r"still life|flowers|vase|fruit",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tags", default="medium,collection")
    parser.add_argument("--words", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with (options.folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    own = [tags_of(line, options.tags.split(","), options.words.split(",")) for line in lines]
    features = seen([options.folder / line["file"] for line in lines])
    said, true = zip(*(held_out(features, own, seed) for seed in range(options.rounds)), strict=True)
    report(np.concatenate(said), np.concatenate(true), options)


def tags_of(line: dict[str, str], columns: list[str], words: list[str]) -> set[str]:
    found = {line[name].casefold() for name in columns if line.get(name)}
    found |= {part.strip() for value in found for part in PART.split(value)}
    found |= {DECADE.sub("", value) for value in found}
    title = (line.get("title") or "").casefold()
    found |= {name for name, pattern in TYPES.items() if re.search(pattern, title)}
    return found | {word for name in words for word in WORD.findall((line.get(name) or "").casefold())}


def seen(paths: list[Path]) -> np.ndarray:
    """float32 (n, p)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
    os.environ.setdefault("MODEL_DIR", str(ROOT / "var" / "models"))
    import django

    django.setup()
    from search import encoders

    side, found = encoders.looking(encoders.get("builtin")), []
    for path in paths:
        with Image.open(path) as image:
            image.thumbnail((640, 640))
            found.append(side.look([image.convert("RGB")])[0][0])
    return np.stack(found)


def held_out(features: np.ndarray, own: list[set[str]], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What was said of every picture and tag by those who had not seen the picture, and what is true."""
    from search.learning import tags

    fold = np.random.default_rng(seed).permutation(len(own)) % FOLDS
    said, true = [], []
    for number in range(FOLDS):
        known, asked = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        counts = Counter(tag for place in known for tag in own[place])
        names = sorted(tag for tag, n in counts.items() if FEWEST <= n <= len(known) - FEWEST)
        has = np.array([[tag in one for tag in names] for one in own])
        examples = tags.Examples(features[known], np.where(has[known], 1, -1).astype(np.float32), known)
        shares = has[known].mean(axis=0)
        fit = tags.learn(lambda one=examples: [one], np.arange(len(names)), shares, len(known))
        said.append(fit.head.probabilities(features[asked]).ravel())
        true.append(has[asked].ravel().astype(np.float64))
    return np.concatenate(said), np.concatenate(true)


def report(said: np.ndarray, true: np.ndarray, options: Any) -> None:
    from search.learning import tags

    tenths, shown = tags.tenths(said, true), said >= SUGGESTED
    figures = {
        "reliability": [one._asdict() for one in tenths],
        "calibration_error": round(tags.error(tenths), 3),
        "of_suggested": round(tags.error(tenths, SUGGESTED), 3),
        "suggested": int(shown.sum()),
        "right": round(float(true[shown].mean()), 3) if shown.any() else None,
        "recall": round(float(true[shown].sum() / max(true.sum(), 1)), 3),
    }
    if options.json:
        print(json.dumps(figures))
        return
    for one in tenths:
        print(f"{one.number:8,}  said {one.said:.2f}  true {one.true:.2f}")
    for name, value in figures.items():
        if name != "reliability":
            print(f"{name:20}{value}")


if __name__ == "__main__":
    main()
