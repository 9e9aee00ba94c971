"""From what a person asks to one vector: words, an uploaded picture, liked and unliked assets, summed."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from assets.decode import DAMAGED, upright_rgb
from assets.identify import FORMATS
from search import cached, encoders, spaces, sql
from search.models import EmbeddingSpace
from search.sql import Vector

UNLIKED_WEIGHT = 0.5
# Pixels of a picture to search by, which is decoded while a person waits; a JPEG is reduced meanwhile.
MAX_PIXELS, MAX_JPEG_PIXELS = 20_000_000, 100_000_000
LONGEST = 640
UNREADABLE_KEPT = 64 * 1024
"""Bytes of a picture that cannot be read: enough that reading them fails again, in the same words."""


@dataclass(frozen=True)
class Question:
    text: str = ""
    image: bytes | None = None
    liked: tuple[int, ...] = ()
    unliked: tuple[int, ...] = ()

    @property
    def is_sentence(self) -> bool:
        """Whether it is asked in words alone, so that its vector may be compared with those of words."""
        return bool(self.text.strip()) and not (self.image or self.liked or self.unliked)

    def vector(self, space: EmbeddingSpace, notices: list[str]) -> Vector | None:
        """Unit float32 (dimensions,): the sum of the unit vectors of all parts, minus half of the unliked.

        None where no part can be encoded; the notices say why. Never raises for an encoder that is away.
        """
        parts: list[Vector] = []
        try:
            encoder = spaces.encoder_of(space)
            if encoder.notice:
                notices.append(encoder.notice)
            with encoders.somebody_waits():
                if self.text.strip():
                    parts.append(text_vector(space, encoder, self.text, notices))
                if self.image:
                    parts.append(encoder.encode_images([opened(self.image)])[0])
        except encoders.UnreadableImage as error:
            notices.append(str(error))
        except encoders.EncoderError as error:
            notices.append(
                f"Searching by likeness is not possible just now, so this is by words only. ({error})"
            )
        examples = [*self.liked, *self.unliked]
        stored = sql.vectors_of(space, examples) if examples else {}
        if any(pk not in stored for pk in self.liked):
            notices.append("This picture has no vector yet; try again when it has been processed.")
        parts += [stored[pk] for pk in self.liked if pk in stored]
        if not parts:
            return None
        away = [UNLIKED_WEIGHT * stored[pk] for pk in self.unliked if pk in stored]
        total = np.sum(parts, axis=0) - np.sum(away, axis=0) if away else np.sum(parts, axis=0)
        length = float(np.linalg.norm(total))
        return np.asarray(total / length, dtype=np.float32) if length > 1e-6 else parts[0]


def text_vector(space: EmbeddingSpace, encoder: encoders.Encoder, text: str, notices: list[str]) -> Vector:
    """The encoder's vector of a sentence, remembered for a day by space and normalised text.

    A notice says how much of a text was used that is too long for the encoder.
    """
    words = " ".join(text.split())
    known = cached.vector(space.slug, words)
    if known is None:
        known = encoder.encode_texts([words])[0]
        cached.keep_vector(space.slug, words, known)
    most = encoder.limits.max_text_words
    if most is not None and len(words.split()) > most:
        notices.append(f"Only the first {most} words were used to search by likeness.")
    return known


def opened(content: bytes) -> Image.Image:
    """A picture to search by, reduced and in sRGB. Raises UnreadableImage with words for people."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            most = MAX_JPEG_PIXELS if image.format in {"JPEG", "MPO"} else MAX_PIXELS
            if image.width * image.height > most:
                raise encoders.UnreadableImage("This picture is too large to search by; try a smaller copy.")
            return upright_rgb(image, LONGEST)
    except DAMAGED as error:
        raise encoders.UnreadableImage("The picture to search by could not be read.") from error


def remember_image(content: bytes) -> str:
    """Keep a picture to search by, as small as it is looked at. The token goes into the address."""
    try:
        buffer = io.BytesIO()
        opened(content).save(buffer, "JPEG", quality=95, subsampling=0)
        content = buffer.getvalue()
    except encoders.UnreadableImage:
        content = content[:UNREADABLE_KEPT]
    return cached.keep_picture(content)
