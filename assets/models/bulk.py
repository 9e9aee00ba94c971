"""Bulk work: pictures that were selected together, and what was done to all of them (docs/decisions/0025)."""

import hashlib
import json
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse


class BulkJob(models.Model):
    """A selection, fixed when it was made, and one change to all of it."""

    class State(models.TextChoices):
        SELECTED = "selected", "selected"
        CHECKING = "checking", "being looked at"
        PLANNED = "planned", "to be confirmed"
        RUNNING = "running", "running"
        PAUSED = "paused", "stopped"
        DONE = "done", "done"
        CANCELLED = "cancelled", "cancelled"
        UNDOING = "undoing", "being undone"
        UNDONE = "undone", "undone"

    WORKING = (State.CHECKING, State.RUNNING, State.UNDOING)
    OPEN = (State.SELECTED, State.CHECKING, State.PLANNED)
    """Nothing has been changed yet."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_jobs")
    question = models.TextField(blank=True, help_text="The address of the results; empty: chosen one by one.")
    asset_ids = ArrayField(models.BigIntegerField(), help_text="As they were when they were selected.")
    total = models.PositiveIntegerField(help_text="How many they are.")
    action = models.JSONField(default=dict, help_text='What is to be done: {"name": …} and its values.')
    label = models.CharField(max_length=300, blank=True, help_text="The same in words.")
    state = models.CharField(max_length=10, choices=State, default=State.SELECTED)
    position = models.PositiveIntegerField(default=0, help_text="How many were looked at, or dealt with.")
    changed = models.PositiveIntegerField(default=0, help_text="How many did change, or would.")
    refused = models.PositiveIntegerField(default=0, help_text="How many could not be changed, or could not.")
    undo_position = models.PositiveBigIntegerField(default=0, help_text="The operation undone last.")
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    kept = models.PositiveIntegerField(default=0, help_text="Values that undoing has left as they are.")
    examples = models.JSONField(default=list, help_text="The first to change: [id, [[field, before, after]]]")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since something was last finished.")
    problem = models.TextField(blank=True, help_text="Why it cannot go on, for people.")
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True, help_text="Who is working on it.")
    heartbeat = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["owner", "-id"], name="bulk_job_mine"),
            models.Index(
                "id", name="bulk_job_working", condition=Q(state__in=["checking", "running", "undoing"])
            ),
        ]

    def __str__(self) -> str:
        return self.label or f"{self.total} pictures selected"

    def get_absolute_url(self) -> str:
        return reverse("assets:bulk_job", args=[self.uid])

    @property
    def mark(self) -> str:
        """Of the action: what is confirmed must be what was looked at; a second tab may look at another."""
        return hashlib.sha256(json.dumps(self.action, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def same(self) -> int:
        """How many of those that were looked at have it already."""
        return max(self.position - self.changed - self.refused, 0)


class BulkRefusal(models.Model):
    """A picture that could not be changed, and why."""

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="refusals")
    asset_id = models.BigIntegerField(help_text="Of a picture that may be gone since.")
    reason = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint("job", "asset_id", name="bulk_refusal_unique")]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.asset_id}: {self.reason}"
