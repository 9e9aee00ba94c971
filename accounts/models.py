"""People and their API tokens."""

import hashlib
import logging
import secrets
import zoneinfo
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)


def known_time_zone(name: str) -> None:
    if name and name not in zoneinfo.available_timezones():
        raise ValidationError(_("This is not the name of a time zone, such as Europe/Amsterdam."))


class People(UserManager["User"]):
    def get(self, *args: Any, **kwargs: Any) -> "User":
        """One by its key, as the person of a session is loaded, has what settings.PERSON_LOADED adds."""
        every = self.get_queryset()
        if not args and [*kwargs] == ["pk"]:
            every = import_string(settings.PERSON_LOADED)(every)
        return every.get(*args, **kwargs)

    def create_user(self, *args: Any, **kwargs: Any) -> "User":
        user = super().create_user(*args, **kwargs)
        self.give_role(user)
        return user

    def give_role(self, user: "User") -> None:
        """Put a new account into the group DEFAULT_ROLE, whoever made it; administrators need none."""
        if not settings.DEFAULT_ROLE or user.is_superuser:
            return
        group = Group.objects.filter(name=settings.DEFAULT_ROLE).first()
        if group is None:
            log.warning("There is no group %r for the new account %s.", settings.DEFAULT_ROLE, user.pk)
            return
        user.groups.add(group)


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
    session_round = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[People] = People()

    class Meta(AbstractUser.Meta):
        db_table = "accounts_user"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Another round makes every session worthless, also one that no list knows; round 0 is Django's."""
        plain: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if not self.session_round:
            return plain
        return hashlib.sha256(f"{plain}:{self.session_round}".encode()).hexdigest()


class Scope(models.TextChoices):
    """What a token may be used for, beside what its owner may do."""

    READ = "read", _("Look and search")
    WRITE = "write", _("Change descriptions")
    UPLOAD = "upload", _("Upload pictures")


class TokenError(Exception):
    """A token that does not open this door, with the status of the answer and a text for people."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def every_scope() -> list[str]:
    return list(Scope.values)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def issue(
        self,
        user: User,
        name: str,
        scopes: Iterable[str] = tuple(Scope.values),
        expires_at: datetime | None = None,
    ) -> str:
        """Make a token for `user`; the text is returned once and only its hash is kept."""
        text = f"pm_{secrets.token_urlsafe(32)}"
        digest = ApiToken.digest_of(text)
        self.create(user=user, name=name, digest=digest, scopes=list(scopes), expires_at=expires_at)
        return text

    def admit(self, text: str, scope: str) -> User:
        """The owner of a token that may be used for `scope`. Raises TokenError, status 401 or 403."""
        found = self.select_related("user").filter(digest=ApiToken.digest_of(text)).first()
        if found is None or not found.user.is_active:
            raise TokenError(401, "This token is not valid.")
        if found.has_expired():
            raise TokenError(401, "This token has expired. Make a new one on the page of your account.")
        if scope not in found.scopes:
            raise TokenError(403, f"This token was not made for this: it lacks {str(scope)!r}.")
        now = timezone.now()
        if found.used_at is None or now - found.used_at > timedelta(minutes=1):
            self.filter(pk=found.pk).update(used_at=now)
        return found.user

    def user_of(self, text: str) -> User | None:
        """The active owner of a token that may read, or None. The time of use is noted once a minute."""
        try:
            return self.admit(text, Scope.READ)
        except TokenError:
            return None


class ApiToken(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What it is for, so that it can be recognised later.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), default=every_scope)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def purposes(self) -> list[str]:
        """Its scopes in words for people."""
        return [str(Scope(scope).label) for scope in self.scopes if scope in Scope.values]

    @staticmethod
    def digest_of(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()
