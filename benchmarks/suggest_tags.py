"""Are suggested tags right, and is the score what it says? On a library of your own pictures that have tags.

    python -m benchmarks suggest_tags --pictures DIR --csv FILE [--tags-from title,description] [--fit]

The CSV has a column `file` (a path below DIR, or a bare name) and `tags`, with semicolons. Where it has none,
`--tags-from` makes tags of words in these columns that some, but not most, pictures have. Every picture is
taken in with its title, and encoded by the built-in encoder; then tags are given to all, and each picture in
turn is asked for suggestions as if it had none. A tag that it has is right. Pictures without tags are left
out. `--without-words` leaves the words out of it, as for pictures that nothing is known of.

Reported: by ranges of scores how many are right, precision and recall of what is offered, and the mean
difference between score and truth (expected calibration error). `--fit` finds the weights on one half of the
pictures, and reports of the other.
"""

import argparse
import csv
import io
import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.library import database

RARE, COMMON = 6, 0.25  # pictures at least, and the share of them at most, that a made tag is on
DULL_WORDS = """
the and with while are his her its their two one three some near from into over through for who that this out
has have there off being holding wearing standing looking very other another under behind front next down onto
them him she they was were not but all around large small young old
"""
DULL = set(re.findall(r"\w+", DULL_WORDS))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--tags-from", default="")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--without-words", action="store_true")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines = read(options.csv, options.tags_from.split(",") if options.tags_from else [])
    with database():
        truth = taken_in(options.pictures, lines[: options.limit or None])
        rows = asked(truth, options.without_words)
        print(f"{len(truth)} pictures, {sum(map(len, truth.values()))} tags, {len(rows)} candidates")
        found = {"as it is": judged(rows, truth)}
        if options.fit:
            found["fitted"] = fitted(rows, truth)
    for name, figures in found.items():
        print(name, json.dumps(figures, indent=None if options.json else 1))


def read(path: Path, columns: list[str]) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines: list[dict[str, Any]] = list(csv.DictReader(file))
    for line in lines:
        line["own"] = [one.strip() for one in (line.get("tags") or "").split(";") if one.strip()]
        if columns:
            text = " ".join(line.get(column) or "" for column in columns).casefold()
            words = {word.removesuffix("s") for word in re.findall(r"[a-z]{3,}", text) if word not in DULL}
            line["own"] = sorted(words - DULL)
    if columns:
        counts = Counter(tag for line in lines for tag in line["own"])
        kept = {tag for tag, number in counts.items() if RARE <= number <= COMMON * len(lines)}
        for line in lines:
            line["own"] = [tag for tag in line["own"] if tag in kept]
    return lines


def taken_in(folder: Path, lines: list[dict[str, Any]]) -> dict[int, set[str]]:
    """The tags of each asset: all are taken in without them, so that no vector knows them."""
    from assets import changes, ingest
    from assets.models import Asset, Batch
    from search import spaces
    from search.suggestions import count_again

    spaces.ensure()
    batch, truth = Batch.objects.create(source="suggest_tags"), dict[int, set[str]]()
    for line in lines:
        path = folder / line["file"]
        path = path if path.is_file() else folder / Path(line["file"]).name
        if not line["own"] or not path.is_file():
            continue
        words = {"title": (line.get("title") or "")[:500]}
        outcome = ingest.accept(io.BytesIO(path.read_bytes()), path.name, words=words, batch=batch)
        if outcome.asset is not None:
            encode(Asset.objects.with_words().get(pk=outcome.asset.pk), path)
            truth[outcome.asset.pk] = set(line["own"])
    for pk, tags in truth.items():
        op = changes.operation("edit", "tags")
        changes.apply(op, [Asset.objects.get(pk=pk)], {"add_terms": {"tags": sorted(tags)}})
    count_again()
    return truth


def encode(asset: Any, path: Path) -> None:
    """As the stages do, without their previews."""
    from assets.descriptions import sentence
    from search import spaces, sql

    space = spaces.active()
    assert space is not None
    encoder = spaces.encoder_of(space)
    with Image.open(path) as image:
        image.thumbnail((640, 640))
        visual = encoder.encode_images([image.convert("RGB")])[0]
    sql.write_vector(space, asset.current_version_id, asset.pk, "visual", visual)
    if text := sentence(asset):
        words = encoder.encode_texts([text], role="document")[0]
        sql.write_vector(space, asset.current_version_id, asset.pk, "words", words)


Row = tuple[int, str, Any, float]
"""An asset, a tag, the evidence for it, and its score."""


def asked(truth: dict[int, set[str]], without_words: bool) -> list[Row]:
    from accounts.models import User
    from search import background, likeness, spaces, sql
    from search import tag_suggestions as tags

    user = User.objects.create_superuser("bench")
    space, where = spaces.active(), sql.visible_to(sql.Where(), user)
    assert space is not None
    rows: list[Row] = []
    for pk in truth:
        kinds = ("visual",) if without_words else ("visual", "words")
        vectors = {k: v[pk] for k in kinds if pk in (v := sql.vectors_of(space, [pk], k))}
        others = where.add("r.asset_id <> %s", pk).add("r.has @> ARRAY['tag']::varchar[]")
        near = likeness.by_kind(user, space, vectors, others, tags.neighbours(len(truth)))
        drawn = dict(zip(vectors, background.drawn(space, [*vectors.items()], where), strict=True))
        own = tags.tags_of({one for ranked in near.values() for one, _ in ranked}, where)
        nearest = tags.nearness(near["visual"], drawn["visual"])
        found = tags.evidence(near, own, len(truth), nearest)
        rows += [(pk, tag.label, one, tags.likely(one)) for tag, one in found.items()]
    return rows


def judged(rows: list[Row], truth: dict[int, set[str]]) -> dict[str, Any]:
    from search.tag_suggestions import MOST, SHOWN

    right = np.array([label in truth[pk] for pk, label, *_ in rows])
    score = np.array([row[-1] for row in rows])
    ranges, wrong = {}, 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (score >= low) & (score < low + 0.1)
        if inside.any():
            ranges[f"{low:.1f}"] = f"{right[inside].mean():.2f} of {inside.sum()}"
            wrong += abs(right[inside].mean() - score[inside].mean()) * inside.sum()
    shown: Counter[int] = Counter()
    offered = np.zeros(len(rows), dtype=bool)
    for n in np.argsort(-score):
        if score[n] >= SHOWN and shown[rows[n][0]] < MOST:
            shown[rows[n][0]] += 1
            offered[n] = True
    asked_for = {row[0] for row in rows}
    return {
        "right_by_score": ranges,
        "calibration_error": round(wrong / max(len(rows), 1), 3),
        "offered_a_picture": round(float(offered.sum()) / len(asked_for), 2),
        "pictures_with_any": round(len(shown) / len(asked_for), 3),
        "precision": round(float(right[offered].mean()), 3) if offered.any() else None,
        "recall": round(float(right[offered].sum()) / sum(map(len, truth.values())), 3),
    }


def fitted(rows: list[Row], truth: dict[int, set[str]]) -> dict[str, Any]:
    """Weights by Newton's method on half of the pictures, and what they are worth for the others."""
    draw = random.Random(1)
    half = {pk for pk in truth if draw.random() < 0.5}
    every = np.array([row[2].features for row in rows])
    right = np.array([float(label in truth[pk]) for pk, label, *_ in rows])
    learned = np.array([row[0] in half for row in rows])
    weights = np.zeros(every.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-every[learned] @ weights))
        gradient = every[learned].T @ (right[learned] - p) - 0.1 * weights
        curve = (every[learned].T * (p * (1 - p))) @ every[learned] + 0.1 * np.eye(len(weights))
        weights += np.linalg.solve(curve, gradient)
    scores = 1 / (1 + np.exp(-every @ weights))
    others = [
        (*row[:-1], float(score)) for row, score, own in zip(rows, scores, learned, strict=True) if not own
    ]
    rest = {pk: tags for pk, tags in truth.items() if pk not in half}
    return {**judged(others, rest), "weights": weights.round(2).tolist()}


if __name__ == "__main__":
    main()
