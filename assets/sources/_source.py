"""What every source gives: files with a name inside it, read as a stream, and why others cannot be had."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

READ_AT_ONCE = 256 * 1024  # bytes
S3 = "s3://"  # how the address of a bucket begins


class SourceError(ValueError):
    """A source or one of its files cannot be had; the message is for people."""


class Unchanged(Exception):  # noqa: N818 (no error: the answer to a question)
    """The file is still the one of the fingerprint that `open` was given."""


class Stream(io.BufferedReader):
    """The bytes of a file. `fingerprint` is what the source knows now that it is open; may be empty.

    `size` is how many bytes a file of this machine has just now; of others nobody is believed.
    """

    fingerprint = ""
    size: int | None = None


class _Guarded(io.RawIOBase):
    """Turns what a library raises while reading into a SourceError."""

    def __init__(self, into: Callable[[Any], int], explain: Callable[[Exception], str]) -> None:
        super().__init__()
        self._into, self._explain = into, explain

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._into(buffer)
        except SourceError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever the library has; it is told to people)
            raise SourceError(self._explain(error)) from error


def stream(
    read: Callable[[int], bytes], explain: Callable[[Exception], str], fingerprint: str = ""
) -> Stream:
    """A stream of `read(n)`, which returns at most n bytes and none at the end."""

    def into(buffer: Any) -> int:
        data = read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    return stream_into(into, explain, fingerprint)


def stream_into(
    into: Callable[[Any], int], explain: Callable[[Exception], str], fingerprint: str = ""
) -> Stream:
    """A stream of `into(buffer)`, which returns how many bytes it has put there; 0 at the end."""
    made = Stream(_Guarded(into, explain), READ_AT_ONCE)
    made.fingerprint = fingerprint
    return made


Reader = Callable[[str], AbstractContextManager[Stream]]
"""Opens a file; it is given the known fingerprint, and may raise Unchanged or SourceError."""


@dataclass(frozen=True)
class Item:
    """One file of a source."""

    path: str
    """Its name inside the source: parts separated by /, Unicode NFC, never absolute, never with `..`."""
    size: int | None
    """Bytes, where they are known before reading."""
    reader: Reader = field(repr=False, compare=False)
    facts: Mapping[str, str] = field(default_factory=dict)
    """Words that the source itself knows, by the keys of assets.words."""
    fingerprint: str = ""
    """Another one means other bytes. Empty: only known when it is open, or not at all."""
    name: str = ""
    """The file name for people; empty: the last part of the path."""
    place: Path | None = None
    """Where it lies on this machine, if it does."""
    sidecar: "Item | None" = None
    """The XMP file that came beside it."""

    @contextmanager
    def open(self, known: str = "") -> Iterator[Stream]:
        """The bytes. Raises SourceError; Unchanged where the source can tell that `known` still holds."""
        with self.reader(known) as opened:
            opened.size = self.size if self.place else None
            yield opened

    @property
    def filename(self) -> str:
        return self.name or self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Refused:
    """A file that cannot be had, and why, in a sentence."""

    path: str
    reason: str


class Source(Protocol):
    """Where files come from."""

    @property
    def identity(self) -> str:
        """The stable name; with the path of an item it says which file is meant in a repetition."""

    @property
    def label(self) -> str:
        """The name for people."""

    def items(self) -> Iterator[Item | Refused]:
        """The files, one after the other, in a stable order. Raises SourceError where none can be had."""
