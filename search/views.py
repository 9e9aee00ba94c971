"""The library and searching it are one page; its state lies in the address."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from assets.models import Asset
from assets.scopes import Action, scope_of
from assets.views.cards import Card, cards_of
from assets.views.lines import facts_of
from assets.views.requests import Request, person
from assets.views.script_words import LIBRARY, translated
from search import encoders, explained, places, question_log, spaces, timeline
from search.cached import MAX_PICTURE_BYTES
from search.examples import Given, examples, said
from search.facets import facets as counted
from search.forms import MODE_NAMES, MOST_CHARACTERS, PER_PAGE, DetailForm, PictureForm, Wish
from search.forms import without as _without
from search.heads import heads
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.narrowing import narrowing
from search.offered import with_chosen
from search.opening import opened
from search.query import DEPTH, Results, recall_image, remember_image, run
from search.reasons import reasons
from search.region import RegionError, version_of
from search.suggestions import suggest

SIMILAR = 8
VIEW, A_YEAR = "view", 365 * 86_400  # the name of a cookie, and its seconds
REMEMBERED = ("grid", "list")  # a timeline and a map are for one question: the next one begins as usual


@login_required
@require_safe
@vary_on_headers("HX-Request")  # else "back" would show a part as the page
def library(request: Request) -> HttpResponse:
    wish = Wish.of(request.GET)
    response = answer(request, remembered(wish, request))
    if wish.view in REMEMBERED:
        response.set_cookie(VIEW, wish.view, A_YEAR, samesite="Lax", httponly=True)
    return response


def remembered(wish: Wish, request: HttpRequest) -> Wish:
    """As a list where that was chosen last, unless the address says otherwise; a grid needs no word."""
    if wish.by_time or wish.by_place:
        return wish
    view = wish.view or request.COOKIES.get(VIEW)
    return replace(wish, view="list" if view == "list" else "")


def answer(request: Request, wish: Wish) -> HttpResponse:
    """The page; or, for a page that has more of it, the cards of one more page alone."""
    image = recall_image(wish.picture) if wish.picture else None
    asked_for = request.htmx and not request.htmx.history_restore_request
    more = bool(asked_for and (wish.page > 1 or request.htmx.target == "cards"))
    begin = wish.page if more else wish.begin
    opening = opened(wish, person(request), whole=not more)
    given, space = Given.of(wish, opening.examples), opening.space
    query = query_of(request, wish, given, image, begin)
    query = replace(query, stored=opening.vectors, known=opening.known)
    results = run(query, space)
    results.notices += said(request.GET, wish, given)
    if wish.picture and image is None:
        results.notices.append(_("The picture to search by is kept for an hour only. Please give it again."))
    if len(request.GET.get("q", "")) > MOST_CHARACTERS:
        text = _("Only the first %(most)s characters of the question were used.")
        results.notices.append(text % {"most": _shown(MOST_CHARACTERS)["shown"]})
    context = page_context(wish, results, begin)
    if wish.by_time and results.assets:
        context |= timeline.context(wish, query, context, request.GET.get("by", "") if more else "plot")
    if wish.by_place and results.assets and not more:
        context |= places.context(wish, query, results.total)
    context["examples"] = [] if more else examples(wish, given, results.examples)
    context["model_notice"] = model_notice(space) if results.notices else ""
    if more:
        above = request.htmx.trigger == "earlier"
        return render(request, "search/partials/more.html", context | {"later": True, "upwards": above})
    asked = {"marked": explained.marked(wish, results.mistakes), "parts": explained.parts(wish)}
    asked |= {"said": explained.told(wish, results), "meant": explained.meant(wish, results)}
    page = render(request, "search/library.html", context | asked | around(request, wish, opening.around))
    if wish != Wish(q=wish.q, mode=wish.mode, view=wish.view):  # it goes on with a question that was counted
        return page
    return question_log.after(page, wish.q, wish.mode, results.total, results.strong)


def query_of(request: HttpRequest, wish: Wish, given: Given, image: bytes | None, begin: int) -> HybridQuery:
    """The question for the pages from `begin` to that of the wish."""
    return HybridQuery(
        user=request.user,
        text=wish.q,
        image=image,
        liked=given.liked,
        unliked=given.unliked,
        region=wish.region,
        tags=wish.tags,
        collections=(wish.collection,) if wish.collection else (),
        filters=wish.filters,
        mode=wish.mode,
        weak=wish.weak,
        sort=wish.order,
        limit=(wish.page - begin + 1) * PER_PAGE,
        offset=(begin - 1) * PER_PAGE,
        makers=wish.in_lines,
        beside=given.every,
    )


def page_context(wish: Wish, results: Results, begin: int) -> dict[str, Any]:
    follows = wish.page * PER_PAGE < results.reachable
    above = wish.address(page=wish.begin - 1) if wish.begin > 1 else ""
    return {
        "wish": wish,
        "results": results,
        **parts(wish, results, begin),
        "next": wish.address(page=wish.page + 1) if follows else "",
        "more": wish.address(page=wish.page + 1, first=wish.begin) if follows else "",
        "ends": results.reachable == DEPTH < results.total and not follows,
        "deepest": DEPTH,
        "previous": above,
        "earlier": above,
        "adding": wish.adding(),
        "per_page": PER_PAGE,
        "heads": heads(wish) if wish.in_lines else (),
        "question": wish.address().partition("?")[2],
        "as_grid": wish.address(view="grid", page=wish.page, first=wish.first),
        "as_list": wish.address(view="list", page=wish.page, first=wish.first),
        "as_timeline": wish.address(view="timeline"),
        "as_map": wish.address(view="map"),
        "counted": how_many(results.total, results.awaited),
        "only_pictures": wish.address(q=f"{wish.q} has:picture".strip())
        if 0 < results.awaited < results.total
        else "",
        "first": (begin - 1) * PER_PAGE + 1,
        "last": (begin - 1) * PER_PAGE + len(results.assets),
    }


def how_many(total: int, awaited: int) -> str:
    """`3 pictures, 12 waiting for theirs`: an object without its picture is none."""
    pictures = total - awaited
    if not awaited:
        return ngettext("%(shown)s picture", "%(shown)s pictures", total) % _shown(total)
    if pictures:
        shown = ngettext("%(shown)s picture", "%(shown)s pictures", pictures) % _shown(pictures)
        waiting = _("%(shown)s waiting for theirs") % _shown(awaited)
        return f"{shown}, {waiting}"
    text = ngettext(
        "%(shown)s object waiting for its picture", "%(shown)s objects waiting for their pictures", awaited
    )
    return text % _shown(awaited)


def _shown(number: int) -> dict[str, str]:
    return {"shown": number_format(number, force_grouping=True)}


def parts(wish: Wish, results: Results, begin: int) -> dict[str, Any]:
    """The cards, apart by whether they match well, and the ways to the weaker ones and to reasons."""
    cards = placed(cards_of(results.assets), wish, begin)
    if wish.why and wish.asks:
        why = reasons(wish.q, results.hits)
        cards = [replace(card, why=why[card.asset.pk]) for card in cards]
    if wish.in_lines:
        facts = facts_of(results.assets)
        cards = [replace(card, facts=facts[card.asset.pk]) for card in cards]
    told = results.strong is not None and wish.mode != "keywords"
    known = [told and hit.strong is False for hit in results.hits]
    strong, weak = _where(cards, known, False), _where(cards, known, True)
    here = {"page": wish.page, "first": wish.begin}
    return {
        "cards": cards,
        "told": told,
        "strong_cards": strong,
        "weak_cards": weak,
        "divided": bool(weak and (results.strong or 0) >= (begin - 1) * PER_PAGE),
        "weaker": results.ranked - results.reachable,
        "show_weaker": wish.address(weak=True, **here),
        "hide_weaker": wish.address(weak=False) if wish.weak and results.strong else "",
        "switch_why": wish.address(why=not wish.why, **here),
    }


def placed(cards: list[Card], wish: Wish, begin: int) -> list[Card]:
    """Cards whose links say where they stand: the page of each leads to its neighbours (search.along)."""
    asked = wish.address().partition("?")[2]
    first = (begin - 1) * PER_PAGE
    links = (f"?{urlencode({'in': asked, 'at': first + n})}" for n in range(len(cards)))
    return [replace(card, place=link) for card, link in zip(cards, links, strict=True)]


def _where(cards: list[Card], flags: list[bool], wanted: bool) -> list[Card]:
    return [card for card, flag in zip(cards, flags, strict=True) if flag is wanted]


def model_notice(space: EmbeddingSpace | None) -> str:
    """What the encoder itself says to everybody who searches: the page links it to an explanation."""
    try:
        return _(spaces.encoder_of(space).notice) if space else ""
    except encoders.EncoderError:
        return ""


def around(request: HttpRequest, wish: Wish, known: dict[str, Any]) -> dict[str, Any]:
    """What stands around the results: filters, suggestions, and what waits for attention."""
    return {
        "chips": [(tag, wish.address(tags=_without(wish.tags, tag))) for tag in wish.tags],
        "filters": explained.filters(wish),
        "facets": wish.facets,
        "without_picture": wish.address(picture=""),
        "clear": wish.address(
            q="", tags=(), collection="", filters=(), like=(), unlike=(), region=None, picture=""
        ),
        "without_filters": wish.address(tags=(), collection="", filters=()),
        "by_likeness": wish.address(mode="visual"),
        "by_words": wish.address(mode="keywords"),
        "tag_labels": known["tags"],
        "collections": with_chosen(known["collections"], wish.collection),
        "modes": {mode: _(name) for mode, name in MODE_NAMES.items()},
        **{name: known[name] for name in ("failed", "demo") if name in known},
        "max_picture": MAX_PICTURE_BYTES,
        "script_words": translated(LIBRARY),
        "helps": explained.helps(get_language()),
        "may_see": scope_of(request.user).may_somewhere(Action.SEE),
    }


@login_required
@require_safe
@vary_on_headers("HX-Request")
def facets(request: Request) -> HttpResponse:
    """What the question can be narrowed by: beside the results, or without a script a page of its own."""
    wish = Wish.of(request.GET)
    image = recall_image(wish.picture) if wish.picture else None
    query = query_of(request, wish, Given.asked(wish, request.user), image, wish.page)
    context = {"wish": wish, "back": wish.address(), "narrowing": narrowing(wish, counted(query))}
    part = request.htmx and not request.htmx.history_restore_request
    return render(request, "search/partials/facets.html" if part else "search/facets.html", context)


@login_required
@require_POST
def picture(request: HttpRequest) -> HttpResponse:
    """Keep a picture for an hour and search by it, with the words, filters and examples that are set."""
    wish = Wish.of(request.POST)
    form = PictureForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose a picture to search by."))
        return redirect(wish.address())
    file = form.cleaned_data["picture"]
    if file.size > MAX_PICTURE_BYTES:
        limit = filesizeformat(MAX_PICTURE_BYTES)
        text = _("A picture to search by may have %(limit)s; upload larger ones to the library.")
        messages.error(request, text % {"limit": limit})
        return redirect(wish.address())
    return redirect(wish.address(picture=remember_image(file.read())))


@login_required
@require_safe
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """From the form of a picture's page, in percent, to the search by a part of it."""
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    try:
        region = DetailForm(request.GET).region(uid)
        version_of(region, request.user)
    except RegionError as error:
        messages.error(request, str(error))
        return redirect(f"{asset.get_absolute_url()}?{request.GET.urlencode()}#detail")
    wish = Wish.of(QueryDict(request.GET.get("search", "")))
    return redirect(wish.address(region=region, mode="best" if wish.mode == "keywords" else wish.mode))


@login_required
@require_safe
def similar(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The strip under a picture: what looks like it."""
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    results = run(HybridQuery(user=request.user, liked=(asset.pk,), limit=SIMILAR))
    return render(
        request, "search/partials/similar.html", {"cards": cards_of(results.assets), "asset": asset}
    )


@login_required
@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """The list under the search box, for static/js/suggest.js; empty where there is nothing to offer."""
    groups = suggest(request.GET.get("q", "")[:MOST_CHARACTERS], request.user)
    return render(request, "search/partials/suggestions.html", {"groups": groups})


@login_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """What the built-in model is, and how to connect a better one."""
    return render(request, "search/models.html")
