"""One ONNX graph of a pair: pictures or tokens in, unit rows out, whatever its exporter called them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from search.encoders._protocol import EncoderUnavailable, Vectors

CHUNK = 8  # rows in one run: bounds the memory, and more gains nothing on a processor
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
INSTALL = {"cuda": "Install onnxruntime-gpu instead of onnxruntime, with the CUDA libraries that it names."}
TYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
VISUAL_OUTPUTS = ("image_embeds", "image_embedding", "pooler_output", "embedding", "output")
TEXTUAL_OUTPUTS = ("text_embeds", "text_embedding", "pooler_output", "embedding", "output")
INPUTS = ("pixel_values", "image", "input_ids", "text")
MASK = "attention_mask"


class Graph:
    """A loaded graph; may be run by several threads."""

    def __init__(self, path: Path, outputs: Sequence[str], providers: Sequence[str]) -> None:
        """`outputs`: names that the vectors may have, the best first. Raises EncoderUnavailable."""
        self.path = path
        self._session = _session(path, chosen(providers))
        inputs = {node.name: node for node in self._session.get_inputs()}
        names = [name for name in INPUTS if name in inputs] or [name for name in inputs if name != MASK][:1]
        strange = sorted(set(inputs) - set(names[:1]) - {MASK})
        if not names or strange:
            raise EncoderUnavailable(f"{path} asks for inputs that are not known: {', '.join(strange)}.")
        self._input, self._mask = inputs[names[0]], inputs.get(MASK)
        self._output = self._choose_output(outputs)

    @property
    def shape(self) -> list[int | None]:
        """Of the input, row by row; None where the graph leaves it open."""
        return [side if isinstance(side, int) else None for side in self._input.shape]

    @property
    def dimensions(self) -> int | None:
        """Numbers in a vector, where the graph says so."""
        last = self._output.shape[-1]
        return last if isinstance(last, int) else None

    def __call__(self, values: NDArray[Any], mask: NDArray[Any] | None = None) -> Vectors:
        """float32 (n, dimensions) of unit rows for the n rows of `values`, and of `mask` where it is used."""
        fixed = self.shape[0]
        size = fixed or CHUNK
        found = []
        for start in range(0, len(values), size):
            part = slice(start, start + size)
            rows = self._run(
                _filled(values[part], fixed), None if mask is None else _filled(mask[part], fixed)
            )
            found.append(rows[: len(values[part])])
        return unit(np.concatenate(found), self.path)

    def _run(self, values: NDArray[Any], mask: NDArray[Any] | None) -> NDArray[Any]:
        given = {self._input.name: values.astype(_type(self._input))}
        if self._mask is not None:
            given[MASK] = (np.ones_like(values) if mask is None else mask).astype(_type(self._mask))
        try:
            rows: NDArray[Any] = self._session.run([self._output.name], given)[0]
        except Exception as error:
            raise EncoderUnavailable(f"{self.path} cannot be run: {error}") from error
        if rows.ndim != 2 or len(rows) != len(values):
            raise EncoderUnavailable(f"{self.path} gives no row of numbers for each input.")
        return rows

    def _choose_output(self, names: Sequence[str]) -> Any:
        """By name, or the only one that has two dimensions: the others are not pooled."""
        outputs = self._session.get_outputs()
        by_name = {node.name: node for node in outputs}
        for name in names:
            if name in by_name:
                return by_name[name]
        flat = [node for node in outputs if len(node.shape or ()) == 2]
        if len(flat) == 1:
            return flat[0]
        raise EncoderUnavailable(
            f"{self.path} gives {', '.join(by_name)}, and none of them is one vector for each input "
            f"({', '.join(names)}). Export it with its pooling and projection."
        )


def chosen(providers: Sequence[str]) -> list[str]:
    """The names of onnxruntime for `cpu` and `cuda`. Raises EncoderUnavailable if one is not there."""
    names = list(providers) or ["cpu"]
    for name in names:
        if name not in PROVIDERS:
            raise EncoderUnavailable(f"There is no provider {name!r}; there are: {', '.join(PROVIDERS)}.")
        if PROVIDERS[name] not in onnxruntime.get_available_providers():
            raise EncoderUnavailable(f"The provider {name} is not available. {INSTALL.get(name, '')}".strip())
    return [PROVIDERS[name] for name in names]


def unit(rows: NDArray[Any], path: Path) -> Vectors:
    """Rows of length 1. Raises EncoderUnavailable for one that is not finite, or nothing but zeros."""
    numbers = rows.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise EncoderUnavailable(f"{path} gives numbers that are not finite.")
    largest = np.abs(numbers).max(axis=1, keepdims=True)
    if not largest.all():
        raise EncoderUnavailable(f"{path} gives a vector of zeros.")
    numbers /= largest  # so that the squares neither overflow nor vanish
    return np.asarray(numbers / np.linalg.norm(numbers, axis=1, keepdims=True), np.float32)


def _session(path: Path, providers: Sequence[str]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; a graph may warn of a hundred unused parts
    try:
        session = onnxruntime.InferenceSession(path, options, providers=list(providers))
    except Exception as error:
        raise EncoderUnavailable(f"{path} cannot be loaded: {error}") from error
    if providers[0] not in session.get_providers():  # onnxruntime goes on without it, and only logs that
        raise EncoderUnavailable(f"{providers[0]} could not be started; see the log for what it misses.")
    return session


def _type(node: Any) -> type[np.generic]:
    if node.type not in TYPES:
        raise EncoderUnavailable(f"The input {node.name} is of the type {node.type}, which is not known.")
    return TYPES[node.type]


def _filled(values: NDArray[Any], size: int | None) -> NDArray[Any]:
    """With its last row repeated, where the graph takes exactly `size` rows."""
    if size is None or len(values) == size:
        return values
    return np.concatenate([values, np.repeat(values[-1:], size - len(values), axis=0)])
