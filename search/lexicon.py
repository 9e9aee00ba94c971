"""The words that pictures have, for putting right what somebody mistyped.

Words are noted when a search row is written, and by the daily round, which also forgets those that no
picture has any more. Whether a person may see a picture with a word is asked of the search rows.
"""

import re
from collections.abc import Iterable
from datetime import date

from django.db import connection

from assets.commits import SOON
from assets.text import fold

SHORTEST, LONGEST = 3, 40  # characters
NEAR = 100  # words by likeness for one that was typed: among them are those of hidden pictures
LEAST_ALIKE = 0.35
# One statement with its words in order, in a transaction of its own: two of them cannot wait for each other.
NOTE = f"""
    INSERT INTO search_word AS known (word, seen)
    SELECT word, CURRENT_DATE FROM unnest(%s::text[]) AS word WHERE {SOON} ORDER BY word
    ON CONFLICT (word) DO UPDATE SET seen = EXCLUDED.seen WHERE known.seen < EXCLUDED.seen
"""  # noqa: S608 (a constant)


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
