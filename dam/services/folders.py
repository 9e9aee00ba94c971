"""The folders of one installation: those in DATA_DIR, and the short private one that holds the sockets."""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from dam.services import ServiceError

PRIVATE = ("run", "logs", "secrets")
OPEN = ("incoming", "uploads", "models")
LONGEST_SOCKET = 100  # bytes: Linux allows 107, macOS 103


def make(data_dir: Path) -> None:
    """Create what is missing of DATA_DIR and its working folders."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        for name in OPEN:
            (data_dir / name).mkdir(exist_ok=True)
        for name in PRIVATE:
            (data_dir / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ServiceError(f"The data folder {data_dir} cannot be used: {error.strerror}.") from None


def digest(data_dir: Path) -> str:
    """A short name for a data folder."""
    return hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]


def sockets(data_dir: Path) -> Path:
    """The folder for this installation's sockets: private, and short however deep DATA_DIR lies.

    In lower case, because the host part of an address is folded to it when DATABASE_URL is read.
    """
    name = f"picture-memory-{os.geteuid()}-{digest(data_dir)}"
    for base in _bases():
        folder = base / name
        if len(os.fsencode(folder)) + 30 < LONGEST_SOCKET and str(folder) == str(folder).lower():
            return own(folder, 0o711 if os.geteuid() == 0 else 0o700)
    raise ServiceError("No folder is short enough for sockets; set TMPDIR to a short path such as /tmp.")


def tidy(data_dir: Path) -> None:
    """After a clean stop nothing is left in the folder of temporary files."""
    folder = sockets(data_dir)
    for empty in (*folder.iterdir(), folder):
        with suppress(OSError):  # not empty: something is still running there
            empty.rmdir()


def _bases() -> list[Path]:
    bases = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - own() refuses what is not ours
    personal = os.environ.get("XDG_RUNTIME_DIR")
    if os.geteuid() == 0:  # the database runs under another account, which must be able to pass through
        return [base for base in bases if all(p.stat().st_mode & 0o001 for p in (base, *base.parents))]
    if personal and os.access(personal, os.W_OK | os.X_OK):
        bases.insert(0, Path(personal))
    return bases


def own(folder: Path, mode: int, uid: int | None = None, gid: int = -1) -> Path:
    """Make `folder` (no link, nobody else's) with exactly this mode and owner."""
    uid = os.geteuid() if uid is None else uid
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), uid):
        raise ServiceError(f"{folder} belongs to somebody else; remove it, or set TMPDIR to another folder.")
    if found.st_uid != uid:
        os.chown(folder, uid, gid)
    folder.chmod(mode)
    return folder
