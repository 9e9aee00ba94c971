"""A synthetic library put into the present database by COPY, as the application would have put it there."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.synthetic import COLLECTIONS, Library, texts

STAGED = """
CREATE TEMPORARY TABLE staged (
    id bigint PRIMARY KEY, terms bigint[], home bigint, access text, embargo timestamptz, trashed boolean,
    year integer, until integer, rights text, colors varchar(10)[], body text)
"""
TERMS = """
INSERT INTO assets_term (id, uid, label, key, labels, uri, vocabulary_id)
SELECT term, gen_random_uuid(), 'Term ' || term, 'term ' || term, '{}', '',
    (SELECT id FROM assets_vocabulary WHERE slug = CASE WHEN term % 4 = 3 THEN 'creators' ELSE 'tags' END)
FROM (SELECT DISTINCT unnest(terms) AS term FROM staged) AS used
"""
ASSETS = """
INSERT INTO assets_asset (id, uid, title, description, date, year_earliest, medium, rights, rights_holder,
    credit_line, fields, created_at, changed_at, collection_id, access, embargo_until, alt_text, is_demo)
SELECT id, gen_random_uuid(), 'Picture ' || id, '', '', year, '', rights, '', '', '{}',
    now() - id * interval '1 second', now(), home, access, embargo, '', false FROM staged ORDER BY id
"""
VERSIONS = """
INSERT INTO assets_assetversion (id, asset_id, number, blob_id, original_filename, format, width, height,
    color, embedded_metadata, created_at)
SELECT id, id, 1, (SELECT min(id) FROM assets_blob), id || '.jpg', 'JPEG', 1200, 900, '', '{}', now()
FROM staged ORDER BY id
"""
ROWS = """
INSERT INTO search_searchrow (asset_id, term_ids, collection_ids, home_collection_id, access,
    embargo_until, trashed, year_earliest, year_latest, added_at, accession_keys, title_key, title_sort,
    accession_sort, format, width, height, bytes, colors, has, rights_words, words)
SELECT id, terms,
    array_remove(ARRAY[home, (SELECT parent_id FROM assets_collection c WHERE c.id = home)], NULL),
    home, access, embargo, trashed, year, until,
    now() - id * interval '1 second', '{}', 'picture ' || id, 'picture ' || id, '',
    CASE WHEN id % 5 = 0 THEN 'tiff' ELSE 'jpeg' END, 1200, 900, 100000, colors,
    CASE rights WHEN '' THEN '{title,date,tag}' ELSE '{title,date,tag,rights}' END::varchar[],
    CASE rights WHEN '' THEN '' ELSE ' ' || lower(rights) || ' ' END,
    setweight(to_tsvector('museum', 'Picture ' || id), 'A') || setweight(to_tsvector('museum', body), 'D')
FROM staged ORDER BY id
"""
RIGHTS = ("In copyright", "Public Domain", "CC0", "CC BY", "CC BY NC")
SEQUENCES = """
SELECT setval(pg_get_serial_sequence('assets_asset', 'id'), (SELECT max(id) FROM assets_asset)),
    setval(pg_get_serial_sequence('assets_assetversion', 'id'), (SELECT max(id) FROM assets_assetversion))
"""


FLAT = tuple(f"Collection {n}" for n in range(COLLECTIONS))
ACCESS = (0.75, 0.2, 0.05)
FAR_OFF = "9000-01-01"  # not infinity, which Python cannot read


def load(library: Library, space: Any, paths: Sequence[str] = FLAT, access: Sequence[float] = ACCESS) -> None:
    """Assets, versions, search rows and vectors. The picture of row n becomes the asset n + 1.

    `paths` of collections, at most two deep, a parent before its children; shares of what is public, of the
    staff, and restricted.
    """
    from django.db import connection, transaction

    from assets.models import Blob, Collection

    for path in paths:
        Collection.objects.named(path)
    Blob.objects.create(sha256="0" * 64, size=1, media_type="image/jpeg", state="stored")
    homes = list(Collection.objects.order_by("pk").values_list("pk", flat=True))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STAGED)
        _copy(cursor, "staged", _facts(library, homes, access))
        for statement in (TERMS, ASSETS, VERSIONS, ROWS, SEQUENCES):
            cursor.execute(statement)
        columns = "search_embedding (space_id, version_id, asset_id, kind, part, vector)"
        _copy(cursor, columns, _embeddings(library.vectors, space.pk))
        cursor.execute("DROP TABLE staged")
    vacuum()


def vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _copy(cursor: Any, into: str, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _facts(
    library: Library, homes: list[int], shares: Sequence[float], seed: int = 4
) -> Iterable[Sequence[Any]]:
    """A fiftieth is under embargo, a hundredth in the trash."""
    from assets.colors import COLORS

    draw = np.random.default_rng(seed)
    number = len(library.vectors)
    access = draw.choice(["public", "staff", "restricted"], number, p=shares).tolist()
    embargoed, trashed = draw.random(number) < 0.02, draw.random(number) < 0.01
    at_home = np.minimum(draw.zipf(1.4, number) - 1, len(homes) - 1).tolist()
    years = draw.integers(1500, 2000, number).tolist()
    spans = draw.choice([0, 1, 5, 50], number, p=[0.6, 0.1, 0.2, 0.1]).tolist()
    rights = draw.choice(["", *RIGHTS], number).tolist()
    colors = [draw.choice(COLORS, n, replace=False).tolist() for n in draw.integers(1, 5, number).tolist()]
    for n, body in enumerate(texts(number)):
        embargo = FAR_OFF if embargoed[n] else None
        seen = (access[n], embargo, bool(trashed[n]))
        year, words = years[n], (rights[n], colors[n], body)
        yield n + 1, library.terms[n], homes[at_home[n]], *seen, year, year + spans[n], *words


def _embeddings(vectors: np.ndarray, space: int) -> Iterable[Sequence[Any]]:
    for n, vector in enumerate(vectors.astype(np.float16), start=1):
        yield space, n, n, "visual", 0, "[" + ",".join(map(str, vector.tolist())) + "]"
