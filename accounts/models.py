"""People and their API tokens."""

import hashlib
import secrets
import zoneinfo
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def known_time_zone(name: str) -> None:
    if name and name not in zoneinfo.available_timezones():
        raise ValidationError(_("This is not the name of a time zone, such as Europe/Amsterdam."))


class User(AbstractUser):
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[known_time_zone],
        help_text=_("Such as Europe/Amsterdam. Empty: that of the browser."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        choices=settings.LANGUAGES,
        help_text=_("Empty: that of the browser."),
    )

    class Meta(AbstractUser.Meta):
        db_table = "accounts_user"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def issue(self, user: User, name: str) -> str:
        """Make a token for `user`; the text is returned once and only its hash is kept."""
        text = f"pm_{secrets.token_urlsafe(32)}"
        self.create(user=user, name=name, digest=ApiToken.digest_of(text))
        return text

    def user_of(self, text: str) -> User | None:
        """The active owner of a token, or None. The time of use is noted once a minute."""
        found = self.select_related("user").filter(digest=ApiToken.digest_of(text)).first()
        if found is None or not found.user.is_active:
            return None
        now = timezone.now()
        if found.used_at is None or now - found.used_at > timedelta(minutes=1):
            self.filter(pk=found.pk).update(used_at=now)
        return found.user


class ApiToken(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What it is for, so that it can be recognised later.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    @staticmethod
    def digest_of(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()
