import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from dam.services import ServiceError
from dam.services.supervisor import Plan, Supervisor


class Command(BaseCommand):
    help = "Start every part of the library in the foreground; Ctrl-C stops it."
    requires_system_checks = []  # the database is not there yet; `prepare` runs the checks

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--import", dest="imports", action="append", default=[], metavar="PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        hosts = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]
        plan = Plan(
            data_dir=settings.DATA_DIR,
            host=settings.HOST,
            port=settings.PORT,
            threads=settings.WEB_THREADS,
            fillers=settings.FILL_CONCURRENCY,
            asks_for=hosts[0] if hosts else "localhost",
            imports=tuple(options["imports"]),
            environ=dict(os.environ),
        )
        try:
            Supervisor(plan, self.say).run()
        except ServiceError as error:
            self.stderr.write(str(error))
            sys.exit(1)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
