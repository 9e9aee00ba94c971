"""The rankings of a question that need no vector: by its words, an accession number, a whole title."""

from collections.abc import Sequence

from assets.text import accession_key, fold
from search import sql
from search.asked import Asked
from search.language.words import all_of, any_of


def rankings(asked: Asked, mode: str, notices: list[str], depth: int) -> dict[str, list[int]]:
    """Ids by signal, best first."""
    where, sentence = asked.where, asked.parsed.sentence
    found = _by_words(asked, mode, notices, depth)
    numbers = dict.fromkeys([accession_key(sentence), *asked.accession_keys])
    if exact := [pk for key in numbers if key for pk in sql.exact_accession(key, where, depth)]:
        found["accession"] = list(dict.fromkeys(exact))
    if title := fold(sentence):
        found["title"] = sql.exact_title(title, where, depth)
    return found


def _by_words(asked: Asked, mode: str, notices: list[str], depth: int) -> dict[str, list[int]]:
    """Those that have all of the words; in mode `keywords`, where there are none, at least one of them."""
    parsed, where = asked.parsed, asked.where
    if parsed.ranked is None:  # words only as one possibility among others: the filters have decided
        some = any_of(parsed.tree) if parsed.tree else sql.Fragment("''::tsquery")
        return {"keywords": _ids(sql.matching_words(some, where, depth, mode != "keywords"))}
    found = _ids(sql.matching_words(all_of(parsed.ranked, parsed.beginning), where, depth))
    if found or mode != "keywords":
        return {"keywords": found}
    some_words = _ids(sql.matching_words(any_of(parsed.ranked), where, depth))
    if some_words:
        notices.append("No picture has all of these words; these have at least one of them.")
    return {"keywords": [], "some_words": some_words}


def _ids(found: Sequence[sql.Ranked]) -> list[int]:
    return [ranked.asset_id for ranked in found]
