"""Files that are on their way in pieces: what is known of them while their bytes lie in a folder."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from assets.models.work import BatchItem


class Upload(models.Model):
    """One file that is being sent, or was. How much has arrived is the size of its file: assets.uploads."""

    class State(models.TextChoices):
        OPEN = "open", "on its way"
        RECEIVED = "received", "complete, not yet taken in"
        FINISHED = "finished", "taken in"

    class Purpose(models.TextChoices):
        PICTURE = "picture", "a picture"
        FILE = "file", "a file that something else takes over"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    length = models.BigIntegerField(help_text="Bytes, when it is complete.")
    filename = models.CharField(max_length=1000)
    fingerprint = models.CharField(
        max_length=1500, blank=True, help_text="By which the page knows a file again that is chosen anew."
    )
    metadata = models.TextField(blank=True, help_text="As the client sent it.")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.PICTURE)
    words = models.JSONField(default=dict, help_text="What is said about it, as in one line of a CSV.")
    batch_uid = models.UUIDField(default=uuid.uuid4, help_text="Of the batch that it will belong to.")
    source = models.CharField(max_length=500, help_text="A page, the API.")
    sidecar = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", help_text="XMP sent before it."
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="To take it in, counted before each.")
    item = models.OneToOneField(BatchItem, null=True, on_delete=models.SET_NULL, related_name="upload")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index("owner", name="upload_unfinished", condition=~Q(state="finished")),
            models.Index("expires_at", name="upload_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.filename}: {self.get_state_display()}"
