"""A library as numbers alone, drawn from one seed: clustered vectors, tags and words.

Vectors: clusters of Zipf-like sizes around centres in a space of LATENT dimensions whose spread falls, as
it does in the embeddings of image models, then turned into the wanted number of dimensions, with some
noise, off the origin.

Tags: BACKGROUND of them with Zipf frequencies, and for every share in SHARES two sorts that filters are
made of: *loose* tags, on pictures drawn at random, and *topics*, on the pictures that lie nearest to one
of them.
"""

from dataclasses import dataclass

import numpy as np

SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
LOOSE, TOPICS, BACKGROUND = 4, 10, 2000
LATENT = 48
COMMON_WORD, SELECTIVE_WORDS = "landscape", 400
COLLECTIONS = 60


@dataclass(frozen=True)
class Tag:
    pk: int
    share: float
    rows: np.ndarray
    """The numbers of the pictures that have it, ascending."""
    centre: np.ndarray | None = None
    """Of a topic: the point that its pictures lie around."""


@dataclass(frozen=True)
class Library:
    vectors: np.ndarray
    """float32 (rows, dimensions), unit length, as rounded by a halfvec."""
    questions: np.ndarray
    """Vectors of the same kind that are not in the library."""
    loose: list[Tag]
    topics: list[Tag]
    terms: list[list[int]]
    """By picture, ascending."""


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def draw_vectors(rows: int, dimensions: int, seed: int = 1) -> np.ndarray:
    """float32 (rows, dimensions), unit length."""
    draw = np.random.default_rng(seed)
    clusters = max(50, rows // 200)
    spread = (np.arange(1, LATENT + 1) ** -0.4).astype(np.float32)
    centres = draw.normal(size=(clusters, LATENT)).astype(np.float32) * spread
    sizes = np.arange(1, clusters + 1) ** -0.7
    turn = np.linalg.qr(draw.normal(size=(dimensions, LATENT)))[0].T.astype(np.float32)
    middle = 0.8 * unit(draw.normal(size=(1, dimensions)))
    out = np.empty((rows, dimensions), dtype=np.float32)
    for start in range(0, rows, 50_000):
        size = min(50_000, rows - start)
        chosen = draw.choice(clusters, size, p=sizes / sizes.sum())
        latent = centres[chosen] + 0.5 * draw.normal(size=(size, LATENT)).astype(np.float32) * spread
        noise = draw.normal(size=(size, dimensions)).astype(np.float32) * (0.3 / dimensions**0.5)
        out[start : start + size] = unit(latent @ turn + noise + middle)
    return out


def halved(values: np.ndarray) -> np.ndarray:
    """As a halfvec keeps it."""
    return values.astype(np.float16).astype(np.float32)


def make(vectors: np.ndarray, questions: int, seed: int = 2) -> Library:
    """The rest of a library around these vectors; the last `questions` of them are taken out to be asked."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(vectors))
    asked = unit(vectors[order[:questions]])
    kept = halved(unit(vectors[np.sort(order[questions:])]))
    rows = len(kept)
    numbers = iter(range(1, 10_000))
    loose = [
        Tag(next(numbers), share, np.sort(draw.choice(rows, size_of(share, rows), replace=False)))
        for share in SHARES
        for _ in range(LOOSE)
    ]
    topics = [_topic(next(numbers), share, kept, draw) for share in SHARES for _ in range(TOPICS)]
    return Library(kept, asked, loose, topics, _terms(rows, [*loose, *topics], draw))


def size_of(share: float, rows: int) -> int:
    return max(round(share * rows), 1)


def _topic(pk: int, share: float, vectors: np.ndarray, draw: np.random.Generator) -> Tag:
    """Around a picture of the library, with a border that is not sharp."""
    centre = vectors[draw.integers(len(vectors))]
    near = vectors @ centre
    near += draw.normal(size=len(near)).astype(np.float32) * near.std() * 0.2
    count = size_of(share, len(vectors))
    return Tag(pk, share, np.sort(np.argpartition(-near, count - 1)[:count]), centre)


def _terms(rows: int, tags: list[Tag], draw: np.random.Generator) -> list[list[int]]:
    weights = 1 / np.arange(1, BACKGROUND + 1)
    chosen = 10_000 + draw.choice(BACKGROUND, (rows, 5), p=weights / weights.sum())
    terms = [set(row) for row in chosen.tolist()]
    for tag in tags:
        for row in tag.rows.tolist():
            terms[row].add(tag.pk)
    return [sorted(row) for row in terms]


def texts(rows: int, seed: int = 3) -> list[str]:
    """Some forty Zipf words a picture, COMMON_WORD in a tenth, one of SELECTIVE_WORDS in every other."""
    draw = np.random.default_rng(seed)
    weights = 1 / np.arange(1, 20_001) ** 0.9
    chosen = draw.choice(20_000, (rows, 40), p=weights / weights.sum())
    common = draw.random(rows) < 0.1
    rare = draw.random(rows) < 0.5
    which = draw.integers(0, SELECTIVE_WORDS, rows)
    return [
        " ".join([*(f"word{n}" for n in row), *([COMMON_WORD] if c else []), *([f"rarity{w}"] if r else [])])
        for row, c, r, w in zip(chosen.tolist(), common, rare, which.tolist(), strict=True)
    ]
