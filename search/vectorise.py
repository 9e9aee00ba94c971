"""The stages that give a picture its vectors in a space: of what it shows, and of its words."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from django.db import transaction
from PIL import Image

from assets import again, storage
from assets.descriptions import sentence
from assets.kinds import OTHER
from assets.models import Asset, AssetVersion, Rendition
from assets.stages import Outcome, PermanentFailure, Postponed, stage_of_many
from search import encoders, fresh, kept, spaces, sql
from search.models import EmbeddingSpace
from search.sql import Vector

T = TypeVar("T")
R = TypeVar("R")
Answer = Vector | Exception
LANES = 2
"""How many portions of a fill are under way in one process (search.filling); they share the calls at once."""
AWAY_SECONDS = 60.0
"""How long a picture waits for an encoder that cannot even be made: a file or a setting is missing."""


class Seen(NamedTuple):
    """What a picture has: numbers that are kept, and the vector that is made of them."""

    features: Vector
    vector: Vector


@runtime_checkable
class Moving(Protocol):
    """A learned encoder: it moves what another has said already (search.learning.encoder)."""

    @property
    def features_name(self) -> str: ...

    def project(self, features: Vector) -> Vector: ...

    def moved(self, sources: Mapping[int, str]) -> dict[int, Vector]: ...


@stage_of_many("Likeness", spaces.kept, needs=("make_renditions",), queue="vectorise")
def vectorise_picture(versions: Sequence[AssetVersion], space_id: int) -> Iterator[Outcome]:
    """Encode the smallest rendition that the encoder loses nothing with; the write puts its row and features.

    A learned space takes the features that are kept, and opens no picture that has some. What is no picture
    has no vector, and is found by its words alone.
    """
    space, encoder = _at_hand(space_id)
    pixels = encoder.limits.input_pixels
    side, known = encoders.looking(encoder), _projected(encoder, versions)
    new = [version for version in versions if version.pk not in known]
    chosen = [smallest_sufficient(list(version.renditions.all()), pixels) for version in new]

    def see(images: Sequence[Image.Image]) -> list[Seen]:
        return list(map(Seen, *side.look(images)))

    def encode(group: Sequence[Rendition | None]) -> list[Seen | Exception]:
        return _answers([opened(rendition) for rendition in group], see)

    answers = _side_by_side(chosen, encoder, encode)
    for version in versions:
        answer = known[version.pk] if version.pk in known else next(answers)
        if version.format == OTHER:
            yield lambda: None
        elif isinstance(answer, Seen):
            yield _outcome(space, version, "visual", answer.vector, features=(side.features_name, answer[0]))
        else:
            yield _outcome(space, version, "visual", answer)


@stage_of_many("Words", spaces.kept, essential=False, quiet=True)
def vectorise_words(versions: Sequence[AssetVersion], space_id: int) -> Iterator[Outcome]:
    """Encode title, creator, tags and the rest in the order of assets.descriptions.sentence.

    Words that are as they were at the last run are not encoded again. Nobody waits for their vectors: the
    words themselves are found at once.
    """
    space, encoder = _at_hand(space_id)
    texts = _texts(versions)
    hashes = {pk: hashlib.sha256(text.encode()).hexdigest() for pk, text in texts.items()}
    known = sql.words_known(space, [version.pk for version in versions])

    def encode(group: Sequence[str]) -> list[Answer]:
        with encoders.somebody_waits(False):
            return _answers(group, lambda some: list(encoder.encode_texts(some, role="document")))

    fresh = [v.pk for v in versions if texts[v.pk] and known.get(v.pk) != hashes[v.pk]]
    answers: dict[int, Answer] = dict(_moved(encoder, {pk: hashes[pk] for pk in fresh}))
    fresh = [pk for pk in fresh if pk not in answers]
    answers |= zip(fresh, _side_by_side([texts[pk] for pk in fresh], encoder, encode), strict=True)
    for version in versions:
        if version.pk in answers:
            yield _outcome(space, version, "words", answers[version.pk], hashes[version.pk])
        elif texts[version.pk] or version.pk not in known:
            yield lambda: None
        else:
            yield partial(sql.delete_vector, space, version.pk, "words")


def picture_changed(asset_ids: Sequence[int]) -> None:
    """These assets show another picture than before, or none: vectors of the others go, and are made anew."""
    sql.forget_others(asset_ids)
    again.outdated(vectorise_picture.name, asset_ids)


def _at_hand(space_id: int) -> tuple[EmbeddingSpace, encoders.Encoder]:
    """Raises Postponed where the encoder cannot be made, PermanentFailure where the space is gone."""
    space = EmbeddingSpace.objects.filter(pk=space_id).first()
    if space is None:
        raise PermanentFailure("The embedding space was dropped.")
    try:
        return space, spaces.encoder_of(space)
    except encoders.EncoderUnavailable as error:
        raise Postponed(str(error), AWAY_SECONDS) from error


def _projected(encoder: encoders.Encoder, versions: Sequence[AssetVersion]) -> dict[int, Vector]:
    """The vectors in a learned space of those versions whose features are kept, by one matrix product."""
    if not isinstance(encoder, Moving):
        return {}
    found = kept.features(encoder.features_name, [version.pk for version in versions])
    return dict(zip(found, encoder.project(np.stack(list(found.values()))), strict=True)) if found else {}


def _moved(encoder: encoders.Encoder, sources: Mapping[int, str]) -> Mapping[int, Vector]:
    """The vectors in a learned space of words that the encoder below has encoded, by version."""
    return encoder.moved(sources) if isinstance(encoder, Moving) and sources else {}


def _side_by_side(
    items: Sequence[T], encoder: encoders.Encoder, encode: Callable[[Sequence[T]], list[R]]
) -> Iterator[R]:
    """The answers in the order of the items, as they come, with as many calls at once as are worthwhile."""
    size, at_once = encoder.limits.batch_size, math.ceil(encoder.limits.at_once / LANES)
    groups = [items[start : start + size] for start in range(0, len(items), size)]
    if at_once == 1 or len(groups) < 2:
        for group in groups:
            yield from encode(group)
        return
    with ThreadPoolExecutor(at_once) as pool:
        for answers in pool.map(encode, groups):
            yield from answers


def _answers(items: Sequence[T | Exception], encode: Callable[[list[T]], Sequence[R]]) -> list[R | Exception]:
    """Of one call; if it is refused, of one call for each item, so that none spoils the others."""
    good = [item for item in items if not isinstance(item, Exception)]
    try:
        rows = iter(encode(good) if good else [])
        return [item if isinstance(item, Exception) else next(rows) for item in items]
    except encoders.EncoderDown as error:
        return [error] * len(items)
    except encoders.EncoderError as error:
        return [error] if len(items) == 1 else [a for item in items for a in _answers([item], encode)]


def opened(rendition: Rendition | None) -> Image.Image | Exception:
    """The picture, or why there is none."""
    if rendition is None:
        return PermanentFailure("There is no preview to look at. Try the picture again, from its preview on.")
    try:
        with storage.renditions().open(rendition.storage_name) as file, Image.open(file) as image:
            image.load()
            return image
    except OSError as error:
        return error


def _outcome(
    space: EmbeddingSpace,
    version: AssetVersion,
    kind: str,
    answer: Answer,
    source: str = "",
    features: tuple[str, Vector] | None = None,
) -> Outcome:
    if isinstance(answer, encoders.EncoderDown):
        return Postponed(str(answer), max(answer.retry_after, 1.0))
    if isinstance(answer, encoders.UnreadableImage):
        return PermanentFailure(str(answer))
    if isinstance(answer, Exception):
        return answer
    if answer.shape != (space.dimensions,) or not np.isfinite(answer).all():
        return PermanentFailure(f"The encoder {space.encoder} gave no usable vector for this picture.")
    return partial(_keep, space, version, kind, answer, source, features)


def _keep(
    space: EmbeddingSpace,
    version: AssetVersion,
    kind: str,
    vector: Vector,
    source: str,
    features: tuple[str, Vector] | None,
) -> None:
    """Write the vector; from now on likeness finds it, which alerts have to know."""
    if features:
        kept.keep_features(features[0], version.pk, features[1])
    sql.write_vector(space, version.pk, version.asset_id, kind, vector, source)
    if space.state == EmbeddingSpace.State.ACTIVE:
        transaction.on_commit(partial(fresh.note, [version.asset_id]), robust=True)


def _texts(versions: Sequence[AssetVersion]) -> dict[int, str]:
    """The words to vectorise by version; empty where there are none."""
    found = Asset.objects.with_words().in_bulk([version.asset_id for version in versions])
    return {v.pk: sentence(found[v.asset_id]) if v.asset_id in found else "" for v in versions}


def smallest_sufficient(renditions: list[Rendition], pixels: int) -> Rendition | None:
    """The smallest rendition whose shorter side has at least `pixels`, else the largest; None of none."""
    by_size = sorted(renditions, key=lambda r: min(r.width, r.height))
    return next((r for r in by_size if min(r.width, r.height) >= pixels), by_size[-1] if by_size else None)
