"""Who changed what, and when. Written by assets.changes alone."""

import uuid

from django.conf import settings
from django.db import models


class Operation(models.Model):
    """What one click, one import or one stage did; can be undone as a whole."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=30, help_text="edit, upload, import, trash, undo, embedded metadata …")
    label = models.CharField(max_length=300, help_text="What happened, in words.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    batch = models.ForeignKey("assets.Batch", null=True, blank=True, on_delete=models.SET_NULL)
    bulk = models.ForeignKey(
        "assets.BulkJob", null=True, blank=True, on_delete=models.SET_NULL, related_name="operations"
    )
    undoes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.label


class Change(models.Model):
    """One field of one object, before and after."""

    class Kind(models.TextChoices):
        ASSET = "asset"
        RECORD = "record"
        COLLECTION = "collection"
        TABLE = "table", "light table"
        TERM = "term"

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="changes")
    object_kind = models.CharField(max_length=10, choices=Kind)
    object_id = models.BigIntegerField()
    field = models.CharField(max_length=100)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index("object_kind", "object_id", name="change_object")]

    def __str__(self) -> str:
        return f"{self.object_kind} {self.object_id}: {self.field}"
