"""One space for pictures and sentences, made from words and from the classifier's own weights alone.

A picture is the mean of its classes' text vectors, weighted by their probabilities: ConSE (Norouzi et al.,
"Zero-Shot Learning by Convex Combination of Semantic Embeddings", 2014), with all 1000 classes. What is added
to it here, and what each part brings, is in docs/decisions/0004-builtin-encoder.md. No picture was used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.encoders._protocol import Vectors

LABELS = Path(__file__).parent / "data" / "imagenet_labels.tsv"
PHRASES = Path(__file__).parent / "data" / "phrases.tsv"
CLASSES = 1000

TEMPERATURE = 2.0
PHRASE_WEIGHT = 0.6  # of the phrases that fit a class, against its own name
PHRASE_RARITY = 0.25  # a phrase for n classes counts n ** -0.25
EVENNESS = 0.5  # 0: directions keep their spread; 1: all spread alike
EVENNESS_FLOOR = 0.1  # of the largest spread, so that faint directions are not blown up
NEUTRALITY = 4.0  # ridge: the smaller, the harder sentences are drawn to the mean of their translations
VISUAL_DIMENSIONS = 128
SEMANTIC_SHARE = 0.3  # of a picture's squared length; the visual part has the rest

NAME_TEMPLATE = "people standing near a {}"
QUESTION_TEMPLATES = (
    NAME_TEMPLATE,
    "A man is holding a {}",
    "a photo of a {}",
    "Two people and a {} outdoors",
    "A {} in the grass",
    "A woman in a red shirt looks at a {}",
    "A small child plays with a {} on the street",
    "A {} on a table",
)
QUESTION_STEP = 40  # every fortieth class stands for all when the mean question is made

# Goes up with a change of any rule here, in _pixels or in _e5.clean: then vectors mean other things.
RECIPE = "1"

Embed = Callable[[Sequence[str]], Vectors]
Array = NDArray[np.float64]


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


def make(embed: Embed, classifier: NDArray[Any]) -> Space:
    """The space, from a text model and the classifier's weights (1000, 1280); embeds about 2,000 phrases."""
    names = [line.split("\t")[1].split(",")[0] for line in LABELS.read_text("utf-8").splitlines()]
    phrases, classes = read_phrases()
    english = embed([translations[0] for translations in phrases]).astype(np.float64)
    shown = _classes(embed, names, english, classes)
    few = names[::QUESTION_STEP]
    mean = embed([template.format(name) for template in QUESTION_TEMPLATES for name in few]).mean(axis=0)
    even = _evener(shown)
    said = even @ _neutraliser(embed, phrases, lambda rows: unit((rows - mean) @ even))
    kinds = [(shown @ even), mean, said, _directions(classifier)]
    return Space(*(np.ascontiguousarray(array, np.float32) for array in kinds))


def read_phrases() -> tuple[list[list[str]], Array]:
    """Each phrase in its languages, English first; and 0 or 1 for (phrases, 1000 classes)."""
    phrases, rows = [], []
    for line in PHRASES.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        numbers, *translations = line.split("\t")
        row = np.zeros(CLASSES)
        for span in numbers.split():
            first, _, last = span.partition("-")
            row[int(first) : int(last or first) + 1] = 1
        phrases.append(translations)
        rows.append(row)
    return phrases, np.array(rows)


def unit(rows: NDArray[Any]) -> Vectors:
    """Rows of length 1; a row of zeros becomes one fixed direction, so that nothing is ever NaN."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    fallback = np.full_like(rows, rows.shape[1] ** -0.5)
    return np.where(length > 1e-9, rows / np.maximum(length, 1e-9), fallback).astype(np.float32)


def _classes(embed: Embed, names: Sequence[str], english: Array, classes: Array) -> Array:
    """(1000, 384): each class's name inside a short sentence, and the phrases that fit it; centred."""
    named = embed([NAME_TEMPLATE.format(name) for name in names]).astype(np.float64)
    named = named - named.mean(axis=0)
    fits = classes.sum(axis=1) > 0
    meaning, classes = english[fits] - english[fits].mean(axis=0), classes[fits]
    rarity = classes.sum(axis=1, keepdims=True) ** -PHRASE_RARITY
    counts = np.maximum(classes.sum(axis=0), 1)[:, None]
    rows: Array = named + PHRASE_WEIGHT * (classes * (rarity / rarity.mean())).T @ meaning / counts
    rows -= rows.mean(axis=0)
    return rows


def _evener(shown: Array) -> Array:
    """(384, 384), symmetric: partial whitening by the spread of the classes.

    Symmetric because a rotation to the principal axes would differ between machines where two axes are
    nearly alike, and vectors made on one could not be compared with those made on another.
    """
    _, spread, axes = np.linalg.svd(shown, full_matrices=False)
    strength = ((spread / spread[0]) ** 2 + EVENNESS_FLOOR) ** (-EVENNESS / 2)
    rows: Array = (axes.T * strength) @ axes
    return rows


def _neutraliser(
    embed: Embed, phrases: Sequence[Sequence[str]], project: Callable[[Vectors], Vectors]
) -> Array:
    """(384, 384) that draws a sentence to the mean of its translations: ridge regression towards identity."""
    rows = project(embed([text for translations in phrases for text in translations])).astype(np.float64)
    starts = np.cumsum([0] + [len(translations) for translations in phrases])
    spans = list(zip(starts, starts[1:], strict=False))
    targets = np.concatenate([np.repeat(unit(rows[a:b].mean(axis=0)[None]), b - a, axis=0) for a, b in spans])
    same = np.eye(rows.shape[1])
    change = np.linalg.solve(rows.T @ rows + NEUTRALITY * same, rows.T @ (targets - rows))
    return np.asarray(same + change, np.float64)


def _directions(classifier: NDArray[Any]) -> Array:
    """(1280, 128): the directions in which the classes differ most, by the classifier's own weights.

    Their signs are fixed, for the same reason as above; their order is that of well-separated values.
    """
    weights = classifier.astype(np.float64)
    axes = np.linalg.svd(weights - weights.mean(axis=0), full_matrices=False)[2][:VISUAL_DIMENSIONS]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    rows: Array = (axes * np.sign(largest)).T
    return rows
