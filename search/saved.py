"""Saved searches: keeping a question with its picture, and asking it again."""

from dataclasses import replace

from django.db.models import Count, F, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from assets.models import Asset
from search import cached, explained
from search.encoders import UnreadableImage
from search.examples import Given
from search.forms import MODE_NAMES, Wish
from search.hybrid import HybridQuery
from search.models import SavedMatch, SavedSearch
from search.query import possible
from search.question import opened

LONGEST_SHOWN = 200  # characters of a question that was pasted
MOST_ALERTS = 50
"""Of one person: each is a search of its own whenever something new comes in."""


class SavedError(ValueError):
    """It cannot be kept; the message is for people."""


def visible_to(user: User) -> "QuerySet[SavedSearch]":
    """One's own and shared ones."""
    return SavedSearch.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner")


def keep(user: User, name: str, wish: Wish, *, shared: bool = False, alert: bool = False) -> SavedSearch:
    """Raises SavedError."""
    if not wish.narrowed:
        raise SavedError(_("There is nothing to save: ask for something first, or choose a filter."))
    image = cached.picture(wish.picture) if wish.picture else None
    if wish.picture and image is None:
        raise SavedError(_("The picture to search by is kept for an hour only. Please give it again."))
    if image:
        try:
            opened(image)
        except UnreadableImage as error:
            raise SavedError(str(error)) from error
    question = replace(wish, picture="", why=False, weak=False).address().partition("?")[2]
    kept = SavedSearch(owner=user, name=name, question=question, picture=image, shared=shared)
    set_alert(kept, alert)
    kept.save()
    return kept


def set_alert(saved: SavedSearch, wanted: bool) -> None:
    """Pictures that come from now on are told; not saved. Raises SavedError where there are too many."""
    if wanted and saved.alert_since is None:
        others = SavedSearch.objects.filter(owner=saved.owner, alert_since__isnull=False)
        if others.count() >= MOST_ALERTS:
            raise SavedError(_("Not more than %(most)d searches can have an alert.") % {"most": MOST_ALERTS})
        saved.alert_since = saved.looked_at = timezone.now()
    elif not wanted:
        saved.alert_since = None


def wish_of(saved: SavedSearch) -> Wish:
    """What it asks for, but for the picture."""
    return Wish.of(QueryDict(saved.question))


def address(saved: SavedSearch) -> str:
    """Of the search page with this question; its picture is put where the page looks for it."""
    token = cached.keep_picture(bytes(saved.picture)) if saved.picture else ""
    return wish_of(saved).address(picture=token)


def query_of(saved: SavedSearch) -> HybridQuery | None:
    """The question as its owner may ask it; None where all that it would rank by is gone or hidden."""
    wish, user = wish_of(saved), saved.owner
    given = Given.asked(wish, user)
    query = HybridQuery(
        user=user,
        text=wish.q,
        image=bytes(saved.picture) if saved.picture else None,
        liked=given.liked,
        unliked=given.unliked,
        region=wish.region,
        tags=wish.tags,
        collections=(wish.collection,) if wish.collection else (),
        filters=wish.filters,
        mode=wish.mode,
    )
    query = possible(query, [])
    asked = wish.asks or bool(saved.picture) and wish.mode != "keywords"
    return query if query.asks or not asked else None


def in_words(saved: SavedSearch) -> list[str]:
    """What it asks for, in pieces for people."""
    wish = wish_of(saved)
    pieces = [f"“{Truncator(wish.q).chars(LONGEST_SHOWN)}”"] if wish.q else []
    pieces += [_("tag: %(tag)s") % {"tag": tag} for tag in wish.tags]
    pieces += [_("in %(collection)s") % {"collection": wish.collection}] if wish.collection else []
    pieces += [text for text, _without in explained.filters(wish)]
    shown = len(wish.like) + bool(wish.region) + bool(saved.picture)
    if shown:
        said = ngettext("like %(number)d picture", "like %(number)d pictures", shown)
        pieces.append(said % {"number": shown})
    if wish.unlike:
        said = ngettext("not like %(number)d picture", "not like %(number)d pictures", len(wish.unlike))
        pieces.append(said % {"number": len(wish.unlike)})
    return pieces + ([_(MODE_NAMES[wish.mode])] if wish.mode != "best" else [])


def news(user: User) -> "QuerySet[SavedMatch]":
    """What alerts have found since their owner last looked, of all that this person may still see."""
    seen = Asset.objects.live().visible_to(user)
    found = SavedMatch.objects.filter(search__owner=user, search__alert_since__isnull=False, asset__in=seen)
    return found.filter(found_at__gt=F("search__looked_at"))


def numbers_of_news(user: User) -> dict[int, int]:
    """How many are new, by the id of the search."""
    counted = news(user).values("search").annotate(number=Count("pk"))
    return dict(counted.values_list("search", "number"))
