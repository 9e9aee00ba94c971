"""Azure AI Vision, multimodal embeddings 4.0: one picture or one text a call, 1024 numbers.

https://learn.microsoft.com/azure/ai-services/computer-vision/concept-image-retrieval. Retires on 2028-09-25.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from search.encoders import _jpeg, _service
from search.encoders._patience import Patience
from search.encoders._protocol import EncoderUnavailable, Limits, Role, SpaceIdentity
from search.encoders._remote import INPUT_PIXELS, RemoteEncoder

API_VERSION = "2024-02-01"
MAX_WORDS = 70


class AzureEncoder(RemoteEncoder):
    """ENCODER_MODEL is the model version: 2023-04-15 (multilingual) or 2022-04-11 (English)."""

    kind = "azure"
    limits = Limits(input_pixels=INPUT_PIXELS, max_text_words=MAX_WORDS, batch_size=1)

    def identified(self) -> SpaceIdentity:
        service = self.service
        return SpaceIdentity("azure", "ai-vision", service.model, _jpeg.RECIPE, service.dimensions)

    def headers(self) -> Mapping[str, str]:
        if self.service.token:
            return _service.bearer(self.service)
        return {"Ocp-Apim-Subscription-Key": self.service.key}

    def ask_images(self, jpegs: Sequence[bytes], patience: Patience) -> list[Any]:
        binary = {"Content-Type": "application/octet-stream"}
        return [
            self._ask("vectorizeImage", patience, of_picture=True, content=jpeg, headers=binary)
            for jpeg in jpegs
        ]

    def ask_texts(self, texts: Sequence[str], patience: Patience, role: Role) -> list[Any]:
        return [self._ask("vectorizeText", patience, json={"text": text}) for text in texts]

    def _ask(self, question: str, patience: Patience, **request: Any) -> Any:
        asked = self.service.model
        answer = self.client.post(
            f"/computervision/retrieval:{question}",
            patience,
            params={"api-version": API_VERSION, "model-version": asked},
            **request,
        )
        if answer["modelVersion"] != asked:  # its vectors mean something else
            raise EncoderUnavailable(
                f"{self.client.host} answered with model version {str(answer['modelVersion'])[:40]!r} "
                f"instead of {asked}. Check {self.service.variable('MODEL')}."
            )
        return answer["vector"]
