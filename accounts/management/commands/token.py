"""manage.py token USER [--name NAME] [--revoke]: a bearer token for the API."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import ApiToken, User


class Command(BaseCommand):
    help = "Issue a bearer token for the API. It is printed once; only its hash is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument("--revoke", action="store_true", help="revoke the tokens of this name instead")

    def handle(self, *args: Any, user: str, name: str, revoke: bool, **options: Any) -> None:
        person = User.objects.filter(username=user).first()
        if person is None:
            known = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:10])
            raise CommandError(f"There is no user called {user!r}. Known: {known or 'nobody yet'}.")
        if revoke:
            count, _ = ApiToken.objects.filter(user=person, name=name).delete()
            self.stderr.write(f"{count} token(s) called {name!r} revoked.")
            return
        self.stdout.write(ApiToken.objects.issue(person, name))
