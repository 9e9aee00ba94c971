"""The page of learned tags that wait for an answer, the surest first: one key accepts, one refuses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from assets import changes
from assets.models import TAGS, Asset, TagAnswer, Term
from assets.scopes import Action
from assets.views.allowed import need
from assets.views.cards import Card, cards_of
from assets.views.requests import Request, person, way_back
from search import learned_tags, tag_rows
from search.models import TagLesson
from search.tag_rows import Guess
from search.tag_suggestions import Suggestion
from search.tag_views import accept, remember

Answer = TagAnswer.Answer
PER_PAGE, TAGS_SHOWN = 24, 30


@dataclass(frozen=True)
class Asked:
    """A picture and a tag: does it fit? `answer` is empty until somebody has said."""

    card: Card
    tag: Suggestion
    answer: str = ""


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The surest guesses, of all tags or of the one in `tag`; with `after`, those behind that one."""
    user = person(request)
    waiting = tag_rows.waiting(user)
    chosen = next((one for one in waiting if str(one.uid) == request.GET.get("tag", "")), None)
    found = tag_rows.surest(user, chosen.term_id if chosen else None, PER_PAGE + 1, _after(request))
    total = chosen.number if chosen else sum(one.number for one in waiting)
    context = {
        "questions": by_tag(asked(found[:PER_PAGE])),
        "tags": waiting[:TAGS_SHOWN],
        "chosen": chosen,
        "total": total,
        "many": total >= tag_rows.MOST_COUNTED,
        "next": _behind(found[PER_PAGE - 1]) if len(found) > PER_PAGE else "",
        "skipped": "after" in request.GET,
        "done": done_today(user),
        "last": _last(user),
        "lesson": learned_tags.newest(),
    }
    return render(request, "search/tag_queue.html", context)


@login_required
@require_POST
def answer(request: Request, uid: UUID, term: UUID) -> HttpResponse:
    """Accept or refuse a guess, or take one's own answer back: what is said stands in `answer`."""
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    need(request, Action.DESCRIBE, asset)
    user, said = person(request), request.POST.get("answer", "")
    tag = Term.objects.in_vocabulary(TAGS).filter(uid=term).first()
    done = ""
    if tag and said == "undo":
        _take_back(user, asset, tag)
    elif tag and said in ("accept", "refuse"):
        done = _answered(user, asset, tag, said)
    if not request.htmx:
        if not done and said != "undo":
            messages.info(request, _("This is not suggested any more."))
        return redirect(way_back(request, reverse("search:tag_queue")))
    return _one(request, user, asset, tag, done)


def _answered(user: User, asset: Asset, tag: Term, said: str) -> str:
    """The answer that was noted; empty where it was not asked for any more."""
    guess = tag_rows.guess(user, asset.pk, tag.pk)
    if guess is None:
        return ""
    head = TagLesson.objects.values_list("sha256", flat=True).get(pk=guess.lesson_id)
    chosen = [Suggestion(tag.pk, tag.uid, tag.label, guess.probability, head)]
    if said == "accept":
        return Answer.ACCEPTED if accept(user, asset, chosen) else ""
    remember(user, asset, chosen, Answer.REFUSED)
    return Answer.REFUSED


def _take_back(user: User, asset: Asset, tag: Term) -> None:
    for one in _own(user).filter(asset=asset, term=tag):
        if one.operation:
            changes.undo(one.operation, user)
        else:
            one.delete()


def _one(request: Request, user: User, asset: Asset, tag: Term | None, done: str) -> HttpResponse:
    """The card of one question as it is now, for htmx; nothing where it is not asked any more."""
    shown = []
    if tag and done:
        shown = asked([_as_answered(one) for one in _own(user).filter(asset=asset, term=tag)], done)
    elif tag and (guess := tag_rows.guess(user, asset.pk, tag.pk)):
        shown = asked([guess])
    context = {"question": shown[0] if shown else None, "done": done_today(user), "changed": True}
    return render(request, "search/partials/tag_question.html", context)


def asked(guesses: Iterable[Guess], said: str = "") -> list[Asked]:
    """With their pictures, in a fixed number of queries."""
    guesses = list(guesses)
    assets = Asset.objects.for_grid().in_bulk([one.asset_id for one in guesses])
    cards = {card.asset.pk: card for card in cards_of(assets.values())}
    terms = Term.objects.in_bulk([one.term_id for one in guesses])
    return [
        Asked(cards[one.asset_id], Suggestion(term.pk, term.uid, term.label, one.probability), said)
        for one in guesses
        if one.asset_id in cards and (term := terms.get(one.term_id))
    ]


def by_tag(questions: Iterable[Asked]) -> list[Asked]:
    """Those of one tag together, the tag with the surest one first."""
    questions = list(questions)
    first: dict[int, int] = {}
    for number, one in enumerate(questions):
        first.setdefault(one.tag.term_id, number)
    return sorted(questions, key=lambda one: first[one.tag.term_id])


def done_today(user: User) -> int:
    """Of this person: what they have answered since midnight, and not taken back."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return _own(user).filter(answered_at__gte=midnight).count()


def _own(user: User) -> "QuerySet[TagAnswer]":
    """What a person has answered, but what was taken back."""
    return TagAnswer.objects.filter(user=user, operation__undone_by=None).select_related("operation")


def _last(user: User) -> Asked | None:
    """What this person has answered last, to be taken back without a script too; only what they still see."""
    seen = Asset.objects.live().visible_to(user)
    one = _own(user).filter(asset__in=seen).exclude(head="").order_by("-answered_at").first()
    return next(iter(asked([_as_answered(one)], one.answer)), None) if one else None


def _as_answered(one: TagAnswer) -> Guess:
    return Guess(one.asset_id, one.term_id, one.score, 0)


def _behind(guess: Guess) -> str:
    """As `_after` reads it."""
    asset = Asset.objects.only("uid").get(pk=guess.asset_id)
    return f"{asset.uid}~{Term.objects.only('uid').get(pk=guess.term_id).uid}"


def _after(request: HttpRequest) -> tuple[int, int] | None:
    """The ids of the picture and the tag in `after`, if this person sees the picture."""
    try:
        asset, term = (UUID(part) for part in request.GET.get("after", "").split("~"))
    except ValueError:
        return None
    seen: Any = Asset.objects.live().visible_to(request.user).filter(uid=asset).values_list("pk", flat=True)
    terms = Term.objects.in_vocabulary(TAGS).filter(uid=term).values_list("pk", flat=True)
    return (seen[0], terms[0]) if seen and terms else None
