"""Immich's machine-learning server, without the rest of it: POST /predict, multipart, one item a call."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from search.encoders._patience import Patience
from search.encoders._protocol import Role
from search.encoders._remote import RemoteEncoder


class ImmichEncoder(RemoteEncoder):
    """ENCODER_MODEL is a name as Immich spells it. The server knows no keys: none is sent."""

    kind = "immich"
    limits = replace(RemoteEncoder.limits, batch_size=1)

    def headers(self) -> Mapping[str, str]:
        return {}

    def ask_images(self, jpegs: Sequence[bytes], patience: Patience) -> list[Any]:
        return [
            self._ask("visual", patience, of_picture=True, image=("picture.jpg", jpeg, "image/jpeg"))
            for jpeg in jpegs
        ]

    def ask_texts(self, texts: Sequence[str], patience: Patience, role: Role) -> list[Any]:
        return [self._ask("textual", patience, text=(None, text)) for text in texts]

    def _ask(self, side: str, patience: Patience, of_picture: bool = False, **parts: Any) -> Any:
        entries = json.dumps({"clip": {side: {"modelName": self.service.model}}})
        files = {"entries": (None, entries), **parts}
        answer = self.client.post("/predict", patience, of_picture, files=files)["clip"]
        return json.loads(answer)
