"""The examples of a search as its page shows them, and what it says of those that cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

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
class Given:
    """Those of a search that there are and that this person may see, in the order of the address."""

    liked: tuple[int, ...]
    unliked: tuple[int, ...]
    detail: int | None = None
    """The picture that a detail is a part of."""

    @classmethod
    def of(cls, wish: Wish, seen: Mapping[UUID, int]) -> "Given":
        """`seen`: the pictures that may be seen, by the ids in their addresses."""
        liked = tuple(seen[uid] for uid in wish.like if uid in seen)
        unliked = tuple(seen[uid] for uid in wish.unlike if uid in seen)
        return cls(liked, unliked, seen.get(wish.region.uid) if wish.region else None)

    @classmethod
    def asked(cls, wish: Wish, user: Any) -> "Given":
        """By one query, if there are any."""
        uids = [*wish.like, *wish.unlike]
        visible = Asset.objects.live().visible_to(user).filter(uid__in=uids)
        return cls.of(wish, dict(visible.values_list("uid", "pk")) if uids else {})

    @property
    def every(self) -> tuple[int, ...]:
        return (*self.liked, *self.unliked, *([self.detail] if self.detail else []))


def examples(wish: Wish, given: Given, assets: Mapping[int, Asset]) -> list[Example]:
    """As the page shows them, of assets as `assets.grid.loaded` has them."""
    cards = {card.asset.pk: card for card in cards_of(assets[pk] for pk in given.every if pk in assets)}
    shown = [_of_asset(wish, "like", cards[pk], wish.unliking) for pk in given.liked if pk in cards]
    shown += [_of_asset(wish, "unlike", cards[pk], wish.liking) for pk in given.unliked if pk in cards]
    if wish.region and given.detail in cards:
        shown.append(_of_region(wish, wish.region, cards[given.detail]))
    return shown


def said(data: QueryDict, wish: Wish, found: Given) -> list[str]:
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
