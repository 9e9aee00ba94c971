"""Two result lists beside each other, and what they have in common."""

from dataclasses import dataclass

from accounts.models import User
from assets.views.cards import Card, cards_of
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.query import run

SHOWN = 12


@dataclass(frozen=True)
class Place:
    """A picture in one list; `other` is its place in the other, 0 where that does not show it."""

    number: int
    card: Card
    other: int


@dataclass(frozen=True)
class Side:
    space: EmbeddingSpace
    places: list[Place]
    notices: list[str]

    @property
    def shared(self) -> int:
        return sum(place.other > 0 for place in self.places)


def sides_of(
    user: User, text: str, mode: str, first: EmbeddingSpace | None, second: EmbeddingSpace | None
) -> list[Side]:
    """What this person finds in both; empty without a question or without two spaces."""
    if not text.strip() or first is None or second is None:
        return []
    both = [
        run(HybridQuery(user=user, text=text, mode=mode, limit=SHOWN), space) for space in (first, second)
    ]
    where = [{asset.pk: n for n, asset in enumerate(found.assets, start=1)} for found in both]
    return [
        Side(
            space,
            [
                Place(number, card, other.get(card.asset.pk, 0))
                for number, card in enumerate(cards_of(found.assets), start=1)
            ],
            list(dict.fromkeys(found.notices)),
        )
        for space, found, other in zip((first, second), both, reversed(where), strict=True)
    ]
