"""Everything between an empty database and a library that can be opened; quick when nothing is to be done."""

import hashlib
import json
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dam.services import ServiceError, folders, outside, roles
from search import frequent


class Command(BaseCommand):
    help = "Bring the tables, the static files, the encoder and the first user up to date."

    requires_system_checks = []  # they look for the folders, so the folders come first

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--report", type=Path, help="write each step here as a line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        self.report: Path | None = options["report"]
        folders.make(settings.DATA_DIR)
        self.check()
        try:
            outside.check_database(connection)
            outside.check_redis(settings.REDIS_URL)
        except ServiceError as error:
            self.tell(error=str(error))
            raise CommandError(str(error)) from None
        self.step("Tables", self.migrate)
        self.step("Static files", self.collect_static)
        self.step("Encoder", self.prepare_models)
        self.step("Library", self.first_start)
        roles.settle(connection, settings.WEB_DATABASE)  # the last: all of the above makes tables

    def step(self, title: str, do: Callable[[], object]) -> None:
        began = time.monotonic()
        self.tell(begins=title)
        ready = do() is not False
        self.tell(title=title, ready=ready, seconds=round(time.monotonic() - began, 2))

    def tell(self, **what: object) -> None:
        if self.report:
            with self.report.open("a") as file:
                file.write(json.dumps(what) + "\n")
        if "trouble" in what:
            self.stderr.write(str(what["trouble"]))
        if "title" in what:
            self.stdout.write(f"{what['title']}: {what['seconds']} s")

    def migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, stdout=self.stdout)
        frequent.settle()

    def collect_static(self) -> None:
        """Skipped when no file has changed: compressing all of them takes seconds."""
        found = hashlib.sha256()
        for finder in get_finders():
            for path, storage in finder.list([]):
                stat = Path(storage.path(path)).stat()
                found.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        stamp = settings.STATIC_ROOT / ".collected"
        if not stamp.exists() or stamp.read_text() != found.hexdigest():
            call_command("collectstatic", interactive=False, clear=True, verbosity=0, stdout=self.stdout)
            stamp.write_text(found.hexdigest())

    def prepare_models(self) -> bool:
        """A library opens without its encoder, too: it is searched by words until the encoder is there."""
        try:
            call_command("prepare_models", stdout=self.stdout)
        except CommandError as error:
            self.tell(trouble=f"{error}\nUntil then, pictures are found by their words alone.")
            return False
        return True

    def first_start(self) -> None:
        """The first user and the demonstration; the login is passed on, and never into a log."""
        output = StringIO()
        call_command("first_start", stdout=output)
        login = json.loads(output.getvalue().strip().splitlines()[-1])
        if self.report:
            self.tell(login=login)
        elif login["password"]:
            self.stdout.write(f"Login: {login['username']} / {login['password']}")
