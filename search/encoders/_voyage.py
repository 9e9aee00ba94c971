"""Voyage AI, multimodal embeddings: https://docs.voyageai.com/docs/multimodal-embeddings"""

from collections.abc import Sequence
from typing import Any

from search.encoders._patience import Patience
from search.encoders._protocol import Role
from search.encoders._remote import RemoteEncoder, data_uri, in_order


class VoyageEncoder(RemoteEncoder):
    """ENCODER_DIMENSIONS is what the model gives; no other length is asked for."""

    kind = "voyage"

    def ask_images(self, jpegs: Sequence[bytes], patience: Patience) -> Any:
        parts = [{"type": "image_base64", "image_base64": data_uri(jpeg)} for jpeg in jpegs]
        return self._ask(parts, "document", patience, of_picture=True)

    def ask_texts(self, texts: Sequence[str], patience: Patience, role: Role) -> Any:
        return self._ask([{"type": "text", "text": text} for text in texts], role, patience)

    def _ask(
        self, parts: list[dict[str, str]], input_type: str, patience: Patience, of_picture: bool = False
    ) -> Any:
        body = {
            "model": self.service.model,
            "inputs": [{"content": [part]} for part in parts],
            "input_type": input_type,
        }
        return in_order(self.client.post("/v1/multimodalembeddings", patience, of_picture, json=body))
