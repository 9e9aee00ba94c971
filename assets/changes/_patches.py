"""From a patch to steps: what would be another value than it is."""

import copy
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import models

from assets.changes._steps import (
    COLUMNS,
    MERGED,
    ChangeRefused,
    Step,
    Subject,
    check_columns,
    merged,
    raw,
    terms_of,
)
from assets.changes._terms import Labels, known_terms
from assets.dates import parse_years
from assets.models import Term
from assets.text import label_key

Patch = Mapping[str, Any]
TermIds = Callable[[Labels], dict[str, list[int]]]
Terms = dict[str, dict[str, list[int]]]
TERM_PATCHES = ("terms", "add_terms", "remove_terms")


class Wanted(NamedTuple):
    """One object, and what is to become of it. The same patch for many objects is best one and the same."""

    subject: Subject
    patch: Patch


def steps_of(wanted: Sequence[Wanted], ids: TermIds) -> list[Step]:
    """The steps of all patches, in a fixed number of statements for each patch. `ids` finds or makes terms.

    Raises ChangeRefused where a patch names what cannot be changed.
    """
    terms = {id(patch): _terms_in(patch, ids) for _, patch in {id(w.patch): w for w in wanted}.values()}
    slugs = {slug for found in terms.values() for slug in found.get("terms", ())}
    replaced: set[int] = set()
    if slugs:
        before = {pk for subject, _ in wanted for pk in terms_of(subject)}
        found = Term.objects.filter(pk__in=before, vocabulary__slug__in=slugs)
        replaced = set(found.values_list("pk", flat=True))
    return [step for subject, patch in wanted for step in _steps(subject, patch, terms[id(patch)], replaced)]


def refused_among(steps: Sequence[Step]) -> dict[Subject, str]:
    """The objects that cannot be stored with these steps, and why, in words for people."""
    by_subject: dict[Subject, list[Step]] = defaultdict(list)
    for step in steps:
        by_subject[step.subject].append(step)
    found = {}
    for subject, own in by_subject.items():
        trial = copy.copy(subject)
        columns = {step.field: step.value for step in own if step.field in COLUMNS[type(subject)]}
        columns = {name: value for name, value in columns.items() if not isinstance(value, models.Model)}
        for name, value in columns.items():
            setattr(trial, name, value)
        try:
            check_columns(trial, set(columns))
        except ChangeRefused as refused:
            found[subject] = str(refused)
    return found


def _terms_in(patch: Patch, ids: TermIds) -> Terms:
    terms = {key: ids(patch[key]) for key in ("terms", "add_terms") if key in patch}
    if "remove_terms" in patch:
        terms["remove_terms"] = _known_terms(patch["remove_terms"])
    return terms


def _known_terms(labels: Labels) -> dict[str, list[int]]:
    pairs = {slug: [(slug, label_key(label)[:200]) for label in names] for slug, names in labels.items()}
    known = known_terms(pair for found in pairs.values() for pair in found)
    return {slug: [known[pair] for pair in found if pair in known] for slug, found in pairs.items()}


def _steps(subject: Subject, patch: Patch, terms: Terms, replaced: set[int]) -> list[Step]:
    columns = COLUMNS[type(subject)]
    unknown = set(patch) - columns - set(TERM_PATCHES) - set(MERGED)
    if unknown:
        raise ChangeRefused(f"These cannot be changed here: {', '.join(sorted(unknown))}.")
    values = {name: _storable(value) for name, value in patch.items() if name in columns}
    for name, column in MERGED.items():
        if name in patch:
            values[column] = merged(values.get(column, getattr(subject, column)), patch[name])
    if "date" in values:
        years = parse_years(values["date"])
        values.setdefault("year_earliest", years.earliest)
        values.setdefault("year_latest", years.latest)
    steps = [Step(subject, name, value) for name, value in values.items() if _is_new(subject, name, value)]
    if terms:
        before = terms_of(subject)
        after = _new_terms(before, terms, replaced)
        steps += [Step(subject, "terms", after)] if after != before else []
    return steps


def _is_new(subject: Subject, name: str, value: Any) -> bool:
    if isinstance(value, models.Model):
        return value.pk is None or bool(raw(subject, name) != value.pk)
    return bool(raw(subject, name) != value)


def _new_terms(before: list[int], terms: Terms, replaced: set[int]) -> list[int]:
    after = list(before)
    if "terms" in terms:
        after = [pk for pk in after if pk not in replaced]
        after += [pk for ids in terms["terms"].values() for pk in ids]
    removed = {pk for ids in terms.get("remove_terms", {}).values() for pk in ids}
    added = [pk for ids in terms.get("add_terms", {}).values() for pk in ids]
    return [pk for pk in dict.fromkeys(after + added) if pk not in removed]


def _storable(value: Any) -> Any:
    """PostgreSQL stores no null characters in text."""
    return value.replace("\x00", "") if isinstance(value, str) else value
