"""Links by which people without an account look at pictures, and what was done by them (decision 36)."""

import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

WHOLE = 20_000  # pixels of the longer side of the largest copy that is made


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def open(self) -> "ShareLinkQuerySet":
        """Those that have not ended; a link ends with the account of its maker, too."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), maker__is_active=True)

    def of_token(self, token: str) -> "ShareLink | None":
        """The open link of an address."""
        found = self.open().select_related("maker").filter(digest=ShareLink.digest_of(token))
        return found.first()


class ShareLink(models.Model):
    """What is shared, how far and how long. Its address is known to those who have it, and kept as a hash.

    What it leads to is named by ids and not by foreign keys: what is deleted and brought back by undo has the
    same id, and a link without its pictures shows none.
    """

    class Kind(models.TextChoices):
        ASSET = "asset", _("picture")
        COLLECTION = "collection", _("collection")
        TABLE = "table", _("light table")
        SELECTION = "selection", _("selection")

    class Sizes(models.TextChoices):
        LOOK = "look", _("Look only, as large as a screen")
        MIDDLE = "2048", _("Download JPEGs of at most 2048 pixels")
        LARGE = "4096", _("Download JPEGs of at most 4096 pixels")
        ORIGINAL = "original", _("Look closer, and download in all sizes and as handed in")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the token.")
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="share_links"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    target = models.BigIntegerField(null=True, help_text="The id of a collection or a light table.")
    asset_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Of what is fixed.")
    label = models.CharField(max_length=200, help_text="The title that recipients see.")
    message = models.TextField(blank=True)
    sizes = models.CharField(max_length=10, choices=Sizes, default=Sizes.LOOK)
    password = models.CharField(max_length=200, blank=True, editable=False, help_text="Hashed.")
    uses_allowed = models.PositiveIntegerField(null=True, help_text="Visits; null: any number.")
    uses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Where it is not its maker, the maker cannot open it again.",
    )

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="share_link_target",
                condition=Q(kind__in=["collection", "table"], target__isnull=False)
                | Q(kind__in=["asset", "selection"], target__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        """The page for its maker."""
        return reverse("assets:share", args=[self.uid])

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @property
    def mark(self) -> str:
        """What signatures are bound to: a new address of the link makes them void."""
        return self.digest[:12]

    @property
    def has_door(self) -> bool:
        """Whether a visit begins with a page of its own: for the password, or because visits are counted."""
        return bool(self.password) or self.uses_allowed is not None

    @property
    def longest(self) -> int:
        """Pixels of the longer side of what may be downloaded; 0: nothing. Originals are asked for apart."""
        return int(self.sizes) if self.sizes.isdigit() else WHOLE * (self.sizes == self.Sizes.ORIGINAL)

    def may_be_reopened_by(self, user: Any) -> bool:
        """What somebody else has ended, its maker does not open again; administrators open all."""
        return bool(user.is_superuser or (self.revoked_by_id and self.revoked_by_id == user.pk))

    @property
    def state(self) -> str:
        """open, used (no new visit is let in), revoked, expired or left (its maker is here no more)."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at <= timezone.now():
            return "expired"
        if self.maker is None or not self.maker.is_active:
            return "left"
        return "used" if self.uses_allowed is not None and self.uses >= self.uses_allowed else "open"


class ShareUse(models.Model):
    """One thing done by a link. Kept for SHARE_USE_DAYS."""

    class What(models.TextChoices):
        OPENED = "opened", _("opened")
        DOWNLOADED = "downloaded", _("downloaded")
        TRIED = "tried", _("wrong password")

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=10, choices=What)
    asset_id = models.BigIntegerField(null=True, help_text="Of a picture that may be gone since.")
    size = models.CharField(max_length=20, blank=True, help_text="original, jpeg-2048, zip …")
    network = models.CharField(max_length=50, blank=True, help_text="Of the address: /24, or /48 of IPv6.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["link", "-at"], name="share_use_of_link"),
            models.Index(fields=["at"], name="share_use_at"),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.at:%Y-%m-%d %H:%M}"

    @property
    def size_said(self) -> str:
        """The size in words."""
        whole = {
            "original": _("as handed in"),
            "zip jpeg": _("all as JPEGs"),
            "zip original": _("all as handed in"),
        }
        if self.size in whole:
            return str(whole[self.size])
        format, _dash, longest = self.size.partition("-")
        said = gettext("%(format)s, %(longest)s pixels")
        return said % {"format": format.upper(), "longest": longest} if longest else self.size
