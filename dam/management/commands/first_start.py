"""manage.py first_start: what a new installation needs before its first page; nothing on later starts.

Prints one JSON line, {"username", "password"}; the password is null once it was changed.
"""

import json
import secrets
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import User
from assets import demo
from assets.models import Asset, Batch
from search import encoders, spaces

USERNAME = "admin"


class Command(BaseCommand):
    help = "Make the first administrator, the embedding space and, with DEMO=1, the demonstration collection."

    def handle(self, *args: Any, **options: Any) -> None:
        login = first_administrator()
        with suppress(encoders.EncoderError):  # `prepare_models` has said what is wrong
            spaces.ensure()
        if settings.DEMO and not Batch.objects.exists() and not Asset.objects.exists():
            demo.seed(User.objects.filter(username=USERNAME).first())
        self.stdout.write(json.dumps(login))


def first_administrator() -> dict[str, str | None]:
    """The login to print. A new password is made once and kept in DATA_DIR/admin-password (mode 0600)."""
    note = settings.DATA_DIR / "admin-password"
    if not User.objects.exists():
        note.touch(0o600)
        note.write_text(secrets.token_urlsafe(12))
        User.objects.create_superuser(USERNAME, password=note.read_text())
        return {"username": USERNAME, "password": note.read_text()}
    password = note.read_text() if note.exists() else ""
    user = User.objects.filter(username=USERNAME).first()
    valid = bool(password and user and user.check_password(password))
    return {"username": USERNAME, "password": password if valid else None}
