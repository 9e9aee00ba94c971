"""All that a link gives out, as a zip that is made while it is sent."""

from django.conf import settings
from django.db.models import Sum
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.http.request import HttpRequest
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from assets.bulk.archive import ORIGINAL
from assets.bulk.naming import safe
from assets.models import ShareLink
from assets.sharing import links, looking
from assets.sharing.archive import SharedArchive
from assets.views.bulk_download import BUSY, a_turn
from assets.views.requests import network
from assets.views.shared import downloads, for_recipients


@for_recipients
def archive(request: HttpRequest, link: ShareLink, token: str, size: str) -> HttpResponseBase:
    ids = looking.in_order(link)
    if size not in [name for name, _said in downloads(link, len(ids))]:
        raise Http404
    found = looking.pictures(link, "original" if size == "original" else "download")
    allowed = dict(found.values_list("pk", "current_version__blob__size"))
    ids, refusal, turn = [pk for pk in ids if pk in allowed], "", a_turn()
    total = found.aggregate(size=Sum("current_version__blob__size"))["size"] or 0
    if not ids:
        refusal = _("None of these pictures may be downloaded just now.")
    elif size == "original" and total > settings.DOWNLOAD_GB * 1024**3:
        refusal = _("These files are too large for one download. Download the pictures one by one.")
    elif not turn.acquire(blocking=False):
        refusal = str(BUSY)
    if refusal:
        context = {"link": link, "token": token, "refusal": refusal}
        response = render(request, "assets/shared_gone.html", context, status=503)
        response._has_been_logged = True  # type: ignore[attr-defined]  # the address would be in the log
        return response
    if request.method == "GET":
        links.note(link, links.What.DOWNLOADED, network(request), request, size=f"zip {size}")
    made = SharedArchive(link, ids, ORIGINAL if size == "original" else link.longest, turn.release)
    answer = StreamingHttpResponse(made, content_type="application/zip")
    name = f"{safe(link.label)}.zip"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
