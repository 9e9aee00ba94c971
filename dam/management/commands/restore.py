from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

import audit
from dam.services import ServiceError, dump, roles


class Command(BaseCommand):
    help = "Replace the database by what `backup` wrote, wholly or not at all."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            self.stdout.write("This replaces everything in the database of the library. Type yes to go on:")
            if input().strip().lower() != "yes":
                raise CommandError("Nothing was changed.")
        try:
            dump.load(connection.settings_dict, options["file"])
            self.settle(options["file"].name)
        except ServiceError as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Restored. Start the library again.")

    def settle(self, name: str) -> None:
        """A dump from before the audit log is brought up to date by the next start."""
        connection.close()
        roles.settle(connection, settings.WEB_DATABASE)
        if "audit_entry" in connection.introspection.table_names():
            audit.record(audit.Event.RESTORED, None, audit.About("database", label=name))
