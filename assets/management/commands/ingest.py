"""manage.py ingest PATH… [--csv FILE] [--collection NAME] [--tag T]… [--wait] [--json]

manage.py ingest --records LIST.csv: every line is an object, which waits for its picture.
"""

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import User
from assets import ingest, pipeline
from assets.importing import Delivered, ImportRefused, deliveries
from assets.ingest import Delivery, Outcome, Outcomes, readable
from assets.models import Asset, Batch, StageRun
from assets.objects import Tally, count_lines, import_objects
from assets.stages import pipeline as stages
from assets.waiting import wait_until_settled

MOST_SHOWN = 20  # bad lines of a list of objects
STOPPED = "Stopped after {}. What was done stays; repeat the command to go on."
STALLED = "Nothing has moved for a minute. Is a worker running? Start the system with `make run`."


class Command(BaseCommand):
    help = "Take in files and folders, described by a CSV if there is one. Repeating it adds nothing twice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
        parser.add_argument("--csv", type=Path, help="a table with a `file` column and any of the words")
        parser.add_argument(
            "--records",
            type=Path,
            metavar="LIST",
            help="a table of objects with an `accession` column and any of the words; they wait for pictures",
        )
        parser.add_argument(
            "--collection", default="", help="the home of new pictures; ` / ` separates nested ones"
        )
        parser.add_argument("--tag", action="append", default=[], help="a tag for all of them; repeatable")
        parser.add_argument("--user", help="whose upload it is")
        parser.add_argument("--wait", action="store_true", help="until every picture is searchable or failed")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        if options["records"]:
            return self._take_in_objects(options, began)
        if not options["paths"] and not options["csv"]:
            raise CommandError("Name at least one file or folder, a --csv, or a list of --records.")
        try:
            files = deliveries(options["paths"], options["csv"])
        except ImportRefused as refused:
            raise CommandError(str(refused)) from refused
        batch, outcomes = self._take_in(files, options)
        failed: list[StageRun] = []
        if options["wait"]:
            failed = self._wait(outcomes)
        self._report(batch, outcomes, failed, time.monotonic() - began, options)

    def _take_in_objects(self, options: dict[str, Any], began: float) -> None:
        path: Path = options["records"]
        if options["paths"] or options["csv"]:
            raise CommandError(
                "A list of --records is taken in by itself, without files and without a --csv."
            )
        user = self._user(options["user"])
        try:
            total = count_lines(path)
        except ImportRefused as refused:
            raise CommandError(str(refused)) from refused
        batch = Batch.objects.create(source=readable(str(path))[:500], user=user)
        delivery = Delivery(batch, user, options["collection"], options["tag"], ingest.BULK)
        with tqdm(total=total, desc="Taking in", unit=" lines", file=self.stderr, disable=None) as bar:

            def show(tally: Tally) -> None:
                bar.update(tally.lines - bar.n)

            try:
                tally = import_objects(path, delivery, show)
            except KeyboardInterrupt:
                bar.close()
                self.stderr.write(STOPPED.format(batch.summary))
                sys.exit(130)
        failed = self._wait(tally.pictures) if options["wait"] else []
        self._report_objects(batch, tally, failed, time.monotonic() - began, options["json"])

    def _report_objects(
        self, batch: Batch, tally: Tally, failed: list[StageRun], seconds: float, as_json: bool
    ) -> None:
        by = {kind: [o for o in tally.pictures if o.outcome == kind] for kind in Outcomes}
        problems = [*tally.problems, *((o.file, o.reason) for o in by[Outcomes.REJECTED])]
        if as_json:
            report = {
                "batch": str(batch.uid),
                "lines": tally.lines,
                "new": tally.new,
                "updated": tally.updated,
                "unchanged": tally.unchanged,
                "accepted": len(by[Outcomes.ACCEPTED]),
                "duplicates": len(by[Outcomes.DUPLICATE]),
                "refused": tally.refused,
                "rejected": [{"file": where, "reason": reason} for where, reason in problems],
                "failed": [_failure(run) for run in failed],
                "seconds": round(seconds, 2),
            }
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        self.stdout.write(f"{tally.summary}, in {seconds:.1f} s.")
        for where, reason in problems[:MOST_SHOWN]:
            self.stdout.write(f"  {where}: {reason}")
        if len(problems) > MOST_SHOWN:
            self.stdout.write(f"  … and {len(problems) - MOST_SHOWN:,} more: see Jobs.")

    def _take_in(self, files: list[Delivered], options: dict[str, Any]) -> tuple[Batch, list[Outcome]]:
        user = self._user(options["user"])
        source = readable(", ".join(str(path) for path in [*options["paths"], options["csv"]] if path))
        batch = Batch.objects.create(source=source[:500], user=user)
        outcomes = []
        for file in tqdm(files, desc="Taking in", unit=" files", file=self.stderr, disable=None, delay=1):
            outcomes.append(self._one(file, batch, user, options))
        return batch, outcomes

    @staticmethod
    def _one(file: Delivered, batch: Batch, user: User | None, options: dict[str, Any]) -> Outcome:
        if file.path is None:
            return ingest.reject(batch, file.name, file.reason)
        try:
            beside = file.sidecar.read_bytes() if file.sidecar else b""
            with file.path.open("rb") as source:
                return ingest.accept(
                    source,
                    file.name,
                    batch=batch,
                    user=user,
                    collection=options["collection"],
                    tags=options["tag"],
                    words=file.words,
                    sidecar=beside,
                    priority=ingest.BULK,
                )
        except OSError as error:
            return ingest.reject(batch, file.name, f"The file cannot be read: {error.strerror or error}.")

    @staticmethod
    def _user(name: str | None) -> User | None:
        if name is None:
            return None
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user called {name!r}.")
        return user

    def _wait(self, outcomes: list[Outcome]) -> list[StageRun]:
        ids = sorted({outcome.asset.pk for outcome in outcomes if outcome.asset})
        pipeline.feed()
        with tqdm(total=len(ids), desc="Searchable", unit=" pictures", file=self.stderr, disable=None) as bar:

            def show(settled: int) -> None:
                bar.update(settled - bar.n)

            return wait_until_settled(ids, show, lambda: self.stderr.write(STALLED))

    def _report(
        self,
        batch: Batch,
        outcomes: list[Outcome],
        failed: list[StageRun],
        seconds: float,
        options: dict[str, Any],
    ) -> None:
        by = {kind: [o for o in outcomes if o.outcome == kind] for kind in Outcomes}
        rejected = [{"file": o.file, "reason": o.reason} for o in by[Outcomes.REJECTED]]
        report = {
            "batch": str(batch.uid),
            "accepted": len(by[Outcomes.ACCEPTED]),
            "duplicates": len(by[Outcomes.DUPLICATE]),
            "updated": sum(o.changed for o in outcomes),
            "rejected": rejected,
            "failed": [_failure(run) for run in failed],
            "notes": [{"file": o.file, "reason": o.reason} for o in outcomes if o.refused],
            "seconds": round(seconds, 2),
        }
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        self.stdout.write(
            f"{report['accepted']} accepted, {report['duplicates']} already here "
            f"({report['updated']} with a new description), {len(rejected)} rejected, "
            f"{len(failed)} failed, in {seconds:.1f} s."
        )
        for item in [*rejected, *report["failed"], *report["notes"]]:  # type: ignore[misc]
            self.stdout.write(f"  {item['file']}: {item['reason']}")
        if not options["wait"] and by[Outcomes.ACCEPTED]:
            open_runs = StageRun.objects.filter(state=StageRun.State.WAITING).values("version")
            waiting = Asset.objects.filter(current_version__in=open_runs).count()
            self.stdout.write(
                f"They are being processed; {waiting} pictures wait. --wait shows the progress."
            )


def _failure(run: StageRun) -> dict[str, str]:
    stage = stages()[run.stage]
    return {"file": run.version.original_filename, "stage": stage.name, "reason": run.reason}
