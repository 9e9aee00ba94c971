"""An encoder for tests alone: eight colours, so that a test can say beforehand what lies near what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from search.encoders import EncoderUnavailable, Limits, Role, SpaceIdentity, Vectors

COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
}
PALETTE = np.array(list(COLOURS.values()), dtype=np.float32)


@dataclass
class ColourEncoder:
    """A picture's vector says how near its mean colour is to each of COLOURS; a text's, which it names."""

    version: str = "1"
    asked: int = 0  # pictures and texts that were encoded
    away: bool = False
    notice = ""
    limits = Limits(input_pixels=32, max_text_words=None, batch_size=4)

    @property
    def identity(self) -> SpaceIdentity:
        return SpaceIdentity("test", "colours", self.version, "mean", len(COLOURS))

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        self._check(images)
        means = [np.asarray(i.convert("RGB").resize((1, 1), Image.Resampling.BOX))[0, 0] for i in images]
        far = np.linalg.norm(np.array(means, dtype=np.float32)[:, None] - PALETTE, axis=2)
        return self._unit(np.exp(-far / 60) + 1e-6)

    def encode_texts(self, texts: Sequence[str], role: Role = "query") -> Vectors:
        self._check(texts)
        named = [[1e-6 + (name in text.lower()) for name in COLOURS] for text in texts]
        return self._unit(np.array(named, dtype=np.float32))

    def _check(self, items: Sequence[object]) -> None:
        self.asked += len(items)
        if self.away:
            raise EncoderUnavailable("The test encoder is away.")

    @staticmethod
    def _unit(rows: Vectors) -> Vectors:
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
