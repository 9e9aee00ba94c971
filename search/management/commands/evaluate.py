"""manage.py evaluate GOLDEN.csv [--mode …] [--filter …]… [--json]"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search.asked import FilterError, checked
from search.evaluation import GoldenError, evaluate, read
from search.hybrid import MODES, HybridQuery
from search.management.commands.search import EVERYTHING, FILTER_HELP


class Command(BaseCommand):
    help = "Measure the search on questions with known answers: a CSV with the columns query and filename."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("golden", type=Path)
        parser.add_argument("--mode", choices=MODES, default="best")
        parser.add_argument("--filter", action="append", default=[], help=FILTER_HELP)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            base = HybridQuery(user=EVERYTHING, mode=options["mode"], filters=checked(options["filter"]))
            measured = evaluate(read(options["golden"]), base)
        except (FilterError, GoldenError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(measured))
            return
        for name, value in measured.items():
            self.stdout.write(f"{name:12} {value}")
