"""Features of pictures that were here before features were kept: filled in the background, bit by bit.

New pictures have theirs written with their vector (search.vectorise).
"""

import logging
import time

from django.core.cache import cache

from assets.models import AssetVersion
from assets.stages import PermanentFailure
from search import encoders, kept, spaces
from search.models import EmbeddingSpace
from search.sql import Vector
from search.vectorise import opened, smallest_sufficient

log = logging.getLogger(__name__)
COPIED, LOOKED_AT = 5000, 32  # versions in one statement; in one call of the encoder
COMPLETE_SECONDS = 3600
"""After which it is looked again whether any are missing, though new pictures bring theirs."""


def keep_missing(seconds: float) -> int:
    """Keep features of the space in use that are missing, for so many seconds; returns how many were kept.

    Raises EncoderError. What it has done is kept whenever it stops.
    """
    space = spaces.active()
    if space is None or cache.get(_complete(space)):
        return 0
    encoder = spaces.encoder_of(space)
    until, done = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        turn = _portion(space, encoder)
        done += turn
        if not turn:
            cache.set(_complete(space), True, COMPLETE_SECONDS)
            break
    return done


def share(space: EmbeddingSpace) -> float:
    """How far it is, 0 to 1. Raises EncoderError."""
    return kept.share_kept(space, encoders.looking(spaces.encoder_of(space)).features_name)


def _complete(space: EmbeddingSpace) -> str:
    return f"features:complete:{space.slug}"


def _portion(space: EmbeddingSpace, encoder: encoders.Encoder) -> int:
    side = encoders.looking(encoder)
    if isinstance(side, encoders.Plain):
        return kept.copy_features(space, side.features_name, COPIED)
    missing = kept.without_features(space, side.features_name, LOOKED_AT)
    versions = AssetVersion.objects.filter(pk__in=missing).prefetch_related("renditions")
    for version in versions:
        kept.keep_features(side.features_name, version.pk, _seen(version, encoder, side))
    return len(missing)


def _seen(version: AssetVersion, encoder: encoders.Encoder, side: encoders.Looking) -> Vector | None:
    """None, so that it is not tried again and again, where its preview is missing or damaged."""
    pixels = encoder.limits.input_pixels
    image = opened(smallest_sufficient(list(version.renditions.all()), pixels))
    try:
        if isinstance(image, Exception):
            raise image
        numbers: Vector = side.look([image])[0][0]
        return numbers
    except (PermanentFailure, OSError, encoders.UnreadableImage) as error:
        log.warning("What version %s shows cannot be kept: %s", version.pk, error)
        return None
