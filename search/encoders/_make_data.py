"""Makes data/space.npz from the word lists beside it: it takes minutes, so that the result is kept.

    python -m search.encoders._make_data [--check]

Run it after a change of a list or of a rule here; --check compares with what is kept.
No picture is used.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.encoders import _e5
from search.encoders._prepared import sha256
from search.encoders._protocol import Vectors
from search.encoders._semantics import CLASSES, DATA, LABELS, SPACE

TRANSLATIONS, PHRASES, SCENES = (DATA / f"{name}.tsv" for name in ("label_translations", "phrases", "scenes"))
LANGUAGES = 5  # English, German, Dutch, French, Japanese
LANGUAGE_WEIGHTS = (
    1,
    2,
    1,
    1,
    1,
)  # in a class's vector: German, which the text model knows least, counts double
TEMPLATES = (
    "people standing near a {}",
    "Leute in der Nähe: {}",
    "mensen in de buurt: {}",
    "des gens près de : {}",
    "{}の近くに立っている人々",
)
PHRASE_WEIGHT = 0.6  # of the phrases that fit a class, against its own name
PHRASE_RARITY = 0.25  # a phrase for n classes counts n ** -0.25
NEUTRALITY_FLOOR = 0.05  # of the largest spread between translations: the smaller, the stricter

Array = NDArray[np.float64]
Embed = Callable[[Sequence[str]], Vectors]


def rows_of(name: Any) -> list[list[str]]:
    """The columns of a list, without its comments."""
    lines = name.read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def read_labels() -> list[list[str]]:
    """Each class's name in the five languages."""
    english = [names.split(",")[0] for _, names in rows_of(LABELS)]
    return [[name, *others] for name, others in zip(english, rows_of(TRANSLATIONS), strict=True)]


def read_phrases() -> tuple[list[list[str]], Array]:
    """Each phrase in the five languages; and 0 or 1 for (phrases, 1000 classes)."""
    listed = rows_of(PHRASES)
    fits = np.zeros((len(listed), CLASSES))
    for row, (numbers, *_) in zip(fits, listed, strict=True):
        for span in numbers.split():
            first, _, last = span.partition("-")
            row[int(first) : int(last or first) + 1] = 1
    return [translations for _, *translations in listed], fits


def label_sentences(labels: Sequence[Sequence[str]]) -> list[list[str]]:
    """Each name inside a short sentence: among people, as it often is in a picture."""
    return [[t.format(name) for t, name in zip(TEMPLATES, names, strict=True)] for names in labels]


def make(embed: Embed) -> dict[str, NDArray[Any]]:
    """The arrays of space.npz; embeds about 7,700 texts."""
    phrases, fits = read_phrases()
    said_so, names, scenes = (
        _embedded(embed, texts) for texts in (phrases, label_sentences(read_labels()), rows_of(SCENES))
    )
    said = neutraliser(said_so)
    shown = _classes(_across(names), _across(said_so), fits) @ said
    scale = np.abs(shown).max(axis=1, keepdims=True) / 127
    return {
        "mean": scenes.mean(axis=(0, 1)).astype(np.float32),
        "said": said.astype(np.float16),
        "shown": np.rint(shown / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "made_from": np.array(made_from()),
    }


def made_from() -> list[str]:
    """The sha256 of all that the arrays depend on, besides the rules here."""
    return [sha256(path) for path in (LABELS, TRANSLATIONS, PHRASES, SCENES, _e5.weights_path())]


def neutraliser(phrases: Array) -> Array:
    """(384, 384), symmetric: shrinks the directions in which translations of one phrase differ.

    Within-class covariance normalisation (Hatch et al. 2006), a phrase in its languages being a class.
    Symmetric because a rotation to the principal axes would mean nothing new and be less well determined.
    """
    differences = (phrases - phrases.mean(axis=1, keepdims=True)).reshape(-1, phrases.shape[-1])
    spread, axes = np.linalg.eigh(differences.T @ differences)
    rows: Array = (axes * (spread / spread.max() + NEUTRALITY_FLOOR) ** -0.5) @ axes.T
    return rows


def _embedded(embed: Embed, texts: Sequence[Sequence[str]]) -> Array:
    """(texts, languages, 384)."""
    flat = embed([text for translations in texts for text in translations])
    return flat.astype(np.float64).reshape(len(texts), LANGUAGES, -1)


def _across(vectors: Array) -> Array:
    """The weighted mean over the languages, each first centred by its own mean."""
    rows: Array = np.average(vectors - vectors.mean(axis=0), axis=1, weights=LANGUAGE_WEIGHTS)
    return rows


def _classes(names: Array, phrases: Array, fits: Array) -> Array:
    """(1000, 384): each class's name and the phrases that fit it, centred."""
    some = fits.sum(axis=1) > 0
    meaning, fits = phrases[some] - phrases[some].mean(axis=0), fits[some]
    rarity = fits.sum(axis=1, keepdims=True) ** -PHRASE_RARITY
    counts = np.maximum(fits.sum(axis=0), 1)[:, None]
    rows: Array = names + PHRASE_WEIGHT * (fits * (rarity / rarity.mean())).T @ meaning / counts
    rows -= rows.mean(axis=0)
    return rows


def main() -> int:
    made = make(_e5.E5())
    if "--check" not in sys.argv:
        np.savez_compressed(SPACE, allow_pickle=False, **made)
        return 0
    with np.load(SPACE) as kept:
        same = all(agree(kept[name], array) for name, array in made.items())
    sys.stdout.write("The kept data is what the lists give.\n" if same else "The kept data is another.\n")
    return 0 if same else 1


def agree(kept: NDArray[Any], made: NDArray[Any]) -> bool:
    """Texts are equal, numbers nearly: two machines round differently."""
    if made.dtype.kind == "U":
        return np.array_equal(kept, made)
    step = 1.0 if made.dtype == np.int8 else 2e-3 * np.abs(made).max()
    return bool(np.abs(kept.astype(float) - made.astype(float)).max() <= step)


if __name__ == "__main__":
    sys.exit(main())
