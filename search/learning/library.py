"""What there is to learn from: pictures with features, what people wrote of them, and what shows the same.

Pictures in the trash never take part; restricted ones only where settings.LEARN_FROM_RESTRICTED says so.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from zlib import crc32

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search import encoders, kept
from search.learning import reading, words
from search.learning.ridge import Chunk, Rows

log = logging.getLogger(__name__)
ENCODED_AT_ONCE, CHUNK = 64, 2000
Ids = NDArray[np.int64]
T = TypeVar("T")
Note = Callable[[str, int, int], None]
"""Told of a step how much of how much is done: features, words or proof."""


@dataclass(frozen=True)
class Library:
    """Pictures by their place, 0 to n-1: those that people have described come first, `described` of them."""

    encoder: encoders.Encoder
    assets: Ids
    """(n,)"""
    versions: Ids
    """(n,)"""
    groups: Ids
    """(n,): pictures that show the same have the same number."""
    texts: list[dict[int, float]]
    """(described,): digests of texts that have a vector, and what each counts."""

    @property
    def described(self) -> int:
        return len(self.texts)

    def chunks(self, places: Ids) -> Iterator[tuple[Ids, Chunk]]:
        """(places (n,), (features (n, p), predictions (n, d), text vectors (n, d))) of described pictures."""
        for start in range(0, len(places), CHUNK):
            some, features, predictions = self.seen(places[start : start + CHUNK])
            if len(some):
                yield some, (features, predictions, self.said(some))

    def seen(self, places: Ids) -> tuple[Ids, Rows, Rows]:
        """Of these pictures, without those that are gone meanwhile: (places, features (n, p), and what the
        encoder makes of them itself (n, d), unit rows).
        """
        side = encoders.looking(self.encoder)
        found = kept.features(side.features_name, self.versions[places].tolist())
        here = np.array([place for place in places if int(self.versions[place]) in found], np.int64)
        numbers, share = side.meaning
        if not len(here):
            return here, np.empty((0, 0), np.float32), np.empty((0, numbers), np.float32)
        features = np.stack([found[int(pk)] for pk in self.versions[here]])
        return here, features, side.project(features)[:, :numbers] / np.float32(share**0.5)

    def said(self, places: Ids) -> Rows:
        """The vectors (n, d) of what people wrote of these described pictures, unit rows."""
        asked = {digest for place in places for digest in self.texts[place]}
        known = kept.text_vectors(self.encoder.identity.slug(), list(asked))
        return np.stack([mean((known[d], w) for d, w in self.texts[place].items()) for place in places])


def of(encoder: encoders.Encoder, note: Note = lambda step, done, of: None) -> Library:
    """Read the library, and encode what nobody has encoded yet, which may take long the first time.

    `note` is told how far that is. Raises EncoderError; what was encoded until then is kept.
    """
    name = encoders.looking(encoder).features_name
    pictures = kept.can_take_part(name, settings.LEARN_FROM_RESTRICTED)
    versions = dict(pictures)
    told = _told(list(versions))
    known = _encode(encoder, {words.digest(text): text for texts in told.values() for text in texts}, note)
    digests = {pk: _digests(texts, known) for pk, texts in told.items()}
    told = {pk: texts for pk, texts in told.items() if digests[pk]}
    order = [*sorted(told), *(pk for pk, _ in pictures if pk not in told)]
    return Library(
        encoder,
        np.array(order, np.int64),
        np.array([versions[pk] for pk in order], np.int64),
        groups(order, kept.same_thing()),
        [digests[pk] for pk in sorted(told)],
    )


def groups(ids: Sequence[int], same: Sequence[tuple[int, int]]) -> Ids:
    """(n,): a number for each of these, the same for those that pairs join, also by way of others."""
    above: dict[int, int] = {}

    def root(pk: int) -> int:
        while (up := above.get(pk, pk)) != pk:
            above[pk] = above.get(up, up)
            pk = up
        return pk

    for one, other in same:
        above[root(one)] = root(other)
    return np.array([root(pk) for pk in ids], np.int64)


def _told(asset_ids: Sequence[int]) -> dict[int, dict[str, float]]:
    """What each picture's words are, and what they count; of settings.LEARN_MOST pictures at most.

    Of more, those that come first in an order that has nothing to do with their age, and in which new ones
    leave the others where they are: so nearly all of their words are known already.
    """
    mixed = sorted(asset_ids, key=lambda pk: crc32(b"%d" % pk))
    read = (one for one in reading.parts(mixed, settings.LEARN_FIELDS) if one[1])
    parts = dict(islice(read, settings.LEARN_MOST))
    telling = words.count(parts.values())
    told = {pk: telling.told(found) for pk, found in parts.items()}
    return {pk: texts for pk, texts in told.items() if texts}


def _digests(texts: dict[str, float], known: set[int]) -> dict[int, float]:
    found = {words.digest(text): weight for text, weight in texts.items()}
    return {digest: weight for digest, weight in found.items() if digest in known}


def _encode(encoder: encoders.Encoder, texts: dict[int, str], note: Note) -> set[int]:
    """Keep of these texts' vectors the numbers that pictures share; returns which texts have one now."""
    model, (numbers, _) = encoder.identity.slug(), encoders.looking(encoder).meaning
    known: set[int] = set()
    for some in batched(texts, CHUNK):
        known |= kept.texts_known(model, some)
    missing = [digest for digest in texts if digest not in known]
    for number, some in enumerate(batched(missing, ENCODED_AT_ONCE)):
        note("words", number * ENCODED_AT_ONCE, len(missing))
        found = _vectors(encoder, {digest: texts[digest] for digest in some}, raising=not known)
        kept.keep_text_vectors(model, {digest: vector[:numbers] for digest, vector in found.items()})
        known |= found.keys()
        if refused := len(some) - len(found):
            log.warning("The encoder refuses %d texts, which are not learned from.", refused)
    kept.forget_texts(model, list(texts))
    return known


def _vectors(encoder: encoders.Encoder, texts: dict[int, str], raising: bool) -> dict[int, Rows]:
    """By digest, without those that are refused, each alone, unless all are and it is `raising`."""
    try:
        with encoders.somebody_waits(False):
            return dict(zip(texts, encoder.encode_texts(list(texts.values())), strict=True))
    except encoders.EncoderDown:
        raise
    except encoders.EncoderError:
        one_by_one = [{digest: text} for digest, text in texts.items()] if len(texts) > 1 else []
        found = [_vectors(encoder, one, raising=False) for one in one_by_one]
        if raising and not any(found):
            raise
        return {digest: vector for one in found for digest, vector in one.items()}


def mean(vectors: Iterable[tuple[Rows, float]]) -> Rows:
    """The direction (d,) of vectors with their weights."""
    found = np.sum([vector * np.float32(weight) for vector, weight in vectors], axis=0)
    return np.asarray(found / max(float(np.linalg.norm(found)), 1e-9), dtype=np.float32)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
