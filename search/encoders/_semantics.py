"""One space for pictures and sentences, made from words and from the classifier's own weights alone.

A picture is the mean of its classes' text vectors, weighted by their probabilities: ConSE (Norouzi et al.,
"Zero-Shot Learning by Convex Combination of Semantic Embeddings", 2014), with all 1000 classes. What is added
to it here, and what each part brings, is in docs/decisions/0004-builtin-encoder.md. No picture was used.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.encoders._protocol import Vectors

DATA = Path(__file__).parent / "data"
LABELS = DATA / "imagenet_labels.tsv"
SPACE = DATA / "space.npz"  # made by _make_data
FEATURES, CLASSES = 1280, 1000

TEMPERATURE = 2.0
VISUAL_DIMENSIONS = 128
SEMANTIC_SHARE = 0.3  # of a picture's squared length; the visual part has the rest

# Goes up with a change of any rule here, in _pixels or in _e5.clean: then vectors mean other things.
RECIPE = "2"


@dataclass(frozen=True)
class Space:
    """The arrays that turn the networks' outputs into vectors."""

    shown: Vectors  # (1000, 384): what each class shows
    mean: Vectors  # (384,): the mean question
    said: Vectors  # (384, 384): from a sentence's text vector to what it says
    looks: Vectors  # (1280, 128): from image features to what a picture looks like

    def pictures(self, features: Vectors, logits: Vectors) -> Vectors:
        """features (n, 1280) and logits (n, 1000) -> unit rows (n, 512): what it shows, how it looks."""
        scaled = logits / TEMPERATURE
        likely = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shown = unit((likely / likely.sum(axis=1, keepdims=True)) @ self.shown)
        roots = np.sqrt(np.maximum(features, 0))  # no single strong feature decides
        looks = unit((roots - roots.mean(axis=1, keepdims=True)) @ self.looks)
        return np.hstack([shown * SEMANTIC_SHARE**0.5, looks * (1 - SEMANTIC_SHARE) ** 0.5])

    def sentences(self, texts: Vectors) -> Vectors:
        """Text vectors (n, 384) -> unit rows (n, 512); a sentence says nothing about the visual part."""
        return np.pad(unit((texts - self.mean) @ self.said), ((0, 0), (0, self.looks.shape[1])))


def make(classifier: NDArray[Any]) -> Space:
    """The space, from what was made of words beforehand and from the classifier's weights (1000, 1280)."""
    with np.load(SPACE) as made:
        shown = made["shown"] * made["scale"]
        kinds = [shown, made["mean"], made["said"], _directions(classifier)]
    return Space(*(np.ascontiguousarray(array, np.float32) for array in kinds))


def unit(rows: NDArray[Any]) -> Vectors:
    """Rows of length 1; a row of zeros becomes one fixed direction, so that nothing is ever NaN."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    fallback = np.full_like(rows, rows.shape[1] ** -0.5)
    return np.where(length > 1e-9, rows / np.maximum(length, 1e-9), fallback).astype(np.float32)


def _directions(classifier: NDArray[Any]) -> NDArray[np.float64]:
    """(1280, 128): the directions in which the classes differ most, by the classifier's own weights.

    Their signs are fixed, so that two machines agree; their order is that of well-separated values.
    """
    weights = classifier.astype(np.float64)
    axes = np.linalg.svd(weights - weights.mean(axis=0), full_matrices=False)[2][:VISUAL_DIMENSIONS]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    rows: NDArray[np.float64] = (axes * np.sign(largest)).T
    return rows
