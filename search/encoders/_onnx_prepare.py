"""Getting an ONNX model ready: downloaded if need be, run once, pinned. Only prepare_models calls this."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.encoders import _onnx_files, _onnx_layout
from search.encoders._config import Config
from search.encoders._onnx import Model
from search.encoders._onnx_download import Hub, NotReached, Progress
from search.encoders._onnx_files import Manifest, Place
from search.encoders._protocol import EncoderUnavailable


def prepare(config: Config, progress: Progress) -> tuple[Place, Manifest]:
    """Where the model is, and what is in it. Raises EncoderUnavailable that says what to do."""
    where = _onnx_files.place(config)
    version = ""
    if where.is_of_hub and not _onnx_files.is_pinned(config, where):
        with _alone(where.folder):
            version = _downloaded(config, where, progress)
    model = Model(config, where, _onnx_files.pair(config, where))
    return where, model.manifest(version)


def _downloaded(config: Config, where: Place, progress: Progress) -> str:
    """The commit whose files are now there. Without a network, files put there by hand are taken."""
    hub = Hub(config)
    try:
        commit, files = hub.files(where.name, config.revision)
        wanted = _onnx_layout.choose(files.keys(), config.precision)
        if wanted is None:
            needed = _onnx_layout.needed(files.keys(), config.precision)
            raise EncoderUnavailable(
                f"{where.name} on {hub.host} is not a pair of ONNX graphs: missing {needed}."
            )
        for name in wanted.files:
            hub.fetch(where.name, commit, files[name], where.folder, progress)
        return commit
    except NotReached as error:
        there = _onnx_files.names(where.folder)
        if _onnx_layout.choose(there, config.precision):
            return config.revision
        raise EncoderUnavailable(_onnx_files.missing(config, where, there, str(error))) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time downloads into a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise EncoderUnavailable(f"MODEL_DIR cannot be written: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
