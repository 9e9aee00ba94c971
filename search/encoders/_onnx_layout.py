"""Which files of a folder make a pair of ONNX graphs, in the two layouts in which such pairs are published.

`openclip`: as Immich exports OpenCLIP's models, with OpenCLIP's own configuration. `transformers`: as the
exports of Xenova and onnx-community, with the configuration of the transformers library.
"""

from collections.abc import Collection
from dataclasses import dataclass

from search.encoders._protocol import EncoderUnavailable

ENDINGS = {
    "fp32": (".onnx",),
    "fp16": ("_fp16.onnx",),
    "int8": ("_quantized.onnx", "_int8.onnx"),
}
"""Precision -> how the name of a graph may end, the usual one first."""
OUTSIDE = ("_data", ".data")  # how a file that holds a graph's weights goes on after the graph's own name


@dataclass(frozen=True)
class Shape:
    """One way to lay out a pair; paths are relative to its folder."""

    layout: str
    visual: str  # path of the graph for pictures, without its ending
    textual: str
    pixels: str  # how pictures are prepared
    tokenizer: str
    config: str = "config.json"

    @property
    def about_tokenizer(self) -> str:
        """May be missing: says what a short text is filled up with."""
        return self.tokenizer.replace("tokenizer.json", "tokenizer_config.json")

    @property
    def settings(self) -> tuple[str, ...]:
        return (self.config, self.pixels, self.tokenizer)

    def graphs(self, precision: str) -> tuple[str, str]:
        """The usual names of the two graphs."""
        ending = ENDINGS[precision][0]
        return self.visual + ending, self.textual + ending


SHAPES = (
    Shape(
        "openclip", "visual/model", "textual/model", "visual/preprocess_cfg.json", "textual/tokenizer.json"
    ),
    Shape(
        "transformers", "onnx/vision_model", "onnx/text_model", "preprocessor_config.json", "tokenizer.json"
    ),
    Shape("transformers", "vision_model", "text_model", "preprocessor_config.json", "tokenizer.json"),
)


@dataclass(frozen=True)
class Pair:
    """The files of one pair in one precision."""

    shape: Shape
    visual: str
    textual: str
    files: tuple[str, ...]  # all that are needed, sorted


def choose(names: Collection[str], precision: str) -> Pair | None:
    """The pair among the files `names`, or None. Raises EncoderUnavailable for an unknown precision."""
    if precision not in ENDINGS:
        raise EncoderUnavailable(f"There is no precision {precision!r}; there are: {', '.join(ENDINGS)}.")
    there = set(names)
    for shape in SHAPES:
        visual, textual = (_graph(stem, there, precision) for stem in (shape.visual, shape.textual))
        if visual and textual and there.issuperset(shape.settings):
            weights = [
                name for name in there if _holds_weights(name, visual) or _holds_weights(name, textual)
            ]
            extra = [shape.about_tokenizer] if shape.about_tokenizer in there else []
            files = {visual, textual, *weights, *shape.settings, *extra}
            return Pair(shape, visual, textual, tuple(sorted(files)))
    return None


def needed(names: Collection[str], precision: str) -> str:
    """What is missing among `names`, in words: of the layout that is begun, or else of the usual ones."""
    there = set(names)
    begun = max(SHAPES, key=lambda shape: len(there & _known(shape)))
    if not there & (_known(begun) - {begun.config}):
        either = (", ".join((*shape.graphs(precision), *shape.settings)) for shape in SHAPES[:2])
        return "either " + " or ".join(either)
    missing = [name for name in begun.settings if name not in there]
    for stem, usual in zip((begun.visual, begun.textual), begun.graphs(precision), strict=True):
        if not _graph(stem, there, precision):
            others = [other for other in ENDINGS if _graph(stem, there, other)]
            missing.append(f"{usual} (there is only {', '.join(others)})" if others else usual)
    return ", ".join(missing)


def _graph(stem: str, there: set[str], precision: str) -> str:
    """The graph's name, or nothing."""
    return next((stem + ending for ending in ENDINGS[precision] if stem + ending in there), "")


def _holds_weights(name: str, graph: str) -> bool:
    rest = name.removeprefix(graph)
    return rest != name and rest.startswith(OUTSIDE) and "/" not in rest


def _known(shape: Shape) -> set[str]:
    graphs = {
        stem + end for stem in (shape.visual, shape.textual) for ends in ENDINGS.values() for end in ends
    }
    return graphs | set(shape.settings)
