"""/learning/: what the library has learned from its own catalogue, and what to do about it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

import audit
from accounts.models import User
from assets.scopes import Action, scope_of
from assets.views.cards import cards_of
from assets.views.requests import Request, person
from search import learning_parts as parts
from search import spaces
from search.learning import jobs, lessons, teaching
from search.models import EmbeddingSpace

State = EmbeddingSpace.State


def may_act(user: User) -> bool:
    """Those who may change embedding spaces in the administration."""
    return user.is_staff and user.has_perm("search.change_embeddingspace")


def _looking(request: HttpRequest) -> User:
    """Curators and administrators. Raises PermissionDenied."""
    user = person(request)
    if not (scope_of(user).may_somewhere(Action.MANAGE) or may_act(user)):
        raise PermissionDenied(_("Only those who manage pictures see what was learned."))
    return user


def _acting(request: HttpRequest) -> User:
    user = person(request)
    if not may_act(user):
        raise PermissionDenied(_("Only administrators of the search decide what it learns and uses."))
    return user


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    user = _looking(request)
    now = parts.now()
    found, told = parts.history(now.in_use)
    chosen = teaching.chosen(user)
    cards = cards_of(one.asset for one in chosen or [])
    context = {
        **_state(user, now, chosen is None),
        "described": parts.described(user),
        "fewest": lessons.FEWEST,
        "curve": parts.curve(now.last),
        "examples": parts.examples(user, now.last),
        "to_describe": None if chosen is None else list(zip(cards, chosen, strict=True)),
        "told": told,
        "plot": parts.progress(found),
    }
    return render(request, "search/learning.html", context)


@login_required
@require_safe
@vary_on_headers("HX-Request")
def progress(request: Request) -> HttpResponse:
    """The part that moves; the whole page anew where it has other parts than `key` says."""
    user = _looking(request)
    if not request.htmx:
        return redirect("search:learning")
    context = _state(user, parts.now(), not teaching.is_chosen(user))
    if request.GET.get("key") != context["key"]:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "search/partials/learning_now.html", context)


def _state(user: User, now: parts.Now, choosing: bool) -> dict[str, object]:
    return {
        "now": now,
        "may_act": may_act(user),
        "moves": now.is_working or now.fills or now.draws or choosing,
        "key": f"{now.key}-{int(choosing)}",
    }


@login_required
@require_POST
def learn(request: HttpRequest) -> HttpResponse:
    jobs.ask(_acting(request))
    return redirect("search:learning")


@login_required
@require_POST
def use(request: HttpRequest) -> HttpResponse:
    """Use what was learned last: the space whose name the form gives."""
    _acting(request)
    space = _named(request)
    if space is None or not parts.now().can_be_used:
        messages.error(request, _("Something else was learned meanwhile. Look again before you decide."))
        return redirect("search:learning")
    return _used(request, space, _("What was learned is in use from now on."))


@login_required
@require_POST
def back(request: HttpRequest) -> HttpResponse:
    """Go back to what was in use before: the space whose name the form gives."""
    _acting(request)
    space = spaces.earlier()
    if space is None or space.slug != request.POST.get("space"):
        messages.error(request, _("Something else is in use meanwhile. Look again before you decide."))
        return redirect("search:learning")
    return _used(request, space, _("What was in use before is in use again."))


def _named(request: HttpRequest) -> EmbeddingSpace | None:
    space = parts.now().space
    return space if space and space.slug == request.POST.get("space") else None


def _used(request: HttpRequest, space: EmbeddingSpace, said: str) -> HttpResponse:
    try:
        spaces.activate(space)
    except spaces.SpaceError as error:
        messages.error(request, str(error))
        return redirect("search:learning")
    about = audit.About("embeddingspace", label=space.slug)
    audit.record(audit.Event.SPACE_CHANGED, request, about, action="activate", way="learning")
    messages.success(request, said)
    return redirect("search:learning")
