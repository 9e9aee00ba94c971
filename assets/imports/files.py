"""The files of a delivery, listed once for a portion of work, and the one that a row means."""

import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath

from django.conf import settings

from assets import tables
from assets.models import Import
from assets.sources import Item, Refused, SourceError, opened

__all__ = ["Files", "Item", "SourceError", "table_of"]
NOT_THERE = "The file {} is not there."
AMBIGUOUS = "{} files are called {}; the row has to name the folder too."


class Files:
    """What is at the place of a delivery: nothing where it is a table alone. Raises SourceError."""

    def __init__(self, delivery: Import) -> None:
        self.items: dict[str, Item] = {}
        self.refused: list[Refused] = []
        self._folder = str(PurePosixPath(delivery.table_inside).parent) if delivery.table_inside else "."
        for item in listed(delivery) if delivery.place else ():
            if isinstance(item, Refused):
                self.refused.append(item)
            elif item.path != delivery.table_inside and not _is_table(item, delivery):
                self.items[item.path] = item

    def find(self, written: str) -> tuple[str, str]:
        """The path of the file that a row names, or why there is none.

        It may be named from the table's folder or from the top, by its bare name, or without its ending.
        """
        name = _key(written)
        folder = "" if self._folder == "." else _key(self._folder) + "/"
        for wanted in (folder + name, name):
            if wanted in self._by_path:
                return self._by_path[wanted], ""
        bare = PurePosixPath(name).name
        for found in (self._by_name.get(bare, []), self._by_stem.get(bare, [])):
            if len(found) == 1:
                return found[0], ""
            if found:
                return "", AMBIGUOUS.format(len(found), written)
        return "", NOT_THERE.format(written)

    @cached_property
    def _by_path(self) -> dict[str, str]:
        return {_key(path): path for path in self.items}

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.items:
            found.setdefault(PurePosixPath(_key(path)).name, []).append(path)
        return found

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.items:
            found.setdefault(PurePosixPath(_key(path)).stem, []).append(path)
        return found


def listed(delivery: Import) -> "Iterator[Item | Refused]":
    """What is at the place of a delivery, if imports may read it. Raises SourceError.

    With the option `anywhere`, which the command line alone sets, they may read all that the process may.
    """
    free = is_address(delivery.place) or delivery.options.get("anywhere") is True
    within = None if free else [settings.IMPORTS_DIR, *settings.IMPORT_ROOTS]
    return opened(delivery.place, within=within).items()


def is_remote(place: str) -> bool:
    """Whether files are fetched from elsewhere, so that looking at them costs as much as taking them in."""
    return is_address(place) or place.lower().endswith(".txt")  # a list of addresses


def is_address(place: str) -> bool:
    return place.lower().startswith(("s3://", "http://", "https://"))


def table_inside(delivery: Import) -> str:
    """The table among the pictures: the only one, or the only one that lies highest; else none."""
    found = [
        item.path
        for item in listed(delivery)
        if isinstance(item, Item) and item.path.lower().endswith((".csv", ".tsv", ".xlsx"))
    ]
    highest = min((path.count("/") for path in found), default=0)
    top = [path for path in found if path.count("/") == highest]
    return top[0] if len(top) == 1 else ""


@contextmanager
def table_of(delivery: Import) -> Iterator[tables.Table]:
    """The table of a delivery. Raises TableRefused or SourceError."""
    if delivery.table:
        with tables.opened(Path(delivery.table)) as table:
            yield table
        return
    items = {item.path: item for item in listed(delivery) if isinstance(item, Item)}
    if delivery.table_inside not in items:
        raise SourceError(NOT_THERE.format(delivery.table_inside))
    settings.INCOMING_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.INCOMING_DIR, prefix="table-") as copy:
        with items[delivery.table_inside].open() as source:
            while data := source.read(1 << 20):
                copy.write(data)
        copy.flush()
        with tables.opened(Path(copy.name)) as table:
            yield table


def _is_table(item: Item, delivery: Import) -> bool:
    """Whether the table of its own lies among the pictures."""
    return bool(delivery.table and item.place and item.place.resolve() == Path(delivery.table).resolve())


def _key(path: str) -> str:
    parts = unicodedata.normalize("NFC", path.replace("\\", "/")).casefold().split("/")
    return "/".join(part.strip() for part in parts if part.strip() not in ("", "."))
