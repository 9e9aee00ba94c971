"""What has a history that one can look back in: how it differs from moment to moment, and the way back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from assets import changes
from assets.changes import collection_states, grants
from assets.models import Change, Collection, Operation, Term, TermWork
from assets.terms import states
from assets.views import collection_history, facts, term_history
from assets.views.allowed import may_describe, may_in
from assets.views.changed import Line, Names, lines_of
from assets.views.desk import Desk
from assets.views.entries import Entry
from assets.views.facts import DERIVED
from assets.views.requests import person
from assets.views.tree import tree_for

MOST = 500
"""Entries of a history that one can look back to."""


class Then(NamedTuple):
    """What would change if it were as it was at a moment."""

    lines: list[Line]
    stays: list[str] = []
    """What cannot come back, and why."""
    locked_out: bool = False
    """Whether the person who restores it could not manage it any more."""


@dataclass(frozen=True)
class Past(ABC):
    """One picture, object, collection or term, or who may do what in the whole library."""

    user: User
    may: bool
    """Whether this person may restore what was."""
    heading: str
    url: str
    """Of its page; below it are its earlier states."""
    untouched: str
    """What stays as it is, whatever is restored."""

    @abstractmethod
    def entries(self) -> list[Entry]:
        """Its history, the newest first."""

    @abstractmethod
    def then(self, moment: Entry) -> Then:
        """Raises ChangeRefused."""

    @abstractmethod
    def between(self, one: Entry, other: Entry) -> list[Line]:
        """In what it differed at `other` from what it was at `one`. Raises ChangeRefused."""

    @abstractmethod
    def label(self, moment: str) -> str:
        """What its history calls the restoring of what was at this moment."""

    @abstractmethod
    def restore(self, moment: Entry, label: str) -> Operation | TermWork | None:
        """None where it is so already. Raises ChangeRefused."""

    def url_after(self) -> str:
        """Where to go when it is restored."""
        return self.url


@dataclass(frozen=True)
class DescribedPast(Past):
    """Of a picture with the words of its object, or of an object."""

    subjects: list[changes.Subject]

    def entries(self) -> list[Entry]:
        return facts.history(self.subjects, self.user, most=MOST)

    def then(self, moment: Entry) -> Then:
        return Then(self._lines(changes.changes_to_state(changes.state_steps(self.subjects, _op(moment)))))

    def between(self, one: Entry, other: Entry) -> list[Line]:
        return self._lines(changes.changes_between(self.subjects, _op(one), _op(other)))

    def _lines(self, found: Iterable[Change]) -> list[Line]:
        told = [change for change in found if change.field not in DERIVED]
        names = Names.of(told, self.user)
        return [line for change in told for line in lines_of(change, names)]

    def label(self, moment: str) -> str:
        return _("Described again as on %(moment)s: %(title)s") % {"moment": moment, "title": self.heading}

    def restore(self, moment: Entry, label: str) -> Operation | None:
        return changes.restore_state(self.subjects, _op(moment), self.user, label)


@dataclass(frozen=True)
class CollectionPast(Past):
    """Of a collection with what groups may do there, or (None) of what they may do in the whole library."""

    collection: Collection | None

    def entries(self) -> list[Entry]:
        pk = self.collection.pk if self.collection else grants.LIBRARY
        return collection_history.entries(pk, self.user, permissions=self.may, most=MOST)

    def then(self, moment: Entry) -> Then:
        if not self.may:  # nothing is weighed for them: what the history says is all there is to be told
            return Then(self.between(self.entries()[0], moment))
        found = collection_states.foreseen(self.collection, _op(moment), self.user)
        lines = self._lines(collection_states.changes_of(self.collection, found))
        return Then(lines, found.stays, found.locked_out)

    def between(self, one: Entry, other: Entry) -> list[Line]:
        return self._lines(collection_states.changes_between(self.collection, _op(one), _op(other)))

    def _lines(self, found: Iterable[Change]) -> list[Line]:
        return collection_history.lines_of(found, self.user, permissions=self.may)

    def label(self, moment: str) -> str:
        if self.collection is None:
            return _("Set back who may do what in the library to %(moment)s") % {"moment": moment}
        said = _("Set back the collection %(name)s to %(moment)s")
        return said % {"name": self.heading, "moment": moment}

    def restore(self, moment: Entry, label: str) -> Operation | None:
        return collection_states.restore(self.collection, _op(moment), self.user, label)

    def url_after(self) -> str:
        seen = self.collection is None or may_in(self.user, self.collection.pk)["see"]
        return self.url if seen else reverse("assets:collections")


@dataclass(frozen=True)
class TermPast(Past):
    term: Term

    def entries(self) -> list[Entry]:
        return term_history.entries(self.term, MOST)

    def then(self, moment: Entry) -> Then:
        found = states.foreseen(self.term, moment.operations)
        return Then(term_history.lines_of(states.changes_of(self.term, found)), found.stays)

    def between(self, one: Entry, other: Entry) -> list[Line]:
        return term_history.lines_of(states.changes_between(self.term, one.operations, other.operations))

    def label(self, moment: str) -> str:
        return _("Set back the term %(name)s to %(moment)s") % {"name": self.heading, "moment": moment}

    def restore(self, moment: Entry, label: str) -> TermWork | None:
        return states.restore(self.term, moment.operations, self.user, label)


def of_described(request: HttpRequest, desk: Desk) -> DescribedPast:
    user = person(request)
    untouched = _("The file, the collection and who may see it stay as they are.")
    return DescribedPast(user, may_describe(user, desk.of), desk.heading, desk.url, untouched, subjects(desk))


def subjects(desk: Desk) -> list[changes.Subject]:
    """Whose history stands on this page."""
    return list(dict.fromkeys([desk.of, desk.subject]))


def of_collection(request: HttpRequest, uid: UUID) -> CollectionPast:
    """Raises Http404."""
    user = person(request)
    seen = (node.collection for node in tree_for(user).values())
    one = next((one for one in seen if one.uid == uid), None)
    if one is None:
        raise Http404
    may, untouched = may_in(user, one.pk)["manage"], _("The pictures in it stay where they are.")
    return CollectionPast(user, may, one.name, one.get_absolute_url(), untouched, one)


def of_library(request: HttpRequest) -> CollectionPast:
    url, heading = reverse("assets:library_access"), _("Who may do what in the whole library")
    untouched = _("What is allowed in single collections stays as it is.")
    return CollectionPast(person(request), True, heading, url, untouched, None)


def of_term(request: HttpRequest, term: Term) -> TermPast:
    untouched = _("Which pictures have it stays as it is.")
    return TermPast(person(request), True, term.label, term.get_absolute_url(), untouched, term)


def _op(moment: Entry) -> Operation:
    if not isinstance(moment.of, Operation):
        raise TypeError("This is no moment of a picture, an object or a collection.")
    return moment.of
