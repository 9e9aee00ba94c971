"""Where a grant counts: on the collection that it was given for, and on all below that inherit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q, QuerySet

from assets.models import Collection, Grant
from assets.scopes import WHOLE, with_implied

Actions = dict[int, set[str]]
"""By the id of a group."""


def chain(collection: Collection | None) -> list[int | None]:
    """Where a grant counts for this collection: itself, and what is above as far as it inherits."""
    if collection is None:
        return [WHOLE]
    known = {
        pk: (parent, inherits)
        for pk, parent, inherits in Collection.objects.values_list("pk", "parent", "inherits")
    }
    found: list[int | None] = []
    at: int | None = collection.pk
    while at is not None and at in known and at not in found:
        found.append(at)
        at, inherits = known[at]
        if not inherits:
            return found
    return [*found, WHOLE]


def inherited(collection: Collection) -> Actions:
    """What each group is granted above a collection and so may do in it."""
    return granted_in(chain(collection)[1:])


def effective(collection: Collection | None) -> Actions:
    """What each group may do in it, by grants here and above; None is the whole library."""
    return {pk: with_implied(actions) for pk, actions in granted_in(chain(collection)).items()}


def effective_if(
    granted: Mapping[int, Iterable[str]], parent: Collection | None, *, inherits: bool
) -> Actions:
    """What each group could do in a collection with these grants, that stood in this other one."""
    found: Actions = defaultdict(set, effective(parent) if inherits else {})
    for pk, actions in granted.items():
        found[pk] |= with_implied(actions)
    return found


def added(before: Mapping[int, set[str]], after: Mapping[int, set[str]]) -> set[str]:
    """The actions that some group gets which it has not had."""
    return {action for pk, actions in after.items() for action in actions - before.get(pk, set())}


def granted_in(places: list[int | None]) -> Actions:
    found: Actions = defaultdict(set)
    for grant in grants_of(places):
        found[grant.group_id] |= set(grant.actions)
    return found


def grants_of(places: list[int | None]) -> "QuerySet[Grant]":
    ids = [pk for pk in places if pk is not WHOLE]
    whole = Q(collection=None) if WHOLE in places else Q(pk__in=[])
    return Grant.objects.filter(Q(collection__in=ids) | whole).exclude(actions=[])
