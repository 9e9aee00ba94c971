"""Who can see a collection, and why, in words."""

from collections import defaultdict
from typing import NamedTuple

from django.db.models import Q
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from assets.inheriting import chain, grants_of
from assets.models import Collection


class Audience(NamedTuple):
    people: int
    """Active accounts, each counted once."""
    administrators: int
    roles: list[tuple[str, list[str]]]
    """(where it is granted, names of the groups), the nearest place first."""

    def __str__(self) -> str:
        """As `12 people can see this: Curators and Viewers of the whole library; 2 administrators.`"""
        parts = [f"{get_text_list(names, _('and'))} {where}" for where, names in self.roles]
        number = self.administrators
        if number or not parts:
            parts.append(
                ngettext("%(number)d administrator", "%(number)d administrators", number) % {"number": number}
            )
        said = ngettext(
            "%(number)d person can see this: %(who)s.",
            "%(number)d people can see this: %(who)s.",
            self.people,
        )
        return said % {"number": self.people, "who": "; ".join(parts)}


def of(collection: Collection | None) -> Audience:
    """Of what is neither restricted nor under an embargo; None is the whole library. In four queries."""
    places = chain(collection)
    found = grants_of(places).select_related("group", "collection").order_by("group__name")
    by_place: dict[int | None, list[str]] = defaultdict(list)
    groups = set()
    for grant in found:
        groups.add(grant.group_id)
        by_place[grant.collection_id].append(grant.group.name)
    names = {grant.collection_id: _named(grant.collection, collection) for grant in found}
    active = User.objects.filter(is_active=True)
    people = active.filter(Q(is_superuser=True) | Q(groups__in=groups)).distinct().count()
    roles = [(names[pk], by_place[pk]) for pk in places if pk in by_place]
    return Audience(people, active.filter(is_superuser=True).count(), roles)


def _named(place: Collection | None, here: Collection | None) -> str:
    if place is None:
        return _("of the whole library")
    return (
        _("of this collection") if place == here else _("of the collection “%(name)s”") % {"name": place.name}
    )
