"""/admin/storage/: where the files are, how much room they take, whether they are whole; checks to begin."""

from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from kombu.exceptions import OperationalError

from assets import fixity, orphans
from assets.models import Blob, Rendition
from dam import health_facts

PARTS = {
    "database": gettext_lazy("database"),
    "models": gettext_lazy("models of the search"),
    "incoming": gettext_lazy("files on their way in"),
    "logs": gettext_lazy("logs"),
    "valkey": gettext_lazy("queue and cache"),
}
"""What takes up room besides the files, by the names of health_facts."""


@dataclass(frozen=True)
class Place:
    """Where one kind of file is written, and where some of it may still lie."""

    name: str
    where: str
    before: str = ""


@dataclass(frozen=True)
class Kind:
    """Files of one kind in the storage."""

    name: str
    number: int
    bytes: int


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def storage_page(request: HttpRequest) -> HttpResponse:
    """What is known; a POST begins a check, for those who may change pictures."""
    may_act = request.user.has_perm("assets.change_asset")
    if request.method == "POST":
        if may_act:
            begin(request, request.POST.get("check", ""))
        else:
            messages.error(request, _("Your account may look at this page and begin nothing."))
        return redirect("storage")
    context = {**admin.site.each_context(request), "title": _("Storage"), "may_act": may_act, **collect()}
    return TemplateResponse(request, "storage.html", context)


def begin(request: HttpRequest, check: str) -> None:
    """Hand the work to a worker, and say so."""
    if check not in ("originals", "orphans"):
        return
    try:
        if check == "originals":
            fixity.ask_for_all()
            current_app.send_task("assets.check_fixity_of_all")
            text = _(
                "Every original is being read again in the background. Reload this page to see how far it is."
            )
        else:
            current_app.send_task("assets.find_orphans")
            text = _("A worker is looking for files that belong to no picture. Look again in a moment.")
    except OperationalError:
        messages.error(request, _("The queue does not answer, and nothing was begun. See the health page."))
        return
    messages.success(request, text)


def collect() -> dict[str, Any]:
    """All facts; what is not known because something is away is None or empty."""
    disk = health_facts.disk()
    asked = health_facts.known(fixity.asked, None)
    originals = health_facts.originals()
    left = health_facts.known(fixity.left, 0) if asked else 0
    return {
        "places": [place("originals", _("Originals")), place("renditions", _("Thumbnails and previews"))],
        "moving": bool(settings.STORAGE_BEFORE) and settings.STORAGE_BEFORE != settings.STORAGE,
        "kinds": kinds(),
        "disk": disk,
        "parts": [Kind(str(PARTS[n]), 0, size) for n, size in disk.parts.items() if n in PARTS],
        "originals": originals,
        "away": health_facts.storage_away(),
        "asked": asked,
        "left": left,
        "read": (originals.stored - left) if originals and asked else 0,
        "survey": health_facts.known(orphans.surveyed, None),
        "looking": health_facts.known(orphans.is_looking, False),
        "fixity_days": settings.FIXITY_DAYS,
        "hours": ", ".join(f"{hour}:00" for hour in settings.FIXITY_HOURS),
    }


def place(folder: str, name: str) -> Place:
    before = settings.STORAGE_BEFORE if settings.STORAGE_BEFORE != settings.STORAGE else ""
    return Place(name, _where(settings.STORAGE, folder), _where(before, folder) if before else "")


def _where(storage: str, folder: str) -> str:
    if storage != "s3":
        return str(settings.DATA_DIR / folder)
    server = settings.S3["endpoint_url"] or "Amazon S3"
    return f"{server}: {settings.S3_BUCKET}/{folder}"


def kinds() -> list[Kind]:
    """The originals by type, the largest share first, and what was made from them."""
    nothing: tuple[list[Kind], list[Kind]] = ([], [])
    stored, made = health_facts.kept("storage:kinds", health_facts.SIZES_KEPT, counted, nothing)
    return stored + [Kind(_("previews: %s") % kind.name, kind.number, kind.bytes) for kind in made]


def counted() -> tuple[list[Kind], list[Kind]]:
    stored = Blob.objects.filter(state=Blob.State.STORED).values_list("media_type")
    rows = stored.annotate(Count("pk"), bytes=Sum("size")).order_by("-bytes", "media_type")
    made = Rendition.objects.values_list("name").annotate(Count("pk"), bytes=Sum("size")).order_by("-bytes")
    first, second = (
        [Kind(name, number, int(size)) for name, number, size in found] for found in (rows, made)
    )
    return first, second
