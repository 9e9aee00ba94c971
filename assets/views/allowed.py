"""What the page of one picture, object or collection offers, and what it refuses."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assets.models import Asset, Collection, Record
from assets.scopes import Action, scope_of
from assets.views.requests import person

REFUSED = {
    Action.DOWNLOAD: _("You may look at this picture, but not download it."),
    Action.ORIGINAL: _("You may look at this picture, but not download the original."),
    Action.DESCRIBE: _("You may look here, but not describe pictures or add any."),
    Action.MANAGE: _("You may not move, hide or delete this picture: others manage its collection."),
}

NOT_PICTURE = _("You may not describe this picture: it lives in a collection where you may only look.")
NOT_OBJECT = _("You may not describe this object: its pictures live where you may only look.")


def may_in(user: User, collection_id: int | None) -> dict[str, bool]:
    """By action, what this person may do in a collection; None is the whole library."""
    scope = scope_of(user)
    return {action.value: scope.may(action, collection_id) for action in Action}


def may_describe(user: User, subject: Asset | Record) -> bool:
    """An object: those who may describe one of its pictures, or one somewhere where it has none."""
    scope = scope_of(user)
    if isinstance(subject, Asset):
        return scope.may(Action.DESCRIBE, subject.collection_id)
    homes = set(Asset.objects.filter(depictions__record=subject).values_list("collection", flat=True))
    if not homes:
        return scope.may_somewhere(Action.DESCRIBE)
    return any(scope.may(Action.DESCRIBE, home) for home in homes)


def need(request: HttpRequest, action: Action, asset: Asset) -> None:
    """Raises PermissionDenied, for a picture that this person sees."""
    if not scope_of(request.user).may(action, asset.collection_id):
        raise PermissionDenied(REFUSED[action])


def need_to_describe(request: HttpRequest, subject: Asset | Record) -> None:
    """Raises PermissionDenied, for a picture or an object that this person sees."""
    if not may_describe(person(request), subject):
        raise PermissionDenied(NOT_PICTURE if isinstance(subject, Asset) else NOT_OBJECT)


def need_to_manage(request: HttpRequest, collection: Collection) -> None:
    """Raises PermissionDenied, for a collection that this person sees."""
    if not scope_of(request.user).may(Action.MANAGE, collection.pk):
        raise PermissionDenied(_("You may not manage this collection."))


def need_somewhere(request: HttpRequest, action: Action) -> None:
    """Raises PermissionDenied."""
    if not scope_of(request.user).may_somewhere(action):
        raise PermissionDenied(REFUSED[action])
