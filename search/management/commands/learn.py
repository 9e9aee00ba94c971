"""manage.py learn [--json] [--dry-run]: learn from what the museum has written of its pictures."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search import encoders, features, spaces
from search.learning import lessons, tag_lessons

ALL = 1e9  # seconds


class Command(BaseCommand):
    help = (
        "Learn from the words of described pictures how to find those that nobody has described. What is "
        "better becomes a space of its own, which the workers fill; it can then be compared and activated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--dry-run", action="store_true", help="learn and prove, but make no space")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            features.keep_missing(ALL)
            report = lessons.learn(dry=given["dry_run"])
            tags = None if given["dry_run"] else tag_lessons.learn()
        except (lessons.Busy, spaces.SpaceError, encoders.EncoderError) as error:
            raise CommandError(str(error)) from error
        if given["json"]:
            self.stdout.write(json.dumps(report.printed))
            return
        self.stdout.write(f"{report.described:,} of {report.assets:,} pictures have words to learn from.")
        for name in ("before", "after"):
            if figures := report.figures.get(name):
                self.stdout.write(f"{name:7}" + ", ".join(f"{k} {100 * v:.1f} %" for k, v in figures.items()))
        self.stdout.write(report.why)
        if report.space:
            self.stdout.write(f"{report.space} is being filled by the workers; see `manage.py spaces list`.")
        if tags and tags.tags:
            self.stdout.write(f"{tags.tags:,} tags were learned from {tags.pictures:,} pictures.")
