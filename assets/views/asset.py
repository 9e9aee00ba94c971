"""One picture's page."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from assets import licensing, purging
from assets.descriptions import subject_of
from assets.forms import DescriptionForm
from assets.kinds import OTHER
from assets.licensing import Verdict
from assets.metadata import writing
from assets.models import Asset, AssetVersion, Depiction, StageRun
from assets.progress import progress_of
from assets.relations import alike_to, related_to
from assets.views import embedded, facts, licensed, light_tables
from assets.views.allowed import may_in
from assets.views.cards import Card, cards_of, rendition_url
from assets.views.desk import Desk, load
from assets.views.files import SHOWN_BY_BROWSERS
from assets.views.gone import or_gone
from assets.views.permanent import or_json
from assets.views.requests import Request, person
from assets.views.script_words import PICTURE, translated
from assets.views.visible import paths_to_fill

SHORTEST_WAIT, LONGEST_WAIT, RUNS_A_SECOND = 2, 30, 40
SIBLINGS = 12
WORTH_ZOOMING = 1000  # pixels of the longer side
OPEN = [StageRun.State.WAITING, StageRun.State.QUEUED, StageRun.State.RUNNING]


@or_json("asset")
@login_required
@require_safe
@vary_on_headers("HX-Request")  # else "back" would show a part as the page
@or_gone
def page(request: Request, uid: UUID) -> HttpResponse:
    return show(request, load(request, uid))


def show(
    request: Request, asset: Asset, form: DescriptionForm | None = None, focus: str = ""
) -> HttpResponse:
    """The page, or to htmx the column of words; `form` shows the words being edited."""
    context = words(request, asset) | {"form": form, "focus": focus}
    if form is not None:
        context["collection_paths"] = paths_to_fill(person(request))
    if request.htmx:
        return render(request, "assets/partials/words.html", context)
    return render(request, "assets/asset.html", context | picture(request, asset, context["terms"].verdict))


def words(request: Request, asset: Asset) -> dict[str, Any]:
    desk = Desk(asset, subject_of(asset))
    return {
        "asset": asset,
        "desk": desk,
        "may": may_in(person(request), asset.collection_id),
        "terms": licensed.terms_of(request, asset),
        "record": desk.record,
        "described": desk.words.described(),
        "file_facts": facts.of_file(asset),
        "embedded": embedded.groups(asset),
        "alike": alike_to(asset, request.user),
        "related": related_to(asset, request.user),
        "history": facts.history([asset, desk.subject], request.user),
        "versions": asset.versions.select_related("blob").order_by("-number"),
        **light_tables.offered(person(request), asset),
        "siblings": siblings(request, asset),
        "shows": [d for d in asset.depictions.all() if d.record.trashed_at is None],
        "depicted_views": Depiction.View.choices,
        "permanent": request.build_absolute_uri(asset.get_absolute_url()),
        "script_words": translated(PICTURE),
        "here": (request.htmx.current_url_abs_path or "") if request.htmx else "",
    }


def siblings(request: HttpRequest, asset: Asset) -> list[tuple[str, Card]]:
    """The other pictures of the same object that this person may see, each with its view; in five queries."""
    record = asset.record
    if record is None:
        return []
    seen = Asset.objects.live().visible_to(request.user)
    others = Depiction.objects.filter(record=record.pk, asset__in=seen).exclude(asset=asset)
    views = {depiction.asset_id: depiction.get_view_display() for depiction in others[:SIBLINGS]}
    found = seen.for_grid().in_bulk(views)
    return [
        (view, card) for view, card in zip(views.values(), cards_of(found[pk] for pk in views), strict=True)
    ]


def picture(request: Request, asset: Asset, verdict: Verdict | None = None) -> dict[str, Any]:
    version, large = asset.current_version, rendition_url(asset, asset.rendition("large"))
    verdict = verdict or licensing.verdict_of(asset, request.user)
    progress = progress_of(asset)
    hopeless = large == "" and progress.state == "failed"
    may = may_in(person(request), asset.collection_id)
    opens = version is not None and version.blob.media_type in SHOWN_BY_BROWSERS
    opens = opens and verdict.original and not verdict.asks
    return {
        "asset": asset,
        "may": may,
        "days_left": purging.days_left(asset),
        "version": version,
        "large": large,
        "zooms": large != "" and version is not None and zooms(version),
        "pictureless": version is not None and version.format == OTHER,
        "verdict": verdict,
        "links": licensed.links(request, asset, verdict, made=not hopeless),
        "opens_original": opens,
        "no_metadata": writing.unwritable(version) if version else "",
        "show_url": f"{reverse('assets:original', args=[asset.uid])}?show" if opens else large,
        "progress": progress,
        "card": cards_of([asset])[0],
    }


@login_required
@require_safe
def state(request: Request, uid: UUID) -> HttpResponse:
    """Asked for again and again while the picture is processed; brings the preview once it is there."""
    return show_state(request, load(request, uid))


def zooms(version: AssetVersion) -> bool:
    """Whether looking closer shows more than the page does, and its viewer is installed."""
    return max(version.width, version.height) >= WORTH_ZOOMING and settings.JAVASCRIPT_DIR.is_dir()


def show_state(request: Request, asset: Asset) -> HttpResponse:
    small = "small" in request.GET  # a row of the upload page, not the asset's own page
    template = "assets/partials/upload_state.html" if small else "assets/partials/state.html"
    said = {"polled": True, "seen": "seen" in request.GET, "wait": seconds_to_wait()}
    return render(request, template, picture(request, asset) | said)


def seconds_to_wait() -> int:
    """Until the state is asked for again: the longer the queue, the longer, as hundreds of rows may ask."""
    stuck = StageRun.objects.filter(state=StageRun.State.FAILED).values("version")
    ahead = StageRun.objects.filter(state__in=OPEN).exclude(version__in=stuck)
    return SHORTEST_WAIT + ahead[: LONGEST_WAIT * RUNS_A_SECOND].count() // RUNS_A_SECOND
