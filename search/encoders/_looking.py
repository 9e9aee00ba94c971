"""What an encoder sees in a picture before it says what that means: so another meaning can be learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import Image

from search.encoders._protocol import Encoder, Vectors


@runtime_checkable
class Looking(Protocol):
    """An encoder's image side in two steps: from pictures to features, and from features to vectors."""

    @property
    def features_name(self) -> str:
        """The same exactly when features can be used alike; at most 100 characters."""
        ...

    @property
    def meaning(self) -> tuple[int, float]:
        """How many numbers at its beginning a vector shares with sentences, and their part of its squared
        length.
        """
        ...

    def look(self, images: Sequence[Image.Image]) -> tuple[Vectors, Vectors]:
        """Features float32 (n, p) and vectors (n, dimensions). Raises as Encoder.encode_images."""
        ...

    def project(self, features: Vectors) -> Vectors:
        """Features float32 (n, p) -> vectors (n, dimensions)."""
        ...


@dataclass(frozen=True)
class Plain:
    """Of an encoder that says no more: its vectors are the features."""

    encoder: Encoder

    @property
    def features_name(self) -> str:
        return self.encoder.identity.slug()

    @property
    def meaning(self) -> tuple[int, float]:
        return self.encoder.identity.dimensions, 1.0

    def look(self, images: Sequence[Image.Image]) -> tuple[Vectors, Vectors]:
        vectors = self.encoder.encode_images(images)
        return vectors, vectors

    def project(self, features: Vectors) -> Vectors:
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return np.asarray(features / np.maximum(lengths, 1e-9), dtype=np.float32)


def looking(encoder: Encoder) -> Looking:
    """The image side of any encoder."""
    return encoder if isinstance(encoder, Looking) else Plain(encoder)
