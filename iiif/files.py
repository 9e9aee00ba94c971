"""Files that can be made again, kept in a folder until it is full; those not used for longest go first."""

import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO

SHARE = 20  # the folder is looked through each time that a twentieth of its size was written


@cache
def kept(folder: Path, most: int) -> "Kept":
    """The one of this process, which knows how much it has written."""
    return Kept(folder, most)


class Kept:
    """A folder of at most about `most` bytes. Several processes may use it at once."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self.written, self.lock = most, Lock()  # so that the first file looks through it

    def find(self, name: str) -> Path | None:
        """The file of this name, marked as used; None where it is not there (any more)."""
        path = self.folder / name
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def keep(self, name: str, write: Callable[[IO[bytes]], object]) -> Path:
        """Put what `write` writes under this name, whole or not at all."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            unfinished = Path(file.name)
            try:
                write(file)
                size = file.tell()
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
        unfinished.replace(path)
        with self.lock:
            self.written += size
            due = self.written * SHARE >= self.most
            if due:
                self.written = 0
        if due:
            self.make_room(besides=path)
        return path

    def make_room(self, besides: Path | None = None) -> int:
        """Remove what was not used for longest until what is left has room; returns how many files went."""
        found = []
        for path in self.folder.rglob("*"):
            try:
                seen = path.stat()
            except OSError:
                continue  # another process was quicker
            if path.is_file():
                found.append((seen.st_mtime, seen.st_size, path))
        total, removed = sum(size for _, size, _ in found), 0
        for _, size, path in sorted(found):
            if total <= self.most:
                break
            if path != besides:
                path.unlink(missing_ok=True)
                total, removed = total - size, removed + 1
        return removed
