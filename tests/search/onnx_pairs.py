"""Tiny pairs of ONNX graphs with random weights and real tokenizers, laid out as published pairs are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

DIMENSIONS, SIDE, CONTEXT = 16, 32, 12
WORDS = 300  # of a vocabulary, at most
SENTENCES = [
    "a cat sits on the red chair",
    "two dogs run through the snow",
    "an old map of the harbour, engraved",
    "portrait of a woman with a blue hat",
    "it's a 1923 photograph of the town hall",
]
FLOAT = {"fp32": TensorProto.FLOAT, "int8": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16}


def weights(name: str, shape: tuple[int, ...], kind: int, seed: int) -> onnx.TensorProto:
    values = np.random.default_rng(seed).normal(size=shape)
    return numpy_helper.from_array(values.astype(helper.tensor_dtype_to_np_dtype(kind)), name)


def save(path: Path, nodes: list[Any], inputs: list[Any], output: Any, initial: list[Any]) -> None:
    graph = helper.make_graph(nodes, path.stem, inputs, [output], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def visual(
    path: Path, *, output: str, given: str = "pixel_values", kind: int = TensorProto.FLOAT,
    batch: Any = "n", length: Any = DIMENSIONS, side: Any = SIDE, scale: float = 1.0,
) -> None:  # fmt: skip
    """Patches, a projection, the mean of the patches, and another projection."""
    nodes = [
        helper.make_node("Conv", [given, "patches"], ["seen"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Tanh", ["seen"], ["bent"]),
        helper.make_node("GlobalAveragePool", ["bent"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "projection"], ["row"]),
        helper.make_node("Mul", ["row", "scale"], [output]),
    ]
    initial = [
        weights("patches", (24, 3, 8, 8), kind, 1),
        weights("projection", (24, DIMENSIONS), kind, 2),
        numpy_helper.from_array(np.array(scale, helper.tensor_dtype_to_np_dtype(kind)), "scale"),
    ]
    inputs = [helper.make_tensor_value_info(given, kind, [batch, 3, side, side])]
    save(path, nodes, inputs, helper.make_tensor_value_info(output, kind, [batch, length]), initial)


def textual(
    path: Path, *, output: str, given: str = "input_ids", kind: int = TensorProto.FLOAT,
    ids: int = TensorProto.INT64, batch: Any = "n", length: int = DIMENSIONS, mask: bool = False,
    context: Any = CONTEXT,
) -> None:  # fmt: skip
    """The words' vectors, weighed by where they stand and by the mask, and a projection."""
    nodes = [
        helper.make_node("Cast", [given], ["ids"], to=TensorProto.INT64),
        helper.make_node("Gather", ["words", "ids"], ["found"]),
        helper.make_node("Mul", ["found", "places"], ["placed"]),
        helper.make_node("Tanh", ["placed"], ["bent"]),
    ]
    summed = "bent"
    inputs = [helper.make_tensor_value_info(given, ids, [batch, context])]
    if mask:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["kept"], to=kind),
            helper.make_node("Unsqueeze", ["kept", "last"], ["wide"]),
            helper.make_node("Mul", ["bent", "wide"], ["masked"]),
        ]
        summed = "masked"
        inputs.append(helper.make_tensor_value_info("attention_mask", ids, [batch, context]))
    nodes += [
        helper.make_node("ReduceMean", [summed], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "projection"], [output]),
    ]
    initial = [
        weights("words", (WORDS, 24), kind, 3),
        weights("places", (context if isinstance(context, int) else CONTEXT, 24), kind, 4),
        weights("projection", (24, length), kind, 5),
        *([numpy_helper.from_array(np.array([2]), "last")] if mask else []),
    ]
    save(path, nodes, inputs, helper.make_tensor_value_info(output, kind, [batch, length]), initial)


def bpe() -> Tokenizer:
    """As CLIP's: lower case, bytes, the end of a word marked, a start and an end."""
    made = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(
                Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True
            ),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=["!", "<|startoftext|>", "<|endoftext|>"],
        end_of_word_suffix="</w>",
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(SENTENCES, trainer)
    ends = [(token, made.token_to_id(token)) for token in ("<|endoftext|>", "<|startoftext|>")]
    made.post_processor = processors.RobertaProcessing(*ends, trim_offsets=False, add_prefix_space=False)
    return made


def unigram() -> Tokenizer:
    """As SigLIP's: pieces of SentencePiece, and an end."""
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(SENTENCES, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", made.token_to_id("</s>"))]
    )
    return made


def dump(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def clip_of_openclip(folder: Path, precision: str = "fp32") -> Path:
    """As immich-app/ViT-B-32__openai: one picture and one text at a time, 32-bit tokens."""
    ending, kind = {"fp16": "_fp16"}.get(precision, ""), FLOAT[precision]
    visual(folder / f"visual/model{ending}.onnx", given="image", output="embedding", kind=kind, batch=1)
    textual(
        folder / f"textual/model{ending}.onnx",
        given="text", output="embedding", kind=kind, ids=TensorProto.INT32, batch=1,
    )  # fmt: skip
    dump(folder / "config.json", {"embed_dim": DIMENSIONS, "text_cfg": {"context_length": CONTEXT}})
    dump(
        folder / "visual/preprocess_cfg.json",
        {"size": [SIDE, SIDE], "mode": "RGB", "interpolation": "bicubic", "resize_mode": "shortest"},
    )
    bpe().save(str(folder / "textual/tokenizer.json"))
    return folder


def siglip_of_openclip(folder: Path) -> Path:
    """As immich-app/ViT-B-16-SigLIP2__webli."""
    clip_of_openclip(folder)
    kwargs = {"hf_tokenizer_name": "timm/x", "tokenizer_kwargs": {"clean": "canonicalize"}}
    dump(folder / "config.json", {"text_cfg": {"context_length": CONTEXT, **kwargs}})
    half = {"mean": [0.5] * 3, "std": [0.5] * 3}
    dump(folder / "visual/preprocess_cfg.json", {"size": SIDE, "resize_mode": "squash", **half})
    unigram().save(str(folder / "textual/tokenizer.json"))
    dump(folder / "textual/tokenizer_config.json", {"pad_token": {"content": "<pad>"}})
    return folder


def clip_of_transformers(folder: Path, precision: str = "fp32") -> Path:
    """As Xenova/clip-vit-base-patch32."""
    kind, ending = FLOAT[precision], {"fp16": "_fp16", "int8": "_quantized"}.get(precision, "")
    graphs = (folder / f"onnx/vision_model{ending}.onnx", folder / f"onnx/text_model{ending}.onnx")
    visual(graphs[0], output="image_embeds", kind=kind)
    textual(graphs[1], output="text_embeds", kind=kind, mask=True, context="length")
    if precision == "int8":
        for path in graphs:
            plain = path.rename(path.with_name("plain"))
            quantize_dynamic(plain, path, op_types_to_quantize=["MatMul"], weight_type=QuantType.QUInt8)
            plain.unlink()
    dump(folder / "config.json", {"model_type": "clip", "text_config": {"max_position_embeddings": CONTEXT}})
    dump(
        folder / "preprocessor_config.json",
        {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": SIDE}, "crop_size": SIDE},
    )
    bpe().save(str(folder / "tokenizer.json"))
    dump(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "pad_token": "<|endoftext|>"})
    return folder


def siglip_of_transformers(folder: Path) -> Path:
    """As onnx-community/siglip2-base-patch16-224-ONNX."""
    visual(folder / "onnx/vision_model.onnx", output="pooler_output")
    textual(folder / "onnx/text_model.onnx", output="pooler_output")
    dump(
        folder / "config.json", {"model_type": "siglip", "text_config": {"max_position_embeddings": CONTEXT}}
    )
    dump(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "SiglipImageProcessor",
            "size": {"height": SIDE, "width": SIDE},
            "resample": 2,
        },
    )
    unigram().save(str(folder / "tokenizer.json"))
    dump(folder / "tokenizer_config.json", {"tokenizer_class": "GemmaTokenizer", "pad_token": "<pad>"})
    return folder


MAKERS = {
    "openclip-clip": clip_of_openclip,
    "openclip-siglip": siglip_of_openclip,
    "transformers-clip": clip_of_transformers,
    "transformers-siglip": siglip_of_transformers,
}
