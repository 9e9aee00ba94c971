"""What a person may do with the pictures of which home collections: resolved once for one request.

A grant gives a group some actions on a collection and all below it, or on the whole library. A collection
that does not inherit begins anew: what is granted above does not count there and below. docs/decisions/0032.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

WHOLE = None
"""In the place of a collection's id: the whole library."""


class Action(models.TextChoices):
    SEE = "see", _("see")
    DOWNLOAD = "download", _("download copies")
    ORIGINAL = "original", _("download originals")
    DESCRIBE = "describe", _("describe and upload")
    MANAGE = "manage", _("manage")
    SHARE = "share", _("share")
    RESTRICTED = "restricted", _("see restricted and embargoed pictures")


IMPLIED: dict[str, set[str]] = {
    Action.ORIGINAL: {Action.DOWNLOAD},
    Action.MANAGE: {Action.DESCRIBE},
}
"""Beside these, each action implies that one may see."""
Granted = Mapping[int | None, Iterable[str]]


@dataclass(frozen=True)
class Homes:
    """Some home collections: those of `ids`, or all but those."""

    ids: tuple[int, ...] = ()
    all_but: bool = False
    homeless: bool = False
    """Whether what is in no collection counts as well: what was deleted, of a collection that is gone."""
    others: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """Where `ids` are those that are meant: the other collections, for sums that are shorter with them. They
    decide nothing, since one made a moment ago is not among them."""

    @cached_property
    def _ids(self) -> frozenset[int]:
        return frozenset(self.ids)

    @property
    def every(self) -> bool:
        return self.all_but and not self.ids

    @property
    def none(self) -> bool:
        return not (self.all_but or self.ids)

    def __contains__(self, collection_id: int | None) -> bool:
        if collection_id is None:
            return self.homeless
        return (collection_id in self._ids) is not self.all_but

    def q(self) -> Q:
        """The condition on rows with a `collection`, which may be null."""
        homed = ~Q(collection__in=self.ids) if self.ids else ~Q(pk__in=[])
        homed = homed if self.all_but else Q(collection__in=self.ids)
        return homed | Q(collection=None) if self.homeless else homed & Q(collection__isnull=False)

    def sql(self, column: str) -> str:
        """The same of a column that is never null. The ids stand in the text: of a parameter the database
        would neither guess how many rows have them, nor look them up by their hash."""
        if self.every or self.none:
            return "TRUE" if self.every else "FALSE"
        listed = ",".join(str(int(pk)) for pk in self.ids)
        return f"{column} {'<> ALL' if self.all_but else '= ANY'}('{{{listed}}}'::bigint[])"


EVERYWHERE, NOWHERE = Homes(all_but=True, homeless=True), Homes()


@dataclass(frozen=True)
class Scope:
    """In which homes a person may do what. Equal scopes see the same; `key` names one in a cache."""

    signed_in: bool = False
    homes: tuple[tuple[str, Homes], ...] = ()

    def of(self, action: str) -> Homes:
        return dict(self.homes).get(action, NOWHERE)

    def may(self, action: str, collection_id: int | None) -> bool:
        return collection_id in self.of(action)

    def may_somewhere(self, action: str) -> bool:
        return not self.of(action).none or self.of(action).homeless

    @cached_property
    def key(self) -> str:
        return hashlib.sha256(repr((self.signed_in, self.homes)).encode()).hexdigest()[:32]

    def visible(self, public: Q) -> Q:
        """The condition on rows with `access`, `embargo_until` and `collection`, for somebody signed in.

        `public` says which of them are for all.
        """
        see, restricted = self.of(Action.SEE), self.of(Action.RESTRICTED)
        rule = Q() if see == EVERYWHERE else public | see.q()
        if restricted != EVERYWHERE:
            rule &= (embargo_is_over() & ~Q(access="restricted")) | restricted.q()
        return rule


NOBODY = Scope()
ADMINISTRATOR = Scope(signed_in=True, homes=tuple((action.value, EVERYWHERE) for action in Action))


def embargo_is_over() -> Q:
    return Q(embargo_until=None) | Q(embargo_until__lte=timezone.now())


def rights_last() -> Q:
    """Of pictures: neither the licence nor a consent has ended."""
    now, ends = timezone.now(), ("rights_expire_at", "consent_ends_at")
    licence, consent = (Q(**{end: None}) | Q(**{f"{end}__gt": now}) for end in ends)
    return licence & consent


def with_implied(actions: Iterable[str]) -> set[str]:
    """These actions, and those that one cannot do without; `ValueError` never: unknown names are kept."""
    found = set(actions)
    for action in list(found):
        found |= IMPLIED.get(action, set())
    return found | {Action.SEE.value} if found else found


def scope_of(user: Any) -> Scope:
    """What `user` may do: kept on the user object, which lives as long as its request. Nothing, once the
    account is switched off: what it had begun, such as an import, does not go on in its name."""
    if not user.is_authenticated or not user.is_active:
        return NOBODY
    if user.is_superuser:
        return ADMINISTRATOR
    known = getattr(user, "_scope", None)
    if known is None:
        known = user._scope = _resolved(user)
    return known


def forget(user: Any) -> None:
    """Where grants or groups change while a user object lives on."""
    user.found_grants = None
    if hasattr(user, "_scope"):
        del user._scope


def resolve(granted: Granted, tree: Iterable[tuple[int, int | None, bool]]) -> Scope:
    """The scope of a signed-in person from (collection, its parent, whether it inherits) of all of them."""
    children: dict[int | None, list[tuple[int, bool]]] = defaultdict(list)
    for pk, parent, inherits in tree:
        children[parent].append((pk, inherits))
    effective: dict[int | None, set[str]] = {WHOLE: with_implied(granted.get(WHOLE, ()))}
    waiting: list[int | None] = [WHOLE]
    while waiting:
        above = waiting.pop()
        for pk, inherits in children[above]:
            effective[pk] = with_implied(granted.get(pk, ())) | (effective[above] if inherits else set())
            waiting.append(pk)
    everywhere = effective.pop(WHOLE)
    homes = ((action.value, _homes(action, effective, action in everywhere)) for action in Action)
    return Scope(signed_in=True, homes=tuple(homes))


def _homes(action: str, effective: Mapping[int | None, set[str]], everywhere: bool) -> Homes:
    """Whichever list is shorter; but only of what is granted for the whole library is a new one part."""
    inside = [pk for pk, actions in effective.items() if pk is not None and action in actions]
    outside = [pk for pk, actions in effective.items() if pk is not None and action not in actions]
    if not everywhere:
        return Homes(tuple(sorted(inside)), others=tuple(sorted(outside)))
    if len(outside) <= len(inside):
        return Homes(tuple(sorted(outside)), all_but=True, homeless=True)
    return Homes(tuple(sorted(inside)), homeless=True, others=tuple(sorted(outside)))


# Asked with nearly every request, so that the ORM would take longer than the database. The collections are
# only needed where not everything is granted for the whole library.
GRANTED = """
    SELECT json_build_object(
        'granted', json_agg(json_build_array(g.collection_id, g.actions)),
        'tree', CASE WHEN bool_or(g.collection_id IS NOT NULL)
                OR EXISTS (SELECT FROM assets_collection c WHERE NOT c.inherits)
            THEN (SELECT json_agg(json_build_array(c.id, c.parent_id, c.inherits))
                FROM assets_collection c) END
    )::text
    FROM assets_grant g JOIN accounts_user_groups m ON m.group_id = g.group_id WHERE m.user_id = {}
"""


def with_grants(people: Any) -> Any:
    """settings.PERSON_LOADED, of a queryset: what each is granted comes with the person, at no query more."""
    granted = GRANTED.format("accounts_user.id AND NOT accounts_user.is_superuser")
    return people.annotate(found_grants=RawSQL(granted, [], models.TextField()))  # noqa: S611 (no values)


def _resolved(user: Any) -> Scope:
    """From what was loaded with the person, else by one statement."""
    if user.pk is None:
        return resolve({}, ())
    found = _loaded_with(user)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(GRANTED.format("%s"), [user.pk])
            ((found,),) = cursor.fetchall()
    told = json.loads(found)
    granted: dict[int | None, set[str]] = defaultdict(set)
    for collection, actions in told["granted"] or ():
        granted[collection] |= set(actions)
    return resolve(granted, told["tree"] or ())


def _loaded_with(user: Any) -> str | None:
    """Told once: a scope that is forgotten is asked for anew."""
    found: str | None = getattr(user, "found_grants", None)
    user.found_grants = None
    return found
