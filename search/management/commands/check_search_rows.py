"""manage.py check_search_rows [--repair] [--json]"""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assets.models import Asset
from search.checking import Difference, check

KINDS = {"missing": "has no row", "orphan": "a row without an asset"}


class Command(BaseCommand):
    help = "Compare every search row with what it is made from; with --repair put right what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="write anew what differs")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        checked, found = 0, list[Difference]()
        for number, different in check(repair=options["repair"]):
            checked += number
            found += different
            if not options["json"]:
                self._say(different)
        if options["json"]:
            result = {"checked": checked, "different": len(found), "repaired": bool(options["repair"])}
            self.stdout.write(json.dumps(result | {"differences": [asdict(one) for one in found]}))
        else:
            self._sum_up(checked, len(found), options["repair"])
        if found and not options["repair"]:
            raise CommandError("Some search rows differ. Run it with --repair to write them anew.")

    def _say(self, found: Sequence[Difference]) -> None:
        uids = dict(Asset.objects.filter(pk__in=[d.asset_id for d in found]).values_list("pk", "uid"))
        for one in found:
            name = uids.get(one.asset_id, f"asset {one.asset_id}")
            self.stdout.write(f"{name}: {KINDS.get(one.kind) or ', '.join(one.columns)}")

    def _sum_up(self, checked: int, different: int, repaired: bool) -> None:
        outcome = "were put right" if repaired and different else "differ"
        self.stdout.write(f"{checked:,} assets looked at; {different:,} rows {outcome}.")
