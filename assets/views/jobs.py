"""What the workers do, what waits, what could not be done and why; doing it again, or not at all."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from assets import again, jobs
from assets.models import Asset, Batch, BatchItem
from assets.progress import progress_of
from assets.scopes import Action, scope_of
from assets.views.allowed import may_describe, need, need_somewhere
from assets.views.asset import show_state
from assets.views.cards import cards_of
from assets.views.desk import load
from assets.views.requests import Request, person, way_back

PER_PAGE, RECENT = 60, 100


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everything; with `reason`, the pictures of that reason alone."""
    user, key = person(request), request.GET.get("reason", "")
    reasons = jobs.reasons(user)
    assets = jobs.failed_assets(user, key).for_grid().prefetch_related("current_version__stage_runs")
    found = Paginator(assets, PER_PAGE).get_page(request.GET.get("page"))
    rejected = BatchItem.objects.filter(outcome=BatchItem.Outcome.REJECTED).select_related("batch__user")
    if not user.is_staff:
        rejected = rejected.filter(batch__user=user)
    context = {
        **jobs.now(user),
        "reasons": reasons,
        "chosen": next((reason for reason in reasons if reason.key == key), None),
        "page": found,
        "rows": [
            (card, progress_of(card.asset), may_describe(user, card.asset))
            for card in cards_of(found.object_list)
        ],
        "may_retry": scope_of(user).may_somewhere(Action.DESCRIBE),
        "rejected": rejected.order_by("-pk")[:RECENT],
    }
    return render(request, "assets/jobs.html", context)


@login_required
@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """The part of the page that htmx asks for again and again."""
    return render(request, "assets/partials/jobs_now.html", jobs.now(person(request)))


@login_required
@require_POST
def retry_one(request: Request, uid: UUID) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    need(request, Action.DESCRIBE, asset)
    again.retry([asset])
    if request.htmx:
        return show_state(request, load(request, uid))
    messages.info(request, _("Trying again: %(title)s.") % {"title": asset.display_title})
    return redirect(way_back(request, asset.get_absolute_url()))


@login_required
@require_POST
def retry_many(request: HttpRequest) -> HttpResponse:
    """All that failed, or with `reason` what failed for this one, where this person may describe."""
    need_somewhere(request, Action.DESCRIBE)
    described = Asset.objects.live().allowing(request.user, Action.DESCRIBE)
    failed = jobs.failed(person(request), request.POST.get("reason", ""))
    count = again.retry_runs(failed.filter(version__asset__in=described))
    messages.info(
        request,
        ngettext("Trying again: %(number)d step.", "Trying again: %(number)d steps.", count)
        % {"number": count},
    )
    return redirect("assets:jobs")


@login_required
@require_POST
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What waits of one's own batch; staff may cancel any."""
    user = person(request)
    batches = Batch.objects.all() if user.is_staff else Batch.objects.filter(user=user)
    count = jobs.cancel(get_object_or_404(batches, uid=uid), user)
    said = ngettext(
        "Cancelled: %(number)d picture, listed below. It can be tried again.",
        "Cancelled: %(number)d pictures, listed below. They can be tried again.",
        count,
    ) % {"number": count}
    messages.info(request, said if count else _("Nothing of it was waiting any more."))
    return redirect("assets:jobs")
