"""SQL about the names of tags, people, places, collections and titles that a person may be told.

A name is told only where a picture that this person may see has it: the rule stands inside each statement.
Names are found by an index of their trigrams, put in their order, and then asked for a picture one after the
other until there are enough: by the uses of a name, since the bitmap of a popular tag is read as a whole.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from search.sql import Where, rows

READ = 300
"""Rows of titles that are looked at for each beginning."""
LEAST_ALIKE = 0.4
FEW, LOOKED_AT = 30, 300
"""Names that are like another: so many that some visible picture has, among so many that are nearest."""
PICTURES = """
    coalesce((SELECT {number} FROM search_popularity p
        WHERE p.kind = '{kind}' AND p.of_id = {of} AND p.home_id = ANY('{{{homes}}}'::bigint[])), 0)::int
"""

# A name of which the last count saw nothing: maybe it is new, maybe thousands of hidden pictures have it.
TRIES = "LIMIT CASE WHEN b.pictures = 0 THEN 2000 END"
# One picture of the term `b`, by its own uses, or by those of narrower terms where it has some.
# OFFSET 0 keeps the loops loops.
PICTURE_OF_TERM = """
    (SELECT 1 FROM (
        SELECT u.asset_id FROM assets_assetterm u WHERE u.term_id = b.id
        UNION ALL SELECT d.asset_id FROM assets_recordterm u
            JOIN assets_depiction d ON d.record_id = u.record_id WHERE u.term_id = b.id
        UNION ALL SELECT n.asset_id FROM search_searchrow n WHERE b.broad AND n.term_ids && ARRAY[b.id]
        {tries}) AS u,
    LATERAL (SELECT FROM search_searchrow r
        WHERE r.asset_id = u.asset_id AND b.id = ANY(r.term_ids) AND {where} OFFSET 0) AS seen
    LIMIT 1) IS NOT NULL
"""
PICTURE_IN_COLLECTION = """
    (WITH RECURSIVE inside(id) AS (
        SELECT b.id UNION SELECT k.id FROM inside JOIN assets_collection k ON k.parent_id = inside.id)
    SELECT 1 FROM inside,
    LATERAL (SELECT a.id FROM assets_asset a WHERE a.collection_id = inside.id
        {tries} OFFSET 0) AS a,
    LATERAL (SELECT FROM search_searchrow r
        WHERE r.asset_id = a.id AND b.id = ANY(r.collection_ids) AND {where} OFFSET 0) AS seen
    LIMIT 1) IS NOT NULL
"""
BROAD = "EXISTS (SELECT FROM assets_term_parents p WHERE p.to_term_id = t.id) AS broad"
# By its own label, or by another: those have a line each, with a space before each word.
TERM_BEGINS = f"""
    SELECT %s::int AS n, t.id, v.slug, t.label, t.words LIKE label_words(%s) || '%%' AS whole, {BROAD},
        {{pictures}} AS pictures, said.text,
        t.words LIKE '%%' || label_words(said.text) || '%%' AS own
    FROM (SELECT %s::text AS text) AS said, assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id
    WHERE v.slug = ANY(%s) AND label_words(%s) <> ' ' AND (
        t.words LIKE '%%' || label_words(%s) || '%%' OR t.other_words LIKE '%%' || label_words(%s) || '%%')
"""
# What else the term `b` is called, where its own label does not begin so.
CALLED = """
    CASE WHEN NOT b.own THEN (
        SELECT other #>> '{}' FROM assets_term o, jsonb_path_query(o.labels, '$.**') AS other
        WHERE o.id = b.id AND jsonb_typeof(other) = 'string'
            AND label_words(other #>> '{}') LIKE '%%' || label_words(b.text) || '%%'
        ORDER BY length(other #>> '{}'), other #>> '{}' LIMIT 1) END
"""
COLLECTION_BEGINS = """
    SELECT %s::int AS n, c.id, 'collection' AS slug, c.name AS label,
        c.words LIKE label_words(%s) || '%%' AS whole, {pictures} AS pictures
    FROM assets_collection c
    WHERE c.words LIKE '%%' || label_words(%s) || '%%' AND label_words(%s) <> ' '
"""
# In their order, so that pictures are looked for until there are enough names.
BEST = """
    (SELECT b.n, b.slug, b.label, b.whole, b.pictures, {called}, b.id FROM (
        SELECT * FROM begun WHERE slug = %s AND n = %s
        ORDER BY whole DESC, pictures DESC, length(label), label, id OFFSET 0) AS b
    WHERE {picture} LIMIT %s)
"""
PATHS = """
    WITH RECURSIVE path(id, parent, name, depth) AS (
        SELECT c.id, c.parent_id, c.name::text, 1 FROM assets_collection c WHERE c.id = ANY(%s)
        UNION ALL SELECT p.id, c.parent_id, c.name || ' / ' || p.name, p.depth + 1
            FROM path p JOIN assets_collection c ON c.id = p.parent WHERE p.depth < 20)
    SELECT id, name FROM path WHERE parent IS NULL
"""
TITLE_BEGINS = f"""
    (SELECT %s::int AS n, r.asset_id, r.title_key, TRUE AS whole FROM search_searchrow r
     WHERE r.title_key LIKE %s AND {{where}} ORDER BY r.title_key LIMIT {READ})
"""
BETWEEN, TRIGRAM = r"[\W_]+", 3
# Only where too few begin so: a limit of 0 saves the look-up. By a regular expression, since whatever stands
# between words counts as a space, and each of the rows that have these trigrams is compared. Words that are
# shorter than a trigram say nothing to the index: all titles would be read for them.
TITLE_HAS = f"""
    (SELECT %s::int AS n, r.asset_id, r.title_key, FALSE AS whole FROM search_searchrow r
     WHERE r.title_key ~ %s AND {{where}}
     LIMIT (SELECT CASE WHEN count(DISTINCT f.title_key) < %s THEN {READ} ELSE 0 END
            FROM first f WHERE f.n = %s))
"""
# A title as it is written: of the first record, else of the picture, as search.rows reads it.
TITLES_BEGUN = """
    WITH first AS MATERIALIZED ({first}), begun AS (SELECT * FROM first {others}),
    titles AS (
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


class Begun(NamedTuple):
    """A name that begins as somebody types; `n` is the number of the beginning."""

    n: int
    kind: str
    """The slug of a vocabulary, `title` or `collection`."""
    label: str
    whole: bool
    """Whether the name itself begins so, not only a word in it."""
    pictures: int
    """For the order alone: they were counted a while ago, or not to the end."""
    called: str = ""
    """Another label of the same term, that begins so where its own does not."""


def terms_begun(slugs: Sequence[str], beginnings: Sequence[str], where: Where, most: int) -> list[Begun]:
    """Of each of these vocabularies and beginnings, at most so many, the best first within them."""
    one = TERM_BEGINS.format(pictures=pictures_of("term", "t.id", where))
    begun = " UNION ALL ".join([one] * len(beginnings))
    asked = [(n, text, text, list(slugs), text, text, text) for n, text in enumerate(beginnings)]
    params = [value for values in asked for value in values]
    found = _best(begun, params, slugs, len(beginnings), PICTURE_OF_TERM, where, most, CALLED)
    return [Begun(*row[:5])._replace(called=row[5] or "") for row in found]


def collections_begun(beginnings: Sequence[str], where: Where, most: int) -> list[Begun]:
    """By their own names; labels are whole paths."""
    one = COLLECTION_BEGINS.format(pictures=pictures_of("collection", "c.id", where))
    begun = " UNION ALL ".join([one] * len(beginnings))
    params = [value for n, text in enumerate(beginnings) for value in (n, text, text, text)]
    found = _best(begun, params, ["collection"], len(beginnings), PICTURE_IN_COLLECTION, where, most)
    paths = dict(rows(PATHS, [[row[-1] for row in found]])) if found else {}
    return [Begun(*row[:5])._replace(label=paths[row[-1]]) for row in found if row[-1] in paths]


def _best(
    begun: str,
    params: Sequence[object],
    slugs: Sequence[str],
    beginnings: int,
    picture: str,
    where: Where,
    most: int,
    called: str = "NULL::text",
) -> list[tuple[Any, ...]]:
    """For each slug and beginning: the values of Begun, and the id of what is called so."""
    if not beginnings:
        return []
    best, given = (
        BEST.format(picture=picture.format(where=where.sql, tries=TRIES), called=called),
        list(params),
    )
    wanted = [(slug, n) for slug in slugs for n in range(beginnings)]
    for slug, n in wanted:
        given += [slug, n, *where.params, most]
    return rows(f"WITH begun AS MATERIALIZED ({begun}) {' UNION ALL '.join([best] * len(wanted))}", given)


def titles_begun(beginnings: Sequence[str], where: Where, most: int) -> list[Begun]:
    """`beginnings` are folded words, each with one space before the next, as of assets.text.word_key."""
    if not beginnings:
        return []
    first = " UNION ALL ".join([TITLE_BEGINS.format(where=where.sql)] * len(beginnings))
    inside = [
        (n, words) for n, words in enumerate(beginnings) if max(map(len, words.split()), default=0) >= TRIGRAM
    ]
    others = f" UNION ALL {TITLE_HAS.format(where=where.sql)}" * len(inside)
    params: list[object] = []
    for n, words in enumerate(beginnings):
        params += [n, f"{words}%", *where.params]
    for n, words in inside:
        params += [n, f"(^|{BETWEEN}){BETWEEN.join(words.split())}", *where.params, most, n]
    return [Begun(*row) for row in rows(TITLES_BEGUN.format(first=first, others=others), [*params, most])]


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
        ORDER BY alike DESC, length(t.label), t.label, t.id LIMIT {LOOKED_AT})
    SELECT b.label FROM (SELECT * FROM alike ORDER BY alike DESC, length(label), label, id OFFSET 0) AS b
    WHERE {PICTURE_OF_TERM} LIMIT {FEW}
"""
COLLECTIONS_ALIKE = f"""
    WITH alike AS MATERIALIZED (
        SELECT c.id, word_similarity(label_words(%s), c.words) AS alike FROM assets_collection c
        WHERE c.id IN ({ALIKE.format(table="assets_collection")}) ORDER BY alike DESC, c.id LIMIT {LOOKED_AT})
    SELECT b.id FROM (SELECT * FROM alike ORDER BY alike DESC, id OFFSET 0) AS b
    WHERE {PICTURE_IN_COLLECTION} LIMIT {FEW}
"""


def terms_alike(slug: str, name: str, slips: Sequence[str], where: Where) -> list[str]:
    """Labels of a vocabulary that are like this, or one of `slips`; the most alike first."""
    params = [name, slug, str(LEAST_ALIKE), name, list(slips), *where.params]
    return [label for (label,) in rows(TERMS_ALIKE.format(where=where.sql, tries=""), params)]


def collections_alike(name: str, slips: Sequence[str], where: Where) -> list[str]:
    """Paths of collections that are called so, or nearly; the most alike first."""
    params = [name, str(LEAST_ALIKE), name, list(slips), *where.params]
    ids = [pk for (pk,) in rows(COLLECTIONS_ALIKE.format(where=where.sql, tries=""), params)]
    paths = dict(rows(PATHS, [ids])) if ids else {}
    return [paths[pk] for pk in ids if pk in paths]


# --- how popular they are -------------------------------------------------------------------------

# All together, under the number 0, and those that live in one collection. What is restricted or under an
# embargo moves no name, nor does what lives where somebody may not look.
NUMBERED = """
    SELECT '{kind}' AS kind, of_id, CASE WHEN grouping(r.home_collection_id) = 1 THEN 0
            ELSE r.home_collection_id END AS home_id,
        count(*) AS pictures, count(*) FILTER (WHERE r.access = 'public') AS public
    FROM search_searchrow r, unnest(r.{ids}) AS of_id WHERE {where}
    GROUP BY GROUPING SETS ((of_id), (of_id, r.home_collection_id))
"""
COUNTED = """
    WITH counted AS ({terms} UNION ALL {collections}),
    gone AS (DELETE FROM search_popularity p WHERE NOT EXISTS (
        SELECT FROM counted c WHERE c.kind = p.kind AND c.of_id = p.of_id AND c.home_id = p.home_id))
    INSERT INTO search_popularity AS p (kind, of_id, home_id, pictures, public) SELECT * FROM counted
    ON CONFLICT (kind, of_id, home_id) DO UPDATE SET pictures = EXCLUDED.pictures, public = EXCLUDED.public
    WHERE (p.pictures, p.public) <> (EXCLUDED.pictures, EXCLUDED.public)
"""


def pictures_of(kind: str, of: str, where: Where) -> str:
    """SQL of how many open pictures the term or collection with the id `of` had, as last counted, among those
    that whoever asks may see. `where` is what this person may see.

    What is public, and the rest of each of their homes; or all, without what is not public in the others.
    """
    homes = where.homes
    whole, of_each, ids = "public", "p.pictures - p.public", homes.ids
    if homes.all_but or len(homes.others) < len(homes.ids):
        whole, of_each, ids = "pictures", "p.public - p.pictures", ids if homes.all_but else homes.others
    number = f"sum(CASE p.home_id WHEN 0 THEN p.{whole} ELSE {of_each} END)"
    listed = ",".join(str(int(pk)) for pk in (0, *ids))
    return PICTURES.format(number=number, kind=kind, of=of, homes=listed)


def count_pictures(where: Where) -> None:
    """Count the pictures of all names anew, for the order in which names are offered."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE search_popularity IN SHARE ROW EXCLUSIVE MODE")
        terms = NUMBERED.format(kind="term", ids="term_ids", where=where.sql)
        collections = NUMBERED.format(kind="collection", ids="collection_ids", where=where.sql)
        counted = COUNTED.format(terms=terms, collections=collections)
        cursor.execute(counted, [*where.params, *where.params])
