"""Jina AI, multimodal embeddings: https://jina.ai/embeddings"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from search.encoders._patience import Patience
from search.encoders._protocol import Role
from search.encoders._remote import RemoteEncoder, as_base64, in_order


class JinaEncoder(RemoteEncoder):
    """ENCODER_DIMENSIONS is asked for as `dimensions`."""

    kind = "jina"
    limits = replace(RemoteEncoder.limits, any_length=True)

    def ask_images(self, jpegs: Sequence[bytes], patience: Patience) -> Any:
        return self._ask([{"image": as_base64(jpeg)} for jpeg in jpegs], patience, of_picture=True)

    def ask_texts(self, texts: Sequence[str], patience: Patience, role: Role) -> Any:
        return self._ask([{"text": text} for text in texts], patience)

    def _ask(self, given: list[dict[str, str]], patience: Patience, of_picture: bool = False) -> Any:
        body = {
            "model": self.service.model,
            "input": given,
            "dimensions": self.service.dimensions,
            "normalized": True,
        }
        return in_order(self.client.post("/v1/embeddings", patience, of_picture, json=body))
