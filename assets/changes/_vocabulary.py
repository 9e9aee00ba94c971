"""Changes of terms, with the same history as those of pictures. The caller holds the transaction.

What the pictures of a term are found by follows in steps of its own: assets.terms.work.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from assets.changes import _allowed
from assets.changes._allowed import ChangeRefused
from assets.hierarchy import with_broader
from assets.models import Change, Operation, Term, TermRedirect, Vocabulary
from assets.scopes import Action
from assets.text import label_key

COLUMNS = ("label", "labels", "note", "uri")
STORED = [*COLUMNS, "key", "other_keys"]
AT_ONCE = 1000  # rows in one statement
LONGEST = {"label": 200, "uri": 500}
Links = Term.parents.through
Patch = Mapping[str, Any]
"""Any of COLUMNS, and `parents`: ids of broader terms."""


def clean_label(text: str) -> str:
    return " ".join(text.replace("\x00", " ").split())[: LONGEST["label"]]


def lock_terms(ids: Iterable[int]) -> dict[int, Term]:
    """These terms as they stand, in the order of their ids, so that no two wait for each other."""
    found = Term.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    return {term.pk: term for term in found}


def create_terms(
    op: Operation, terms: Sequence[Term], parents: Mapping[str, Sequence[int]] | None = None
) -> None:
    """Store new terms; `parents` are ids of broader terms by label. Raises ChangeRefused."""
    _allowed.check_terms(op.user, Action.DESCRIBE)
    for term in terms:
        term.label = clean_label(term.label)
        term.derive()
    _check(terms)
    Term.objects.bulk_create(terms, batch_size=AT_ONCE)
    _link((term.pk, above) for term in terms for above in (parents or {}).get(term.label, ()))
    kept = snapshots(terms)
    _note(op, [(term, "created", None, kept[term.pk]) for term in terms])


def change_terms(op: Operation, patches: Mapping[int, Patch]) -> int:
    """Write what differs of each term, by its id; returns how many changed. Raises ChangeRefused."""
    if patches:
        _allowed.check_terms(op.user, Action.MANAGE)
    if any("parents" in patch for patch in patches.values()):
        _lock_vocabularies(patches)
    terms = lock_terms(patches)
    above = parents_of(terms)
    changes: list[tuple[Term, str, Any, Any]] = []
    renamed, links = list[Term](), dict[Term, list[int]]()
    for pk, term in terms.items():
        for name, value in patches[pk].items():
            before = above[pk] if name == "parents" else getattr(term, name)
            after = sorted(set(value)) if name == "parents" else value
            if before == after:
                continue
            changes.append((term, name, before, after))
            if name == "parents":
                links[term] = after
            else:
                setattr(term, name, after)
                renamed += [term] if name == "label" else []
        term.derive()
    _check(renamed, [term for term, *_ in changes])
    touched = {term.pk: term for term, name, *_ in changes if name != "parents"}
    Term.objects.bulk_update(touched.values(), STORED, batch_size=AT_ONCE)
    _unlink({term.pk: set(above[term.pk]) - set(wanted) for term, wanted in links.items()}, above)
    _link((term.pk, pk) for term, wanted in links.items() for pk in wanted)
    _note(op, changes)
    return len({term.pk for term, *_ in changes})


def delete_terms(op: Operation, ids: Iterable[int], into: int | None = None) -> None:
    """Take away terms that nothing has; with `into`, their addresses lead to that term from now on.

    Raises ChangeRefused where one is in use, which another transaction cannot change until the end of this.
    """
    terms = list(Term.objects.filter(pk__in=ids).order_by("pk").select_for_update())
    if terms:
        _allowed.check_terms(op.user, Action.MANAGE)
    used = Term.objects.filter(pk__in=[term.pk for term in terms]).in_use()
    if label := used.values_list("label", flat=True).first():
        raise ChangeRefused(_("“%s” is in use.") % label)
    kept = snapshots(terms)
    _note(op, [(term, "deleted", kept[term.pk], {"into": into} if into else None) for term in terms])
    if into:
        TermRedirect.objects.filter(term__in=terms).update(term=into)
        TermRedirect.objects.bulk_create(TermRedirect(uid=term.uid, term_id=into) for term in terms)
    Term.objects.filter(pk__in=[term.pk for term in terms]).delete()


def undo_terms(op: Operation, reversal: Operation) -> int:
    """Take back what `op` did to terms, the last change first; returns how many changes stay as they are.

    What was changed since stays, and so does a term that something has got meanwhile. Raises ChangeRefused
    where a term that was taken away cannot come back.
    """
    changes = list(op.changes.filter(object_kind=Change.Kind.TERM).order_by("-pk"))
    by_field: dict[str, list[Change]] = {}
    for change in changes:
        by_field.setdefault("column" if change.field in COLUMNS else change.field, []).append(change)
    for change in by_field.get("deleted", []):
        _bring_back(reversal, change.before or {})
    kept = _undo_columns(reversal, by_field.get("column", []))
    kept += _undo_parents(reversal, by_field.get("parents", []))
    born = [change.object_id for change in by_field.get("created", [])]
    held = set(Term.objects.filter(pk__in=born).in_use().values_list("pk", flat=True))
    held |= set(Links.objects.filter(to_term_id__in=born).values_list("to_term_id", flat=True))
    delete_terms(reversal, set(born) - held)
    return kept + len(held)


def parents_of(ids: Iterable[int]) -> dict[int, list[int]]:
    """The ids of the broader terms of each of these, sorted."""
    found: dict[int, list[int]] = {pk: [] for pk in ids}
    pairs = Links.objects.filter(from_term_id__in=list(found)).order_by("to_term_id")
    for pk, above in pairs.values_list("from_term_id", "to_term_id"):
        found[pk].append(above)
    return found


def snapshots(terms: Sequence[Term]) -> dict[int, dict[str, Any]]:
    """All that these terms are, to bring them back, by a handful of statements."""
    ids = [term.pk for term in terms]
    parents, children, redirects = parents_of(ids), _by_term(ids), _by_term(ids)
    links = Links.objects.filter(to_term_id__in=ids).order_by("from_term_id")
    for pk, below in links.values_list("to_term_id", "from_term_id"):
        children[pk].append(below)
    for pk, uid in TermRedirect.objects.filter(term__in=ids).values_list("term_id", "uid"):
        redirects[pk].append(str(uid))
    return {
        term.pk: {
            **{name: getattr(term, name) for name in COLUMNS},
            "id": term.pk,
            "uid": str(term.uid),
            "vocabulary": term.vocabulary_id,
            "parents": parents[term.pk],
            "children": children[term.pk],
            "redirects": redirects[term.pk],
        }
        for term in terms
    }


def _by_term(ids: Iterable[int]) -> dict[int, list[Any]]:
    return {pk: [] for pk in ids}


# --- inside ---------------------------------------------------------------------------------------


def _undo_columns(reversal: Operation, changes: Sequence[Change]) -> int:
    terms = lock_terms({change.object_id for change in changes})
    wanted: dict[int, dict[str, Any]] = {}
    kept = 0
    for change in changes:
        term = terms.get(change.object_id)
        done = wanted.get(change.object_id, {})
        today = done.get(change.field, getattr(term, change.field, None))
        if term is None or today != change.after or _taken(term, change):
            kept += 1
        else:
            wanted.setdefault(term.pk, {})[change.field] = change.before
    change_terms(reversal, wanted)
    return kept


def _taken(term: Term, change: Change) -> bool:
    """Whether the old label has become that of another term."""
    if change.field != "label":
        return False
    others = Term.objects.filter(vocabulary=term.vocabulary_id, key=label_key(str(change.before))[:200])
    return others.exclude(pk=term.pk).exists()


def _undo_parents(reversal: Operation, changes: Sequence[Change]) -> int:
    today = parents_of({change.object_id for change in changes})
    wanted: dict[int, set[int]] = {}
    before = {pk for change in changes for pk in change.before or []}
    alive = set(Term.objects.filter(pk__in={*before, *today}).values_list("pk", flat=True))
    kept = 0
    for change in changes:
        pk, above = change.object_id, set(change.before or []) & alive
        new = above - set(today[pk])
        if today[pk] != (change.after or []) or pk not in alive or (new and pk in with_broader(new)):
            kept += 1
        else:
            wanted[pk] = above
    change_terms(reversal, {pk: {"parents": above} for pk, above in wanted.items()})
    return kept


def _bring_back(reversal: Operation, kept: dict[str, Any]) -> None:
    columns = {name: kept[name] for name in COLUMNS}
    term = Term(pk=kept["id"], uid=kept["uid"], vocabulary_id=kept["vocabulary"], **columns)
    term.derive()
    _check([term])
    term.save(force_insert=True)
    alive = set(
        Term.objects.filter(pk__in=[*kept["parents"], *kept["children"]]).values_list("pk", flat=True)
    )
    above = with_broader(set(kept["parents"]) & alive)
    _link((term.pk, pk) for pk in kept["parents"] if pk in alive)
    _link((pk, term.pk) for pk in kept["children"] if pk in alive - above)
    TermRedirect.objects.filter(pk=kept["uid"]).delete()
    TermRedirect.objects.bulk_create(
        [TermRedirect(uid=uid, term=term) for uid in kept["redirects"]],
        update_conflicts=True,
        unique_fields=["uid"],
        update_fields=["term"],
    )
    _note(reversal, [(term, "created", None, snapshots([term])[term.pk])])


def _check(terms: Sequence[Term], touched: Sequence[Term] = ()) -> None:
    """Whether these labels can be theirs. Raises ChangeRefused."""
    for term in [*terms, *touched]:
        if not term.key:
            raise ChangeRefused(_("A term needs a name."))
        for name, longest in LONGEST.items():
            if len(getattr(term, name)) > longest:
                said = _("“%(text)s…” is longer than %(most)d characters.")
                raise ChangeRefused(said % {"text": getattr(term, name)[:50], "most": longest})
    homes = {term.vocabulary_id for term in terms}
    others = Term.objects.filter(vocabulary__in=homes, key__in={term.key for term in terms})
    owners = {(home, key): pk for home, key, pk in others.values_list("vocabulary_id", "key", "pk")}
    seen = set()
    for term in terms:
        pair = (term.vocabulary_id, term.key)
        if pair in seen or owners.get(pair, term.pk) != term.pk:
            raise ChangeRefused(_("Another term is called “%s” already.") % term.label)
        seen.add(pair)


def _lock_vocabularies(ids: Iterable[int]) -> None:
    """Two people who put terms below each other must not meet."""
    homes = Vocabulary.objects.filter(terms__in=list(ids)).values("pk")
    list(Vocabulary.objects.filter(pk__in=homes).order_by("pk").select_for_update())


def _unlink(gone: Mapping[int, set[int]], before: Mapping[int, list[int]]) -> None:
    """Take away links, at once those of terms that lose all of theirs."""
    bare = {pk for pk, parents in gone.items() if parents == set(before[pk])}
    Links.objects.filter(from_term_id__in=bare).delete()
    for pk, parents in gone.items():
        if parents and pk not in bare:
            Links.objects.filter(from_term_id=pk, to_term_id__in=parents).delete()


def _link(pairs: Iterable[tuple[int, int]]) -> None:
    links = [Links(from_term_id=pk, to_term_id=above) for pk, above in pairs]
    Links.objects.bulk_create(links, ignore_conflicts=True, batch_size=AT_ONCE)


def _note(op: Operation, changes: Iterable[tuple[Term, str, Any, Any]]) -> None:
    Change.objects.bulk_create(
        (
            Change(
                operation=op,
                object_kind=Change.Kind.TERM,
                object_id=term.pk,
                field=field,
                before=before,
                after=after,
            )
            for term, field, before, after in changes
        ),
        batch_size=AT_ONCE,
    )
