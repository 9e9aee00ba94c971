"""A list of addresses, one to a line."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from assets.fetching import Fetcher, FetchRefused, checked
from assets.sources import _web, names
from assets.sources._source import Item, Refused, SourceError

PASSWORD = re.compile("//[^/]*@")
LONGEST_LINE = 10_000  # characters
WEB = ("http://", "https://")


class Addresses:
    """Each address is one file. The identity is the same for all lists: the address alone says which file."""

    identity = "urls"

    def __init__(self, addresses: Iterable[str], label: str) -> None:
        self._addresses, self.label = list(dict.fromkeys(addresses)), label
        self._fetcher = Fetcher()

    @classmethod
    def listed(cls, path: Path) -> "Addresses":
        """Those in a text file, except in lines that begin with #. Raises SourceError."""
        try:
            return cls(list(_lines(path)), names.from_disk(path.name))
        except OSError as error:
            raise SourceError(f"The list {path} cannot be read: {error.strerror}.") from error

    def items(self) -> Iterator[Item | Refused]:
        """In the order of the list."""
        for address in self._addresses:
            try:
                url = checked(address)
            except FetchRefused as error:
                yield Refused(path_of(address), str(error))
            else:
                yield _web.item(self._fetcher, [url], _web.path_of(url), _web.name_of(url))


def path_of(address: str) -> str:
    """The path of the item of an address; of what is none, itself without a password."""
    try:
        return names.inside(_web.path_of(checked(address)))
    except ValueError:
        return PASSWORD.sub("//", address)[: names.LONGEST]


def is_list(path: Path) -> bool:
    """Whether a text file begins with an address."""
    try:
        return path.is_file() and next(_lines(path), "").startswith(WEB)
    except OSError:
        return False


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", errors="replace") as text:
        for line in iter(lambda: text.readline(LONGEST_LINE), ""):
            if line.strip() and not line.startswith("#"):
                yield line.strip()
