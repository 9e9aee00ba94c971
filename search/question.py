"""From what a person asks to one vector: words, pictures given, details, liked and unliked assets."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image

from assets.decode import DAMAGED, upright_rgb
from assets.identify import FORMATS
from assets.models import AssetVersion
from search import background, cached, encoders, region, spaces, sql
from search.blend import blended
from search.models import EmbeddingSpace
from search.region import Region, RegionError
from search.sql import Vector

# Pixels of a picture to search by, which is decoded while a person waits; a JPEG is reduced meanwhile.
MAX_PIXELS, MAX_JPEG_PIXELS = 20_000_000, 100_000_000
LONGEST = 640
UNREADABLE_KEPT = 64 * 1024
"""Bytes of a picture that cannot be read: enough that reading them fails again, in the same words."""


@dataclass(frozen=True)
class Question:
    user: Any
    text: str = ""
    image: bytes | None = None
    liked: tuple[int, ...] = ()
    unliked: tuple[int, ...] = ()
    region: Region | None = None
    version: AssetVersion | None = None
    """The file that the region is a part of, where it was loaded already."""
    stored: Mapping[int, Vector] | None = None
    """Likewise the vectors of the liked and unliked assets that may be seen."""

    @property
    def is_sentence(self) -> bool:
        """Whether what is wanted is said in words alone: then the words of pictures are compared too."""
        return bool(self.text.strip()) and not (self.image or self.liked or self.region)

    def vectors(self, space: EmbeddingSpace, notices: list[str]) -> dict[str, Vector]:
        """Unit float32 (dimensions,) by the kind of vectors to compare it with.

        `visual`: search.blend of all parts. `words`, of a sentence: what it says; pictures that are not liked
        say nothing about words. Empty where nothing that is wanted can be encoded; the notices say why.
        Never raises for an encoder that is away. Of an asset that this person may not see, nothing is used.
        """
        seen = sql.visible_to(sql.Where(), self.user)
        examples = [*self.liked, *self.unliked]
        stored = self.stored if self.stored is not None else sql.vectors_of(space, examples, where=seen)
        if any(pk not in stored for pk in self.liked):
            notices.append(
                _("A picture that you like has no vector yet; try again when it has been processed.")
            )
        liked = [stored[pk] for pk in self.liked if pk in stored]
        unliked = [stored[pk] for pk in self.unliked if pk in stored]
        words, shown = self._encoded(space, notices, bool(liked))
        visual = blended(words, [*shown, *liked], unliked, partial(background.spreads, space, seen=seen))
        if visual is None:
            return {}
        if not self.is_sentence:
            return {"visual": visual}
        return {"visual": visual, "words": words[0] if unliked else visual}

    def _encoded(
        self, space: EmbeddingSpace, notices: list[str], others: bool
    ) -> tuple[list[Vector], list[Vector]]:
        """The vectors of the words, and of what is shown; what cannot be encoded is left out, and said."""
        words: list[Vector] = []
        shown: list[Vector] = []
        if not (self.text.strip() or self.image or self.region):
            return words, shown
        try:
            encoder = spaces.encoder_of(space)
            if encoder.notice:
                notices.append(_(encoder.notice))
            with encoders.somebody_waits():
                if self.text.strip():
                    words.append(text_vector(space, encoder, self.text, notices))
                for encode in self._pictures(space, encoder):
                    try:
                        shown.append(encode())
                    except (encoders.UnreadableImage, RegionError) as error:
                        notices.append(str(error))
        except encoders.EncoderError as error:
            notices.append(self._instead(others) % {"error": error})
        return words, shown

    def _instead(self, others: bool) -> str:
        if others:
            return _(
                "Searching by likeness is not possible just now but by the pictures of the library "
                "that you like, so this is by them. (%(error)s)"
            )
        if self.text.strip():
            return _("Searching by likeness is not possible just now, so this is by words only. (%(error)s)")
        return _("Searching by likeness is not possible just now. (%(error)s)")

    def _pictures(self, space: EmbeddingSpace, encoder: encoders.Encoder) -> list[Callable[[], Vector]]:
        found: list[Callable[[], Vector]] = []
        if image := self.image:
            found.append(lambda: encoder.encode_images([opened(image)])[0])
        if box := self.region:
            version = self.version or region.version_of(box, self.user)
            found.append(lambda: region.vector(space, encoder, box, version))
        return found


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
        notices.append(_("Only the first %(most)d words were used to search by likeness.") % {"most": most})
    return known


def opened(content: bytes) -> Image.Image:
    """A picture to search by, reduced and in sRGB. Raises UnreadableImage with words for people."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            most = MAX_JPEG_PIXELS if image.format in {"JPEG", "MPO"} else MAX_PIXELS
            if image.width * image.height > most:
                raise encoders.UnreadableImage(
                    _("This picture is too large to search by; try a smaller copy.")
                )
            return upright_rgb(image, LONGEST)
    except DAMAGED as error:
        raise encoders.UnreadableImage(_("The picture to search by could not be read.")) from error


def remember_image(content: bytes) -> str:
    """Keep a picture to search by, as small as it is looked at. The token goes into the address."""
    try:
        buffer = io.BytesIO()
        opened(content).save(buffer, "JPEG", quality=95, subsampling=0)
        content = buffer.getvalue()
    except encoders.UnreadableImage:
        content = content[:UNREADABLE_KEPT]
    return cached.keep_picture(content)
