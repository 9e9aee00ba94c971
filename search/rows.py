"""Search rows from the source of truth. `refresh` and `add` are their only writers, but for `recolor`."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from assets import again, own
from assets.descriptions import weighted_text
from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Asset, Collection, Described, Record
from assets.statements import statement_of
from assets.text import fold, sort_key, word_key
from search import lexicon
from search.sql import rows as rows_of

REVISION = 7
"""One more whenever a row is made of other facts than before: then all are looked through at once."""
COLUMNS = (
    "asset_id",
    "term_ids",
    "collection_ids",
    "home_collection_id",
    "access",
    "embargo_until",
    "rights_expire_at",
    "trashed",
    "year_earliest",
    "year_latest",
    "added_at",
    "accession_keys",
    "title_key",
    "title_sort",
    "accession_sort",
    "format",
    "width",
    "height",
    "bytes",
    "colors",
    "has",
    "rights_words",
    "words",
)
NAMES = ", ".join(COLUMNS)
WEIGHED = " || ".join(f"setweight(to_tsvector('museum', %s), '{weight}')" for weight in "ABCD")
ROW = f"({', '.join(['%s'] * (len(COLUMNS) - 1))}, {WEIGHED})"
NEWER = ", ".join(f"EXCLUDED.{name}" for name in COLUMNS)
AT_ONCE = 100  # rows in one statement
LOCK = "SELECT 1 FROM search_searchrow WHERE asset_id = ANY(%s) ORDER BY asset_id FOR UPDATE"
RECOLOR = """
    UPDATE search_searchrow r SET colors = coalesce(v.colors, '{}')
    FROM assets_asset a JOIN assets_assetversion v ON v.id = a.current_version_id
    WHERE a.id = r.asset_id AND r.asset_id = ANY(%s)
"""
ANCESTORS = """
    WITH RECURSIVE up(start, id) AS (
        SELECT id, id FROM assets_term WHERE id = ANY(%s)
        UNION SELECT up.start, p.to_term_id FROM up JOIN assets_term_parents p ON p.from_term_id = up.id)
    SELECT start, array_agg(id) FROM up GROUP BY start
"""
MAX_WORDS = 200_000  # characters of one weight; a tsvector has a limit of 1 MB


def refresh(asset_ids: Sequence[int]) -> None:
    """Write the rows of these assets anew, in the transaction of the caller.

    The rows are locked before anything is read: of two changes that meet, the later sees the earlier.
    """
    lock(asset_ids)
    add(asset_ids)


def add(asset_ids: Sequence[int]) -> None:
    """The same for assets made in this transaction, which nobody else can know of yet."""
    newer = f"ON CONFLICT (asset_id) DO UPDATE SET ({NAMES}) = ROW({NEWER})"
    words = write(asset_ids, "search_searchrow", newer)
    transaction.on_commit(lambda: lexicon.note(words), robust=True)


def recolor(asset_ids: Sequence[int]) -> None:
    """Write the colours alone, in the transaction of the caller: each new picture has them after its row.

    A row that somebody else is writing anew is waited for; whoever writes it later reads these colours.
    """
    with connection.cursor() as cursor:
        cursor.execute(RECOLOR, [list(asset_ids)])


def lock(asset_ids: Sequence[int]) -> None:
    """Until the end of the transaction, nobody else changes the facts of these rows."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(asset_ids)])


def write(asset_ids: Sequence[int], table: str, otherwise: str = "") -> set[str]:
    """Put the rows of these assets into a table that has the columns of search rows; returns their words."""
    found = Asset.objects.filter(pk__in=asset_ids).with_words().order_by()
    assets = sorted(found, key=lambda asset: asset.pk)
    ancestors = _term_ancestors(assets)
    inner = any(asset.collection.parent_id for asset in assets)
    parents = dict(Collection.objects.values_list("pk", "parent")) if inner else {}
    weights = own.weights() if any(subject.fields for a in assets for subject in _subjects(a)) else {}
    words: set[str] = set()
    with connection.cursor() as cursor:
        for start in range(0, len(assets), AT_ONCE):
            portion = assets[start : start + AT_ONCE]
            values = [_values(asset, ancestors, parents, weights) for asset in portion]
            rows = ", ".join([ROW] * len(values))
            sql = f"INSERT INTO {table} ({NAMES}) VALUES {rows} {otherwise}"
            cursor.execute(sql, [value for row in values for value in row])
            words |= lexicon.words_of(text for row in values for text in row[-4:])
    return words


def words_changed(asset_ids: Sequence[int]) -> None:
    """Let the vectors of these assets' words be made again where the words are others, in the background."""
    again.outdated("vectorise_words", asset_ids)


def _subjects(asset: Asset) -> list[Asset | Record]:
    return [*(depiction.record for depiction in asset.depictions.all()), asset]


def _values(
    asset: Asset,
    ancestors: dict[int, list[int]],
    parents: dict[int, int | None],
    weights: Mapping[str, str],
) -> list[Any]:
    """The values of all COLUMNS, and four texts in place of the last."""
    records = [
        depiction.record for depiction in asset.depictions.all() if depiction.record.trashed_at is None
    ]
    record = records[0] if records else None
    terms = {above for pk in _term_ids(asset, records) for above in ancestors.get(pk, [pk])}
    dated = record and (record.year_earliest, record.year_latest) != (None, None)
    said = record if record and dated else asset
    return [
        asset.pk,
        sorted(terms),
        _collection_and_above(asset.collection_id, parents),
        asset.collection_id,
        asset.access,
        asset.embargo_until,
        asset.closes_at,
        asset.trashed_at is not None,
        said.year_earliest,
        said.year_latest,
        asset.created_at,
        [r.accession_key for r in records if r.accession_key],
        fold((record.title if record else "") or asset.title),
        sort_key(asset.display_title),
        sort_key(record.accession_number if record else ""),
        *_of_file(asset),
        known_of(asset, records),
        word_key(" ".join(f"{_rights_of(s)} {s.rights_holder}" for s in [*records, asset])),
        *_by_weight(record, asset, weights),
    ]


def _rights_of(subject: Described) -> str:
    """As somebody wrote it; an address is found by the short name of what it says as well."""
    known = statement_of(subject.rights) if "://" in subject.rights else None
    return f"{known.code} {known.name} {subject.rights}" if known else subject.rights


def _of_file(asset: Asset) -> list[Any]:
    """Format, width, height, bytes and colours of the version that is shown."""
    version = asset.current_version
    if version is None:
        return ["", 0, 0, 0, []]
    format = version.format.casefold()
    return [format, version.width, version.height, version.blob.size, version.colors or []]


def known_of(asset: Asset, records: Sequence[Record]) -> list[str]:
    """What is known about a picture or an object that it shows, by the names that `has:` takes."""
    subjects: list[Asset | Record] = [*records, asset]

    def said(*columns: str) -> bool:
        texts = [getattr(subject, column) for subject in subjects for column in columns]
        texts += [
            t for s in subjects for column in columns for t in own.texts(s.translations.get(column, {}))
        ]
        return any(text.strip() for text in texts)

    def named(vocabulary: str) -> bool:
        return any(subject.labels(vocabulary) for subject in subjects)

    facts = {
        "title": said("title"),
        "description": said("description"),
        "date": said("date")
        or any(s.year_earliest is not None or s.year_latest is not None for s in subjects),
        "creator": named(CREATORS),
        "tag": named(TAGS),
        "place": named(PLACES),
        "subject": named(SUBJECTS),
        "medium": said("medium"),
        "rights": said("rights", "rights_holder"),
        "record": bool(records),
        "accession": any(record.accession_key for record in records),
        "alt": bool(asset.alt_text.strip()) or "alt_text" in asset.translations,
        "picture": not asset.is_awaited,
    }
    return [name for name, known in facts.items() if known]


def _by_weight(record: Record | None, asset: Asset, weights: Mapping[str, str]) -> list[str]:
    """Four texts, of weight A to D. Null characters cannot be stored in PostgreSQL."""
    parts = weighted_text(record, asset, weights)
    joined = ("\n".join(text for weight, text in parts if weight == wanted) for wanted in "ABCD")
    return [text.replace("\x00", " ")[:MAX_WORDS] for text in joined]


def _term_ids(asset: Asset, records: Sequence[Record]) -> set[int]:
    own = {use.term_id for use in asset.term_uses.all()}
    return own | {use.term_id for record in records for use in record.term_uses.all()}


def _term_ancestors(assets: Sequence[Asset]) -> dict[int, list[int]]:
    """For each term in use: itself and every broader term."""
    ids = {pk for a in assets for pk in _term_ids(a, [d.record for d in a.depictions.all()])}
    return dict(rows_of(ANCESTORS, [list(ids)])) if ids else {}


def _collection_and_above(pk: int, parents: dict[int, int | None]) -> list[int]:
    ids: list[int] = []
    node: int | None = pk
    while node is not None and node not in ids:
        ids.append(node)
        node = parents.get(node)
    return ids
