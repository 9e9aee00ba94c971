"""Terms from a file: read once, compared, and when somebody says so written in steps, to be taken back."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from assets import changes
from assets.models import Operation, TermWork, Vocabulary
from assets.tables import SUFFIXES
from assets.terms import csvs, skos, work
from assets.terms.comparing import Comparison, Graph, Problem
from assets.terms.concepts import Concept, FileRefused, Languages, keep, kept

AT_ONCE = 1000  # concepts in one transaction
MOST_PROBLEMS = 200  # that are kept in words
KIND = "vocabulary import"
Report = dict[str, Any]
"""{"new", "changed", "unchanged", "placed", "problems": [[where, words]], "more"}: numbers of terms; `placed`
come below others, and `more` are problems that are not told in words."""


def endings() -> list[str]:
    return [*skos.FORMATS, *SUFFIXES]


def begin(
    vocabulary: Vocabulary, path: Path, name: str, languages: Sequence[str], user: User | None
) -> TermWork:
    """An import of this file, which is moved to where imports lie, and compared. Raises FileRefused."""
    if path.suffix.lower() not in endings():
        raise FileRefused(_("This is no file of terms. These endings are known: %s.") % ", ".join(endings()))
    label = f"Imported {name} into {vocabulary.name}"
    file = f"terms{path.suffix.lower()}"
    plan = {"file": file, "languages": [one.lower() for one in languages]}
    found = work.begin(TermWork.Kind.IMPORT, label, user, vocabulary, plan=plan)
    folder = folder_of(found)
    folder.mkdir(parents=True)
    shutil.move(path, folder / file)
    return found


def go(found: TermWork) -> TermWork:
    """Write what was compared; the first second of it here and now."""
    planned = TermWork.objects.filter(pk=found.pk, state=TermWork.State.PLANNED)
    planned.update(state=TermWork.State.WORKING, done=0)
    return work.briefly(found)


def folder_of(found: TermWork) -> Path:
    return Path(settings.IMPORTS_DIR) / f"terms-{found.uid}"


def read(found: TermWork) -> bool:
    """Read the file, and say what would become of each concept. Raises ChangeRefused."""
    folder = folder_of(found)
    source, concepts = folder / found.plan["file"], folder / "concepts.jsonl"
    languages = Languages(tuple(found.plan["languages"]), settings.LANGUAGE_CODE.partition("-")[0])
    try:
        said = (skos if source.suffix in skos.FORMATS else csvs).read(source, languages)
        found.total = keep(said, concepts)
    except (FileRefused, OSError) as error:
        raise changes.ChangeRefused(str(error)) from error
    found.report = {"new": 0, "changed": 0, "unchanged": 0, "placed": 0, "problems": [], "more": 0}
    comparison, graph = Comparison(found.vocabulary), Graph(found.vocabulary)
    for portion in _portions(kept(concepts)):
        compared = comparison.compare(portion)
        for name in ("new", "changed"):
            found.report[name] += len(getattr(compared, name))
        found.report["unchanged"] += compared.unchanged
        _note(found.report, compared.problems)
    for portion in _portions(kept(concepts)):
        patches, problems = comparison.links(portion, graph)
        found.report["placed"] += len(patches)
        _note(found.report, problems)
    return True


def write(found: TermWork) -> bool:
    """Make and change the next terms; True when none is left."""
    portion = _next(found)
    with transaction.atomic():
        list(Vocabulary.objects.select_for_update().filter(pk=found.vocabulary_id))
        compared = Comparison(found.vocabulary).compare(portion)
        op = changes.operation(KIND, found.label, user=found.user)
        changes.create_terms(op, compared.new)
        changes.change_terms(op, compared.changed)
        _done(found, op, len(portion))
    return len(portion) < AT_ONCE


def link(found: TermWork) -> bool:
    """Put the next terms below their broader ones; True when none is left."""
    portion = _next(found)
    with transaction.atomic():
        list(Vocabulary.objects.select_for_update().filter(pk=found.vocabulary_id))
        op = changes.operation(KIND, found.label, user=found.user)
        patches, _problems = Comparison(found.vocabulary).links(portion, Graph(found.vocabulary))
        changes.change_terms(op, patches)
        _done(found, op, len(portion))
    if len(portion) < AT_ONCE:
        shutil.rmtree(folder_of(found), ignore_errors=True)
        return True
    return False


def _next(found: TermWork) -> list[Concept]:
    path = folder_of(found) / "concepts.jsonl"
    if not path.is_file():
        raise changes.ChangeRefused(_("The file was cleared away meanwhile. Hand it in again."))
    return list(islice(kept(path), found.position, found.position + AT_ONCE))


def _done(found: TermWork, op: Operation, number: int) -> None:
    found.position += number
    found.done = found.position
    if op.changes.exists():
        found.operations.append(op.pk)
    else:
        op.delete()
    TermWork.objects.filter(pk=found.pk).update(operations=found.operations, position=found.position)


def _note(report: Report, problems: Iterable[Problem]) -> None:
    for where, said in problems:
        if len(report["problems"]) < MOST_PROBLEMS:
            report["problems"].append([where, said])
        else:
            report["more"] += 1


def _portions(concepts: Iterator[Concept]) -> Iterator[list[Concept]]:
    while portion := list(islice(concepts, AT_ONCE)):
        yield portion
