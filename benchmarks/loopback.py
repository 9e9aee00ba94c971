"""An encoder on loopback for benchmarks, in a process of its own: it speaks like infinity, and knows little.

    python -m benchmarks.loopback SEED

Prints its address and goes on until its input is closed. A picture is 4 x 4 blocks of colour; encoder 1 looks
at the left half alone, encoder 2 at the right half, so that what is alike for one is not for the other.
"""

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from tests.search import services, serving

SIZE = 512  # numbers in a vector
BLOCKS, SEEN = 4, 24  # blocks along a side; numbers that one encoder sees of a picture


class Half(services.Infinity):
    """The contract of infinity with vectors of half of a picture."""

    size = SIZE

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of_text(self, text: Any) -> list[float]:
        return [round(float(x), 5) for x in text_vector(self.seed, text)]

    def of_jpeg(self, request: Any, content: bytes) -> list[float]:
        with Image.open(io.BytesIO(content)) as image:
            blocks = image.convert("RGB").resize((BLOCKS, BLOCKS), Image.Resampling.BOX)
        return [round(float(x), 5) for x in picture_vectors(self.seed, np.asarray(blocks)[None])[0]]


def picture_vectors(seed: int, blocks: np.ndarray) -> np.ndarray:
    """float32 (n, SIZE), unit length, of colours 0 to 255 (n, BLOCKS, BLOCKS, 3)."""
    half = slice(0, 2) if seed == 1 else slice(2, 4)
    return _spread(seed, blocks[:, :, half].reshape(len(blocks), SEEN) / 127.5 - 1)


def text_vector(seed: int, text: str) -> np.ndarray:
    """float32 (SIZE,): a place of its own for every text."""
    digest = hashlib.sha256(f"{seed} {text}".encode()).digest()
    return _spread(seed, np.random.default_rng(list(digest)).uniform(-1, 1, (1, SEEN)))[0]


def _spread(seed: int, seen: np.ndarray) -> np.ndarray:
    wide = np.tanh(seen @ np.random.default_rng(seed).normal(size=(SEEN, SIZE)) / 3)
    return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)


@contextmanager
def encoder(seed: int) -> Iterator[str]:
    """The address of one that runs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.loopback", str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout and running.stdin
        try:
            yield running.stdout.readline().strip()
        finally:
            running.stdin.close()


def settings(prefix: str, url: str, model: str) -> dict[str, str]:
    """The environment variables of an encoder of this kind."""
    values = {"URL": url, "KEY": services.KEY, "MODEL": model, "DIMENSIONS": str(SIZE)}
    return {f"{prefix}_{name}": value for name, value in values.items()}


def main(arguments: Sequence[str]) -> None:
    contract = Half(int(arguments[0]))
    contract.model = f"benchmark/{contract.seed}"
    with serving.serving(contract) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
