"""The request of a signed-in person, and what is said to them."""

from django.contrib import messages
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from accounts.models import User
from assets.models import Operation
from assets.sharing.links import network_of
from assets.stored import shown


class Request(HttpRequest):
    """As the middlewares leave it."""

    htmx: HtmxDetails


def person(request: HttpRequest) -> User:
    """The user of a view behind login_required."""
    if not isinstance(request.user, User):
        raise TypeError("This view needs login_required.")
    return request.user


def network(request: HttpRequest) -> str:
    """Where a request comes from, without what tells of one person."""
    return network_of(request.META.get("REMOTE_ADDR", ""))


def offer_undo(request: HttpRequest, operation: Operation, text: str = "") -> None:
    """A message with an Undo button: templates/partials/messages.html reads the operation's uid."""
    messages.success(request, shown(text or operation.label), extra_tags=str(operation.uid))


def way_back(request: HttpRequest, otherwise: str) -> str:
    """The page that a form names in `next`, if it is one of ours."""
    path = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(path, {request.get_host()}, require_https=request.is_secure())
    return path if ours else otherwise
