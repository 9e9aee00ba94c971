"""Work and its outcome: the database is the truth, the broker only a hint (docs/decisions/0005)."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.module_loading import import_string

from assets.models.pictures import Asset, AssetVersion


class Batch(models.Model):
    """One import or one visit to the upload page."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=500, help_text="A folder, a page, the API.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    summary = models.CharField(
        max_length=300, blank=True, help_text="What became of it, where not every line has an item."
    )

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.source}, {self.created_at:%Y-%m-%d %H:%M}"


class BatchItem(models.Model):
    """What became of one file of a batch."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        DUPLICATE = "duplicate"
        REJECTED = "rejected"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    file = models.CharField(max_length=1000)
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.TextField(blank=True)
    asset = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="batch_items")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.file}: {self.outcome}"


class Origin(models.Model):
    """Which file of which source became which asset, so that a repeated import knows it (decision 19).

    Without an asset: the file was refused, or its asset is gone.
    """

    key = models.CharField(max_length=64, unique=True, help_text="A hash of the source and the path.")
    source = models.CharField(max_length=500)
    path = models.CharField(max_length=1000)
    fingerprint = models.CharField(
        max_length=300,
        blank=True,
        help_text="Size and time, or what a server calls it; another: other bytes.",
    )
    asset = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="origins")
    taken_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.path} of {self.source}"


class WatchedFolder(models.Model):
    """A folder whose new files are taken in by themselves; nothing in it is moved, changed or removed."""

    folder = models.CharField(
        max_length=1000, unique=True, help_text="A path on the server, such as /srv/scans."
    )
    collection = models.CharField(
        max_length=500, blank=True, help_text="The home of new pictures; “ / ” separates nested ones."
    )
    tags = models.CharField(max_length=500, blank=True, help_text="For all of them, separated by semicolons.")
    settle_seconds = models.PositiveIntegerField(
        "seconds to wait", default=30, help_text="A file is taken in when it has not changed for so long."
    )
    is_active = models.BooleanField("active", default=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text="Whose uploads they are.",
    )
    looked_at = models.DateTimeField(null=True, editable=False)
    trouble = models.CharField(max_length=500, blank=True, editable=False)
    pause_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["folder"]

    def __str__(self) -> str:
        return self.folder


class CurrentRuns(models.Manager["StageRun"]):
    """The runs that people wait for: not those of embedding spaces that are only being tried."""

    def get_queryset(self) -> "models.QuerySet[StageRun]":
        current: Any = import_string(settings.CURRENT_VARIANTS)()
        return super().get_queryset().filter(Q(variant=0) | Q(variant__in=current))


class StageRun(models.Model):
    """One stage of the pipeline on one version. A new input resets the row and changes its token."""

    INTERACTIVE, BULK, BACKGROUND = 1, 5, 9
    """Priorities: somebody waits for it; an import; whenever there is time. Those of BACKGROUND are not sent
    one by one: somebody comes for them (pipeline.work_off)."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    version = models.ForeignKey(AssetVersion, on_delete=models.CASCADE, related_name="stage_runs")
    stage = models.CharField(max_length=50)
    variant = models.PositiveBigIntegerField(
        default=0, help_text="Which of several results: the embedding space of a vector."
    )
    input_hash = models.CharField(max_length=64, blank=True, help_text="What the result was made from.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    priority = models.SmallIntegerField(
        default=BULK, help_text="Lower goes first: 1 one upload, 5 an import, 9 whenever there is time."
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try.")
    lost_workers = models.PositiveSmallIntegerField(default=0, help_text="Workers that died over it.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="When a retry is due.")
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True, help_text="Who may write the result.")
    message_id = models.CharField(max_length=64, blank=True, help_text="The broker message that claimed it.")
    worker = models.CharField(max_length=100, blank=True, help_text="Who claimed it last.")
    began_at = models.DateTimeField(null=True, blank=True, help_text="When it was claimed last.")
    reason = models.TextField(blank=True, help_text="Why it failed, for people.")
    detail = models.TextField(blank=True, help_text="The traceback, for administrators.")
    changed_at = models.DateTimeField(auto_now=True)

    every = models.Manager["StageRun"]()
    objects = CurrentRuns()

    class Meta:
        default_manager_name = "objects"
        constraints = [models.UniqueConstraint("version", "stage", "variant", name="stage_run_unique")]
        indexes = [
            models.Index(
                "priority",
                "id",
                name="stage_run_open",
                condition=Q(state__in=["waiting", "queued", "running"]),
            ),
            models.Index("id", name="stage_run_failed", condition=Q(state="failed")),
            models.Index(
                "lease_until", name="stage_run_leased", condition=Q(state__in=["queued", "running"])
            ),
            models.Index(
                "variant", "stage", "priority", "id", name="stage_run_waiting", condition=Q(state="waiting")
            ),
            models.Index(
                "stage",
                "changed_at",
                name="stage_run_finished",
                condition=Q(variant=0, state__in=["done", "failed"]),
            ),
            models.Index(
                "variant",
                "stage",
                "state",
                "changed_at",
                name="stage_run_variant",
                condition=Q(variant__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of {self.version}: {self.state}"
