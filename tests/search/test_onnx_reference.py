"""The kind onnx against the published implementations: the same tokens, pixels and vectors.

OpenCLIP and transformers run in an environment of their own (tests/reference_env.py), with tiny pairs of
random weights that they export themselves. Where it cannot be had, these tests are skipped and say so, and
what is kept of the answers in reference/ has to do.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search import encoders
from search.encoders._onnx import Model, OnnxEncoder
from search.encoders._onnx_files import pair, place
from search.encoders._pixels import as_rgb
from tests import reference_env

NAMES = (
    "openclip",
    "mobileclip",
    "openclip-siglip",
    "transformers-clip",
    "transformers-siglip",
    "transformers-siglip2",
)
NEAR = 1e-3
SAMPLED = 11  # as in reference.py
KEPT = Path(__file__).with_name("reference")
NAMES_KEPT = tuple(name for name in NAMES if (KEPT / name).is_dir())
GRAPHS = ("onnx/vision_model", "onnx/text_model")
WORDS: list[str] = json.loads(Path(__file__).with_name("texts.json").read_text())
"""A hundred texts: many alphabets, entities, broken encodings, and such as are longer than any context."""


def pictures() -> dict[str, Image.Image]:
    """By file name: odd sizes, tiny, panoramas, and every mode that a file can have."""
    rng = np.random.default_rng(11)

    def noise(width: int, height: int) -> Image.Image:
        small = rng.integers(0, 256, (max(1, height // 5), max(1, width // 5), 3), dtype=np.uint8)
        fine = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        return Image.blend(Image.fromarray(small).resize((width, height)), Image.fromarray(fine), 0.3)

    sizes = [(32, 32), (33, 32), (32, 35), (61, 47), (47, 61), (257, 191), (199, 300), (640, 427), (1, 1)]
    sizes += [(2, 3), (5, 31), (31, 5), (400, 40), (37, 520), (64, 64), (1023, 767)]
    found = {f"rgb-{width}x{height}.png": noise(width, height) for width, height in sizes}
    layer = noise(70, 51).convert("RGBA")
    layer.putalpha(Image.linear_gradient("L").resize(layer.size))
    found |= {
        "l.png": noise(70, 51).convert("L"),
        "1.png": noise(70, 51).convert("1"),
        "p.png": noise(70, 51).quantize(40),
        "cmyk.tif": noise(70, 51).convert("CMYK"),
        "rgba.png": layer,
        "la.png": layer.convert("LA"),
        "sixteen.png": Image.fromarray(np.asarray(noise(70, 51).convert("L")).astype(np.uint16) * 257),
    }
    return dict(sorted(found.items()))


NO_RULE = {"1.png", "rgba.png", "la.png", "sixteen.png", "p.png", "cmyk.tif"}
"""What the implementations drop, clip or reduce in its own colours: they are given what we make of it."""


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each family, with its pair and its answers; with REFERENCE=1, as `make soak` has it."""
    if not os.environ.get("REFERENCE"):
        pytest.skip("What is kept of the answers is enough here; REFERENCE=1 asks the reference itself.")
    try:
        python = reference_env.python()
    except reference_env.Unavailable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("reference")
    (folder / "texts.json").write_text(json.dumps(WORDS))
    (folder / "pictures").mkdir()
    for name, picture in pictures().items():
        given = as_rgb(picture) if name in NO_RULE else picture
        given.save(folder / "pictures" / name)
    script = Path(__file__).with_name("reference.py")
    done = subprocess.run([python, script, folder], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def model(folder: Path) -> Model:
    given = encoders.Config(name="onnx", kind="onnx", model=str(folder))
    where = place(given)
    return Model(given, where, pair(given, where))


def answers(folder: Path) -> Any:
    return np.load(folder / "answers.npz")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The answers beside the tests; the graphs, which are not kept, are empty files."""
    folder = shutil.copytree(KEPT, tmp_path / "kept")
    for name in NAMES_KEPT:
        graphs = ("visual/model", "textual/model") if "openclip" in name or name == "mobileclip" else GRAPHS
        for graph in graphs:
            path = folder / name / f"{graph}.onnx"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


@pytest.mark.parametrize("name", NAMES_KEPT)
def test_tokens_and_pixels_are_as_the_reference_gave_them(kept, name):
    """Without the environment, which need not be there: against what is kept of its answers."""
    ours, theirs = model(kept / name), answers(kept / name)
    assert ours.texts(WORDS)[0].tolist() == theirs["ids"].tolist()
    found = np.stack([ours.pixels(picture).ravel()[::SAMPLED] for picture in pictures().values()])
    assert np.abs(found - theirs["pixels"]).max() < NEAR


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_those_of_the_reference(work, name):
    ids, _ = model(work / name).texts(WORDS)
    rows = zip(WORDS, ids.tolist(), answers(work / name)["ids"].tolist(), strict=True)
    assert [(text, ours, theirs) for text, ours, theirs in rows if ours != theirs] == []


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_those_of_the_reference(work, name):
    prepare = model(work / name).pixels
    found = np.stack([prepare(picture) for picture in pictures().values()])
    apart = np.abs(found - answers(work / name)["pixels"]).max(axis=(1, 2, 3))
    assert {file: far for file, far in zip(pictures(), apart.tolist(), strict=True) if far > NEAR} == {}


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES)
def test_vectors_of_the_whole_pair_are_those_of_the_reference(work, name):
    given = encoders.Config(name="onnx", kind="onnx", model=str(work / name))
    encoder, expected = OnnxEncoder(given), answers(work / name)
    rows, texts = encoder.encode_images(list(pictures().values())), encoder.encode_texts(WORDS)
    assert np.abs(rows - expected["images"]).max() < NEAR
    assert np.abs(texts - expected["texts"]).max() < NEAR
    assert encoder.identity.dimensions == expected["texts"].shape[1]
    assert np.linalg.matrix_rank(rows) > 1 and np.linalg.matrix_rank(texts) > 1


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES_KEPT)
def test_what_is_kept_is_what_the_reference_gives_today(work, name):
    now, then = answers(work / "kept" / name), answers(KEPT / name)
    again = f"copy {work / 'kept'} to {KEPT}"
    assert np.array_equal(now["ids"], then["ids"]), again
    assert np.abs(now["pixels"] - then["pixels"]).max() < NEAR, again
