"""A zip archive. Nothing is unpacked to disk under a name of its own: each file is read as a stream.

Python's reader keeps to the sizes that the archive's directory names, however much more would come, so that
the bounds below are checked there. Only the two usual methods are read: those of the others that Python
knows unpack a portion whole, whatever its size.
"""

import hashlib
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from django.conf import settings

from assets.sources import names
from assets.sources._beside import joined
from assets.sources._source import Item, Refused, SourceError, Stream, stream

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MOST_OF_AN_ENTRY = 256  # bytes in the directory of an archive, on average
SMALL = 100 * 1024**2  # bytes that a file may have however well it is packed
UTF8 = 0x800  # flags of an entry
ENCRYPTED = 0x1 | 0x40
UNICODE_PATH = 0x7075  # the name as UTF-8 in an extra field
DAMAGED = "The archive is damaged at this file."


class Zip:
    """An archive on this machine, bounded by the settings IMPORT_ZIP_…; archives in it are not opened."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError where it is no archive, or one of too many files."""
        self._path, self.label = path, names.from_disk(path.name)
        try:
            self._file = _Bounded(path)
            self._zip = zipfile.ZipFile(self._file)
        except SourceError:
            raise
        except OSError as error:
            raise SourceError(f"The archive {self.label} cannot be read: {error.strerror}.") from error
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise SourceError(f"{self.label} is no zip archive, or has lost its end.") from error
        if len(self._zip.infolist()) > settings.IMPORT_ZIP_MEMBERS:
            raise SourceError(_too_many())

    @cached_property
    def identity(self) -> str:
        """By its directory, which names every file with its size and checksum."""
        self._file.seek(self._zip.start_dir)
        return f"zip:{hashlib.file_digest(self._file, 'sha256').hexdigest()}"

    def items(self) -> Iterator[Item | Refused]:
        """In the order of the archive."""
        return joined(list(self._members()))

    def _members(self) -> Iterator[Item | Refused]:
        left = settings.IMPORT_ZIP_GB * 1024**3
        distinct = names.Distinct()
        raw = {id(info): _raw_name(info) for info in self._zip.infolist() if not info.flag_bits & UTF8}
        encoding = names.encoding_of(list(raw.values()))
        for info in self._zip.infolist():
            old = raw.get(id(info))
            name = _unicode_path(info) or (
                info.orig_filename if old is None else names.decoded(old, encoding)
            )
            if name.endswith(("/", "\\")) or names.is_junk(name.replace("\\", "/")):
                continue
            left -= info.file_size
            yield self._member(info, name, distinct, left)

    def _member(
        self, info: zipfile.ZipInfo, name: str, distinct: names.Distinct, left: float
    ) -> Item | Refused:
        try:
            path = distinct(names.inside(name))
        except ValueError as error:
            return Refused(name.replace("\0", ""), str(error))
        if reason := _refusal(info) or ("" if left >= 0 else _too_much()):
            return Refused(path, reason)
        fingerprint = f"{info.file_size}-{info.CRC:08x}"
        return Item(path, info.file_size, lambda known: self._open(info), fingerprint=fingerprint)

    @contextmanager
    def _open(self, info: zipfile.ZipInfo) -> Iterator[Stream]:
        try:
            member = self._zip.open(info)
        except (
            zipfile.BadZipFile,
            RuntimeError,
            NotImplementedError,
            OSError,
            ValueError,
            struct.error,
        ) as error:
            raise SourceError(DAMAGED) from error
        with member, stream(member.read, _explain) as opened:
            yield opened


class _Bounded(io.BufferedReader):
    """Refuses to read a directory at once that names more files than are allowed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb", buffering=0))

    def read(self, size: int | None = -1, /) -> bytes:
        if size and size > max(settings.IMPORT_ZIP_MEMBERS * MOST_OF_AN_ENTRY, 1024**2):
            raise SourceError(_too_many())
        return super().read(size)


def _refusal(info: zipfile.ZipInfo) -> str:
    """Why a member is not read, in a sentence; empty where it is."""
    if info.flag_bits & ENCRYPTED:
        return "It is protected by a password."
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "It is a link or a device, and no file."
    if info.compress_type not in METHODS:
        return "It is packed by a method that is not read here. Pack it as an ordinary zip archive."
    if info.file_size > SMALL and info.file_size > settings.IMPORT_ZIP_RATIO * max(info.compress_size, 1):
        return "It would unpack to so many times its size that it cannot be a picture."
    return ""


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """The bytes of the name, which Python has read as the encoding of the first PCs."""
    return info.orig_filename.encode("cp437", "replace")


def _unicode_path(info: zipfile.ZipInfo) -> str:
    """The name in an extra field of its own, if there is one which belongs to this name."""
    extra, at = info.extra, 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == UNICODE_PATH and size > 5 and extra[at + 4] == 1:
            checked = int.from_bytes(extra[at + 5 : at + 9], "little")
            if checked == zlib.crc32(_raw_name(info)):
                return extra[at + 9 : at + 4 + size].decode("utf-8", "replace")
        at += 4 + size
    return ""


def _explain(error: Exception) -> str:
    return DAMAGED


def _too_many() -> str:
    return f"The archive has more than {settings.IMPORT_ZIP_MEMBERS:,} files. Divide it into several."


def _too_much() -> str:
    return f"The archive would unpack to more than {settings.IMPORT_ZIP_GB:,} GB; this file is beyond that."
