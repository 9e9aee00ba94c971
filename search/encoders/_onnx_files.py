"""Where the files of an ONNX model are, and the manifest that pins them.

A model of a hub is downloaded, or put by hand, into a folder of its own below MODEL_DIR/onnx. When it is
complete, the manifest notes the sha256 of each file, the revision, and the length of the vectors; from then
on a changed file is an error and never another model under the same name.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from search.encoders import _onnx_layout
from search.encoders._config import Config
from search.encoders._onnx_layout import Pair
from search.encoders._prepared import sha256
from search.encoders._protocol import EncoderUnavailable

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
BY_FILES = "files-"  # how the version begins that is a digest of the files
PART = ".part"  # the end of the name of a file that is not complete


@dataclass(frozen=True)
class Place:
    """Where the files belong, and what the model is called."""

    name: str
    folder: Path
    is_of_hub: bool


@dataclass(frozen=True)
class Manifest:
    """What is known of a complete pair."""

    version: str  # the hub's commit, or else a digest of the files
    dimensions: int
    files: Mapping[str, Mapping[str, Any]]  # name -> sha256, size (bytes), changed (ns since 1970)

    @property
    def is_commit(self) -> bool:
        return not self.version.startswith(BY_FILES)

    @property
    def digests(self) -> dict[str, str]:
        return {name: about["sha256"] for name, about in self.files.items()}


def place(config: Config) -> Place:
    """Of a folder (absolute, or below MODEL_DIR), or of a model of the hub. Raises EncoderUnavailable."""
    model, root = config.model, Path(settings.MODEL_DIR)
    if not model:
        raise EncoderUnavailable(
            f"The encoder {config.name} needs a model. Set {config.variable('MODEL')} to a folder, or to the "
            "name of a model on the hub such as immich-app/ViT-B-16-SigLIP2__webli."
        )
    folder = (root / model).resolve()
    if Path(model).is_absolute() or folder.is_dir() or not HUB_ID.fullmatch(model):
        return Place(folder.name, folder, is_of_hub=False)
    own = model.replace("/", "--")
    pinned = f"@{re.sub(r'[^A-Za-z0-9.-]', '-', config.revision)[:40]}" if config.revision else ""
    return Place(model, root / "onnx" / f"{own}{pinned}", is_of_hub=True)


def names(folder: Path) -> set[str]:
    """The files there, with / between their parts."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def pair(config: Config, where: Place) -> Pair:
    """The files in the folder. Raises EncoderUnavailable that says which are missing, and what to do."""
    there = names(where.folder) if where.folder.is_dir() else set()
    if found := _onnx_layout.choose(there, config.precision):
        return found
    raise EncoderUnavailable(missing(config, where, there))


def missing(config: Config, where: Place, there: set[str], trouble: str = "") -> str:
    """What to do about a model whose files are not there."""
    needed = _onnx_layout.needed(there, config.precision)
    what = f"The model {where.name} ({config.precision}) is not complete in {where.folder}"
    what += f"; missing: {needed}." if needed else "."
    command = f"manage.py prepare_models --encoder {config.name}"
    if not where.is_of_hub:
        return f"{trouble} {what} Put the files there, or correct {config.variable('MODEL')}.".strip()
    return (
        f"{trouble} {what} Run `{command}`, which downloads them; without the internet, copy them into that "
        "folder first, from the model's page seen on another machine."
    ).strip()


def pinned(config: Config, where: Place) -> Manifest | None:
    """The manifest as it was written, if it was. Raises EncoderUnavailable if it is damaged."""
    path = _path(config, where)
    try:
        kept = Manifest(**json.loads(path.read_text()))
        _ = kept.digests
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EncoderUnavailable(f"{path} cannot be read ({error}); delete it.") from error
    return kept


def stored(config: Config, where: Place, found: Pair) -> Manifest | None:
    """The same, checked. Raises EncoderUnavailable if a file is not as it says."""
    kept, path = pinned(config, where), _path(config, where)
    if kept is None:
        return None
    changed = [name for name in kept.files if not _is_unchanged(where.folder / name, kept.files[name])]
    changed += sorted(set(found.files) - set(kept.files))
    if changed:
        raise EncoderUnavailable(
            f"In {where.folder}, {', '.join(changed)} is missing or not what it was when the model was "
            f"first used (its sha256 differs from {path.name}). Restore it, or delete {path.name} to take "
            "the files as another model, which gets vectors of its own."
        )
    return kept


def adopt(config: Config, where: Place, found: Pair, dimensions: int, version: str = "") -> Manifest:
    """Take the files as they are: read them once, and keep the manifest where the folder can be written."""
    files = {name: _about(where.folder / name) for name in found.files}
    digests = json.dumps({name: about["sha256"] for name, about in files.items()}, sort_keys=True)
    version = version or f"{BY_FILES}{hashlib.sha256(digests.encode()).hexdigest()[:12]}"
    made = Manifest(version, dimensions, files)
    with suppress(OSError):  # a folder that cannot be written is read again each time
        _write(_path(config, where), json.dumps(asdict(made), indent=1))
    return made


def _path(config: Config, where: Place) -> Path:
    return where.folder / f"manifest-{config.precision}.json"


def _write(path: Path, text: str) -> None:
    """At once or not at all."""
    work = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    with work.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    work.replace(path)


def _about(path: Path) -> dict[str, Any]:
    stat = path.stat()
    return {"sha256": sha256(path), "size": stat.st_size, "changed": stat.st_mtime_ns}


def _is_unchanged(path: Path, kept: Mapping[str, Any]) -> bool:
    """By size and time, which is quick; a file that was touched or copied is read."""
    try:
        stat = path.stat()
        if stat.st_size != kept.get("size"):
            return False
        return bool(stat.st_mtime_ns == kept.get("changed") or sha256(path) == kept["sha256"])
    except OSError:
        return False
