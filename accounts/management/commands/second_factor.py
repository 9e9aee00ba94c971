"""manage.py second_factor USER [--remove]: what somebody has, and help for who has lost all of it."""

from argparse import ArgumentParser
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError

import audit
from accounts.models import User


class Command(BaseCommand):
    help = "Say which second factors somebody has, or remove them all after a loss."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument(
            "--remove", action="store_true", help="remove them: the password alone is enough then"
        )

    def handle(self, *args: Any, user: str, remove: bool, **options: Any) -> None:
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no user called {user!r}.")
        found = Authenticator.objects.filter(user=person)
        if remove:
            audit.record(audit.Event.SECOND_STEP_CHANGED, None, person, action="removed", way="command")
            count, _ = found.delete()
            self.stderr.write(f"{count} removed. A passkey stays in its device, and is good for nothing.")
            return
        for one in found.order_by("created_at"):
            used = f"last used {one.last_used_at:%Y-%m-%d}" if one.last_used_at else "never used"
            self.stdout.write(f"{one.get_type_display()}: added {one.created_at:%Y-%m-%d}, {used}")
