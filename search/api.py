"""The API's part about searching: by words, tags, collections, assets, and by a picture."""

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import File, Form, Query, Router, Schema, Status
from ninja.errors import HttpError
from ninja.files import UploadedFile
from pydantic import Field

from assets.api import Problem
from assets.models import Asset
from search import encoders
from search.cached import MAX_PICTURE_BYTES
from search.facets import facets
from search.hybrid import HybridQuery
from search.query import DEPTH, run, understood
from search.question import opened
from search.region import Region, RegionError, RegionMissing, version_of
from search.results import as_dict, mistakes_as_dicts
from search.suggestions import suggest

router = Router()
Mode = Literal["best", "keywords", "visual"]
Sort = Literal["relevance", "added", "title", "date", "accession"]


class Result(Schema):
    id: UUID
    filename: str | None = Field(description="Null for an object that waits for its picture.")
    title: str
    score: float
    strong: bool | None = Field(description="Whether it matches well; null where that cannot be told.")
    signals: dict[str, int] = Field(description="Which signals found it, at which rank; 1 is best.")
    matched_words: list[str] = Field(description="Words of the question that it has, as they stand there.")


class Mistake(Schema):
    where: str = Field(description="`q`, or `filter[0]` for the first filter, and so on.")
    start: int = Field(description="The first character of what is not understood, from 0.")
    end: int = Field(description="The character behind it.")
    message: str


class Change(Schema):
    start: int = Field(description="The first character of `q` that is another, from 0.")
    end: int = Field(description="The character behind the last.")
    text: str = Field(description="What stands there instead.")


class Meant(Schema):
    q: str
    changes: list[Change]


class Found(Schema):
    space: str
    total: int = Field(description="Assets that pass the filters; in mode keywords, those that match.")
    awaiting: int = Field(description="How many of them are objects that wait for their picture.")
    strong: int | None = Field(
        description=f"How many match well, counted to {DEPTH}, which come first; of a first page, as far as "
        "it had to look. Null for a list, or where it cannot be told."
    )
    results: list[Result]
    notices: list[str] = Field(description="What a person should know about this answer.")
    mistakes: list[Mistake] = Field(description="What was not understood; the rest was searched.")
    did_you_mean: Meant | None = Field(
        description="A question that finds something, where words or names of this one match nothing."
    )


class Choice(Schema):
    value: str = Field(description="A label, a path, a name, or a span of years such as `1880..1889`.")
    label: str = Field(description="The same for people.")
    count: int = Field(description="The `total` of this search with the filter added; a minute old at most.")
    filter: str = Field(description="To be added as `filter`.")


class Facets(Schema):
    """Each list has the most frequent first, 50 at most; dates are in their order, in spans of one width."""

    tags: list[Choice]
    collections: list[Choice] = Field(description="Those below the collections that were asked for.")
    creators: list[Choice]
    dates: list[Choice] = Field(description="Decades, or centuries, or millennia, where they would be many.")
    rights: list[Choice]
    types: list[Choice]
    colours: list[Choice]


class Narrowing(Schema):
    total: int = Field(description="As in the search: assets that pass the filters.")
    facets: Facets
    mistakes: list[Mistake] = Field(description="What was not understood, and so narrows nothing.")


class Asked(Schema):
    q: str = Field(
        "",
        max_length=2000,
        description='Words, "phrases", -exclusions, OR, parentheses and fields such as `date:1880..1900`.',
    )
    filter: list[Annotated[str, Field(max_length=1000)]] = Field(
        [], max_length=20, description="In the same language; every one must hold, and none is ranked by."
    )
    tag: list[Annotated[str, Field(max_length=200)]] = Field(
        [], max_length=20, description="All must be there."
    )
    collection: list[Annotated[str, Field(max_length=1000)]] = Field(
        [], max_length=20, description="A name, or a path such as `Prints / Japan`."
    )
    like: list[UUID] = Field([], max_length=50, description="Ids of assets that the results should resemble.")
    unlike: list[UUID] = Field(
        [],
        max_length=50,
        description="Ids of assets that they should not resemble, even where `like` has them too.",
    )
    region: str = Field(
        "",
        max_length=200,
        description="A part of an asset's picture, as `ID:left,top,width,height` in fractions of its sides.",
    )
    mode: Mode = "best"
    sort: Sort = Field("relevance", description="Where nothing is asked, relevance means newest first.")
    weak: bool = Field(True, description="Whether weak matches follow the strong ones.")
    limit: int = Field(20, ge=1, le=200)
    offset: int = Field(
        0, ge=0, le=10_000_000, description=f"At most {DEPTH} in a search; a plain list goes on to its end."
    )


class Suggestion(Schema):
    kind: str = Field(description="`tag`, `creator`, `title`, `collection`, `place` or `subject`.")
    label: str
    part: str = Field(description='What it stands for: `tag:"oil on canvas"`.')
    text: str = Field(description="The whole text with this in place of what was being typed.")


class Suggested(Schema):
    kind: str
    name: str
    items: list[Suggestion]


class Suggestions(Schema):
    groups: list[Suggested] = Field(description="At most five of a kind.")


@router.get("/suggest", response=Suggestions, summary="What the words being typed may become")
def suggested(request: HttpRequest, q: Annotated[str, Query(max_length=2000)] = "") -> dict[str, Any]:
    """Tags, makers, titles and collections that begin as the text ends, of pictures that you may see."""
    return {"groups": suggest(q, request.user)}


@router.get(
    "",
    response={200: Found, 404: Problem, 422: Problem},
    summary="Search by words, tags, collections, likeness",
)
def search(request: HttpRequest, asked: Query[Asked]) -> Status[Any]:
    return _answer(request, asked, None)


@router.get(
    "/facets",
    response={200: Narrowing, 404: Problem, 422: Problem},
    summary="What a search can be narrowed by, with numbers",
)
def narrowing(request: HttpRequest, asked: Query[Asked]) -> Status[Any]:
    """Takes the parameters of the search. `weak`, `limit` and `offset` make no difference.

    All numbers are exact, and are counted in what passes the filters, also where likeness ranks.
    """
    query = _query(request, asked, None)
    found, (asked_for, _) = facets(query), understood(query)
    choices = {name: [asdict(c) for c in listed] for name, listed in found.choices.items()}
    return Status(
        200, {"total": found.total, "facets": choices, "mistakes": mistakes_as_dicts(asked_for.mistakes)}
    )


@router.post("", response={200: Found, 404: Problem, 422: Problem}, summary="Search by a picture")
def search_by_picture(request: HttpRequest, picture: File[UploadedFile], asked: Form[Asked]) -> Status[Any]:
    """The picture together with words and filters, as in the form fields."""
    if (picture.size or 0) > MAX_PICTURE_BYTES:
        return Status(
            422, {"detail": f"A picture to search by has at most {MAX_PICTURE_BYTES // 1024**2} MB."}
        )
    content = picture.read()
    try:
        opened(content)
    except encoders.UnreadableImage as error:
        return Status(422, {"detail": str(error)})
    return _answer(request, asked, content)


def _answer(request: HttpRequest, asked: Asked, image: bytes | None) -> Status[Any]:
    query = _query(request, asked, image)
    if not query.is_list and query.offset > DEPTH:
        return Status(422, {"detail": f"A search goes down to {DEPTH} results; ask for something narrower."})
    return Status(200, as_dict(run(query), asked.q))


def _query(request: HttpRequest, asked: Asked, image: bytes | None) -> HybridQuery:
    visible = Asset.objects.live().visible_to(request.user)
    examples = [*asked.like, *asked.unlike]
    known = dict(visible.filter(uid__in=examples).values_list("uid", "pk"))
    if missing := [uid for uid in examples if uid not in known]:
        raise HttpError(404, f"There is no asset {missing[0]}, or you may not see it.")
    try:
        region = Region.of(asked.region) if asked.region else None
        if region:
            version_of(region, request.user)
    except RegionError as error:
        raise HttpError(404 if isinstance(error, RegionMissing) else 422, str(error)) from error
    return HybridQuery(
        user=request.user,
        text=asked.q,
        image=image,
        liked=tuple(known[uid] for uid in asked.like),
        unliked=tuple(known[uid] for uid in asked.unlike),
        region=region,
        tags=tuple(asked.tag),
        collections=tuple(asked.collection),
        filters=tuple(asked.filter),
        mode=asked.mode,
        weak=asked.weak,
        sort=asked.sort,
        limit=asked.limit,
        offset=asked.offset,
    )
