"""What somebody may have meant where a word or a name of a question matches nothing that they may see.

Nothing is proposed that was not asked of the search rows before: at least one that passes permission and
filters has the new word, and the whole new question finds something.
"""

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import islice, product

from assets.text import fold, word_key
from search import labels, lexicon, sql
from search.asked import Asked
from search.language import nodes, parse
from search.language.conditions import condition
from search.language.names import VOCABULARIES
from search.language.nodes import And, Value, Word
from search.language.typed import noted
from search.language.words import all_of, any_of, beginning_with, tsquery
from search.spelling import allowed, as_written, distance, slips

MOST_WORDS, MOST_WRONG = 8, 3
"""Words of a question that are looked at, and those of them that are put right."""
TRIED, KEPT, COMBINED = 6, 2, 6
"""Spellings of a word that are weighed, of those that some row has; that go on to the whole question; whole
questions."""
COUNTED = 20
Again = Callable[[str], Asked]


@dataclass(frozen=True)
class Change:
    """The characters from `start` to before `end` of the question, and what stands there instead."""

    start: int
    end: int
    text: str
    field: str = ""
    """Of a name: the field whose value it is."""


@dataclass(frozen=True)
class Meant:
    q: str
    """The whole new question."""
    changes: tuple[Change, ...]


def changed(text: str, changes: Sequence[Change]) -> Meant:
    new = text
    for change in sorted(changes, key=lambda change: -change.start):
        new = new[: change.start] + change.text + new[change.end :]
    return Meant(new, tuple(sorted(changes, key=lambda change: change.start)))


# --- words ----------------------------------------------------------------------------------------


def of_words(asked: Asked, again: Again) -> Meant | None:
    """For a question of which no row has all words. `again` understands another text with its filters."""
    text = asked.parsed.text
    places = _places(asked)
    narrow = again(_without_words(text, asked)).where
    having = sql.passing([_has(word, asked) for _, _, word in places], narrow, 1)
    wrong = [place for place, count in zip(places, having, strict=True) if not count][:MOST_WRONG]
    spelt = _spellings([word for _, _, word in wrong], narrow)
    choices = [
        [Change(start, end, as_written(new, text[start:end])) for new in found]
        for (start, end, _), found in zip(wrong, spelt, strict=True)
        if found
    ]
    found = [changed(text, combined) for combined in islice(product(*choices), COMBINED)] if choices else []
    return _that_finds(found, narrow)


def _places(asked: Asked) -> list[tuple[int, int, str]]:
    """(start, end, folded word) of the words that are wanted, and long enough to be mistyped."""
    text, wanted = asked.parsed.text, set(word_key(asked.parsed.sentence).split())
    read = noted(text)
    found = []
    for start, end in sorted([*read.words, *read.phrases]):
        for word in re.finditer(r"\w+", text[start:end]):
            key = fold(word[0])
            if key in wanted and key in lexicon.words_of([key]) and text[start + word.end() :][:1] != "*":
                found.append((start + word.start(), start + word.end(), key))
    return found[:MOST_WORDS]


def _without_words(text: str, asked: Asked) -> str:
    """The parts that must hold whatever the words are: fields and exclusions."""
    parts = [text[start:end] for start, end in asked.parsed.parts]
    trees = [(part, parse(part).tree) for part in parts]
    return " ".join(part for part, tree in trees if tree and not nodes.of_words(tree, excluded=False))


def _has(word: str, asked: Asked) -> sql.Fragment:
    """True for rows with this word, or a longer one where somebody may still be typing; and for "the"."""
    query = tsquery(Word(word))
    if fold(asked.parsed.beginning) == word:
        start = beginning_with(word)
        query = sql.Fragment(f"({query.sql} || {start.sql})", query.params + start.params)
    return sql.Fragment(f"(r.words @@ {query.sql} OR numnode({query.sql}) = 0)", query.params * 2)


def _spellings(words: Sequence[str], where: sql.Where) -> list[list[str]]:
    """For each word the nearest that some row has, at most KEPT."""
    near = lexicon.near([(word, slips(word)) for word in words])
    tried = [(word, _nearest(word, found)) for word, found in zip(words, near, strict=True)]
    counts = _having({new for _, found in tried for new in found[:TRIED]}, where)
    few = [found for _, found in tried if sum(bool(counts[new]) for new in found[:TRIED]) < TRIED]
    counts |= _having({new for found in few for new in found[TRIED:]} - counts.keys(), where)
    return [
        sorted(
            [new for new in found if counts.get(new)][:TRIED],
            key=lambda new: (distance(word, new), new[0] != word[0], -counts[new], new),  # noqa: B023
        )[:KEPT]
        for word, found in tried
    ]


def _having(words: Set[str], where: sql.Where) -> dict[str, int]:
    """How many rows have each of these, counted up to COUNTED."""
    every = sorted(words)
    query = [tsquery(Word(new)) for new in every]
    having = [sql.Fragment(f"r.words @@ {q.sql}", q.params) for q in query]
    return dict(zip(every, sql.passing(having, where, COUNTED), strict=True))


def _nearest(word: str, found: Sequence[str]) -> list[str]:
    """All that are near enough, the nearest first; those of hidden pictures are among them."""
    most = allowed(len(word))
    far = {new: distance(word, new, most) for new in found}
    return sorted(
        (new for new in found if far[new] <= most), key=lambda new: (far[new], new[0] != word[0], new)
    )


def _that_finds(found: Sequence[Meant], where: sql.Where) -> Meant | None:
    """The first of which a row has all words; else the first of which rows have some."""
    tests = [test for meant in found for test in _tests(meant.q)]
    passing = sql.passing(tests, where, 1)
    for kind in (0, 1):
        for number, meant in enumerate(found):
            if passing[2 * number + kind]:
                return meant
    return None


def _tests(text: str) -> tuple[sql.Fragment, sql.Fragment]:
    """That a row has all words of a question; that it has one of them, and what must hold of the others."""
    parsed = parse(text)
    if parsed.tree is None:
        return sql.Fragment("FALSE"), sql.Fragment("FALSE")
    some = any_of(parsed.ranked or parsed.tree)
    every = all_of(parsed.ranked, parsed.beginning) if parsed.ranked else some
    strict = parsed.condition.parts if isinstance(parsed.condition, And) else (parsed.condition,)
    held = [condition(part, {}) for part in strict if part and nodes.of_words(part, excluded=False)]
    must = "".join(f" AND {part.sql}" for part in held)
    params = tuple(value for part in held for value in part.params)
    return (
        sql.Fragment(f"(r.words @@ {every.sql}{must})", every.params + params),
        sql.Fragment(f"(r.words @@ {some.sql}{must})", some.params + params),
    )


# --- names ----------------------------------------------------------------------------------------


def of_names(asked: Asked, again: Again, seen: sql.Where, mode: str) -> Meant | None:
    """For names in fields that stand for nothing. `seen` are the rows that this person may see."""
    choices = []
    for name, value in asked.unknown[:MOST_WRONG]:
        near = (nodes.named(name, label).partition(":")[2] for label in _near_names(name, value, seen))
        choices.append([Change(value.start, value.end, new, name) for new in near])
    for combined in islice(product(*choices), KEPT) if choices else ():
        meant = changed(asked.parsed.text, combined)
        understood = again(meant.q)
        words = understood.parsed.ranked if mode == "keywords" else None
        query = any_of(words) if words else None
        test = sql.Fragment(f"r.words @@ {query.sql}", query.params) if query else sql.Fragment("TRUE")
        if not understood.is_impossible and sql.passing([test], understood.where, 1)[0]:
            return meant
    return None


def _near_names(name: str, value: Value, seen: sql.Where) -> list[str]:
    """Labels, the nearest first."""
    typed = fold(value.text)
    if name == "collection":
        found = labels.collections_alike(value.text.rpartition("/")[2].strip(), slips(typed), seen)
    else:
        found = labels.terms_alike(VOCABULARIES[name], value.text, slips(typed), seen)
    far = {label: _apart(name, typed, fold(label)) for label in found}
    near = {label: apart for label, apart in far.items() if apart is not None}
    return sorted(near, key=near.__getitem__)[:KEPT]


def _apart(name: str, typed: str, label: str) -> int | None:
    """Slips between a typed name and a label; None where it is another name."""
    if name == "collection":
        typed, label = typed.rpartition("/")[2].strip(), label.rpartition("/")[2].strip()
    most = allowed(len(typed))
    whole = distance(typed, label, most)
    if whole <= most:
        return whole
    if name in ("tag", "collection"):  # meant as a whole
        return None
    words = word_key(label).split()
    slips_of = [(word, min(distance(word, other) for other in words)) for word in word_key(typed).split()]
    near = all(slip <= allowed(len(word)) for word, slip in slips_of)
    return sum(slip for _, slip in slips_of) if near and slips_of else None
