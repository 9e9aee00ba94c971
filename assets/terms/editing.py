"""Making, changing and taking away one term."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from assets import changes
from assets.hierarchy import with_broader
from assets.models import Operation, Term, TermWork, Vocabulary
from assets.terms import work
from assets.text import label_key

MOST_SHOWN = 3


def named(vocabulary: Vocabulary, labels: Iterable[str]) -> list[Term]:
    """The terms that are called so, in their order. Raises ChangeRefused where one is missing."""
    wanted = {label_key(label)[:200]: label for label in labels if label.strip()}
    known = changes.known_terms((vocabulary.slug, key) for key in wanted)
    if missing := [label for key, label in wanted.items() if (vocabulary.slug, key) not in known]:
        said = _("There is no term “%(label)s” in %(vocabulary)s. Make it first, or look at its spelling.")
        raise changes.ChangeRefused(said % {"label": missing[0], "vocabulary": vocabulary.name})
    terms = Term.objects.in_bulk(known.values())
    return [terms[pk] for pk in dict.fromkeys(known[vocabulary.slug, key] for key in wanted)]


def create(
    vocabulary: Vocabulary, values: Mapping[str, Any], broader: Sequence[Term], user: User | None
) -> Term:
    """A new term with these values, of changes.COLUMNS. Raises ChangeRefused."""
    term = Term(vocabulary=vocabulary, **values)
    with transaction.atomic():
        op = changes.operation("vocabulary", f"Made the term {term.label}", user=user)
        changes.create_terms(op, [term], {changes.clean_label(term.label): [above.pk for above in broader]})
        found = _begin(op, vocabulary, user)
    work.briefly(found)
    return term


def edit(
    term: Term, values: Mapping[str, Any], broader: Sequence[Term], user: User | None, said: str = ""
) -> TermWork | None:
    """Change a term; what follows for its pictures goes on in steps. None where nothing is new.

    `said` is what the history calls it, if not an edit. Raises ChangeRefused, also where a term would be
    above itself.
    """
    check_circle(term, broader)
    with transaction.atomic():
        op = changes.operation("vocabulary", said or said_of(term, values), user=user)
        patch = {**values, "parents": [above.pk for above in broader]}
        if not changes.change_terms(op, {term.pk: patch}):
            op.delete()
            return None
        check_circle(term, broader)  # once more, now that nobody else can change the vocabulary
        label = changes.clean_label(values.get("label", term.label))
        renamed = {term.label: label} if label != term.label else {}
        found = _begin(op, term.vocabulary, user, {"renamed": renamed})
    return work.briefly(found)


def delete(term: Term, user: User | None) -> TermWork:
    """Take away a term that nothing has. Its narrower terms stay. Raises ChangeRefused."""
    with transaction.atomic():
        op = changes.operation("vocabulary", f"Deleted the term {term.label}", user=user)
        changes.delete_terms(op, [term.pk])
        found = _begin(op, term.vocabulary, user)
    return work.briefly(found)


def check_circle(term: Term, broader: Sequence[Term]) -> None:
    """Raises ChangeRefused where one of these is the term itself or below it."""
    for above in broader:
        if above.pk == term.pk:
            raise changes.ChangeRefused(_("A term cannot be broader than itself."))
        if term.pk in with_broader([above.pk]):
            said = _("“%(above)s” is below “%(term)s” already, so it cannot be broader as well.")
            raise changes.ChangeRefused(said % {"above": above.label, "term": term.label})


def said_of(term: Term, values: Mapping[str, Any]) -> str:
    label = changes.clean_label(values.get("label", term.label))
    if label != term.label:
        return f"Renamed the term {term.label} to {label}"
    return f"Edited the term {term.label}"


def _begin(
    op: Operation, vocabulary: Vocabulary, user: User | None, plan: Mapping[str, Any] | None = None
) -> TermWork:
    kind = TermWork.Kind.EDIT
    return work.begin(kind, op.label, user, vocabulary, operations=[op.pk], plan=dict(plan or {}))
