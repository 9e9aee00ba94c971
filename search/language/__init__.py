"""The language of questions: words, "phrases", -exclusions, OR, parentheses and fields such as tag:oil.

    parsed = parse('harbour -ship tag:oil (morning OR evening) date:1880..1900')

One meaning in the search box, in filters, in the API and on the command line. Pure, apart from `names`,
which looks up what tags, people and collections are meant; `conditions` makes SQL of all that.
"""

import re
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from search.language import nodes
from search.language.nodes import And, Field, Name, Node, Or, Phrase, Word
from search.language.parser import Group, Mistake, Parser, Piece, Raw, joined, plain

__all__ = ["Mistake", "Parsed", "parse", "parse_filter"]
OPERATOR = re.compile(r"[,*]|\s(?:OR|AND|NOT|-\S+)(?:\s|$)")
ONE_FIELD = re.compile(r"\s*[^\W\d_]+:[^\"“”„:()-][^\"“”„:()]*")


@dataclass(frozen=True)
class Parsed:
    """What a text asks for."""

    text: str
    tree: Node | None
    """All of it, for writing it down again."""
    ranked: Node | None
    """Words and phrases by which to rank: what stands in the open, and groups of nothing but words."""
    condition: Node | None
    """What must hold: everything but plain words."""
    sentence: str
    """The words that were not left out, in their order: for the vector, and for whole titles."""
    beginning: str
    """The last plain word, where the text ends with it: somebody may still be typing."""
    mistakes: tuple[Mistake, ...]
    parts: tuple[tuple[int, int], ...]
    """Where each part of the condition stands, for taking it out of the text."""

    @property
    def accessions(self) -> list[str]:
        """The accession numbers that must hold, as written: the exact ones come first."""
        parts = self.condition.parts if isinstance(self.condition, And) else [self.condition]
        fields = [part for part in parts if isinstance(part, Field) and part.name == "accession"]
        names = [value.meaning for found in fields for value in found.values]
        return [name.text for name in names if isinstance(name, Name) and not name.beginning]


def parse(text: str, today: date | None = None) -> Parsed:
    """What a question means. Never raises. `today` is for tests; else it is that of the person who asks."""
    parser = Parser(text, today or timezone.localdate())
    alternatives = [pieces for pieces in parser.either() if pieces]
    tree = joined(alternatives)
    if len(alternatives) == 1:
        pieces = alternatives[0]
        ranked = nodes.both([plain(piece.node) for piece in pieces if _ranks(piece.node)])
        strict = [piece for piece in pieces if not isinstance(piece.node, Word)]
        condition = nodes.both([plain(piece.node) for piece in strict])
    else:
        pieces, strict = [], []
        open_words = all(isinstance(p.node, Word | Phrase) for found in alternatives for p in found)
        ranked = tree if open_words else None
        quoted = open_words and any(isinstance(p.node, Phrase) for found in alternatives for p in found)
        condition = tree if quoted or not open_words else None
    words = [word for found in alternatives for piece in found for word in _wanted(piece.node)]
    return Parsed(
        text,
        tree,
        ranked,
        condition,
        " ".join(words),
        _beginning(parser.text, pieces),
        tuple(sorted(parser.mistakes, key=lambda mistake: mistake.start)),
        tuple((piece.start, piece.end) for piece in strict),
    )


def parse_filter(text: str, today: date | None = None) -> Parsed:
    """What a filter means: as a question, but everything in it must hold, plain words too.

    Of a single field with plain words behind it, these are all its value: `tag:still life` is how a shell
    hands on `tag:"still life"`.
    """
    name, _, value = text.partition(":")
    alone = ONE_FIELD.fullmatch(text) and not OPERATOR.search(value) and " " in value.strip()
    parsed = parse(f'{name}:"{value}"' if alone else text, today)
    return Parsed(text, parsed.tree, None, parsed.tree, "", "", parsed.mistakes, ())


def _ranks(raw: Raw) -> bool:
    grouped = isinstance(raw, Group) and nodes.of_words(plain(raw), excluded=False)
    return grouped or isinstance(raw, Word | Phrase)


def _wanted(raw: Raw) -> list[str]:
    """The words of a part that are not left out."""
    match plain(raw):
        case Word(text) | Phrase(text):
            return [text]
        case And(parts) | Or(parts):
            return [word for part in parts for word in _wanted(part)]
    return []


def _beginning(text: str, pieces: list[Piece]) -> str:
    last = pieces[-1] if pieces else None
    if last and isinstance(last.node, Word) and not text[last.end :].strip():
        return last.node.text if re.fullmatch(r"\w{2,}", last.node.text) else ""
    return ""
