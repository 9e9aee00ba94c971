"""A text as the numbers of its tokens, by the rules that are published with a model.

The tokens come from the model's `tokenizer.json`; what happens to a text before that, and how short ones
are filled up, is written down in OpenCLIP's and in transformers' code alone. Tests compare with both.
"""

import html
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ftfy
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, normalizers

from search.encoders._protocol import EncoderUnavailable

MOST_CHARACTERS = 20_000  # of a text; far more than any context holds, unless it is white space
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
Tokens = NDArray[np.int64]


def mended(text: str) -> str:
    """OpenCLIP's first step: broken encodings, HTML entities and typographic quotes put right."""
    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def one_line(text: str) -> str:
    return " ".join(text.split())


CLEANING: Mapping[str, Callable[[str], str]] = {
    "lower": lambda text: one_line(mended(text)).lower(),
    "whitespace": lambda text: one_line(mended(text)),
    "canonicalize": lambda text: one_line(mended(text).replace("_", " ").translate(NO_PUNCTUATION).lower()),
    "siglip": lambda text: one_line(text.lower().translate(NO_PUNCTUATION)),
    "none": lambda text: text,
}
"""OpenCLIP's three ways to clean a text, by its own names; that of transformers' SigLIP; and none."""


@dataclass(frozen=True)
class TextRules:
    clean: str  # a name in CLEANING
    context: int  # tokens of every row
    padding: str | int  # the token, or its number, that short texts are filled up with
    on_the_left: bool = False
    lower: bool = False  # the tokenizer's own lower-casing, which SigLIP 2 needs and its file leaves out
    masked: bool = True  # a graph that takes a mask sees the padding no more; SigLIP learned with it


class Texts:
    """Turns texts into rows of tokens; may be used by several threads."""

    def __init__(self, path: Path, rules: TextRules) -> None:
        """Raises EncoderUnavailable if the file is no tokenizer, or does not know the padding."""
        self.rules = rules
        try:
            tokenizer: Tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise EncoderUnavailable(f"{path} cannot be read as a tokenizer: {error}") from error
        if rules.lower:
            steps = [normalizers.Lowercase(), *([tokenizer.normalizer] if tokenizer.normalizer else [])]
            tokenizer.normalizer = normalizers.Sequence(steps)
        token = rules.padding
        number = token if isinstance(token, int) else tokenizer.token_to_id(token)
        if number is None:
            raise EncoderUnavailable(f"{path} knows no token {token!r} to fill up short texts with.")
        tokenizer.enable_truncation(rules.context)
        tokenizer.enable_padding(
            length=rules.context,
            pad_id=number,
            pad_token=str(token),
            direction="left" if rules.on_the_left else "right",
        )
        self._tokenizer = tokenizer
        self.most_words: int = rules.context - tokenizer.num_special_tokens_to_add(False)
        """A word takes a token or more, so that words after these are never used."""

    def __call__(self, texts: Sequence[str]) -> tuple[Tokens, Tokens]:
        """int64 (n, context) twice: the tokens, and 1 where one is to be seen. The end of a text is kept."""
        # one by one: a batch would start threads, which no worker process may inherit
        found = [self._tokenizer.encode(self._cleaned(text)) for text in texts]
        ids = np.array([row.ids for row in found], np.int64)
        mask = np.array([row.attention_mask for row in found], np.int64)
        return ids, mask if self.rules.masked else np.ones_like(mask)

    def _cleaned(self, text: str) -> str:
        cleaned = CLEANING[self.rules.clean](text[:MOST_CHARACTERS])
        return cleaned.encode("utf-8", "replace").decode()


def of_openclip(config: Mapping[str, Any], about: Mapping[str, Any]) -> TextRules:
    """From the model's `config.json` and `tokenizer_config.json`.

    Without a tokenizer of its own, a model has OpenCLIP's, which fills up with zeros.
    """
    text = config.get("text_cfg", {})
    own = "hf_tokenizer_name" in text
    more = dict(text.get("tokenizer_kwargs") or {})
    clean = more.pop("clean", "whitespace" if own else "lower")
    if more or text.get("tokenizer_mode") or clean not in {"lower", "whitespace", "canonicalize"}:
        raise EncoderUnavailable(f"Texts cannot be prepared by the rule {clean}, {', '.join(more)}.")
    context = int(text.get("context_length", 77))
    return TextRules(clean, context, _padding(about, "<pad>") if own else 0, _left(about))


def of_transformers(config: Mapping[str, Any], about: Mapping[str, Any]) -> TextRules:
    """The same from the files of transformers. Raises EncoderUnavailable for a model that is not known."""
    kind, tokenizer = config.get("model_type"), str(about.get("tokenizer_class", ""))
    most = config.get("text_config", {}).get("max_position_embeddings")
    if kind == "clip":
        return TextRules("none", most or 77, _padding(about, "<|endoftext|>"), _left(about))
    if kind not in {"siglip", "siglip2"}:
        raise EncoderUnavailable(f"Texts cannot be prepared for a model of the type {kind!r}.")
    context = most or 64
    if tokenizer.startswith("Siglip") and not tokenizer.startswith("Siglip2"):
        return TextRules("siglip", context, _padding(about, "</s>"), _left(about), masked=False)
    return TextRules("none", context, _padding(about, "<pad>"), _left(about), lower=True, masked=False)


def _padding(about: Mapping[str, Any], default: str) -> str:
    token = about.get("pad_token") or default
    return str(token["content"] if isinstance(token, Mapping) else token)


def _left(about: Mapping[str, Any]) -> bool:
    return about.get("padding_side") == "left"
