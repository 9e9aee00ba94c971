"""What the encoders that ask a service have in common; each subclass says how it asks and reads."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, TypeVar

import numpy as np
from PIL import Image

from search.encoders import _jpeg, _service
from search.encoders._config import Config
from search.encoders._http import Client
from search.encoders._patience import (
    Patience,
    asking_if_back,
    filling,
    is_person_waiting,
    is_probing,
    searching,
)
from search.encoders._protocol import EncoderError, EncoderUnavailable, Limits, Role, SpaceIdentity, Vectors
from search.encoders._vectors import checked

T = TypeVar("T")
INPUT_PIXELS = 480  # of a rendition's shorter side; more gains little once it is a JPEG of LONGEST


class RemoteEncoder:
    """Keeps the Protocol. A subclass gives its name, limits, headers and the two questions."""

    kind: ClassVar[str]
    notice = ""
    limits = Limits(input_pixels=INPUT_PIXELS, max_text_words=None, batch_size=8)

    def __init__(self, config: Config) -> None:
        """Raises EncoderUnavailable where the settings do not suffice; makes no call."""
        self.service = _service.complete(config)
        at_once, per_second = self.service.at_once, self.service.per_second
        self.limits = replace(self.limits, at_once=at_once, per_second=per_second)
        self.client = Client(self.service, self.headers())
        self.identity = self.identified()

    def identified(self) -> SpaceIdentity:
        """Known before any call, so that a space can be made for it."""
        return SpaceIdentity(self.kind, self.service.model, "", _jpeg.RECIPE, self.service.dimensions)

    def headers(self) -> Mapping[str, str]:
        return _service.bearer(self.service)

    def ask_images(self, jpegs: Sequence[bytes], patience: Patience) -> Any:
        """A list of vectors as the service gave them, in order, for at most `limits.batch_size` pictures."""
        raise NotImplementedError

    def ask_texts(self, texts: Sequence[str], patience: Patience, role: Role) -> Any:
        """The same for texts, which are not empty and not too long."""
        raise NotImplementedError

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """float32 (n, dimensions). Raises UnreadableImage where one is refused.

        Of several pictures in a call no service says which it was: give them one by one to find it.
        """
        patience = self.patience(searching_by_default=False)
        return self._in_batches([_jpeg.jpeg(image) for image in images], self.ask_images, patience)

    def encode_texts(self, texts: Sequence[str], role: Role = "query") -> Vectors:
        """float32 (n, dimensions). Raises EncoderError for a text without a word: no service takes it."""
        patience = self.patience(searching_by_default=True)
        ask = partial(self.ask_texts, role=role)
        return self._in_batches([self._fitting(text) for text in texts], ask, patience)

    def patience(self, searching_by_default: bool) -> Patience:
        if is_probing():
            return asking_if_back(self.service.timeout)
        if is_person_waiting(searching_by_default):
            return searching(self.service.timeout)
        return filling(self.service.timeout, _service.patient_seconds())

    def _fitting(self, text: str) -> str:
        words = text.encode("utf-8", "replace").decode().split()[: self.limits.max_text_words]
        if not words:
            raise EncoderError("A text without a word has no vector.")
        return " ".join(words)

    def _in_batches(
        self, items: Sequence[T], ask: Callable[[Sequence[T], Patience], Any], patience: Patience
    ) -> Vectors:
        dimensions, size = self.service.dimensions, self.limits.batch_size
        found = [np.empty((0, dimensions), np.float32)]
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            try:
                rows = ask(batch, patience)
            except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError) as error:
                raise EncoderUnavailable(
                    f"{self.client.host} answered in a form that is not that of {self.kind}. "
                    f"Check the kind of the encoder and {self.service.variable('URL')}."
                ) from error
            found.append(checked(rows, len(batch), dimensions, self.client.host))
        return np.concatenate(found)


def data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{as_base64(jpeg)}"


def as_base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")


def in_order(answer: Any) -> list[Any]:
    """The vectors of an OpenAI-shaped answer, by their `index` where they have one."""
    data = answer["data"]
    if all("index" in item for item in data):
        data = sorted(data, key=lambda item: item["index"])
        if [item["index"] for item in data] != list(range(len(data))):
            raise ValueError("indexes")
    return [item["embedding"] for item in data]
