"""What the columns of a table mean: suggested, chosen by a person, remembered for the same headers."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext_noop as _

from accounts.models import User
from assets.imports.targets import Target, guessed
from assets.models import ColumnMapping
from assets.tables import Row

SPLITS = {
    ";": _("; semicolon"),
    ",": _(", comma"),
    "|": _("| bar"),
    "/": _("/ slash"),
    "\n": _("a line each"),
    "": _("not"),
}
MAY_COME_TWICE = "description"  # several columns make several paragraphs
JOINED = "\n\n"


class MappingRefused(ValueError):
    """These columns do not go together; the message is for people."""


@dataclass(frozen=True)
class Column:
    header: str
    target: str = ""
    """Empty: the column is passed over."""
    split: str = ";"
    """What stands between several values in one cell; empty where there are never several."""


@dataclass(frozen=True)
class Columns:
    """The meaning of all columns, and what is the same for all rows."""

    columns: Sequence[Column] = ()
    constants: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Columns":
        columns = [Column(**column) for column in stored.get("columns", ())]
        return cls(columns, dict(stored.get("constants", {})))

    @property
    def stored(self) -> dict[str, Any]:
        return {"columns": [asdict(column) for column in self.columns], "constants": dict(self.constants)}

    def check(self, among: Iterable[Target]) -> None:
        """Raises MappingRefused where a target is chosen twice that a row can have once."""
        by_key = {target.key: target for target in among}
        chosen = [column.target for column in self.columns if column.target]
        for key in dict.fromkeys(chosen):
            if key not in by_key:
                raise MappingRefused("One of the fields that were chosen does not exist any more.")
            once = not by_key[key].several and key != MAY_COME_TWICE
            if once and chosen.count(key) > 1:
                raise MappingRefused(f"Two columns cannot both be the {by_key[key].label}.")
        if not {"file", "accession"} & {*chosen, *self.constants}:
            raise MappingRefused(
                "One column has to say which file or which object a row is about: "
                "choose one for the file name or for the accession number."
            )

    def read(self, row: Row, several: set[str]) -> tuple[str, dict[str, Any]]:
        """The file that a row names, and its words by target: text, or a list for those in `several`."""
        words: dict[str, Any] = {}
        for key, text in self.constants.items():
            words[key] = split(text, ";") if key in several else text
        said: dict[str, Any] = {}
        for column, cell in zip(self.columns, row.cells, strict=False):
            if not column.target or not cell:
                continue
            if column.target in several:
                said[column.target] = said.get(column.target, []) + split(cell, column.split)
            elif column.target in said:
                said[column.target] += JOINED + cell
            else:
                said[column.target] = cell
        words |= said
        return str(words.pop("file", "")), words


def split(text: str, separator: str) -> list[str]:
    """The values in a cell, each once."""
    parts = re.split(f"[{re.escape(separator)}]", text) if separator else [text]
    return list(dict.fromkeys(part for part in map(str.strip, parts) if part))


def signature(headers: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(headers)).encode()).hexdigest()


def suggested(user: User | None, headers: Sequence[str], among: Sequence[Target]) -> tuple[Columns, bool]:
    """What this person chose for the same headers before (and True), or else what the headers mean."""
    kept = ColumnMapping.objects.filter(owner=user, signature=signature(headers)).first() if user else None
    if kept is not None:
        return Columns.of({"columns": kept.columns, "constants": kept.constants}), True
    keys = guessed(headers, among)
    return Columns([Column(header, key) for header, key in zip(headers, keys, strict=True)]), False


def remember(user: User | None, columns: Columns) -> None:
    """Keep the choice for the next table with these headers."""
    if user is not None:
        headers = [column.header for column in columns.columns]
        ColumnMapping.objects.update_or_create(
            owner=user, signature=signature(headers), defaults=columns.stored
        )
