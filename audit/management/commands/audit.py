"""manage.py audit verify [--head HASH] | export [--since DAY] [--until DAY] | head"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

import audit
from audit import listing, verifying


class Command(BaseCommand):
    help = "Check the chain of the audit log, write it as CSV, or print its head."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        verify = actions.add_parser("verify", help="walk the chain; ends with 1 at the first break")
        verify.add_argument("--head", default="", metavar="HASH", help="a head that was noted before")
        export = actions.add_parser("export", help="write the entries as CSV")
        export.add_argument("--since", type=date.fromisoformat, metavar="YYYY-MM-DD")
        export.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD")
        actions.add_parser(
            "head", help="print the number and the hash of the last entry, to note it elsewhere"
        )

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "verify":
            self._verify(options["head"])
        elif action == "export":
            self._export(listing.Wanted(since=options["since"], until=options["until"]))
        else:
            self.stdout.write("{} {}".format(*verifying.head()))

    def _verify(self, head: str) -> None:
        try:
            for state in verifying.verify(head.strip().lower()):
                done = state
        except verifying.Broken as broken:
            raise CommandError(str(broken)) from broken
        self.stdout.write(f"{done.count:,} entries, the chain holds. Head: {done.head}")

    def _export(self, wanted: listing.Wanted) -> None:
        found = listing.entries(wanted)
        days = {"since": wanted.since, "until": wanted.until}
        said = {name: day for name, day in days.items() if day}
        audit.record(
            audit.Event.EXPORTED,
            None,
            audit.About("audit", label="Audit log"),
            format="csv",
            way="command",
            **said,
        )
        for portion in listing.lines(found):
            self.stdout.write(portion, ending="")
