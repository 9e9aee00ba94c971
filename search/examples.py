"""The examples of a search as its page shows them, and what it says of those that cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Asset
from assets.views.cards import Card, cards_of
from search.forms import MOST_EXAMPLES, Wish
from search.region import Region, RegionError

LONG, SQUARE = 96, 48  # of a thumbnail, in CSS pixels: its longest side, and its height or width


@dataclass(frozen=True)
class Crop:
    """A detail as an SVG shows it: how large, and which part of a picture of `wide` by `high` pixels."""

    width: int
    height: int
    box: str
    wide: int
    high: int


@dataclass(frozen=True)
class Example:
    """A liked or unliked picture, or a detail of one. The addresses are those of other searches."""

    name: str  # of the field that it stands in: like, unlike, region
    value: str
    card: Card
    without: str
    turned: str = ""
    """With the contrary of it."""
    change: str = ""
    """Where its box is drawn anew."""
    crop: Crop | None = None


@dataclass(frozen=True)
class Examples:
    """All of a search that there are and that this person may see, and the addresses around them."""

    shown: list[Example]
    liked: tuple[int, ...]
    unliked: tuple[int, ...]

    @classmethod
    def of(cls, wish: Wish, user: Any) -> "Examples":
        """In the order of the address, loaded in a fixed number of queries."""
        uids = [*wish.like, *wish.unlike, *([wish.region.uid] if wish.region else [])]
        visible = Asset.objects.live().visible_to(user).filter(uid__in=uids)
        assets = list(visible.for_grid()) if uids else []
        cards = {card.asset.uid: card for card in (cards_of(assets) if assets else [])}
        liked = [cards[uid] for uid in wish.like if uid in cards]
        unliked = [cards[uid] for uid in wish.unlike if uid in cards]
        shown = [_of_asset(wish, "like", card, wish.unliking) for card in liked]
        shown += [_of_asset(wish, "unlike", card, wish.liking) for card in unliked]
        if wish.region and wish.region.uid in cards:
            shown.append(_of_region(wish, wish.region, cards[wish.region.uid]))
        return cls(shown, _ids(liked), _ids(unliked))


def said(data: QueryDict, wish: Wish, found: Examples) -> list[str]:
    """Sentences about the examples of an address that are left out: the same for hidden and unknown ones."""
    notices: list[str] = []
    for name in ("like", "unlike"):
        if len(set(data.getlist(name))) > MOST_EXAMPLES:
            liked = name == "like"
            text = (
                _("Only the last %(most)d liked pictures are used.")
                if liked
                else _("Only the last %(most)d disliked pictures are used.")
            )
            notices.append(text % {"most": MOST_EXAMPLES})
    missing = len(wish.like) + len(wish.unlike) - len(found.liked) - len(found.unliked)
    if missing:
        text = ngettext(
            "An example cannot be used: there is no such picture, or you may not see it.",
            "%(number)d of the examples cannot be used: there is no such picture, or you may not see it.",
            missing,
        )
        notices.append(text % {"number": missing})
    if (written := data.get("region", "")) and wish.region is None:
        try:
            Region.of(written)
        except RegionError as error:
            notices.append(str(error))
    return notices


def _of_asset(wish: Wish, name: str, card: Card, turn: Any) -> Example:
    uid = card.asset.uid
    return Example(name, str(uid), card, without=wish.dropping(uid), turned=turn(uid))


def _of_region(wish: Wish, region: Region, card: Card) -> Example:
    names = ("left", "top", "width", "height")
    sides = (region.left, region.top, region.width, region.height)
    query = {name: f"{100 * side:.6g}" for name, side in zip(names, sides, strict=True)}
    rest = wish.address(region=None).partition("?")[2]
    change = f"{card.url}?{urlencode(query | ({'search': rest} if rest else {}))}#detail"
    return Example(
        "region", str(region), card, wish.address(region=None), change=change, crop=_crop(region, card)
    )


def _crop(region: Region, card: Card) -> Crop | None:
    version = card.asset.current_version
    if version is None or not card.src:
        return None
    width, height = region.pixels(version.width, version.height)
    ratio = min(max(width / height, SQUARE / LONG), LONG / SQUARE)
    size = (round(SQUARE * ratio), SQUARE) if ratio > 1 else (SQUARE, round(SQUARE / ratio))
    box = f"{region.left * version.width:.1f} {region.top * version.height:.1f} {width:.1f} {height:.1f}"
    return Crop(*size, box, version.width, version.height)


def _ids(cards: Sequence[Card]) -> tuple[int, ...]:
    return tuple(card.asset.pk for card in cards)
