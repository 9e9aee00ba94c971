"""An encoder that was learned: another one, whose pictures say what this museum would say of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from search import encoders, kept, spaces
from search.encoders import Config, Role, SpaceIdentity, UnknownEncoder, Vectors
from search.learning import ridge, trial
from search.models import EmbeddingSpace, Lesson

RECIPE = "2"
"""One more when a head's arrays mean another vector than before."""


class LearnedEncoder:
    """Made of the lesson whose sha256 is the config's `revision`. Raises EncoderUnavailable, EncoderChanged.

    A vector is that of the encoder below, but for the part in which sentences and pictures meet: there a
    picture has what the head predicts. A sentence is without its part of what all words share.
    """

    def __init__(self, config: Config) -> None:
        lesson = Lesson.objects.filter(sha256=config.revision).exclude(arrays=None).first()
        if lesson is None or not config.revision:
            raise UnknownEncoder("What was learned is not here any more. `manage.py learn` learns again.")
        self.base = spaces.encoder_with(lesson.encoder, lesson.options, lesson.base)
        self.head = ridge.unpacked(bytes(lesson.arrays or b""))
        self.side = encoders.looking(self.base)
        below = self.base.identity
        self.identity = SpaceIdentity(
            encoder="learned",
            model=below.model,
            version=below.version,
            preprocessing=f"{below.preprocessing}, learned {RECIPE}",
            dimensions=below.dimensions,
            files={"base": below.digest, "head": lesson.sha256},
        )
        self.limits, self.notice = self.base.limits, self.base.notice
        self.features_name, self.meaning = self.side.features_name, self.side.meaning

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """float32 (n, dimensions)."""
        return self.look(images)[1]

    def encode_texts(self, texts: Sequence[str], role: Role = "query") -> Vectors:
        """float32 (n, dimensions)."""
        return self._sentences(self.base.encode_texts(texts, role))

    def look(self, images: Sequence[Image.Image]) -> tuple[Vectors, Vectors]:
        """Features (n, p) of the encoder below, and vectors (n, dimensions)."""
        features, vectors = self.side.look(images)
        return features, self._pictures(features, vectors) if len(features) else vectors

    def project(self, features: Vectors) -> Vectors:
        """Features (n, p) -> vectors (n, dimensions), without a picture."""
        return self._pictures(features, self.side.project(features))

    def moved(self, sources: Mapping[int, str]) -> dict[int, Vectors]:
        """By version, the vectors of words that the encoder below has in its own space, moved into this one.

        Of those alone that it has there still, from words with this sha256.
        """
        space = EmbeddingSpace.objects.filter(slug=self.base.identity.slug()).first()
        found = kept.words_vectors(space.pk, sources) if space else {}
        return dict(zip(found, self._sentences(np.stack(list(found.values()))), strict=True)) if found else {}

    def _pictures(self, features: Vectors, vectors: Vectors) -> Vectors:
        numbers, share = self.meaning
        prior = vectors[:, :numbers] / np.float32(share**0.5)
        shown = trial.centred(self.head, features, prior) * np.float32(share**0.5)
        return np.hstack([shown, vectors[:, numbers:]])

    def _sentences(self, vectors: Vectors) -> Vectors:
        numbers = self.meaning[0]
        if not len(vectors):
            return vectors
        return np.hstack([trial.question(self.head, vectors[:, :numbers]), vectors[:, numbers:]])


def options(lesson: Lesson) -> dict[str, str]:
    """By which encoders.get("learned", …) makes the encoder of a lesson."""
    return {"model": lesson.encoder, "revision": lesson.sha256}
