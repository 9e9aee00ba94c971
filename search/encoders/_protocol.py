"""What every encoder promises: its two functions, its identity, its limits, and the errors it may raise."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Vectors = NDArray[np.float32]
Role = Literal["query", "document"]


class EncoderError(Exception):
    """Something about an encoder went wrong; the message is meant for people."""


class EncoderUnavailable(EncoderError):
    """The encoder cannot work now: a package, a file or a service is missing. Trying again may help."""


class EncoderDown(EncoderUnavailable):
    """The service is down, or no call is allowed yet; nothing is wrong with the work at hand.

    `retry_after`: seconds until it is worth asking again. Most often no call was made.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnknownEncoder(EncoderUnavailable):
    """The settings name an encoder that does not exist."""


class UnreadableImage(EncoderError):
    """A picture's pixels cannot be decoded. Trying again does not help."""


@dataclass(frozen=True)
class SpaceIdentity:
    """All that decides what a vector means. Vectors of two different identities are never compared."""

    encoder: str
    model: str
    version: str
    preprocessing: str
    dimensions: int
    files: Mapping[str, str] = field(default_factory=dict, hash=False)  # local file name -> sha256

    @property
    def digest(self) -> str:
        """Hex sha256 over every field; equal exactly when the identities are equal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def slug(self) -> str:
        """A short stable name: lower-case letters, digits and hyphens, at most 63 characters."""
        words = re.sub(r"[^a-z0-9]+", "-", f"{self.encoder}-{self.model}".lower()).strip("-")
        return f"{words[:52].rstrip('-')}-{self.digest[:10]}"


@dataclass(frozen=True)
class Limits:
    """What an encoder can use; more is harmless to give, but is reduced or cut."""

    input_pixels: int  # a rendition whose shorter side has this many pixels loses nothing
    max_text_words: int | None  # None: no limit
    batch_size: int  # pictures in one call that are worth collecting
    at_once: int = 1  # calls that are worth making at the same time
    per_second: float = 0.0  # calls that are allowed; 0: any number
    any_length: bool = False  # whether shorter vectors can be asked for


@runtime_checkable
class Encoder(Protocol):
    """Turns pictures and sentences into unit vectors of one space, compared by their inner product.

    Both functions may be called from several threads at once, accept an empty sequence, and return
    finite rows of length 1 in the order of their input. They raise EncoderError and nothing else.
    """

    @property
    def identity(self) -> SpaceIdentity: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def notice(self) -> str:
        """One calm line for staff about what to expect of this model; empty for a good one."""
        ...

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """float32 (n, dimensions); any PIL mode and size. Raises UnreadableImage."""
        ...

    def encode_texts(self, texts: Sequence[str], role: Role = "query") -> Vectors:
        """float32 (n, dimensions); any string, cut after `limits.max_text_words`.

        Some models know questions from texts to be found (`document`); to the others it is all the same.
        """
        ...
