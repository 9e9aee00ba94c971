"""The API's part about objects of the catalogue, and about the museum's own fields."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.models import User
from assets import changes, own
from assets.api import FIELDS, Problem
from assets.models import PLACES, SUBJECTS, Asset, FieldDefinition, Record, Tombstone
from assets.views.allowed import need_to_describe
from assets.views.visible import records_for

router = Router()
of_assets = Router()
NOT_THERE = "There is nothing at this address, or you may not see it."


class PictureOut(Schema):
    asset: UUID
    view: str = Field(description="recto, verso, detail or other")


class RecordOut(Schema):
    id: UUID
    accession: str
    title: str
    creators: list[str]
    date: str
    places: list[str]
    medium: str
    subjects: list[str]
    description: str
    credit_line: str
    rights: str
    rights_holder: str
    usage_terms: str
    translations: dict[str, dict[str, str]] = Field(
        description="In other languages: {column: {language: text}}."
    )
    fields: dict[str, dict[str, Any]] = Field(description=FIELDS)
    pictures: list[PictureOut] = Field(description="In their order; those that you may see.")


class FieldsIn(Schema):
    """What is to be said in some own fields; null or an empty text takes a value out, and the others stay."""

    fields: dict[str, Any] = Field(description="{field: value} or {field: {language: value}}")


class FieldsOut(Schema):
    fields: dict[str, dict[str, Any]] = Field(description=FIELDS)


@router.get(
    "/{uid}",
    response={200: RecordOut, 404: Problem, 410: Problem},
    summary="One object of the catalogue",
    url_name="record",
)
def get(request: HttpRequest, uid: UUID) -> Status[Any]:
    """410 where it was deleted for good."""
    found = _record(request, uid)
    if found is None:
        stone = Tombstone.objects.visible_to(request.user).filter(uid=uid).first()
        if stone is not None:
            return Status(410, {"detail": f"It was deleted for good on {stone.deleted_at:%Y-%m-%d}."})
        return Status(404, {"detail": NOT_THERE})
    return Status(200, as_dict(found, request.user))


@router.patch(
    "/{uid}/fields",
    response={200: FieldsOut, 403: Problem, 404: Problem, 422: Problem},
    summary="Fill its own fields",
)
def fill_record(request: HttpRequest, uid: UUID, body: FieldsIn) -> Status[Any]:
    return _fill(request, "record", lambda: _record(request, uid), body)


@of_assets.patch(
    "/{uid}/fields",
    response={200: FieldsOut, 403: Problem, 404: Problem, 422: Problem},
    summary="Fill the own fields of a picture",
)
def fill_asset(request: HttpRequest, uid: UUID, body: FieldsIn) -> Status[Any]:
    live = Asset.objects.live().visible_to(request.user)
    return _fill(request, "asset", lambda: live.filter(uid=uid).first(), body)


def _record(request: HttpRequest, uid: UUID) -> Record | None:
    seen = records_for(cast("User", request.user)).filter(uid=uid, trashed_at=None)
    found: Record | None = seen.prefetch_related("term_uses__term__vocabulary").first()
    return found


def _fill(
    request: HttpRequest, kind: str, load: Callable[[], Asset | Record | None], body: FieldsIn
) -> Status[Any]:
    subject = load()
    if subject is None:
        return Status(404, {"detail": NOT_THERE})
    need_to_describe(request, subject)
    known = {field.slug: field for field in FieldDefinition.objects.filter(applies_to=kind)}
    try:
        patch = {"field_values": own.read_all(known, body.fields)}
        with changes.together():
            op = changes.operation("edit", f"Edited {subject}", user=cast("User", request.user))
            if not changes.apply(op, [subject], patch):
                op.delete()
    except changes.NotAllowed as refused:
        return Status(403, {"detail": str(refused)})
    except (own.FieldRefused, changes.ChangeRefused) as refused:
        return Status(422, {"detail": str(refused)})
    subject.refresh_from_db(fields=["fields"])
    return Status(200, {"fields": subject.fields})


def as_dict(record: Record, user: Any) -> dict[str, Any]:
    """An object as RecordOut describes it."""
    columns = (
        "title",
        "date",
        "medium",
        "description",
        "credit_line",
        "rights",
        "rights_holder",
        "usage_terms",
    )
    seen = Asset.objects.live().visible_to(user)
    pictures = record.depictions.filter(asset__in=seen).select_related("asset")
    return {
        "id": record.uid,
        "accession": record.accession_number,
        **{name: getattr(record, name) for name in columns},
        "creators": record.creators,
        "places": record.labels(PLACES),
        "subjects": record.labels(SUBJECTS),
        "translations": record.translations,
        "fields": record.fields,
        "pictures": [{"asset": one.asset.uid, "view": one.view} for one in pictures],
    }
