"""manage.py token USER [--name NAME] [--scope SCOPE …] [--days N] [--list | --revoke]: a bearer token."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

import audit
from accounts.models import ApiToken, Scope, User

DAYS = 365


class Command(BaseCommand):
    help = "Issue a bearer token for the API. It is printed once; only its hash is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--name", default="command line", help="what the token is for")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            help="what it may be used for; more than once for several (default: everything)",
        )
        parser.add_argument(
            "--days", type=int, default=DAYS, help=f"for which it is good (default: {DAYS}; 0: for ever)"
        )
        parser.add_argument("--list", action="store_true", help="list the tokens of this user instead")
        parser.add_argument("--revoke", action="store_true", help="revoke the tokens of this name instead")

    def handle(self, *args: Any, user: str, name: str, revoke: bool, **options: Any) -> None:
        person = User.objects.filter(username=user).first()
        if person is None:
            known = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:10])
            raise CommandError(f"There is no user called {user!r}. Known: {known or 'nobody yet'}.")
        if options["list"]:
            for token in person.api_tokens.order_by("created_at"):
                self.stdout.write(self._line(token))
            return
        if revoke:
            tokens = ApiToken.objects.filter(user=person, name=name)
            for token in tokens:
                audit.record(audit.Event.TOKEN_REVOKED, None, token, way="command")
            count, _ = tokens.delete()
            self.stderr.write(f"{count} token(s) called {name!r} revoked.")
            return
        self.stdout.write(self._issue(person, name, options["scope"] or Scope.values, options["days"]))

    def _issue(self, person: User, name: str, scopes: list[str], days: int) -> str:
        if days < 0:
            raise CommandError("--days must be 0 or more.")
        if days == 0 and not person.is_superuser:
            raise CommandError("Only a token of an administrator may be good for ever: say --days.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        text = ApiToken.objects.issue(person, name, scopes, expires_at)
        made = ApiToken.objects.get(digest=ApiToken.digest_of(text))
        audit.record(audit.Event.TOKEN_MADE, None, made, way="command", scopes=scopes, until=expires_at)
        return text

    def _line(self, token: ApiToken) -> str:
        until = "for ever"
        if token.expires_at:
            until = f"{'expired' if token.has_expired() else 'until'} {token.expires_at:%Y-%m-%d}"
        used = f"{token.used_at:%Y-%m-%d}" if token.used_at else "never"
        return f"{token.name}: {', '.join(token.scopes)}; {until}; last used {used}"
