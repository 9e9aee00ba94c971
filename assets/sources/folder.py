"""A folder of this machine with all below it, or a single file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assets import memory
from assets.sources import names
from assets.sources._beside import joined
from assets.sources._source import Item, Refused, SourceError, Stream, stream_into

OUTSIDE = "It is a link to a place outside of the folder, so that it was not read."


class Folder:
    """Hidden files, pipes and what systems leave behind are passed over, links inside the folder followed."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError where there is no such file or folder."""
        self._only: str | None = None
        try:
            path = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise SourceError(f"There is no file or folder {names.from_disk(str(path))}.") from error
        if path.is_file():
            path, self._only = path.parent, path.name
        elif not path.is_dir():
            raise SourceError(f"{names.from_disk(str(path))} is no file and no folder.")
        self.root = path

    @property
    def identity(self) -> str:
        return f"folder:{names.from_disk(str(self.root))}"

    @property
    def label(self) -> str:
        return names.from_disk(str(self.root / (self._only or "")))

    def items(self) -> Iterator[Item | Refused]:
        """In the order of the names, the files of a folder before those of the folders in it."""
        if self._only is not None:
            yield self.item(self.root / self._only)
            return
        closed: list[OSError] = []
        for folder, folders, files in os.walk(self.root, onerror=closed.append):
            folders[:] = sorted(name for name in folders if not names.is_junk(name))
            wanted = [Path(folder) / name for name in sorted(files) if not names.is_junk(name)]
            distinct = names.Distinct()
            yield from self._links_outside(Path(folder), folders)
            yield from joined([self.item(file, distinct) for file in wanted if not _is_special(file)])
        for error in closed:
            if Path(error.filename) == self.root:
                raise SourceError(f"The folder {self.label} cannot be read: {error.strerror}.")
            where = os.path.relpath(error.filename, self.root)
            yield Refused(names.from_disk(where), f"The folder cannot be read: {error.strerror}.")

    def item(self, file: Path, distinct: names.Distinct | None = None) -> Item | Refused:
        """One file at or below the root."""
        path = names.from_disk(str(file.relative_to(self.root)))
        try:
            path = (distinct or str)(names.inside(path))
            if file.is_symlink() and not file.resolve(strict=True).is_relative_to(self.root):
                return Refused(path, OUTSIDE)
            state = file.stat()
        except (OSError, RuntimeError) as error:
            return Refused(path, _why(error))
        except ValueError as error:
            return Refused(path, str(error))
        fingerprint = f"{state.st_size}-{state.st_mtime_ns}"
        return Item(path, state.st_size, lambda known: self._open(file), fingerprint=fingerprint, place=file)

    @contextmanager
    def _open(self, file: Path) -> Iterator[Stream]:
        """Looks once more where a link leads: between the listing and the reading it may have changed."""
        try:
            found = file.resolve(strict=True)
            if not found.is_relative_to(self.root):
                raise SourceError(OUTSIDE)
            descriptor = os.open(found, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, RuntimeError) as error:
            raise SourceError(_why(error)) from error
        with (
            os.fdopen(descriptor, "rb", buffering=0) as raw,
            stream_into(lambda buffer: raw.readinto(buffer) or 0, _why) as it,
        ):
            try:
                yield it
            finally:
                memory.let_go(descriptor)

    def _links_outside(self, folder: Path, folders: list[str]) -> Iterator[Refused]:
        """Links to folders are not walked; one that leads out says so."""
        for name in folders:
            link = folder / name
            if link.is_symlink() and not link.resolve().is_relative_to(self.root):
                yield Refused(names.from_disk(str(link.relative_to(self.root))), OUTSIDE)


def _is_special(file: Path) -> bool:
    """A pipe or a device, which may never end. A link that leads nowhere is a file that cannot be read."""
    try:
        return file.exists() and not file.is_file()
    except OSError:
        return False


def _why(error: Exception) -> str:
    return f"The file cannot be read: {getattr(error, 'strerror', None) or error}."
