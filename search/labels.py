"""SQL about the names of tags, people, places, collections and titles that a person may be told.

A name is told only where a picture that this person may see has it: the rule stands inside each statement.
Names are found by an index of their trigrams, pictures by the uses of a name, one after the other until
there are enough of them: the bitmap of a popular tag would be read as a whole.
"""

from collections.abc import Sequence
from typing import NamedTuple

from search.models import TITLE_WORDS
from search.sql import Where, rows

COUNTED = 50
"""Pictures that are counted of one name; of more popular ones, their uses decide which comes first."""
USES_COUNTED = 2000
READ = 1000
"""Rows of titles that are looked at for each beginning."""
LEAST_ALIKE = 0.4
FEW = 30

# The pictures of the term `b`, by its own uses, and by those of narrower terms where it has some.
PICTURES_OF_TERM = """
    FROM (SELECT u.asset_id FROM assets_assetterm u WHERE u.term_id = b.id
          UNION ALL SELECT d.asset_id FROM assets_recordterm u
              JOIN assets_depiction d ON d.record_id = u.record_id WHERE u.term_id = b.id
          UNION ALL SELECT n.asset_id FROM search_searchrow n
              WHERE b.broad AND n.term_ids && ARRAY[b.id]) AS u
    JOIN search_searchrow r ON r.asset_id = u.asset_id
    WHERE b.id = ANY(r.term_ids) AND {where}
"""
USES_OF_TERM = f"""
    (SELECT count(*) FROM (
        (SELECT FROM assets_assetterm u WHERE u.term_id = b.id LIMIT {USES_COUNTED})
        UNION ALL (SELECT FROM assets_recordterm u WHERE u.term_id = b.id LIMIT {USES_COUNTED})) AS uses)
"""
BROAD = "EXISTS (SELECT FROM assets_term_parents p WHERE p.to_term_id = t.id) AS broad"
TERM_BEGINS = f"""
    SELECT %s::int AS n, t.id, v.slug, t.label, t.words LIKE label_words(%s) || '%%' AS whole, {BROAD}
    FROM assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id
    WHERE v.slug = ANY(%s) AND t.words LIKE '%%' || label_words(%s) || '%%' AND label_words(%s) <> ' '
"""
TERMS_BEGUN = """
    WITH begun AS MATERIALIZED ({begun}), seen AS (
        SELECT b.*, c.pictures, CASE WHEN c.pictures = {counted} THEN {uses} ELSE 0 END AS uses
        FROM begun b, LATERAL (SELECT count(*) AS pictures FROM (SELECT {pictures} LIMIT {counted}) AS p) c
        WHERE c.pictures > 0)
    SELECT n, slug, label, whole, pictures + uses FROM (
        SELECT *, row_number() OVER (PARTITION BY slug, n
            ORDER BY whole DESC, pictures + uses DESC, length(label), label) AS place FROM seen) AS ranked
    WHERE place <= %s
"""

TITLE_BEGINS = f"""
    (SELECT %s::int AS n, r.asset_id, r.title_key, TRUE AS whole FROM search_searchrow r
     WHERE r.title_key LIKE %s AND {{where}} ORDER BY r.title_key LIMIT {READ})
    UNION ALL
    (SELECT %s::int, r.asset_id, r.title_key, FALSE FROM search_searchrow r
     WHERE {TITLE_WORDS % "r.title_key"} LIKE %s AND {{where}} LIMIT {READ})
"""
# A title as it is written: of the first record, else of the picture, as search.rows reads it.
TITLES_BEGUN = """
    WITH begun AS MATERIALIZED ({begun}), titles AS (
        SELECT n, title_key, bool_or(whole) AS whole, count(DISTINCT asset_id) AS pictures,
            min(asset_id) AS asset_id FROM begun GROUP BY n, title_key),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY n
        ORDER BY whole DESC, pictures DESC, length(title_key), title_key) AS place FROM titles)
    SELECT n, 'title', coalesce(nullif((
        SELECT c.title FROM assets_depiction d JOIN assets_record c ON c.id = d.record_id
        WHERE d.asset_id = ranked.asset_id AND c.trashed_at IS NULL ORDER BY d.position, d.id LIMIT 1), ''),
        a.title), whole, pictures
    FROM ranked JOIN assets_asset a ON a.id = ranked.asset_id WHERE place <= %s
"""

COLLECTION_BEGINS = """
    SELECT %s::int AS n, c.id, c.words LIKE label_words(%s) || '%%' AS whole FROM assets_collection c
    WHERE c.words LIKE '%%' || label_words(%s) || '%%' AND label_words(%s) <> ' '
"""
# Those with a picture in them or in what they contain, with their paths.
COLLECTIONS_SEEN = """
    WITH RECURSIVE begun AS MATERIALIZED ({begun}),
    inside(top, id) AS (
        SELECT DISTINCT id, id FROM begun
        UNION SELECT i.top, k.id FROM inside i JOIN assets_collection k ON k.parent_id = i.id),
    seen AS (
        SELECT b.*, p.pictures FROM begun b, LATERAL (SELECT count(*) AS pictures FROM (
            SELECT FROM inside i JOIN assets_asset a ON a.collection_id = i.id
            JOIN search_searchrow r ON r.asset_id = a.id
            WHERE i.top = b.id AND b.id = ANY(r.collection_ids) AND {where} LIMIT {counted}) AS few) AS p
        WHERE p.pictures > 0),
    path(id, parent, name, depth) AS (
        SELECT c.id, c.parent_id, c.name::text, 1 FROM assets_collection c WHERE c.id IN (SELECT id FROM seen)
        UNION ALL SELECT p.id, c.parent_id, c.name || ' / ' || p.name, p.depth + 1
            FROM path p JOIN assets_collection c ON c.id = p.parent WHERE p.depth < 20)
    SELECT s.n, 'collection', p.name, s.whole, s.pictures FROM seen s JOIN path p ON p.id = s.id
    WHERE p.parent IS NULL
"""


class Begun(NamedTuple):
    """A name that begins as somebody types; `n` is the number of the beginning."""

    n: int
    kind: str
    """The slug of a vocabulary, `title` or `collection`."""
    label: str
    whole: bool
    """Whether the name itself begins so, not only a word in it."""
    pictures: int
    """More of them come first; nothing to show, since counting ends early."""


def terms_begun(slugs: Sequence[str], beginnings: Sequence[str], where: Where, most: int) -> list[Begun]:
    """Of each of these vocabularies and beginnings, at most so many, the best first within them."""
    begun = " UNION ALL ".join([TERM_BEGINS] * len(beginnings))
    params = [value for n, text in enumerate(beginnings) for value in (n, text, list(slugs), text, text)]
    statement = TERMS_BEGUN.format(
        begun=begun, pictures=PICTURES_OF_TERM.format(where=where.sql), counted=COUNTED, uses=USES_OF_TERM
    )
    return _begun(statement, [*params, *where.params, most]) if beginnings else []


def titles_begun(beginnings: Sequence[str], where: Where, most: int) -> list[Begun]:
    """`beginnings` are folded words, each with one space before the next, as of assets.text.word_key."""
    begun = " UNION ALL ".join([TITLE_BEGINS.format(where=where.sql)] * len(beginnings))
    params: list[object] = []
    for n, words in enumerate(beginnings):
        params += [n, f"{words}%", *where.params, n, f"% {words}%", *where.params]
    return _begun(TITLES_BEGUN.format(begun=begun), [*params, most]) if beginnings else []


def collections_begun(beginnings: Sequence[str], where: Where) -> list[Begun]:
    """By their own names; labels are whole paths."""
    begun = " UNION ALL ".join([COLLECTION_BEGINS] * len(beginnings))
    params = [value for n, text in enumerate(beginnings) for value in (n, text, text, text)]
    statement = COLLECTIONS_SEEN.format(begun=begun, where=where.sql, counted=COUNTED)
    return _begun(statement, [*params, *where.params]) if beginnings else []


def _begun(statement: str, params: Sequence[object]) -> list[Begun]:
    return [Begun(*row) for row in rows(statement, params)]


# --- names that are like another ------------------------------------------------------------------

# The limit holds for this statement: it is set before any name is read.
ALIKE = """
    SELECT t.id FROM {table} t
    WHERE (SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)) IS NOT NULL
        AND t.words %%> label_words(%s)
    UNION SELECT t.id FROM {table} t WHERE t.key = ANY(%s::varchar[])
"""
TERMS_ALIKE = f"""
    WITH alike AS MATERIALIZED (
        SELECT t.id, t.label, word_similarity(label_words(%s), t.words) AS alike, {BROAD} FROM assets_term t
        WHERE t.vocabulary_id = (SELECT v.id FROM assets_vocabulary v WHERE v.slug = %s)
            AND t.id IN ({ALIKE.format(table="assets_term")})
        ORDER BY alike DESC, length(t.label), t.label LIMIT {FEW})
    SELECT b.label FROM alike b WHERE EXISTS (SELECT {{pictures}})
    ORDER BY b.alike DESC, length(b.label), b.label
"""
COLLECTIONS_ALIKE = f"""
    SELECT 0 AS n, c.id, FALSE AS whole FROM assets_collection c
    WHERE c.id IN ({ALIKE.format(table="assets_collection")})
"""


def terms_alike(slug: str, name: str, slips: Sequence[str], where: Where) -> list[str]:
    """Labels of a vocabulary that are like this, or one of `slips`; the most alike first."""
    statement = TERMS_ALIKE.format(pictures=PICTURES_OF_TERM.format(where=where.sql))
    params = [name, slug, str(LEAST_ALIKE), name, list(slips), *where.params]
    return [label for (label,) in rows(statement, params)]


def collections_alike(name: str, slips: Sequence[str], where: Where) -> list[str]:
    """Paths of collections that are called so, or nearly."""
    statement = COLLECTIONS_SEEN.format(begun=COLLECTIONS_ALIKE, where=where.sql, counted=1)
    found = _begun(statement, [str(LEAST_ALIKE), name, list(slips), *where.params])
    return [path.label for path in found]
