"""A pair of ONNX graphs on this machine: CLIP, OpenCLIP, MobileCLIP, SigLIP or SigLIP 2."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from PIL import Image

from search.encoders import _onnx_files, _onnx_pixels, _onnx_tokens
from search.encoders._config import Config
from search.encoders._onnx_files import Manifest, Place
from search.encoders._onnx_graph import CHUNK, TEXTUAL_OUTPUTS, VISUAL_OUTPUTS, Graph, chosen
from search.encoders._onnx_layout import Pair
from search.encoders._protocol import EncoderUnavailable, Limits, Role, SpaceIdentity, Vectors

RECIPE = "1"  # counts changes of how pictures and texts are prepared
PROBE = (64, 48)  # pixels of a picture that shows how long the vectors are


class OnnxEncoder:
    """Keeps the Protocol. A graph is loaded when first used: a worker seldom needs the one for texts."""

    notice = ""

    def __init__(self, config: Config) -> None:
        """Raises EncoderUnavailable if files are missing or changed. Nothing is downloaded here."""
        self._model = model = Model(config, *_complete(config))
        manifest = model.manifest()
        self.identity = SpaceIdentity(
            encoder="onnx",
            model=model.place.name,
            version=manifest.version,
            preprocessing=f"{model.pair.shape.layout} {RECIPE}, {config.precision}",
            dimensions=manifest.dimensions,
            files=manifest.digests,
        )
        self.limits = Limits(
            input_pixels=model.pixels.input_pixels,
            max_text_words=model.texts.most_words,
            batch_size=CHUNK,
        )

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """float32 (n, dimensions)."""
        return self._checked(self._model.encode_images(images)) if images else self._none()

    def encode_texts(self, texts: Sequence[str], role: Role = "query") -> Vectors:
        """float32 (n, dimensions). A text longer than the model's context is cut, and its end kept."""
        return self._checked(self._model.encode_texts(texts)) if texts else self._none()

    def _none(self) -> Vectors:
        return np.empty((0, self.identity.dimensions), np.float32)

    def _checked(self, rows: Vectors) -> Vectors:
        if rows.shape[1] != self.identity.dimensions:
            raise EncoderUnavailable(
                f"The model {self.identity.model} gives vectors of {rows.shape[1]} numbers, "
                f"not of {self.identity.dimensions}."
            )
        return rows


class Model:
    """The files of a pair as two functions."""

    def __init__(self, config: Config, place: Place, pair: Pair) -> None:
        """Reads the small files; the graphs are loaded when used. Raises EncoderUnavailable."""
        chosen(config.providers)
        self.config, self.place, self.pair = config, place, pair
        self._lock = RLock()
        shape = pair.shape
        about = self._read(shape.about_tokenizer) if shape.about_tokenizer in pair.files else {}
        rules = _onnx_pixels.of_openclip if shape.layout == "openclip" else _onnx_pixels.of_transformers
        text_rules = _onnx_tokens.of_openclip if shape.layout == "openclip" else _onnx_tokens.of_transformers
        try:
            self.pixels = rules(self._read(shape.pixels))
            self._text_rules = text_rules(self._read(shape.config), about)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise EncoderUnavailable(
                f"The configuration in {place.folder} is not that of a known model: {error!r}"
            ) from error
        self.texts = _onnx_tokens.Texts(place.folder / shape.tokenizer, self._text_rules)

    @cached_property
    def visual(self) -> Graph:
        graph = self._graph(self.pair.visual, VISUAL_OUTPUTS)
        wanted = [3, self.pixels.height, self.pixels.width]
        if any(side not in (None, want) for side, want in zip(graph.shape[1:], wanted, strict=True)):
            raise EncoderUnavailable(
                f"{graph.path} does not take pictures of {wanted[1]}x{wanted[2]} pixels."
            )
        return graph

    @cached_property
    def textual(self) -> Graph:
        graph = self._graph(self.pair.textual, TEXTUAL_OUTPUTS)
        if graph.shape[1] not in (None, self._text_rules.context):
            raise EncoderUnavailable(f"{graph.path} does not take {self._text_rules.context} tokens.")
        return graph

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        with self._lock:
            graph = self.visual
        parts = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
        return np.concatenate([graph(np.stack([self.pixels(image) for image in part])) for part in parts])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            graph = self.textual
        return graph(*self.texts(texts))

    def manifest(self, version: str = "") -> Manifest:
        """As stored, or made now. Raises EncoderUnavailable, also where a setting says another length."""
        kept = _onnx_files.stored(self.config, self.place, self.pair)
        found = kept.dimensions if kept else self._measured()
        if self.config.dimensions not in (0, found):
            raise EncoderUnavailable(
                f"The vectors of {self.place.name} have {found} numbers, not {self.config.dimensions}. "
                f"Leave {self.config.variable('DIMENSIONS')} unset."
            )
        return kept or _onnx_files.adopt(self.config, self.place, self.pair, found, version)

    def _measured(self) -> int:
        """The length of the vectors; both graphs are run once to see that they belong together."""
        picture = int(self.encode_images([Image.new("RGB", PROBE, "orange")]).shape[1])
        text = self.encode_texts(["orange"]).shape[1]
        if picture != text:
            raise EncoderUnavailable(
                f"The two graphs in {self.place.folder} do not belong together: pictures become {picture} "
                f"numbers, texts {text}. Graphs with their projection are needed."
            )
        del self.visual, self.textual  # seldom does one process need both, and they are large
        return picture

    def _graph(self, name: str, outputs: Sequence[str]) -> Graph:
        return Graph(self.place.folder / name, outputs, self.config.providers)

    def _read(self, name: str) -> Mapping[str, Any]:
        path: Path = self.place.folder / name
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(f"{path} cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise EncoderUnavailable(f"{path} does not hold what such a file holds.")
        return found


def _complete(config: Config) -> tuple[Place, Pair]:
    """A model of the hub counts as complete once prepare_models has pinned it; a folder as it is."""
    where = _onnx_files.place(config)
    found = _onnx_files.pair(config, where)
    if where.is_of_hub and _onnx_files.pinned(config, where) is None:
        raise EncoderUnavailable(
            f"The files of {where.name} in {where.folder} are not yet checked and pinned. "
            f"Run `manage.py prepare_models --encoder {config.name}`."
        )
    return where, found
