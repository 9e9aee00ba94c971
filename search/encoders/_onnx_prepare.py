"""Getting an ONNX model ready: downloaded if need be, run once, pinned. Only prepare_models calls this."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.encoders import _onnx_files, _onnx_layout
from search.encoders._config import Config
from search.encoders._onnx import Model
from search.encoders._onnx_download import Hub, NotReached, Progress, Remote
from search.encoders._onnx_files import Manifest, Place
from search.encoders._protocol import EncoderUnavailable

UNFINISHED = ".unfinished"  # lies in a folder from the first file of a download to the last


def prepare(config: Config, progress: Progress) -> tuple[Place, Manifest]:
    """Where the model is, and what is in it. Raises EncoderUnavailable that says what to do."""
    where = _onnx_files.place(config)
    version = ""
    if where.is_of_hub:
        kept = _onnx_files.pinned(config, where)
        if kept is None or not all((where.folder / name).exists() for name in kept.files):
            with _alone(where.folder):
                version = _downloaded(config, where, _revision(config, kept), progress)
    model = Model(config, where, _onnx_files.pair(config, where))
    return where, model.manifest(version)


def _revision(config: Config, kept: Manifest | None) -> str:
    """What to ask the hub for: a file that got lost is had from the commit that is pinned."""
    return kept.version if kept and kept.is_commit else config.revision


def _downloaded(config: Config, where: Place, revision: str, progress: Progress) -> str:
    """The commit whose files are now there. Without a network, files put there by hand are taken."""
    hub = Hub(config)
    try:
        commit, files = hub.files(where.name, revision)
    except NotReached as error:
        there = _onnx_files.names(where.folder)
        if _onnx_layout.choose(there, config.precision) and not (where.folder / UNFINISHED).exists():
            return config.revision
        raise EncoderUnavailable(_onnx_files.missing(config, where, there, str(error))) from error
    wanted = _onnx_layout.choose(files.keys(), config.precision)
    if wanted is None:
        needed = _onnx_layout.needed(files.keys(), config.precision)
        raise EncoderUnavailable(
            f"{where.name} on {hub.host} is not a pair of ONNX graphs: missing {needed}."
        )
    try:
        _fetch(hub, where, commit, [files[name] for name in wanted.files], progress)
    except NotReached as error:
        raise EncoderUnavailable(
            f"{error} What has arrived is kept in {where.folder}; the next prepare_models goes on with it."
        ) from error
    return commit


def _fetch(hub: Hub, where: Place, commit: str, files: list[Remote], progress: Progress) -> None:
    """All files of one commit; until they are there, nobody takes the folder for complete."""
    mark = where.folder / UNFINISHED
    mark.touch()
    for file in files:
        hub.fetch(where.name, commit, file, where.folder, progress)
    mark.unlink()


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
