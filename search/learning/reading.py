"""What people wrote of many pictures: read as plain values, since objects would take most of the time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from assets.models import Asset, AssetTerm, Depiction, Record, RecordTerm
from search.learning.words import COLUMNS, TERMS, Part, Written, parts_of

READ_AT_ONCE = 2000


def parts(asset_ids: Sequence[int], fields: Sequence[str]) -> Iterator[tuple[int, list[Part]]]:
    """Of each of these assets that is there, in their order, what it and its live objects say."""
    for start in range(0, len(asset_ids), READ_AT_ONCE):
        some = asset_ids[start : start + READ_AT_ONCE]
        shows: dict[int, list[int]] = defaultdict(list)
        live = Depiction.objects.filter(asset__in=some, record__trashed_at=None)
        for asset, record in live.values_list("asset", "record"):
            shows[asset].append(record)
        objects = {record for shown in shows.values() for record in shown}
        of_objects = _written(Record, RecordTerm, "record", sorted(objects), fields)
        of_assets = _written(Asset, AssetTerm, "asset", some, fields)
        for pk in some:
            if pk in of_assets:
                subjects = [*(of_objects[record] for record in shows[pk]), of_assets[pk]]
                yield pk, parts_of(subjects, fields)


def _written(
    model: Any, uses: Any, name: str, ids: Sequence[int], fields: Sequence[str]
) -> dict[int, Written]:
    """By id, the texts of each of these fields: one of a column, one for each term."""
    columns = [field for field in fields if field in COLUMNS and hasattr(model, field)]
    slugs = {TERMS[field]: field for field in fields if field in TERMS}
    found: dict[int, Written] = {}
    for pk, *texts in model.objects.filter(pk__in=ids).order_by().values_list("pk", *columns):
        found[pk] = {column: [text] for column, text in zip(columns, texts, strict=True) if text}
    used = uses.objects.filter(**{f"{name}__in": ids, "term__vocabulary__slug__in": slugs})
    for pk, slug, label in used.values_list(name, "term__vocabulary__slug", "term__label"):
        if pk in found:
            found[pk].setdefault(slugs[slug], []).append(label)
    return found
