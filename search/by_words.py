"""The rankings of a question that need no vector: by its words, an accession number, a whole title."""

from collections.abc import Sequence

from assets.text import accession_key, fold
from search import sql
from search.asked import Asked
from search.language.nodes import Word
from search.language.words import all_of, any_of

SOME = "No picture has all of these words; these have at least one of them."


def rankings(asked: Asked, mode: str, notices: list[str], depth: int) -> dict[str, list[int]]:
    """Ids by signal, best first.

    In mode `keywords` words must hold: where no picture has all of them, at least one. Else they only rank.
    """
    where, must = asked.where, mode == "keywords"
    numbers = dict.fromkeys([accession_key(asked.parsed.sentence), *asked.accession_keys])
    exact = [pk for key in numbers if key for pk in sql.exact_accession(key, where, depth)]
    title = fold(asked.parsed.sentence)
    titled = sql.exact_title(title, where, depth) if title else []
    found = _by_words(asked, must, depth)
    if must and not (exact or titled or found) and asked.parsed.ranked:
        some = _ids(sql.matching_words(any_of(asked.parsed.ranked), where, depth))
        notices += [SOME] if some else []
        return {"keywords": [], "some_words": some}
    signals = {"keywords": found, "accession": list(dict.fromkeys(exact)), "title": titled}
    return {signal: ids for signal, ids in signals.items() if ids or signal == "keywords"}


def matching(asked: Asked, notices: list[str]) -> sql.Where:
    """What passes where words must hold: all that `rankings` finds in mode `keywords`, to the last one."""
    parsed, where = asked.parsed, asked.where
    if parsed.ranked is None:
        return where
    wanted, title = all_of(parsed.ranked, parsed.beginning), fold(parsed.sentence)
    numbers = [key for key in (accession_key(parsed.sentence), *asked.accession_keys) if key]
    whole = where.add(
        f"(r.words @@ {wanted.sql} OR r.accession_keys && %s::varchar[] OR r.title_key = ANY(%s::text[]))",
        *(*wanted.params, numbers, [title] if title else []),
    )
    if sql.exists(whole):
        return whole
    some = any_of(parsed.ranked)
    any_word = where.add(f"r.words @@ {some.sql}", *some.params)
    notices += [SOME] if sql.exists(any_word) else []
    return any_word


def _by_words(asked: Asked, must: bool, depth: int) -> list[int]:
    """Those that have all of the words; where words are one possibility among others, those that have any."""
    parsed, where = asked.parsed, asked.where
    if parsed.ranked is None:  # the filters have decided
        some = any_of(parsed.tree) if parsed.tree else sql.Fragment("''::tsquery")
        return _ids(sql.matching_words(some, where, depth, required=not must))
    wanted = all_of(parsed.ranked, parsed.beginning)
    return _ids(sql.matching_words(wanted, where, depth, near=not isinstance(parsed.ranked, Word)))


def _ids(found: Sequence[sql.Ranked]) -> list[int]:
    return [ranked.asset_id for ranked in found]
