"""The words that pictures have, for putting right what somebody mistyped.

Words are noted when a search row is written, and by the daily round, which also forgets those that no
picture has any more. Whether a person may see a picture with a word is asked of the search rows.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from django.db import connection

from assets.text import fold
from search.sql import rows

SHORTEST, LONGEST = 3, 40  # characters
NEAR = 100  # words by likeness for one that was typed: among them are those of hidden pictures
LEAST_ALIKE = 0.35
# One statement with its words in order, in a transaction of its own: two of them cannot wait for each other.
NOTE = """
    INSERT INTO search_word AS known (word, seen)
    SELECT word, CURRENT_DATE FROM unnest(%s::text[]) AS word ORDER BY word
    ON CONFLICT (word) DO UPDATE SET seen = EXCLUDED.seen WHERE known.seen < EXCLUDED.seen
"""
# The limit holds for this statement: it is set before the rows are read.
LIKE = """
    (SELECT %s::int, w.word, similarity(w.word, %s) FROM search_word w
     WHERE (SELECT set_config('pg_trgm.similarity_threshold', %s, true)) IS NOT NULL AND w.word %% %s
     ORDER BY 3 DESC, 2 LIMIT %s)
"""
BY_EDITS = "(SELECT %s::int, w.word, 0 FROM search_word w WHERE w.word = ANY(%s))"


def words_of(texts: Iterable[str]) -> set[str]:
    """The folded words of letters alone: numbers and names of files are no words that one mistypes."""
    found = {word for text in texts for word in re.findall(r"\w+", fold(text))}
    return {word for word in found if SHORTEST <= len(word) <= LONGEST and word.isalpha()}


def note(words: Iterable[str]) -> None:
    """Remember that some picture has these words, today. Call it outside a transaction with other writes."""
    wanted = sorted(set(words))
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(NOTE, [wanted])


def forget(before: date) -> None:
    """Words that no row was found to have since that day."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM search_word WHERE seen < %s", [before])


def near(asked: Sequence[tuple[str, Sequence[str]]]) -> list[list[str]]:
    """For each (word, spellings that are one slip away): words that are alike, and spellings that exist."""
    found: list[list[str]] = [[] for _ in asked]
    parts, params = list[str](), list[object]()
    for number, (word, spellings) in enumerate(asked):
        parts += [LIKE, BY_EDITS]
        params += [number, word, str(LEAST_ALIKE), word, NEAR, number, list(spellings)]
    for number, word, _ in rows(" UNION ALL ".join(parts), params) if parts else []:
        if word != asked[number][0] and word not in found[number]:
            found[number].append(word)
    return found
