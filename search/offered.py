"""What stands around the results, remembered for a while for all who may see the same."""

from typing import Any

from django.db.models import Count

from accounts.models import User
from assets.models import TAGS, Asset, AssetTerm, StageRun
from assets.scopes import Action, scope_of
from assets.views.visible import collections_for
from search import cached

TAGS_OFFERED = 200
SECONDS = 10


def tags_offered(user: User) -> list[str]:
    """The tags that are on most pictures which this person may see."""

    def used() -> list[str]:
        seen = AssetTerm.objects.filter(asset__in=Asset.objects.live().visible_to(user))
        counted = seen.filter(term__vocabulary__slug=TAGS).values("term__label").annotate(uses=Count("pk"))
        most = counted.order_by("-uses", "term__key").values_list("term__label", flat=True)
        return list(most[:TAGS_OFFERED])

    return cached.for_a_minute(f"tags:{_rule(user)}", used)


def collections_offered(user: User, chosen: str) -> list[tuple[str, str]]:
    """(path, name moved in by its depth) of the collections that this person may see something of.

    What is chosen is always among them, in the words of the address: it may be newer than what is remembered.
    """

    def named() -> list[tuple[str, str]]:
        found = collections_for(user)
        return [(path, "\u2003" * path.count(" / ") + one.name) for one, path in found]

    found = cached.for_a_minute(f"collections:{_rule(user)}", named, SECONDS)
    known = not chosen or any(path == chosen for path, _ in found)
    return list(found) if known else [(chosen, chosen), *found]


def attention(user: User) -> dict[str, Any]:
    """What the library says of itself where nobody has asked for anything."""

    def count() -> int:
        failed = StageRun.objects.filter(state=StageRun.State.FAILED).values("version")
        return Asset.objects.live().visible_to(user).filter(current_version__in=failed).count()

    return {
        "failed": cached.for_a_minute(f"failed:{_rule(user)}", count, SECONDS),
        "demo": Asset.objects.live().allowing(user, Action.MANAGE).filter(is_demo=True).exists(),
    }


def _rule(user: User) -> str:
    """The same for all who may see the same."""
    return scope_of(user).key
