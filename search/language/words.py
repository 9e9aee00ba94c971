"""Words and phrases as a tsquery. Words that mean nothing to the index (the, of) ask for nothing."""

import re

from search.language.nodes import And, Node, Not, Or, Phrase, Word, both
from search.sql import Fragment

STARRED = re.compile(r"(\w{2,})\*")
HYPHENED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")


def tsquery(node: Node) -> Fragment:
    """Of words, phrases and what joins them; never of fields."""
    match node:
        case Word(text) if starred := STARRED.fullmatch(text):
            return beginning_with(starred[1])
        case Word(text) if HYPHENED.fullmatch(text):  # "self-portrait" is also written "self portrait"
            return tsquery(Phrase(text.replace("-", " ")))
        case Word(text):
            return Fragment("plainto_tsquery('museum', %s)", (text,))
        case Phrase(text):
            return Fragment("phraseto_tsquery('museum', %s)", (text,))
        case Not(part):
            inner = tsquery(part)
            return Fragment(f"(!! {inner.sql})", inner.params)
        case And(parts):
            return _joined([tsquery(part) for part in _run_together(parts)], "&&")
        case Or(parts):
            return _joined([tsquery(part) for part in parts], "||")
    raise TypeError(f"{node} is not made of words.")


def beginning_with(word: str) -> Fragment:
    """Of a word of letters and digits alone."""
    return Fragment("to_tsquery('museum', %s)", (f"'{word}':*",))


def all_of(ranked: Node, beginning: str) -> Fragment:
    """What a row should have; the word that ends the text may also be the beginning of one.

    A word begins with itself, so that the whole word need not be asked for beside it: that would cost twice
    as much where half of a library has it.
    """
    if not beginning:
        return tsquery(ranked)
    parts = ranked.parts if isinstance(ranked, And) else (ranked,)
    rest = both(list(parts[:-1]))
    start = beginning_with(beginning)
    begun = _joined([tsquery(rest), start], "&&") if rest else start
    return _joined([tsquery(ranked), begun], "||") if "_" in beginning else begun


def any_of(node: Node) -> Fragment:
    """At least one of the words and phrases."""
    return _joined([tsquery(leaf) for leaf in _leaves(node)], "||")


def _leaves(node: Node) -> list[Node]:
    match node:
        case And(parts) | Or(parts):
            return [leaf for part in parts for leaf in _leaves(part)]
        case Word() | Phrase():
            return [node]
    return []


def _run_together(parts: tuple[Node, ...]) -> list[Node]:
    """Plain words as one, which is the same question in fewer calls."""
    simple = [part.text for part in parts if isinstance(part, Word) and not _special(part.text)]
    others = [part for part in parts if not isinstance(part, Word) or _special(part.text)]
    return [*([Word(" ".join(simple))] if simple else []), *others]


def _special(word: str) -> bool:
    return bool(STARRED.fullmatch(word) or HYPHENED.fullmatch(word))


def _joined(fragments: list[Fragment], operator: str) -> Fragment:
    sql = f" {operator} ".join(fragment.sql for fragment in fragments)
    return Fragment(f"({sql})", tuple(param for fragment in fragments for param in fragment.params))
