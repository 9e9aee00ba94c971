"""The API's part about assets: take one in, look at one."""

from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

import audit
from accounts.models import User
from assets import ingest, sidecars
from assets.ingest import Outcomes
from assets.models import Asset, Batch, Tombstone
from assets.progress import progress_of
from assets.relations import Related, related_to
from assets.scopes import Action
from assets.views.allowed import need, need_somewhere
from assets.views.downloads import sidecar_of

router = Router()


FIELDS = (
    "The museum's own fields, as {field: {language: value}}: a text, a number, or a list of them. "
    "The language is empty where a field has none."
)


class Problem(Schema):
    detail: str


class StageOut(Schema):
    name: str
    state: str
    reason: str


class AssetOut(Schema):
    id: UUID
    filename: str | None = Field(description="This and the size are null until there is a picture.")
    title: str
    description: str
    accession: str
    creators: list[str]
    date: str
    medium: str
    tags: list[str]
    fields: dict[str, dict[str, Any]] = Field(description=FIELDS)
    record: UUID | None = Field(description="The object that it shows.")
    alt_text: str
    collection: str
    access: str
    width: int | None = Field(description="Pixels, upright.")
    height: int | None = Field(description="Pixels, upright.")
    format: str | None = Field(description="What the content is: JPEG, TIFF, PDF, VIDEO …, or OTHER.")
    pages: int | None = Field(description="Pages of a document, frames of an animation.")
    duration_ms: int | None = Field(description="Of a video.")
    sha256: str | None
    state: str = Field(description="searchable, processing or failed; awaited: the picture has still to come")
    stages: list[StageOut]


class RelationOut(Schema):
    kind: str = Field(description="duplicate_of, version_of, detail_of or verso_of")
    inverse: bool = Field(description="False: this asset is it of the other. True: the other is it of this.")
    asset: UUID = Field(description="The other asset.")
    title: str
    words: str = Field(description="The relation in words, as on the page of this asset.")


class Accepted(Schema):
    outcome: str = Field(description="accepted or duplicate")
    reason: str
    asset: AssetOut


class WordsIn(Schema):
    """What is said about the picture; tags and creators are separated by semicolons."""

    accession: str = Field("", max_length=100)
    title: str = Field("", max_length=500)
    creator: str = Field("", max_length=500)
    date: str = Field("", max_length=200)
    medium: str = Field("", max_length=500)
    description: str = Field("", max_length=20_000)
    collection: str = Field("", max_length=400)
    tags: str = Field("", max_length=5000)


@router.post(
    "", response={201: Accepted, 200: Accepted, 403: Problem, 422: Problem}, summary="Take in one picture"
)
def create(
    request: HttpRequest,
    file: File[UploadedFile],
    words: Form[WordsIn],
    sidecar: File[UploadedFile | None] = None,
) -> Status[Any]:
    """201 for a new asset, 200 when the same bytes are here already, 422 with the reason when refused.

    `sidecar` is an XMP file about the picture; its words go where nobody has written any.
    """
    need_somewhere(request, Action.DESCRIBE)
    user = cast("User", request.user)  # Bearer lets nobody else through
    batch = Batch.objects.create(source="API", user=user)
    beside = sidecar.read(sidecars.MAX_BYTES + 1) if sidecar else b""
    said: dict[str, Any] = {"words": words.dict(), "sidecar": beside}
    found = ingest.accept(file, file.name or "unnamed", batch=batch, user=user, **said)
    if found.asset is None:
        return Status(422, {"detail": found.reason})
    shown = {
        "outcome": found.outcome,
        "reason": found.reason,
        "asset": as_dict(_load(found.asset.uid, request)),
    }
    return Status(200 if found.outcome == Outcomes.DUPLICATE else 201, shown)


@router.get(
    "/{uid}",
    response={200: AssetOut, 404: Problem, 410: Problem},
    summary="One asset and where it stands",
    url_name="asset",
)
def get(request: HttpRequest, uid: UUID) -> Status[Any]:
    """410 where it was deleted for good."""
    try:
        return Status(200, as_dict(_load(uid, request)))
    except Asset.DoesNotExist:
        stone = Tombstone.objects.visible_to(request.user).filter(uid=uid).first()
        if stone is not None:
            return Status(410, {"detail": f"It was deleted for good on {stone.deleted_at:%Y-%m-%d}."})
        return Status(404, {"detail": "There is no such asset, or you may not see it."})


@router.get(
    "/{uid}/relations",
    response={200: list[RelationOut], 404: Problem},
    summary="What people have said of this picture and others",
)
def relations(request: HttpRequest, uid: UUID) -> Status[Any]:
    """Duplicates, versions, details and versos, of pictures that you may see."""
    try:
        found = _load(uid, request)
    except Asset.DoesNotExist:
        return Status(404, {"detail": "There is no such asset, or you may not see it."})
    related = related_to(found, request.user)
    return Status(200, [_relation(one) for one in related])


@router.get(
    "/{uid}/metadata.xmp",
    response={403: Problem, 404: Problem},
    summary="What the museum says of it, as an XMP file",
    openapi_extra={"responses": {200: {"description": "XMP", "content": {"application/rdf+xml": {}}}}},
)
def metadata(request: HttpRequest, uid: UUID) -> Any:
    try:
        found = Asset.objects.live().visible_to(request.user).with_words().get(uid=uid)
    except Asset.DoesNotExist:
        return Status(404, {"detail": "There is no such asset, or you may not see it."})
    if found.current_version is None:
        return Status(404, {"detail": "This asset has no file."})
    need(request, Action.DOWNLOAD, found)
    audit.record(audit.Event.DOWNLOADED, request, found, what="words")
    return sidecar_of(found, found.current_version)


def _load(uid: UUID, request: HttpRequest) -> Asset:
    assets = Asset.objects.live().visible_to(request.user).for_grid()
    found: Asset = assets.prefetch_related("current_version__stage_runs").get(uid=uid)
    return found


def _relation(one: Related) -> dict[str, Any]:
    about = {"asset": one.asset.uid, "title": one.asset.display_title, "words": one.words}
    return {"kind": one.kind, "inverse": one.inverse, **about}


def as_dict(asset: Asset) -> dict[str, Any]:
    """An asset with the words of its record where it has one, as AssetOut describes it."""
    record, version, progress = asset.record, asset.current_version, progress_of(asset)
    words = {n: getattr(record, n, "") or getattr(asset, n) for n in ("description", "date", "medium")}
    return {
        "id": asset.uid,
        "filename": version.original_filename if version else None,
        "title": asset.display_title,
        **words,
        "accession": getattr(record, "accession_number", ""),
        "creators": getattr(record, "creators", []) or asset.creators,
        "tags": asset.tags,
        "fields": {**getattr(record, "fields", {}), **asset.fields},
        "record": getattr(record, "uid", None),
        "alt_text": asset.alt_text,
        "collection": asset.collection.name,
        "access": asset.access,
        "width": version.width if version else None,
        "height": version.height if version else None,
        "format": version.format if version else None,
        "pages": version.pages if version else None,
        "duration_ms": version.duration_ms if version else None,
        "sha256": version.blob.sha256 if version else None,
        "state": progress.state,
        "stages": [{"name": s.name, "state": s.state, "reason": s.reason} for s in progress.stages],
    }
