"""Pictures with all that a grid shows of them, in one query: what each has of others comes along as JSON."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, Model, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import JSONObject
from django.db.models.sql import Query
from django.utils.functional import SimpleLazyObject

from assets.models import CREATORS, Asset, AssetTerm, Depiction, Record, RecordTerm, Rendition, StageRun
from assets.progress import Standing
from assets.querysets import MAY_BE_LONG, AssetQuerySet

RENDITION = ("id", "version_id", "name", "storage_name", "media_type", "width", "height")
RECORD = ("id", "uid", "title", "date", "rights", "accession_number", "trashed_at")
"""What is loaded; any other value of these is asked for when it is needed."""
UNASKED = Query(None)
READ: dict[str, Callable[[str], Any]] = {"uid": UUID}


def loaded(
    found: AssetQuerySet, ids: Sequence[int] | None = None, *, makers: bool = False
) -> dict[int, Asset]:
    """By id, those of these assets that are among `found`, or all that are, as `AssetQuerySet.for_grid` would
    load them.

    Beside it, `current_version.standings` says how far it is, and of records only live ones are there. With
    `makers`, `found_makers` has those of the object, or of a picture of none, as a list of lines shows them.
    """
    version = OuterRef("current_version")
    live = Depiction.objects.filter(asset=OuterRef("pk"), record__trashed_at=None)
    together = (
        (found if ids is None else found.filter(pk__in=ids))
        .select_related("current_version__blob", "collection")
        .defer(*MAY_BE_LONG)
        .annotate(
            found_renditions=_as_json(Rendition.objects.filter(version=version), RENDITION),
            found_runs=_as_json(StageRun.objects.filter(version=version), Standing._fields[:2]),
            found_records=_as_json(live.order_by("position", "pk"), RECORD, "record__"),
        )
    )
    if makers:
        together = together.annotate(found_makers=_makers())
    return {asset.pk: _filled(asset) for asset in together}


def _makers() -> Case:
    """Labels in their order, of the first live object; where there is none, of the picture itself."""
    live, creators = Depiction.objects.filter(record__trashed_at=None), {"term__vocabulary__slug": CREATORS}
    first = live.filter(asset=OuterRef(OuterRef("pk"))).order_by("position", "pk").values("record")[:1]
    of_record = RecordTerm.objects.filter(record=Subquery(first), **creators)
    of_asset = AssetTerm.objects.filter(asset=OuterRef("pk"), **creators)
    return Case(
        When(Exists(live.filter(asset=OuterRef("pk"))), then=ArraySubquery(of_record.values("term__label"))),
        default=ArraySubquery(of_asset.values("term__label")),
    )


def _as_json(found: QuerySet[Any], names: Sequence[str], path: str = "") -> ArraySubquery:
    return ArraySubquery(found.values(value=JSONObject(**{name: f"{path}{name}" for name in names})))


def _filled(asset: Any) -> Asset:
    records = [_made(Record, row) for row in asset.found_records]
    _remember(asset, "depictions", [Depiction(asset=asset, record=record) for record in records])
    if version := asset.current_version:
        _remember(version, "renditions", [_made(Rendition, row) for row in asset.found_renditions])
        loaded_version: Any = version
        loaded_version.standings = [Standing(**row) for row in asset.found_runs]
    found: Asset = asset
    return found


def _made(model: Any, row: dict[str, Any]) -> Any:
    """An object of which only these values are known, as `only` makes them."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in row]
    values = [READ[name](row[name]) if row[name] and name in READ else row[name] for name in names]
    return model.from_db(None, names, values)


def _remember(owner: Any, name: str, objects: list[Model]) -> None:
    """As prefetch_related does. What would ask for others of the owner is put together when it is needed: for
    each of a page's cards that takes longer than loading it.
    """
    relation = getattr(type(owner), name).rel
    known: Any = QuerySet(relation.related_model, query=UNASKED)
    known._query = SimpleLazyObject(lambda: _others(owner, relation))
    known._result_cache, known._prefetch_done = objects, True
    owner.__dict__.setdefault("_prefetched_objects_cache", {})[name] = known


def _others(owner: Model, relation: Any) -> Query:
    found: Query = relation.related_model._default_manager.filter(**{relation.field.name: owner}).query
    return found
