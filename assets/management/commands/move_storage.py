"""manage.py move_storage --to s3|local [--limit N] [--dry-run] [--delete-source] [--json]"""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

import audit
from assets import moving

SHOWN = 20


class Command(BaseCommand):
    help = "Move originals and previews to another storage while the library runs; repeat it after a stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", choices=["s3", "local"], required=True)
        parser.add_argument("--limit", type=int, metavar="N", help="copy or remove at most so many files")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be copied")
        parser.add_argument(
            "--delete-source",
            action="store_true",
            help="delete from the old storage what was read back from the new one",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        self.counted, self.bytes, self.refused = Counter[str](), 0, list[moving.Moved]()
        try:
            self._move(options)
        except moving.MoveRefused as refused:
            raise CommandError(str(refused)) from refused
        except KeyboardInterrupt:
            self.stderr.write(f"Stopped. {self._said()} Repeat the command to go on.")
            sys.exit(130)
        if not options["dry_run"]:
            done = {**self._numbers(), "refused": len(self.refused), "bytes": self.bytes}
            about = audit.About("storage", label=options["to"])
            audit.record(audit.Event.STORAGE_MOVED, None, about, deleted=options["delete_source"], **done)
        if options["json"]:
            report = {"bytes": self.bytes, "refused": [one.__dict__ for one in self.refused]}
            self.stdout.write(json.dumps({**self._numbers(), **report}))
        else:
            self.stdout.write(self._said(options["dry_run"]))
            for one in self.refused[:SHOWN]:
                self.stdout.write(f"  {one.kind}/{one.name}: {one.reason}")
        if self.refused:
            raise CommandError("Some files could not be moved; they are where they were.")

    def _move(self, options: dict[str, Any]) -> None:
        """The bar shows bytes, their rate and the time left."""
        _, size = moving.total()
        moved = moving.move(options["to"], delete_source=options["delete_source"], dry_run=options["dry_run"])
        scale = {"unit": "B", "unit_scale": True, "file": self.stderr, "disable": None}
        with tqdm(total=size, desc="Moving", **scale) as bar:
            for one in moved:
                self.counted[one.outcome] += 1
                bar.update(one.size)
                if one.outcome == "refused":
                    self.refused.append(one)
                if one.outcome == "moved":
                    self.bytes += one.size
                done = self.counted["moved"] + self.counted["removed"]
                if options["limit"] and done >= options["limit"]:
                    break

    def _numbers(self) -> dict[str, int]:
        return {name: self.counted[name] for name in ("moved", "there", "removed", "unknown")}

    def _said(self, dry_run: bool = False) -> str:
        n = self._numbers()
        verb = "would be copied" if dry_run else "copied"
        return (
            f"{n['moved']:,} files {verb} ({self.bytes / 1e6:,.1f} MB), {n['there']:,} were there already, "
            f"{n['removed']:,} only removed from the old storage, {len(self.refused):,} refused, "
            f"{n['unknown']:,} belong to no picture and stay."
        )
