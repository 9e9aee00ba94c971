"""What stands around the results, remembered for a while for all who may see the same."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet

from accounts.models import User
from assets.models import TAGS, Asset, AssetTerm, Collection, StageRun
from assets.scopes import Action, scope_of
from assets.views.visible import collections_to_offer, offered_of
from search import together
from search.cached import Kept
from search.sql import Fragment

TAGS_OFFERED = 200
SECONDS = 10


def with_chosen(found: Sequence[tuple[str, str]], chosen: str) -> list[tuple[str, str]]:
    """What is chosen is always among them, in the words of the address: it may be newer than what is
    remembered."""
    known = not chosen or any(path == chosen for path, _ in found)
    return [*found] if known else [(chosen, chosen), *found]


def tags(user: User) -> Kept[list[str]]:
    """The tags that are on most pictures which this person may see."""

    def most() -> Fragment | None:
        seen = AssetTerm.objects.filter(asset__in=Asset.objects.live().visible_to(user))
        counted = seen.filter(term__vocabulary__slug=TAGS).values("term__label").annotate(uses=Count("pk"))
        return together.of(counted.order_by("-uses", "term__key")[:TAGS_OFFERED], "term__label")

    return Kept(f"tags:{_rule(user)}", most, lambda rows: [label for label, *_ in rows])


def collections(user: User) -> Kept[list[tuple[str, str]]]:
    """(path, name moved in by its depth) of the collections that this person may see something of."""
    names = ("pk", "name", "parent_id", "used", "seen")

    def named(rows: list[tuple[Any, ...]]) -> list[tuple[str, str]]:
        every = [_collection(dict(zip(names, row, strict=True))) for row in rows]
        return [(path, "\u2003" * path.count(" / ") + one.name) for one, path in offered_of(every, user)]

    def every() -> Fragment | None:
        return together.of(collections_to_offer(user), *names)

    return Kept(f"collections:{_rule(user)}", every, named, SECONDS)


def _collection(values: dict[str, Any]) -> Collection:
    found: Any = Collection(pk=values["pk"], name=values["name"], parent_id=values["parent_id"])
    found.used, found.seen = values["used"], values["seen"]
    made: Collection = found
    return made


def failed(user: User) -> Kept[int]:
    def found() -> QuerySet[Asset]:
        runs = StageRun.objects.filter(state=StageRun.State.FAILED).values("version")
        return Asset.objects.live().visible_to(user).filter(current_version__in=runs)

    return Kept.number(f"failed:{_rule(user)}", found, SECONDS)


def demo(user: User) -> Kept[bool]:
    """Whether there is a picture of the demonstration that this person may take away: asked each time."""

    def shown() -> Fragment | None:
        found = Asset.objects.live().allowing(user, Action.MANAGE).filter(is_demo=True)
        return together.of(found[:1], "pk")

    return Kept("", shown, bool, seconds=0)


def _rule(user: User) -> str:
    """The same for all who may see the same."""
    return scope_of(user).key
