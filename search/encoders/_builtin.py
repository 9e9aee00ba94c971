"""The encoder that needs no service and no download: a basic model for a first start and as a fallback."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import onnxruntime
from django.conf import settings
from django.utils.translation import gettext_noop
from PIL import Image

from search.encoders import _e5, _pixels, _prepared, _semantics
from search.encoders._config import Config
from search.encoders._protocol import EncoderUnavailable, Limits, Role, SpaceIdentity, Vectors

DIMENSIONS = _e5.DIMENSIONS + _semantics.VISUAL_DIMENSIONS
CHUNK = 8  # pictures in one run of the network: bounds the memory, and more gains nothing on a processor


class BuiltinEncoder:
    """EfficientNet-Lite2 and multilingual-e5-small; see docs/models.md for what to expect of them."""

    meaning = (_e5.DIMENSIONS, _semantics.SEMANTIC_SHARE)
    limits = Limits(input_pixels=_pixels.SIDE, max_text_words=_e5.MAX_WORDS, batch_size=CHUNK)
    notice = gettext_noop(
        "Search by description runs on a small built-in model that knows everyday things and misses much. "
        "An administrator can connect a better one."
    )

    def __init__(self, config: Config) -> None:
        files = _prepared.prepare(settings.MODEL_DIR)
        self.identity = SpaceIdentity(
            encoder="builtin",
            model="efficientnet-lite2+e5-small",
            version=_prepared.REVISION,
            preprocessing=_semantics.RECIPE,
            dimensions=DIMENSIONS,
            files=files.sources,
        )
        self.features_name = _features_name(files)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._network = onnxruntime.InferenceSession(
                files.graph, options, providers=["CPUExecutionProvider"]
            )
            with np.load(files.texts) as arrays:
                self._space = _semantics.Space(**arrays)
        except Exception as error:
            raise EncoderUnavailable(
                f"The built-in model in {files.folder} cannot be loaded ({error}); delete that folder."
            ) from error
        self._embed = _e5.E5()

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """float32 (n, 512): what the picture shows, then what it looks like."""
        return self.look(images)[1]

    def look(self, images: Sequence[Image.Image]) -> tuple[Vectors, Vectors]:
        """The network's features, float32 (n, 1280), and the vectors (n, 512)."""
        if not images:
            return np.empty((0, _semantics.FEATURES), np.float32), np.empty((0, DIMENSIONS), np.float32)
        parts = [self._look(images[i : i + CHUNK]) for i in range(0, len(images), CHUNK)]
        features, vectors = zip(*parts, strict=True)
        return np.concatenate(features), np.concatenate(vectors)

    def project(self, features: Vectors) -> Vectors:
        """Features (n, 1280) -> vectors (n, 512), by the last layer of the network, which is linear."""
        weights, bias = self._classifier
        return self._space.pictures(features, features @ weights.T + bias)

    def encode_texts(self, texts: Sequence[str], role: Role = "query") -> Vectors:
        """float32 (n, 512): what the sentence says; the visual part is zero."""
        return self._space.sentences(self._embed(texts))

    def _look(self, images: Sequence[Image.Image]) -> tuple[Vectors, Vectors]:
        pixels = np.stack([_pixels.network_input(image) for image in images])
        features, logits = self._network.run(["features", "logits"], {"image": pixels})
        return features, self._space.pictures(features, logits)

    @cached_property
    def _classifier(self) -> tuple[Vectors, Vectors]:
        return _prepared.classifier()


def _features_name(files: _prepared.Prepared) -> str:
    """Of all that the features are made of, which no list of words belongs to."""
    weights = files.sources[_prepared.weights_path().name]
    made_of = "\n".join([weights, _prepared.REVISION, _semantics.RECIPE])
    return f"efficientnet-lite2-{hashlib.sha256(made_of.encode()).hexdigest()[:10]}"
