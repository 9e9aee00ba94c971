from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from dam.services import ServiceError, dump


class Command(BaseCommand):
    help = "Write the database into one file, while the library runs. Copy DATA_DIR/originals as well."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dump.save(connection.settings_dict, options["file"])
        except (ServiceError, OSError) as error:
            raise CommandError(str(error)) from None
        size = options["file"].stat().st_size
        self.stdout.write(f"{options['file']}: {size / 1e6:.1f} MB. Now copy the folder of the originals.")
