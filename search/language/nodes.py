"""What a question means: an immutable tree of words, phrases and fields under and, or, not."""

import re
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID


@dataclass(frozen=True)
class Span:
    """A number from `low` to `high`, both included; None is open. Years are signed."""

    low: int | None
    high: int | None


@dataclass(frozen=True)
class Days:
    """From the first day to the last, both included; None is open."""

    first: date | None
    last: date | None


@dataclass(frozen=True)
class Size:
    """A span of one measure: `px` of the longer side, `pixels` of the area, or `bytes`."""

    measure: str
    span: Span


@dataclass(frozen=True)
class Sides:
    """Two sides in pixels, whichever is the longer."""

    one: int
    other: int


@dataclass(frozen=True)
class Name:
    """Something that has to be looked up or compared: a tag, a number, words of a title."""

    text: str
    beginning: bool = False
    """Whether it may go on: written with an asterisk at its end, outside quotation marks."""


@dataclass(frozen=True)
class Area:
    """Degrees, all sides included; from the west eastwards, and so across 180° where that is the larger."""

    south: float
    north: float
    west: float
    east: float

    def __str__(self) -> str:
        return f"{self.south}..{self.north}/{self.west}..{self.east}"


Meaning = Area | Span | Days | Size | Sides | Name | str | UUID


@dataclass(frozen=True)
class Word:
    text: str


@dataclass(frozen=True)
class Phrase:
    """Words that follow each other."""

    text: str


@dataclass(frozen=True)
class Value:
    """As it was written, and what it means. Where it stands does not make it another value."""

    text: str
    meaning: Meaning
    quoted: bool = field(default=True, compare=False)
    start: int = field(default=-1, compare=False)
    end: int = field(default=-1, compare=False)


@dataclass(frozen=True)
class Field:
    """One of the values is enough."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Not:
    part: "Node"


@dataclass(frozen=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Node", ...]


Node = Word | Phrase | Field | Not | And | Or
QUOTES = '"“”„'
UNQUOTED = re.compile(rf"[^\s,(){QUOTES}]+")


def both(parts: "list[Node]") -> Node | None:
    """All of them, flattened; None of none."""
    return _joined(And, parts)


def either(parts: "list[Node]") -> Node | None:
    """At least one of them, flattened; None of none."""
    return _joined(Or, parts)


def _joined(kind: type[And] | type[Or], parts: "list[Node]") -> Node | None:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))]
    return flat[0] if len(flat) == 1 else kind(tuple(flat)) if flat else None


def negated(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


def of_words(node: Node, *, excluded: bool = True) -> bool:
    """Whether there is nothing but words and phrases in it; exclusions only where they are allowed."""
    match node:
        case Word() | Phrase():
            return True
        case Field():
            return False
        case Not(part):
            return excluded and of_words(part)
        case And(parts) | Or(parts):
            return all(of_words(part, excluded=excluded) for part in parts)


def fields_of(node: Node | None) -> list[Field]:
    match node:
        case Field():
            return [node]
        case Not(part):
            return fields_of(part)
        case And(parts) | Or(parts):
            return [found for part in parts for found in fields_of(part)]
    return []


def written(node: Node) -> str:
    """A text that means this: parsing it gives the same tree."""
    match node:
        case Word(text):
            return text
        case Phrase(text):
            return f'"{text}"'
        case Field(name, values):
            return f"{name}:{','.join(_value(value) for value in values)}"
        case Not(Word(text)) if text.startswith("-"):
            return f"NOT {text}"
        case Not(part):
            return f"-{_bracketed(part, And, Or)}"
        case And(parts):
            return " ".join(_bracketed(part, Or) for part in parts)
        case Or(parts):
            return " OR ".join(_bracketed(part) for part in parts)


def named(field: str, label: str) -> str:
    """A field with this label as its value, in quotation marks where it needs them."""
    label = " ".join(label.split())
    bare = UNQUOTED.fullmatch(label) and not label.endswith("*")
    return written(Field(field, (Value(label, Name(label), quoted=not bare),)))


def _bracketed(node: Node, *kinds: type[And] | type[Or]) -> str:
    text = written(node)
    if not isinstance(node, kinds):
        return text
    last = text.rsplit(" ", 1)[-1]  # a parenthesis that it opens must not be taken to be closed here
    return f"({text} )" if last.count("(") > last.count(")") else f"({text})"


def _value(value: Value) -> str:
    goes_on = isinstance(value.meaning, Name) and value.meaning.beginning
    marks = set(value.text) & set(QUOTES)
    if goes_on or not value.quoted and (marks or UNQUOTED.fullmatch(value.text)):
        return value.text
    doubled = {ord(mark): mark * 2 for mark in marks}
    return f'"{value.text.translate(doubled)}"'
