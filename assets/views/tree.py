"""The collections as a person sees them: a tree with numbers of pictures and covers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Min, Q

from accounts.models import User
from assets.models import Asset, Collection
from assets.views.cards import Card, cards_of
from assets.views.visible import collections_for


@dataclass
class Node:
    """A collection and what is inside it. Numbers count what this person may see, inner collections too."""

    collection: Collection
    path: str
    inner: list["Node"] = field(default_factory=list)
    pictures: int = 0
    awaited: int = 0
    """Objects that wait for their picture."""
    first: int | None = None
    """The first visible picture, by its id; of the collection itself, else of one inside it."""
    cover: Card | None = None
    """Chosen, or of the first picture."""

    def whole(self) -> Iterator["Node"]:
        """This one and all that it contains."""
        yield self
        for node in self.inner:
            yield from node.whole()


def tree_for(user: User) -> dict[int, Node]:
    """All that this person may be offered, by id, parents before their inner ones; in about six queries."""
    nodes: dict[int, Node] = {c.pk: Node(c, path) for c, path in collections_for(user)}
    shown = Asset.objects.live().visible_to(user).order_by()
    has_picture = Q(current_version__isnull=False)
    counted = shown.values_list("collection").annotate(
        pictures=Count("pk", filter=has_picture),
        awaited=Count("pk", filter=~has_picture),
        first=Min("pk", filter=has_picture),
    )
    for pk, pictures, awaited, first in counted:
        if pk in nodes:
            nodes[pk].pictures, nodes[pk].awaited, nodes[pk].first = pictures, awaited, first
    for node in reversed(nodes.values()):  # in the order of their paths: what is inside comes later
        if node.collection.parent_id in nodes:
            above = nodes[node.collection.parent_id]
            above.inner.insert(0, node)
            above.pictures += node.pictures
            above.awaited += node.awaited
            above.first = above.first or node.first
    return nodes


def with_covers(nodes: Iterable[Node], user: User) -> None:
    """Give these their covers, in five queries however many they are."""
    nodes = list(nodes)
    wanted = {pk for node in nodes for pk in (node.collection.cover_id, node.first) if pk}
    seen = Asset.objects.live().visible_to(user).filter(current_version__isnull=False)
    cards = {card.asset.pk: card for card in cards_of(seen.filter(pk__in=wanted).for_grid())}
    for node in nodes:
        node.cover = cards.get(node.collection.cover_id or 0) or cards.get(node.first or 0)
