"""How much a head finds among pictures it has not seen, by how many described pictures it has learned from.

    python -m benchmarks learning_curve --pictures DIR [--sizes 0,50,150,500] [--draws 10] [--json]

The folder is that of benchmarks.encoder: catalogue.csv (file, title, description) is learned from, golden.csv
(query, filename) asks about other pictures; encoder_queries.csv beside this file asks about some of those in
five languages. Each size is drawn several times. Among `all` the pictures that were learned from compete as
well, as they do in use; among `unseen` only the others. The interval holds the true difference to the encoder
alone in 95 of 100 such collections of questions (a paired bootstrap over pictures), in the mean of the draws.
It fails when a head finds less than the encoder alone beyond that. No service is needed.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")

from benchmarks.encoder import LANGUAGES, opened, rows  # noqa: E402

SIZES = "0,50,150,500,1000,2500"


@dataclass(frozen=True)
class Pictures:
    """What is learned from (first), and what is asked for (the rest); questions with their right places."""

    features: np.ndarray
    """float32 (n, p)."""
    prior: np.ndarray
    """float32 (n, d), what the encoder says, unit rows."""
    said: np.ndarray
    """float32 (learned, d): what people wrote, unit rows."""
    asked: dict[str, tuple[np.ndarray, np.ndarray]]
    """By name: questions (q, d) and the place of the right picture of each (q,)."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--sizes", default=SIZES, help="described pictures, with commas between")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.pictures:
        print("Nothing to measure: name --pictures.")
        return 0
    import django

    django.setup()
    from search import encoders

    began = time.monotonic()
    pictures = read(encoders.get("builtin"), options.pictures)
    took = time.monotonic() - began
    wanted = [int(size) for size in options.sizes.split(",") if int(size) <= len(pictures.said)]
    found = {size: curve(pictures, size, options.draws if size else 1) for size in wanted}
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{len(pictures.prior)} pictures encoded, with words, in {took:.0f} s")
        print("\n".join(lines(found)))
    return int(
        any(one["all"]["interval"][1] < 0 or one["unseen"]["interval"][1] < 0 for one in found.values())
    )


def read(encoder: Any, folder: Path) -> Pictures:
    golden, catalogue = rows(folder / "golden.csv"), rows(folder / "catalogue.csv")
    learned = [folder / row["file"] for row in catalogue]
    place = {path.name: n for n, path in enumerate(learned)}
    others = sorted({row["filename"] for row in golden} - place.keys())
    place |= {name: len(learned) + n for n, name in enumerate(others)}
    paths = [*learned, *(folder / "images" / name for name in others)]
    numbers, share = encoder.meaning
    parts = [encoder.look([opened(path) for path in paths[i : i + 8]]) for i in range(0, len(paths), 8)]
    features, vectors = (np.concatenate(one) for one in zip(*parts, strict=True))

    def question(texts: list[str], names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        return encoder.encode_texts(texts)[:, :numbers], np.array([place[name] for name in names])

    unseen = [row for row in golden if row["filename"] in set(others)]
    translated = [row for row in rows(HERE / "encoder_queries.csv") if row["filename"] in set(others)]
    asked = {"all": question([r["query"] for r in unseen], [r["filename"] for r in unseen])}
    for language in LANGUAGES if translated else ():
        texts, names = [r[language] for r in translated], [r["filename"] for r in translated]
        asked[language] = question(texts, names)
    prior = vectors[:, :numbers] / np.float32(share**0.5)
    return Pictures(features, prior, _said(encoder, catalogue, numbers), asked)


def _said(encoder: Any, catalogue: list[dict[str, str]], numbers: int) -> np.ndarray:
    """As search.learning.library has it of pictures with a title and perhaps a description."""
    from search.learning import library, words

    named = {"title": False, "description": True}
    parts = [
        [words.Part(row[name], 1.0, prose) for name, prose in named.items() if row.get(name)]
        for row in catalogue
    ]
    telling = words.count(parts)
    told = [telling.told(of_one) for of_one in parts]
    texts = sorted({text for one in told for text in one})
    vectors = encoder.encode_texts(texts)[:, :numbers]
    known = dict(zip(texts, vectors, strict=True))
    return np.stack([library.mean([(known[text], weight) for text, weight in one.items()]) for one in told])


def curve(pictures: Pictures, size: int, draws: int) -> dict[str, Any]:
    """Recall in percent, over all draws of so many described pictures."""
    from search.learning import proof, ridge

    learned, before, after = len(pictures.said), ranked(pictures, None), []
    for seed in range(draws):
        some = np.random.default_rng(seed).permutation(learned)[:size]
        chunk = (pictures.features[some], pictures.prior[some], pictures.said[some])
        fit = ridge.fit(partial(list, [chunk])) if size else None
        after.append((ranked(pictures, fit.head if fit else None), fit))
    found: dict[str, Any] = {"draws": draws}
    if size:
        strengths = [fit.head.strength for _, fit in after if fit]
        found["lambda"] = [min(strengths), max(strengths)]
    for name, first in before.items():
        ranks = [one[name] for one, _ in after]
        right = pictures.asked[name if name in LANGUAGES else "all"][1]
        gains = [proof.gain(first, one, right.tolist()) for one in ranks]
        found[name] = {
            **{k: round(100 * v, 1) for k, v in proof.recall(np.concatenate(ranks)).items()},
            "gain": round(100 * float(np.mean([g.difference for g in gains])), 1),
            "interval": [
                round(100 * float(np.mean([getattr(g, k) for g in gains])), 1) for k in ("low", "high")
            ],
            "surely worse": sum(g.high < 0 for g in gains),
        }
    return found


def ranked(pictures: Pictures, head: Any) -> dict[str, np.ndarray]:
    """Ranks of the right pictures, by what competes; questions in each language, among all."""
    from search.learning import proof, trial

    shown = pictures.prior if head is None else trial.centred(head, pictures.features, pictures.prior)
    learned, found = len(pictures.said), {}
    for name, (texts, right) in pictures.asked.items():
        question = texts if head is None else trial.question(head, texts)
        found[name] = proof.ranks(shown, question, right)
        if name == "all":
            found["unseen"] = proof.ranks(shown[learned:], question, right - learned)
    return found


def lines(found: dict[int, dict[str, Any]]) -> list[str]:
    said = []
    for size, one in found.items():
        said.append(f"{size} described pictures, {one['draws']} draws, lambda {one.get('lambda', '-')}")
        for name in (name for name in one if isinstance(one[name], dict)):
            row = one[name]
            recalls = "  ".join(f"{row[f'recall@{k}']:5.1f}" for k in (1, 5, 10))
            said.append(
                f"  {name:8} recall@1/5/10 {recalls}   gain {row['gain']:+5.1f} "
                f"({row['interval'][0]:+.1f} to {row['interval'][1]:+.1f})   "
                f"surely worse: {row['surely worse']}"
            )
    return said


if __name__ == "__main__":
    sys.exit(main())
