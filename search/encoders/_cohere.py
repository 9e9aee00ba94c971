"""Cohere Embed, API v2: pictures as data URIs, or texts. https://docs.cohere.com/reference/embed"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from search.encoders._patience import Patience
from search.encoders._protocol import Role
from search.encoders._remote import RemoteEncoder, data_uri


class CohereEncoder(RemoteEncoder):
    """ENCODER_DIMENSIONS is asked for as output_dimension."""

    kind = "cohere"
    limits = replace(RemoteEncoder.limits, any_length=True)

    def ask_images(self, jpegs: Sequence[bytes], patience: Patience) -> Any:
        uris = [data_uri(jpeg) for jpeg in jpegs]
        return self._ask(patience, of_picture=True, images=uris, input_type="search_document")

    def ask_texts(self, texts: Sequence[str], patience: Patience, role: Role) -> Any:
        return self._ask(patience, texts=list(texts), input_type=f"search_{role}")

    def _ask(self, patience: Patience, of_picture: bool = False, **asked: Any) -> Any:
        body = {
            "model": self.service.model,
            "embedding_types": ["float"],
            "output_dimension": self.service.dimensions,
            **asked,
        }
        return self.client.post("/v2/embed", patience, of_picture, json=body)["embeddings"]["float"]
