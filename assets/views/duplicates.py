"""Pictures that look alike, two at a time: what are they of one another?"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_safe

from assets import changes, relations
from assets.duplicates import find_duplicates
from assets.forms import KeepForm, RelationForm
from assets.models import Asset, DuplicateCandidate, Relation, StageRun
from assets.relations import alike_to, open_for, seen_by
from assets.scopes import Action, scope_of
from assets.views.allowed import REFUSED, may_describe, need_to_describe
from assets.views.asset import OPEN, seconds_to_wait
from assets.views.cards import cards_of, rendition_url
from assets.views.compared import rows
from assets.views.requests import offer_undo, person

BOTH_SHOWN = 12
COPY, CLOSE = 12, 40
"""Bits that differ: up to these it is all but the same picture, or very much alike."""
SAID = {
    Relation.Kind.DUPLICATE: gettext_noop("Noted: they are duplicates."),
    Relation.Kind.VERSION: gettext_noop("Noted: one is a version of the other."),
    Relation.Kind.DETAIL: gettext_noop("Noted: one is a detail of the other."),
    Relation.Kind.VERSO: gettext_noop("Noted: one is the verso of the other."),
    Relation.Kind.UNRELATED: gettext_noop("Noted: they are unrelated. Nobody is asked again."),
}


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The nearest pair of which nobody has said anything; with `after`, the next one behind that pair."""
    waiting, before = open_for(request.user), _named(request)
    found = waiting.nearest_first()
    if before:
        behind = Q(distance=before.distance, pk__gt=before.pk) | Q(distance__gt=before.distance)
        found = found.filter(behind)
    candidate = found.select_related("first", "second").first()
    said: dict[str, Any] = {}
    if before:
        said = {"undo_next": reverse("assets:pair", args=[before.first.uid, before.second.uid])}
    if candidate:
        return _show(request, candidate.first.uid, candidate.second.uid, said)
    context = {"left_over": waiting.count(), "both_here": _both_here(request)}
    return render(request, "assets/duplicates.html", said | context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pair(request: HttpRequest, left: UUID, right: UUID) -> HttpResponse:
    """Any two pictures; a POST says what the right one is of the left one, and goes on to the next pair."""
    if request.method != "POST":
        return _show(request, left, right, {})
    one, two = _two(request, left, right)
    need_to_describe(request, two)
    form = RelationForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the answers."))
        return redirect("assets:pair", left, right)
    try:
        kind = form.cleaned_data["kind"]
        offer_undo(request, changes.relate(two, one, kind, person(request)), _(SAID[kind]))
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
    return redirect(f"{reverse('assets:duplicates')}?after={left}~{right}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def keep(request: HttpRequest, left: UUID, right: UUID) -> HttpResponse:
    """Of two duplicates one goes to the trash, if somebody wants that: the page asks, the POST does it."""
    one, two = _two(request, left, right)
    if not _one_may_go(request, one, two):
        raise PermissionDenied(REFUSED[Action.MANAGE])
    if not relations.are_duplicates(one, two):
        messages.error(request, _("Say first that these two are duplicates."))
        return redirect("assets:pair", left, right)
    form = KeepForm(request.POST or None, initial={"keep": _larger(one, two), "take_over": True})
    if request.method == "POST" and form.is_valid():
        kept, gone = (one, two) if form.cleaned_data["keep"] == "left" else (two, one)
        try:
            op = relations.keep_one(kept, gone, person(request), take_over=form.cleaned_data["take_over"])
        except changes.NotAllowed:
            raise
        except changes.ChangeRefused as refused:
            messages.error(request, str(refused))
        else:
            offer_undo(request, op, _("One is kept, the other was moved to the trash."))
            return redirect(kept)
    return render(request, "assets/keep_one.html", {"form": form, **_compared(one, two)})


@login_required
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """How many pairs wait, for the menu; nothing where none does."""
    return HttpResponse(open_for(request.user).count() or "")


@login_required
@require_safe
def alike(request: HttpRequest, uid: UUID) -> HttpResponse:
    """For a row of the upload page: what the new picture looks like, once somebody has looked."""
    asset = get_object_or_404(seen_by(request.user), uid=uid)
    runs = StageRun.objects.filter(version=asset.current_version, stage=find_duplicates.name, state__in=OPEN)
    context = {"asset": asset, "alike": alike_to(asset, request.user)}
    if not context["alike"] and runs.exists():
        context["wait"] = 3 * seconds_to_wait()
    return render(request, "assets/partials/alike.html", context)


def _named(request: HttpRequest) -> DuplicateCandidate | None:
    """The pair in `after`, of pictures that this person may see."""
    try:
        one, two = (UUID(part) for part in request.GET.get("after", "").split("~"))
    except ValueError:
        return None
    seen = seen_by(request.user).filter(uid__in=[one, two])
    both = DuplicateCandidate.objects.filter(first__in=seen, second__in=seen)
    return both.select_related("first", "second").first()


def _two(request: HttpRequest, left: UUID, right: UUID) -> tuple[Asset, Asset]:
    seen = seen_by(request.user).for_grid()
    return get_object_or_404(seen, uid=left), get_object_or_404(seen, uid=right)


def _show(request: HttpRequest, left: UUID, right: UUID, said: dict[str, Any]) -> HttpResponse:
    one, two = _two(request, left, right)
    ends = Q(first=one, second=two) | Q(first=two, second=one)
    candidate = DuplicateCandidate.objects.filter(ends).first()
    context = {
        "left_over": open_for(request.user).count(),
        "how_near": _how_near(one, two, candidate),
        "known": _known(one, two),
        "kinds": Relation.Kind.choices,
        "both_here": _both_here(request),
        "may": {"describe": may_describe(person(request), two)},
    }
    return render(request, "assets/duplicates.html", context | _compared(one, two) | said)


def _compared(one: Asset, two: Asset) -> dict[str, Any]:
    cards = cards_of([one, two])
    pictures = [rendition_url(a, a.rendition("large") or a.rendition("medium")) for a in (one, two)]
    sides = list(zip("AB", cards, pictures, strict=True))
    return {"left": one, "right": two, "sides": sides, "rows": rows(one, two)}


def _how_near(one: Asset, two: Asset, candidate: DuplicateCandidate | None) -> str:
    versions = one.current_version, two.current_version
    if versions[0] and versions[1] and versions[0].blob_id == versions[1].blob_id:
        return _("The files are the same, byte for byte.")
    if candidate is None:
        return ""
    if candidate.distance <= COPY:
        return _("They look the same.")
    return _("They look very much alike.") if candidate.distance <= CLOSE else _("They look alike.")


def _known(one: Asset, two: Asset) -> str:
    """What was said of them before, of A and B."""
    said = relations.between(one, two)
    if said is None:
        return ""
    names = "BA" if said.asset_id == two.pk else "AB"
    text = _("%(one)s is %(kind)s %(two)s, as somebody has said.")
    return text % {"one": names[0], "kind": said.get_kind_display(), "two": names[1]}


def _larger(one: Asset, two: Asset) -> str:
    pixels = [v.width * v.height if (v := asset.current_version) else 0 for asset in (one, two)]
    return "right" if pixels[1] > pixels[0] else "left"


def _both_here(request: HttpRequest) -> list[tuple[Asset, Asset]]:
    """The newest pairs that were said to be duplicates, both of which are still in the library."""
    seen = seen_by(request.user)
    found = Relation.objects.filter(kind=Relation.Kind.DUPLICATE, asset__in=seen, other__in=seen)
    ends = list(found.order_by("-created_at", "-pk").values_list("other", "asset")[:BOTH_SHOWN])
    assets = seen.for_grid().in_bulk([pk for both in ends for pk in both])
    both = [(assets[one], assets[two]) for one, two in ends if one in assets and two in assets]
    return [(one, two) for one, two in both if _one_may_go(request, one, two)]


def _one_may_go(request: HttpRequest, *assets: Asset) -> bool:
    """Whether this person may move one of these to the trash."""
    scope = scope_of(request.user)
    return any(scope.may(Action.MANAGE, asset.collection_id) for asset in assets)
