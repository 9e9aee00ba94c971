"""What somebody may have meant where a word or a name of a question matches nothing that they may see.

Nothing is proposed that was not asked of the search rows before: at least one that passes permission and
filters has the new word, and the whole new question finds something.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from assets.text import fold, word_key
from search import labels, lexicon, spelling_sql, sql
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
GUESSED = {1: TRIED, 2: 2, 3: 1}
"""By the number of wrong words, the spellings of each with which the whole question is tried at once; where
several are wrong, also as they were typed."""
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
    narrow = again(_without_words(text, asked)).where
    places = _places(asked)
    typed = [spelling_sql.Typed(word, _has(word, asked), slips(word)) for _, _, word in places]
    wrong = {
        places[n]: near
        for n, words in spelling_sql.misspelt(typed, narrow, MOST_WRONG).items()
        if (near := _nearest(places[n][2], words))
    }
    few = GUESSED.get(len(wrong), 1)
    guesses = _combined(text, {place: near[:few] for place, near in wrong.items()}, some=len(wrong) > 1)
    tests = [test for meant in guesses for test in _tests(meant.q)]
    found = spelling_sql.tried([*wrong.values()], TRIED, tests, narrow, COUNTED)
    known = {meant.q: found.tests[2 * n : 2 * n + 2] for n, meant in enumerate(guesses)}
    chosen = {place: _best(place[2], near, found.counts) for place, near in wrong.items()}
    every = _combined(text, {place: near for place, near in chosen.items() if near})
    return _that_finds(every[:COMBINED], narrow, known)


def _combined(
    text: str, words: Mapping[tuple[int, int, str], Sequence[str]], *, some: bool = False
) -> list[Meant]:
    """The whole questions, with one of the spellings for each of these words; or for `some` of them."""
    choices: list[list[Change | None]] = [
        [Change(start, end, as_written(new, text[start:end])) for new in spellings]
        for (start, end, _), spellings in words.items()
    ]
    every = product(*([*one, None] if some else one for one in choices))
    made = ([change for change in combined if change] for combined in every)
    return [changed(text, changes) for changes in made if changes]


def _best(word: str, near: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """The nearest that some row has, at most KEPT."""
    having = [new for new in near if counts.get(new)][:TRIED]
    return sorted(having, key=lambda new: (distance(word, new), new[0] != word[0], -counts[new], new))[:KEPT]


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


def _nearest(word: str, found: Sequence[str]) -> list[str]:
    """All that are near enough, the nearest first; those of hidden pictures are among them."""
    most = allowed(len(word))
    far = {new: distance(word, new, most) for new in found}
    return sorted(
        (new for new in found if far[new] <= most), key=lambda new: (far[new], new[0] != word[0], new)
    )


def _that_finds(
    found: Sequence[Meant], where: sql.Where, known: Mapping[str, Sequence[bool]]
) -> Meant | None:
    """The first of which a row has all words; else the first of which rows have some."""
    lacking = [meant.q for meant in found if meant.q not in known]
    passing = sql.passing([test for q in lacking for test in _tests(q)], where, 1)
    passed = {**known, **{q: passing[2 * n : 2 * n + 2] for n, q in enumerate(lacking)}}
    for kind in (0, 1):
        for meant in found:
            if passed[meant.q][kind]:
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
