"""What a person is told of a vocabulary: settings.TERMS_TOLD knows what no hidden picture alone has."""

from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.module_loading import import_string

from accounts.models import User
from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Term

FIELDS = {TAGS: "tag", CREATORS: "creator", PLACES: "place", SUBJECTS: "subject"}
"""By vocabulary, what a question calls its terms."""


class Told(NamedTuple):
    term: Term
    pictures: int
    """That this person may see, those of narrower terms included."""
    has_narrower: bool
    question: str
    """That finds them; empty where no question can."""


def may_edit(user: User) -> bool:
    return user.has_perm("assets.change_term")


def told(terms: "QuerySet[Term]", user: User) -> list[Told]:
    """These terms in their order, without those that only hidden pictures have; by two statements.

    Who looks after the vocabulary is told all terms, and the numbers of what they may see.
    """
    narrower = Term.parents.through.objects.filter(to_term=OuterRef("pk"))
    rows = list(terms.select_related("vocabulary").annotate(narrower=Exists(narrower)))
    numbers = pictures([term.pk for term in rows], user)
    return [
        Told(term, numbers[term.pk], bool(term.narrower), question(term))
        for term in rows
        if term.pk in numbers
    ]


def pictures(ids: Iterable[int], user: User) -> dict[int, int]:
    """By the id of each term that may be told, how many pictures this person may see."""
    found: dict[int, int] = import_string(settings.TERMS_TOLD)(list(ids), user, everything=may_edit(user))
    return found


def question(term: Term) -> str:
    field, label = FIELDS.get(term.vocabulary.slug), term.label.replace('"', '""')
    return f'{field}:"{label}"' if field else ""
