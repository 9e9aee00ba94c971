"""What happened to bytes: found damaged, put back, deleted for good. Written once, never changed."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from assets import scopes

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class StorageEvent(models.Model):
    """One event of an original, in the words of PREMIS. It outlives the original."""

    class Kind(models.TextChoices):
        FIXITY = "fixity check", "fixity check"
        RECOVERY = "recovery", "recovery"
        DELETION = "deletion", "deletion"

    kind = models.CharField(max_length=20, choices=Kind)
    sha256 = models.CharField(max_length=64, db_index=True)
    outcome = models.CharField(max_length=20, help_text="What is true since then: ok, missing, changed …")
    detail = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.sha256[:12]}: {self.outcome}"


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    def visible_to(self, user: "User | AnonymousUser") -> "TombstoneQuerySet":
        """Of what `user` could see while it was there: the rule of AssetQuerySet.visible_to."""
        scope = scopes.scope_of(user)
        lasts = models.Q(closes_at=None) | models.Q(closes_at__gt=timezone.now())
        public = models.Q(access="public") & lasts
        return self.filter(scope.visible(public)) if scope.signed_in else self.none()


class Tombstone(models.Model):
    """What is left of a picture, or of an object, that was deleted for good. Its address still says so."""

    class Kind(models.TextChoices):
        ASSET = "asset", "picture"
        RECORD = "record", "object"

    kind = models.CharField(max_length=10, choices=Kind)
    uid = models.UUIDField(unique=True)
    accession_number = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=500, blank=True)
    filename = models.CharField(max_length=255, blank=True)
    sha256 = ArrayField(models.CharField(max_length=64), default=list, help_text="Of all its versions.")
    collection = models.ForeignKey(
        "assets.Collection",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Where it lived.",
    )
    access = models.CharField(max_length=10)
    embargo_until = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True, help_text="When its licence or a consent ended, or ends.")
    trashed_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(auto_now_add=True)
    operation = models.ForeignKey("assets.Operation", null=True, on_delete=models.SET_NULL)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    objects = TombstoneQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "deleted for good"
        ordering = ["-deleted_at", "-pk"]

    def __str__(self) -> str:
        return self.title or self.accession_number or self.filename or str(self.uid)
