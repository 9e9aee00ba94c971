"""Runs in the environment of tests.reference_env, without Django: what the reference implementations answer.

    python reference.py FOLDER

FOLDER holds texts.json and pictures/*. For each family it gets a folder with a tiny pair of random weights in
a published layout (exported from the implementation itself), and answers.npz: the tokens of every text, the
pixels of every picture, the vectors of both.
"""

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    # Its compiled part wants the torch of its own build (with CUDA). Only its Python part is used here, which
    # needs no more than that these operators have a name.
    operators = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        operators.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import open_clip
from open_clip.pretrained import _mccfg, _slpcfg
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer, bytes_to_unicode
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import BPE, Unigram
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer, SiglipConfig, SiglipModel, SiglipTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.gemma.tokenization_gemma import GemmaTokenizer
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

SIDE, WIDTH, HEADS = 32, 32, 2
SAMPLED = 11  # of so many numbers of the pixels one is kept beside the tests
VISION = {"hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": HEADS}
TOWER = {"layers": 1, "width": WIDTH}


@dataclass
class Family:
    """One implementation with one set of rules."""

    model: Any
    tokenize: Callable[[list[str]], Any]  # to int64 (n, context)
    pixels: Callable[[Image.Image], Any]  # to float (3, SIDE, SIDE)
    images: Callable[[Any], Any]
    texts: Callable[[Any], Any]


def openclip_model(**text: Any) -> Any:
    torch.manual_seed(3)
    vision = {"image_size": SIDE, "patch_size": 8, "head_width": WIDTH // HEADS, **TOWER}
    kind = open_clip.CustomTextCLIP if text.pop("custom", False) else open_clip.CLIP
    return kind(embed_dim=16, vision_cfg=vision, text_cfg={"heads": HEADS, **TOWER, **text}).eval()


def save_openclip(
    folder: Path, model: Any, tokenizer: Any, text: dict[str, Any], pixels: dict[str, Any]
) -> None:
    """As Immich exports: one picture and one text at a time, 32-bit tokens."""
    for part in ("visual", "textual"):
        (folder / part).mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"embed_dim": 16, "vision_cfg": {}, "text_cfg": text}))
    (folder / "visual/preprocess_cfg.json").write_text(json.dumps(pixels))
    tokenizer.save_pretrained(folder / "textual")
    image, ids = torch.zeros(1, 3, SIDE, SIDE), torch.ones(1, text["context_length"], dtype=torch.int32)
    export(Calls(model, "encode_image"), (image,), folder / "visual/model.onnx", ["image"], ["embedding"])
    export(Calls(model, "encode_text"), (ids,), folder / "textual/model.onnx", ["text"], ["embedding"])


class Calls(torch.nn.Module):
    """One of a model's functions as a module; of what transformers gives, the part named."""

    def __init__(self, model: Any, name: str, part: str = "") -> None:
        super().__init__()
        self.model, self.name, self.part = model, name, part

    def forward(self, *given: Any) -> Any:
        found = getattr(self.model, self.name)(*given)
        return getattr(found, self.part) if self.part else found


def export(module: Any, given: Any, path: Path, names: list[str], outputs: list[str], **axes: Any) -> None:
    torch.onnx.export(
        module, given, str(path), input_names=names, output_names=list(outputs), opset_version=17,
        dynamo=False, dynamic_axes=axes or None,
    )  # fmt: skip


def clip_vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """OpenAI's, which OpenCLIP carries, in the form of transformers."""
    simple = SimpleTokenizer()
    renamed = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    words = {renamed.get(word, word): number for word, number in simple.encoder.items()}
    return words, list(simple.bpe_ranks)


def openclip(folder: Path) -> Family:
    """CLIP as OpenAI made it, in OpenCLIP."""
    text = {"context_length": 77, "vocab_size": 49408}
    return _openclip(folder, openclip_model(**text), text, PreprocessCfg(size=SIDE).__dict__)


def mobileclip(folder: Path) -> Family:
    text = {"context_length": 77, "vocab_size": 49408, "no_causal_mask": True}
    config = {"size": SIDE, **{k: v for k, v in _mccfg().items() if k not in {"url", "hf_hub"}}}
    return _openclip(folder, openclip_model(custom=True, **text), text, config)


def _openclip(folder: Path, model: Any, text: dict[str, Any], pixels: dict[str, Any]) -> Family:
    words, merges = clip_vocabulary()
    save_openclip(folder, model, CLIPTokenizer(vocab=words, merges=merges), text, pixels)
    transform = image_transform_v2(PreprocessCfg(**pixels), is_train=False)
    return Family(model, SimpleTokenizer(), transform, model.encode_image, model.encode_text)


def openclip_siglip(folder: Path) -> Family:
    """SigLIP 2 in OpenCLIP: Gemma's tokenizer, letters without punctuation, and the last token counts."""
    made = gemma(GemmaTokenizer)
    text = {"context_length": 64, "vocab_size": len(made)}
    pooled = {"no_causal_mask": True, "proj_bias": True, "pool_type": "last"}
    config = {**text, "hf_tokenizer_name": "timm/local", "tokenizer_kwargs": {"clean": "canonicalize"}}
    pixels = {"size": SIDE, **{k: v for k, v in _slpcfg().items() if k not in {"url", "hf_hub"}}}
    model = openclip_model(custom=True, **text, **pooled)
    save_openclip(folder, model, made, config, pixels)
    tokenize = HFTokenizer(str(folder / "textual"), context_length=64, clean="canonicalize")
    transform = image_transform_v2(PreprocessCfg(**pixels), is_train=False)
    return Family(model, tokenize, transform, model.encode_image, model.encode_text)


def transformers_clip(folder: Path) -> Family:
    torch.manual_seed(3)
    words, merges = clip_vocabulary()
    tokenizer = CLIPTokenizer(vocab=words, merges=merges)
    text = {
        "vocab_size": len(words),
        "eos_token_id": 49407,
        "bos_token_id": 49406,
        "max_position_embeddings": 77,
    }
    config = CLIPConfig(
        text_config={**VISION, **text}, vision_config={**VISION, "image_size": SIDE, "patch_size": 8},
        projection_dim=16, attn_implementation="eager",
    )  # fmt: skip
    model = CLIPModel(config).eval()
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    return _transformers(folder, model, tokenizer, processor, 77, ("image_embeds", "text_embeds"))


def transformers_siglip(folder: Path) -> Family:
    """SigLIP: SentencePiece, letters without punctuation, pictures squeezed."""
    folder.mkdir(parents=True)
    slow = unigram(folder.parent)
    size = {"height": SIDE, "width": SIDE}
    made = _transformers(
        folder, siglip(len(slow)), slow, SiglipImageProcessorPil(size=size), 64, ("pooler_output",) * 2
    )
    as_tokenizers_has_it(slow).save(str(folder / "tokenizer.json"))
    return made


def transformers_siglip2(folder: Path) -> Family:
    tokenizer = gemma(Siglip2Tokenizer)
    processor = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}, resample=2)
    outputs = ("pooler_output", "pooler_output")
    made = _transformers(folder, siglip(len(tokenizer)), tokenizer, processor, 64, outputs)
    path = folder / "tokenizer.json"  # the published one is Gemma's own, which does not lower-case
    content = json.loads(path.read_text())
    lower, content["normalizer"] = content["normalizer"]["normalizers"]
    assert lower["type"] == "Lowercase"
    path.write_text(json.dumps(content))
    return made


def siglip(words: int) -> Any:
    torch.manual_seed(3)
    text = {"vocab_size": words, "max_position_embeddings": 64, "projection_size": WIDTH}
    vision = {**VISION, "image_size": SIDE, "patch_size": 8}
    return SiglipModel(
        SiglipConfig(text_config={**VISION, **text}, vision_config=vision, attn_implementation="eager")
    ).eval()


def _transformers(
    folder: Path, model: Any, tokenizer: Any, processor: Any, context: int, outputs: tuple[str, str]
) -> Family:
    """As the exports of Xenova and onnx-community."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    for part in (tokenizer, processor, model.config):
        part.save_pretrained(folder)
    path = folder / "preprocessor_config.json"
    kept = json.loads(path.read_text())
    path.write_text(
        json.dumps({**kept, "image_processor_type": type(processor).__name__.removesuffix("Pil")})
    )

    def tokenize(texts: list[str]) -> Any:
        given = {"padding": "max_length", "max_length": context, "truncation": True, "return_tensors": "pt"}
        return tokenizer(texts, **given).input_ids

    image, ids = torch.zeros(2, 3, SIDE, SIDE), torch.ones(2, context, dtype=torch.int64)
    see = Calls(model, "get_image_features", "pooler_output")
    read = Calls(model, "get_text_features", "pooler_output")
    rows = {0: "n"}
    export(see, (image,), folder / "onnx/vision_model.onnx", ["pixel_values"], outputs[:1], pixel_values=rows)
    export(read, (ids,), folder / "onnx/text_model.onnx", ["input_ids"], outputs[1:], input_ids=rows)

    def pixels(one: Image.Image) -> Any:
        return processor(one, return_tensors="pt").pixel_values[0]

    return Family(model, tokenize, pixels, see, read)


def gemma(kind: Any) -> Any:
    """Gemma's way to cut words, learned from our own sentences."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{n:02X}>" for n in range(256))]
    learned = Tokenizer(BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    learned.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "▁")])
    learned.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=special, show_progress=False)
    learned.train_from_iterator(sentences(), trainer)
    model = json.loads(learned.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    return kind(
        vocab=model["vocab"], merges=merges, add_bos_token=False, add_eos_token=True, padding_side="right"
    )


def unigram(folder: Path) -> SiglipTokenizer:
    source = folder / "sentences.txt"
    source.write_text("\n".join(sentences()))
    sentencepiece.SentencePieceTrainer.train(
        input=str(source), model_prefix=str(folder / "spiece"), vocab_size=420, model_type="unigram",
        pad_id=-1, bos_id=-1, eos_id=1, unk_id=2, pad_piece="<pad>", hard_vocab_limit=False,
        user_defined_symbols="<pad>", minloglevel=2, character_coverage=0.98,
    )  # fmt: skip
    return SiglipTokenizer(str(folder / "spiece.model"))


def as_tokenizers_has_it(slow: SiglipTokenizer) -> Tokenizer:
    """The same pieces as a tokenizer.json, as exporters write it."""
    pieces = slow.sp_model
    proto = sentencepiece_model_pb2.ModelProto.FromString(pieces.serialized_model_proto())
    made = Tokenizer(Unigram([(p.piece, p.score) for p in proto.pieces], unk_id=pieces.unk_id()))
    made.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Strip(left=False, right=True),
            normalizers.Replace(Regex(" {2,}"), "▁"),
        ]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", pieces.eos_id())]
    )
    return made


def sentences() -> list[str]:
    folder = Path(sys.argv[1])
    return [" ".join(text.lower().split()) for text in json.loads((folder / "texts.json").read_text())]


FAMILIES = {
    "openclip": openclip,
    "mobileclip": mobileclip,
    "openclip-siglip": openclip_siglip,
    "transformers-clip": transformers_clip,
    "transformers-siglip": transformers_siglip,
    "transformers-siglip2": transformers_siglip2,
}


def unit(rows: Any) -> Any:
    return torch.nn.functional.normalize(rows, dim=-1).numpy()


def answers(family: Family, texts: list[str], pictures: list[Image.Image]) -> Iterator[tuple[str, Any]]:
    with torch.no_grad():
        ids = family.tokenize(texts)
        pixels = torch.stack([torch.as_tensor(family.pixels(one)) for one in pictures])
        yield "ids", ids.numpy()
        yield "pixels", pixels.numpy()
        yield "images", unit(family.images(pixels))
        yield "texts", unit(family.texts(ids))


def keep(source: Path, target: Path, texts: list[str]) -> None:
    """A family's rules and answers without its graphs and vectors, small enough to lie beside the tests."""
    for path in source.rglob("*.json"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = json.loads(path.read_text())
        if path.name == "tokenizer.json" and content["model"]["type"] == "BPE":
            content["model"] = pruned(content["model"], " ".join(texts))
        copy.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
    with np.load(source / "answers.npz") as full:
        pixels = full["pixels"].reshape(len(full["pixels"]), -1)[:, ::SAMPLED]
        np.savez_compressed(target / "answers.npz", ids=full["ids"].astype(np.int32), pixels=pixels)


def pruned(model: dict[str, Any], text: str) -> dict[str, Any]:
    """A BPE with the numbers it has, but only the merges that can happen in a text."""
    marked = model["end_of_word_suffix"] or ""
    lower = " ".join(SimpleTokenizer().clean_fn(one) for one in (text, text.replace("&amp;", "&")))
    there = "".join(bytes_to_unicode()[byte] for byte in f"{text} {text.lower()} {lower}".encode())
    there += lower + text.lower().replace(" ", "▁")

    def happens(pair: list[str]) -> bool:
        return "".join(pair).removesuffix(marked or "\0") in there

    merges = [pair for pair in model["merges"] if happens(pair)]
    results = {"".join(pair) for pair in model["merges"]}
    kept = {"".join(pair) for pair in merges}
    words = {word: number for word, number in model["vocab"].items() if word in kept or word not in results}
    return {**model, "merges": merges, "vocab": words}


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    texts = json.loads((folder / "texts.json").read_text())
    pictures = [Image.open(path) for path in sorted((folder / "pictures").iterdir())]
    for name, make in FAMILIES.items():
        family = make(folder / name)
        np.savez(folder / name / "answers.npz", **dict(answers(family, texts, pictures)))
        if name != "transformers-siglip":  # its tokenizer carries a large table of letters
            keep(folder / name, folder / "kept" / name, texts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
