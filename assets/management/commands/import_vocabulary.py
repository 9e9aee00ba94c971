"""manage.py import_vocabulary FILE --vocabulary tags [--language en]… [--dry-run] [--json]

SKOS as RDF/XML, Turtle, JSON-LD or N-Triples, or a table. Repeating it changes nothing twice.
"""

import json
import shutil
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from assets.models import TermWork, Vocabulary
from assets.terms import importing, work
from assets.terms.concepts import FileRefused

LONG_SECONDS = 3600.0  # of one step: here nobody else waits for the process


class Command(BaseCommand):
    help = "Take in the terms of a file. Without --dry-run the report tells how to take all of it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--vocabulary", required=True, help="its short name, such as tags or subjects")
        parser.add_argument(
            "--language",
            action="append",
            default=[],
            help="take over this language; the first that is given names the terms; repeatable",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--user", help="in whose name")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        vocabulary = Vocabulary.objects.filter(slug=options["vocabulary"]).first()
        if vocabulary is None:
            known = ", ".join(Vocabulary.objects.values_list("slug", flat=True))
            raise CommandError(f"There is no vocabulary {options['vocabulary']!r}. Known are: {known}.")
        user = self._user(options["user"])
        found = self._begin(vocabulary, options["file"], options["language"], user)
        _finish(found)
        if not options["dry_run"]:
            TermWork.objects.filter(pk=found.pk).update(state=TermWork.State.WORKING, done=0)
            _finish(found)
        self._report(found, options)
        if options["dry_run"]:
            shutil.rmtree(importing.folder_of(found), ignore_errors=True)
            found.delete()

    def _user(self, name: str | None) -> User | None:
        user = User.objects.filter(username=name).first() if name else None
        if name and user is None:
            raise CommandError(f"There is nobody called {name!r}.")
        return user

    def _begin(self, vocabulary: Vocabulary, file: Path, languages: list[str], user: User | None) -> TermWork:
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        with tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR) as folder:
            copy = Path(folder) / file.name
            shutil.copyfile(file, copy)
            try:
                return importing.begin(vocabulary, copy, file.name, languages, user)
            except FileRefused as refused:
                raise CommandError(str(refused)) from refused

    def _report(self, found: TermWork, options: dict[str, Any]) -> None:
        report = found.report
        if options["json"]:
            self.stdout.write(json.dumps({**report, "id": str(found.uid)}, ensure_ascii=False))
            return
        said = "would be" if options["dry_run"] else "are"
        self.stdout.write(
            f"{report['new']} terms {said} new, {report['changed']} changed, {report['unchanged']} the same; "
            f"{report['placed']} get another place in the hierarchy."
        )
        for where, problem in report["problems"]:
            self.stdout.write(f"  {where}: {problem}")
        if report["more"]:
            self.stdout.write(f"  and {report['more']} more problems")
        if not options["dry_run"]:
            self.stdout.write(f"To take all of it back, open {found.get_absolute_url()}")


def _finish(found: TermWork) -> None:
    """Do all that is left of it, here and now."""
    while work.step(found.pk, LONG_SECONDS):
        pass
    found.refresh_from_db()
    if found.state == TermWork.State.FAILED:
        raise CommandError(found.problem)
