"""The rankings of a question that need no vector: by its words, an accession number, a whole title."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from assets.text import accession_key, fold
from search import frequent, sql
from search.asked import Asked
from search.language.nodes import Node, Word
from search.language.words import all_of, any_of
from search.word_sql import Matched, matching_words

SOME = gettext_lazy("No picture has all of these words; these have at least one of them.")


@dataclass
class Found:
    rankings: dict[str, list[int]]
    """Ids by signal, best first."""
    total: sql.Count | None = None
    """How many `matching` lets pass in mode `keywords`, and the filters in another: where it was counted on
    the way."""
    seconds: float = 0.0
    """How long it took to find and to count them."""


def find(asked: Asked, mode: str, notices: list[str], depth: int, *, counting: bool = True) -> Found:
    """In mode `keywords` words must hold: where no picture has all, at least one. Else they only rank; what
    passes the filters is then counted on the way, unless it need not be."""
    where, must = asked.where, mode == "keywords"
    numbers, title = _numbers(asked), fold(asked.parsed.sentence)
    besides = sql.exact(numbers, title, where, depth, counting=counting and not must)
    began = time.monotonic()
    words = _by_words(asked, must, depth, besides)
    seconds = time.monotonic() - began
    exact, titled, total = sql.Exact.of(words.besides, len(numbers))
    if must and asked.parsed.ranked:
        if not (exact or titled or words.best):
            some = matching_words(any_of(asked.parsed.ranked), where, depth)
            notices += [str(SOME)] if some.best else []
            return Found({"keywords": [], "some_words": _ids(some.best)}, some.counted)
        named = _besides(asked, asked.parsed.ranked) if exact or titled else sql.Count(0, 0)
        total = sql.Count(words.counted.total + named.total, words.counted.awaited + named.awaited)
    signals = {"keywords": _ids(words.best), "accession": exact, "title": titled}
    rankings = {signal: ids for signal, ids in signals.items() if ids or signal == "keywords"}
    return Found(rankings, total, seconds)


def matching(asked: Asked, notices: list[str]) -> sql.Where:
    """What passes where words must hold: all that `find` finds in mode `keywords`, to the last one."""
    parsed, where = asked.parsed, asked.where
    whole = holding(asked)
    if parsed.ranked is None:
        return whole
    some = any_of(parsed.ranked)
    any_word = where.add(f"r.words @@ {some.sql}", *some.params)
    found = sql.first_that_exists([whole, any_word])
    notices += [str(SOME)] if found == 1 else []
    return whole if found == 0 else any_word


def holding(asked: Asked) -> sql.Where:
    """What has all of the words, or is named by them."""
    parsed, where = asked.parsed, asked.where
    if parsed.ranked is None:
        return where
    wanted, named = all_of(parsed.ranked, parsed.beginning), _named(asked)
    return where.add(f"(r.words @@ {wanted.sql} OR {named.sql})", *wanted.params, *named.params)


def _numbers(asked: Asked) -> list[str]:
    keys = dict.fromkeys([accession_key(asked.parsed.sentence), *asked.accession_keys])
    return [key for key in keys if key]


def _named(asked: Asked) -> sql.Fragment:
    """The accession number or the whole title is what was asked for."""
    title = fold(asked.parsed.sentence)
    return sql.Fragment(
        "(r.accession_keys && %s::varchar[] OR r.title_key = ANY(%s::text[]))",
        (_numbers(asked), [title] if title else []),
    )


def _besides(asked: Asked, ranked: Node) -> sql.Count:
    """How many have the number or the title, but not the words: a title of nothing but "the", for one."""
    wanted, named = all_of(ranked, asked.parsed.beginning), _named(asked)
    where = asked.where.add(named.sql, *named.params)
    return sql.count_both(where.add(f"NOT r.words @@ {wanted.sql}", *wanted.params))


def _by_words(asked: Asked, must: bool, depth: int, besides: sql.Fragment | None) -> Matched:
    """Those that have all of the words; where words are one possibility among others, those that have any."""
    parsed, where = asked.parsed, asked.where
    if parsed.ranked is None:  # the filters have decided
        some = any_of(parsed.tree) if parsed.tree else sql.Fragment("''::tsquery")
        return matching_words(some, where, depth, required=not must, besides=besides)
    wanted = all_of(parsed.ranked, parsed.beginning)
    near = not isinstance(parsed.ranked, Word)
    return frequent.ranked(wanted, where, depth, near=near, counted=must, besides=besides)


def _ids(found: Sequence[sql.Ranked]) -> list[int]:
    return [ranked.asset_id for ranked in found]
