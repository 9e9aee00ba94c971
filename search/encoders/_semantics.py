"""How pictures and sentences come into one space: ConSE (Norouzi et al., "Zero-Shot Learning by Convex
Combination of Semantic Embeddings", 2014), with all labels and centred vectors.

Nothing here is learned from pictures: only label names, and the classifier's own weights, are used.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.encoders._protocol import Vectors

LABELS = Path(__file__).parent / "data" / "imagenet_labels.tsv"
RECIPE = "conse-1"  # a change of anything below is a new recipe, and with it a new space
TEMPERATURE = 2.0
VISUAL_DIMENSIONS = 128
SEMANTIC_SHARE = 0.8  # of a picture's squared length; the visual part has the rest

Embed = Callable[[Sequence[str]], Vectors]


def label_names() -> list[str]:
    """The 1000 classes in the model's order, each as WordNet's lemmas joined by commas."""
    return [line.split("\t")[1] for line in LABELS.read_text().splitlines()]


def learn(embed: Embed, weights: dict[str, NDArray[Any]]) -> dict[str, Vectors]:
    """The arrays that `join` needs, from the label names and the classifier's weights."""
    names = embed(label_names())
    mean = names.mean(axis=0)
    classifier = weights["_fc.weight"] - weights["_fc.weight"].mean(axis=0)
    directions = np.linalg.svd(classifier, full_matrices=False)[2][:VISUAL_DIMENSIONS]
    return {"labels": (names - mean).astype(np.float32), "mean": mean, "directions": directions}


def unit(rows: Vectors) -> Vectors:
    """Rows of length 1; a row of zeros becomes the same fixed direction always."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    fallback = np.full_like(rows, rows.shape[1] ** -0.5)
    return np.where(length > 1e-9, rows / np.maximum(length, 1e-9), fallback).astype(np.float32)
