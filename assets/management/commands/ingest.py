"""manage.py ingest SOURCE… [--csv FILE] [--collection NAME] [--tag T]… [--replace] [--wait] [--json]

manage.py ingest SOURCE [--csv FILE] --dry-run: what would happen, row by row.
manage.py ingest --records LIST.csv: every line is an object, which waits for its picture.
manage.py ingest --watch FOLDER: new files, until Ctrl-C.
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import User
from assets import ingest, pipeline, sources, watching
from assets.importing import Delivered, ImportRefused, deliveries
from assets.imports.mapping import MappingRefused
from assets.imports.rehearsal import rehearse
from assets.ingest import Delivery, readable
from assets.management import reports
from assets.management.reports import Taken
from assets.models import Asset, Batch, StageRun
from assets.objects import Tally, count_lines, import_objects
from assets.origins import Order, take
from assets.sources import SourceError
from assets.tables import TableRefused
from assets.waiting import hold_on, wait_until_settled

STOPPED = "Stopped after {}. What was done stays; repeat the command to go on."
STALLED = "Nothing has moved for a minute. Is a worker running? Start the system with `make run`."
SOURCE = (
    "a folder, a file, a zip archive, s3://bucket/prefix, a .txt of addresses, an address, a IIIF manifest"
)


class Command(BaseCommand):
    help = (
        "Take in pictures from anywhere, described by a CSV if there is one. Repeating it adds nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help=SOURCE)
        parser.add_argument(
            "--kind", choices=sources.KINDS, help="what the sources are, where it does not show"
        )
        parser.add_argument("--csv", type=Path, help="a table with a `file` column and any of the words")
        parser.add_argument(
            "--records",
            type=Path,
            metavar="LIST",
            help="a table of objects with an `accession` column and any of the words; they wait for pictures",
        )
        parser.add_argument(
            "--watch", metavar="FOLDER", help="take in what comes into a folder, until Ctrl-C"
        )
        parser.add_argument(
            "--settle",
            type=float,
            default=30,
            metavar="SECONDS",
            help="of silence before a watched file is taken",
        )
        parser.add_argument(
            "--collection", default="", help="the home of new pictures; ` / ` separates nested ones"
        )
        parser.add_argument("--tag", action="append", default=[], help="a tag for all of them; repeatable")
        parser.add_argument("--user", help="whose upload it is")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="a file that has changed since it was taken in is a new version, not another picture",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say for each row what would happen, and keep nothing",
        )
        parser.add_argument("--wait", action="store_true", help="until every picture is searchable or failed")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began, self.user = time.monotonic(), _user(options["user"])
        self.alone = False  # whether nobody works on what is taken in
        alone = [name for name in ("records", "watch") if options[name]]
        if alone and (len(alone) > 1 or options["sources"] or options["csv"]):
            raise CommandError(f"--{alone[0]} stands by itself, without other sources and without a --csv.")
        if alone and options["dry_run"]:
            raise CommandError(f"--dry-run cannot look ahead for --{alone[0]}; nothing was done.")
        try:
            if options["records"]:
                self._take_in_objects(options["records"], options)
            elif options["watch"]:
                self._watch(options)
            elif options["dry_run"]:
                self._rehearse(options)
            else:
                self._take_in_files(options)
        except (ImportRefused, SourceError, TableRefused, MappingRefused) as refused:
            raise CommandError(str(refused)) from refused

    def _take_in_files(self, options: dict[str, Any]) -> None:
        if not options["sources"] and not options["csv"]:
            raise CommandError("Name at least one source, a --csv, or a list of --records.")
        opened = [sources.opened(where, kind=options["kind"]) for where in options["sources"]]
        files = deliveries(opened, options["csv"])
        named = ", ".join(str(part) for part in [*options["sources"], options["csv"]] if part)
        batch = Batch.objects.create(source=readable(named)[:500], user=self.user)
        order = Order(batch, self.user, options["collection"], options["tag"], replace=options["replace"])
        taken = self._take(files, order)
        failed = self._wait(taken.assets) if options["wait"] else []
        seconds = time.monotonic() - self.began
        if options["json"]:
            return self._print(taken.as_json(batch, failed, seconds))
        self._say(taken.lines(failed, seconds))
        if not options["wait"] and taken.accepted:
            open_runs = StageRun.objects.filter(state=StageRun.State.WAITING).values("version")
            waiting = Asset.objects.filter(current_version__in=open_runs).count()
            self._say([f"They are being processed; {waiting} pictures wait. --wait shows the progress."])

    def _rehearse(self, options: dict[str, Any]) -> None:
        table, named = options["csv"], options["sources"]
        if len(named) > 1 or not (named or table):
            raise CommandError("--dry-run looks at one source, at a --csv, or at both.")
        said = {"collection": options["collection"], "tags": options["tag"], "only_named": not named}
        place = named[0] if named else str(table.parent)
        lines, counts = rehearse(self.user, place=place, table=table, options=said)
        if options["json"]:
            return self._print(reports.of_rehearsal(lines, counts))
        self._say(reports.lines_of_rehearsal(lines, counts))

    def _take(self, files: list[Delivered], order: Order) -> Taken:
        taken = Taken()
        try:
            for file in self._progress(files, desc="Taking in", unit=" files", delay=1):
                if not self.alone and not hold_on():
                    self.alone = True
                    self.stderr.write(STALLED)
                taken.add(take(file.source, file.item, order, file.words))
        except KeyboardInterrupt:
            self._stop(taken.summary)
        return taken

    def _take_in_objects(self, path: Path, options: dict[str, Any]) -> None:
        total = count_lines(path)
        batch = Batch.objects.create(source=readable(str(path))[:500], user=self.user)
        delivery = Delivery(batch, self.user, options["collection"], options["tag"], ingest.BULK)
        with self._progress(total=total, desc="Taking in", unit=" lines") as bar:

            def show(tally: Tally) -> None:
                bar.update(tally.lines - bar.n)

            try:
                tally = import_objects(path, delivery, show)
            except KeyboardInterrupt:
                bar.close()
                self._stop(batch.summary)
        failed = self._wait(o.asset.pk for o in tally.pictures if o.asset) if options["wait"] else []
        seconds = time.monotonic() - self.began
        if options["json"]:
            return self._print(reports.of_objects(batch, tally, failed, seconds))
        self._say(reports.lines_of_objects(tally, seconds))

    def _watch(self, options: dict[str, Any]) -> None:
        tags, again = tuple(options["tag"]), options["replace"]
        folder = watching.Watch(
            options["watch"], options["collection"], tags, self.user, options["settle"], again
        )
        self._say([f"Watching {options['watch']}; Ctrl-C stops it."])
        try:
            watching.watch(
                folder, lambda outcome: self._say([f"{outcome.file}: {outcome.outcome} {outcome.reason}"])
            )
        except KeyboardInterrupt:
            self._say(["Stopped."])

    def _wait(self, assets: Iterable[int]) -> list[StageRun]:
        ids = sorted(set(assets))
        pipeline.feed()
        with self._progress(total=len(ids), desc="Searchable", unit=" pictures") as bar:

            def show(settled: int) -> None:
                bar.update(settled - bar.n)

            return wait_until_settled(ids, show, lambda: self.stderr.write(STALLED))

    def _progress(self, *items: Any, **options: Any) -> Any:
        """A bar with the rate and the time left, on a terminal."""
        return tqdm(*items, file=self.stderr, disable=None, **options)

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)

    def _print(self, report: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(report, ensure_ascii=False))

    def _stop(self, done: str) -> None:
        self.stderr.write(STOPPED.format(done))
        sys.exit(130)


def _user(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user called {name!r}.")
    return user
