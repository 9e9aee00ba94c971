"""Servers of one's own that speak like OpenAI's embeddings, which has no pictures: each adds them its way.

infinity: https://michaelfeil.eu/infinity; vLLM: https://docs.vllm.ai (multimodal inputs, embeddings).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from search.encoders._config import Config
from search.encoders._patience import Patience
from search.encoders._protocol import Role, SpaceIdentity
from search.encoders._remote import RemoteEncoder, data_uri, in_order


class Shape(Protocol):
    """How one server wants to be asked."""

    path: str
    pictures_in_call: int

    def images(self, uris: Sequence[str]) -> Mapping[str, Any]: ...

    def texts(self, texts: Sequence[str]) -> Mapping[str, Any]: ...


class Infinity:
    path, pictures_in_call = "/embeddings", 8

    def images(self, uris: Sequence[str]) -> Mapping[str, Any]:
        return {"input": list(uris), "modality": "image"}

    def texts(self, texts: Sequence[str]) -> Mapping[str, Any]:
        return {"input": list(texts), "modality": "text"}


class Vllm:
    path, pictures_in_call = "/v1/embeddings", 1

    def images(self, uris: Sequence[str]) -> Mapping[str, Any]:
        parts = [{"type": "image_url", "image_url": {"url": uri}} for uri in uris]
        return {"messages": [{"role": "user", "content": parts}], "encoding_format": "float"}

    def texts(self, texts: Sequence[str]) -> Mapping[str, Any]:
        return {"input": list(texts), "encoding_format": "float"}


SHAPES: dict[str, type[Shape]] = {"infinity": Infinity, "vllm": Vllm}


class OpenAIEncoder(RemoteEncoder):
    """ENCODER_SHAPE says which server it is; a key is sent only if one is set."""

    kind = "openai"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._shape = SHAPES[config.shape]()
        self.limits = replace(self.limits, batch_size=self._shape.pictures_in_call)

    def identified(self) -> SpaceIdentity:
        """The two servers may prepare pictures and texts differently for the same model."""
        common = super().identified()
        return replace(common, preprocessing=f"{common.preprocessing} {self.service.shape}")

    def ask_images(self, jpegs: Sequence[bytes], patience: Patience) -> Any:
        uris = [data_uri(jpeg) for jpeg in jpegs]
        return self._ask(self._shape.images(uris), patience, of_picture=True)

    def ask_texts(self, texts: Sequence[str], patience: Patience, role: Role) -> Any:
        return self._ask(self._shape.texts(texts), patience)

    def _ask(self, asked: Mapping[str, Any], patience: Patience, of_picture: bool = False) -> Any:
        body = {"model": self.service.model, **asked}
        return in_order(self.client.post(self._shape.path, patience, of_picture, json=body))
