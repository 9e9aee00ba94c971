"""What a person may write: asked here, of every change, before it is made. The system, `None`, may all.

Words and terms of a picture need "describe" on its home; where it lives, who sees it, the trash, and another
end of its licence or consents than the one that is set need "manage", and so do words about rights that give
away more than before. An object is described by those who may describe one of its pictures; what gives away
more of all of them needs "manage" for all.
"""

from collections import defaultdict
from collections.abc import Collection as Some
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from accounts.models import User
from assets.changes._rights import Widening
from assets.models import Asset, Collection, Depiction, Record
from assets.scopes import EVERYWHERE, Action, Scope, scope_of

MANAGED = {"collection", "access", "embargo_until", "trashed_at"}
ENDS = {"rights_expire_at", "consents"}
"""By these a picture closes: who describes it may set them, and who manages it may change what is set."""
Planned = tuple[Asset | Record, str, Any]
"""An object, one of its fields, and the value that it would get."""


class ChangeRefused(ValueError):
    """The change cannot be made; the message is for people."""


class NotAllowed(ChangeRefused, PermissionDenied):
    """This person may not make it. Views let it pass: it becomes a page that says so, with status 403."""


def check(
    user: User | None, planned: Iterable[Planned], own: Some[Asset | Record] = (), *, undone: bool = False
) -> None:
    """Raises NotAllowed where a person may not change one of these. What is `own`, since they have made it
    themselves, goes to the trash without "manage"; and where they undo what they themselves have done, rights
    become what they were before."""
    for said in refused(user, planned, own, undone=undone).values():
        raise NotAllowed(said)


def refused(
    user: User | None, planned: Iterable[Planned], own: Some[Asset | Record] = (), *, undone: bool = False
) -> dict[Asset | Record, str]:
    """Those of these objects that this person may not change so, and why, in words for people."""
    scope = _narrow(user)
    if scope is None:
        return {}
    planned, own = list(planned), set(own)
    pictures = _homes_of_records({subject.pk for subject, *_ in planned if isinstance(subject, Record)})
    rights = Widening(planned)
    found: dict[Asset | Record, str] = {}
    for subject, field, value in planned:
        if isinstance(subject, Record):
            homes = pictures[subject.pk]
            said = _of_record(scope, homes)
        else:
            homes = {subject.collection_id}
            said = _of_asset(scope, subject, field, value, mine=subject in own)
        if not said and not undone and rights.widens(subject, field, value):
            said = _of_rights(scope, homes)
        if said:
            found.setdefault(subject, said)
    return found


def check_home(user: User | None, home: Collection | None) -> None:
    """Whether something new may be put into this collection, or (None) into a new one at the top.

    Raises NotAllowed.
    """
    scope = _narrow(user)
    if scope is None or scope.may(Action.DESCRIBE, home.pk if home else None):
        return
    if home is None:
        raise NotAllowed(_("You may not make new collections. Choose one of those that are offered."))
    raise NotAllowed(_("You may not put pictures into the collection “%(name)s”.") % {"name": home.name})


def check_collections(user: User | None, *ids: int | None) -> None:
    """Whether collections themselves may be changed; None is the top of all. Raises NotAllowed."""
    scope = _narrow(user)
    if scope is not None and not all(scope.may(Action.MANAGE, pk) for pk in ids):
        where = _("at the top of the library") if ids[-1] is None else _("here")
        raise NotAllowed(_("You may not manage collections %(where)s.") % {"where": where})


def check_terms(user: User | None, action: Action) -> None:
    """Whether somebody may add terms ("describe" somewhere), or change what is there ("manage")."""
    scope = _narrow(user)
    if scope is not None and not scope.may_somewhere(action):
        raise NotAllowed(_("You may not change the vocabulary."))


def _narrow(user: User | None) -> Scope | None:
    """None where all may be changed, and nothing needs to be asked."""
    if user is None:
        return None
    scope = scope_of(user)
    return None if EVERYWHERE == scope.of(Action.DESCRIBE) == scope.of(Action.MANAGE) else scope


def _homes_of_records(ids: set[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    if ids:
        shown = Depiction.objects.filter(record__in=ids).values_list("record", "asset__collection")
        for record, home in shown:
            found[record].add(home)
    return found


def _of_record(scope: Scope, homes: set[int]) -> str:
    may = scope.may_somewhere(Action.DESCRIBE)
    if homes:
        may = any(scope.may(Action.DESCRIBE, home) for home in homes)
    return "" if may else _("You may not describe this object: its pictures live where you may only look.")


def _of_rights(scope: Scope, homes: set[int]) -> str:
    if all(scope.may(Action.MANAGE, home) for home in homes):
        return ""
    return _(
        "You may not allow more than the rights say now: only those who manage the collection of a picture "
        "decide that."
    )


def _of_asset(scope: Scope, asset: Asset, field: str, value: Any, *, mine: bool) -> str:
    managed = field in MANAGED and not (mine and field == "trashed_at")
    managed |= field in ENDS and bool(getattr(asset, field))
    if not scope.may(Action.MANAGE if managed else Action.DESCRIBE, asset.collection_id):
        if not managed:
            return _("You may not describe this picture: it lives in a collection where you may only look.")
        if field in ENDS:
            return _("You may not change when this picture closes: others manage its collection.")
        return _("You may not move, hide or delete this picture: others manage its collection.")
    if field == "collection" and not _may_go_to(scope, value):
        return _("You may not put pictures into the collection “%(name)s”.") % {"name": value}
    return ""


def _may_go_to(scope: Scope, home: Collection) -> bool:
    """One that is still to be made is asked about when it is."""
    if home.pk is None:
        return scope.may_somewhere(Action.DESCRIBE)
    return scope.may(Action.DESCRIBE, home.pk)
