"""Imports: a delivery as a whole, its rows, and how columns were mapped (docs/decisions/0020)."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assets.models.pictures import Asset
from assets.models.records import Record
from assets.models.work import Batch


class ColumnMapping(models.Model):
    """What the columns of a table mean, remembered for the next one with the same headers."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    signature = models.CharField(max_length=64, help_text="SHA-256 of the headers.")
    columns = models.JSONField(default=list, help_text='[{"header", "target", "split"}]')
    constants = models.JSONField(default=dict, help_text="By target: the same for all rows.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint("owner", "signature", name="column_mapping_unique")]

    def __str__(self) -> str:
        return ", ".join(column["header"] for column in self.columns)[:100]


class Import(models.Model):
    """One delivery: pictures, a table, or both. Its rows are checked, taken in, and can be taken back."""

    class State(models.TextChoices):
        MAPPING = "mapping", _("columns to be named")
        CHECKING = "checking", _("being checked")
        PLANNED = "planned", _("ready")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    WORKING = (State.CHECKING, State.RUNNING, State.UNDOING)
    CORRECTABLE = (State.MAPPING, State.CHECKING, State.PLANNED, State.RUNNING, State.PAUSED, State.DONE)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    batch = models.OneToOneField(Batch, on_delete=models.CASCADE, related_name="delivery")
    state = models.CharField(max_length=10, choices=State, default=State.MAPPING)
    place = models.CharField(max_length=1000, blank=True, help_text="Where the pictures are; may be empty.")
    table = models.CharField(max_length=1000, blank=True, help_text="The path of a table of its own.")
    table_inside = models.CharField(max_length=1000, blank=True, help_text="Of one among the pictures.")
    mapping = models.JSONField(default=dict, help_text="Columns and constants: see ColumnMapping.")
    options = models.JSONField(default=dict, help_text="collection, tags, objects, keep_edited")
    position = models.BigIntegerField(default=0, help_text="Rows laid out, or the operation undone last.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since something was last finished.")
    laid_out = models.BooleanField(default=False, help_text="Whether every row and file has its line.")
    problem = models.TextField(blank=True, help_text="Why it cannot go on, for people.")
    notes = models.JSONField(default=list, help_text="What a person should know of how it was read.")
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True, help_text="Who is working on it.")
    heartbeat = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                "id", name="import_working", condition=Q(state__in=["checking", "running", "undoing"])
            )
        ]

    def __str__(self) -> str:
        return str(self.batch)

    def get_absolute_url(self) -> str:
        return reverse("assets:import", args=[self.uid])

    @property
    def has_table(self) -> bool:
        return bool(self.table or self.table_inside)

    @property
    def name(self) -> str:
        return self.batch.source

    @property
    def user(self) -> Any:
        return self.batch.user


class ImportRow(models.Model):
    """One row of the table with its file, or one file that no row names."""

    class Result(models.TextChoices):
        NEW = "new", _("new picture")
        FILLED = "filled", _("picture for an object that waits")
        OBJECT = "object", _("new object, waits for its picture")
        CHANGED = "changed", _("already here, description changes")
        SAME = "same", _("already here, nothing changes")
        REFUSED = "refused", _("refused")

    delivery = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="Of the table's row; files without one come after them.")
    file = models.CharField(max_length=1000, blank=True, help_text="As the row names it.")
    path = models.CharField(max_length=1000, blank=True, help_text="The file that was found.")
    missing = models.TextField(blank=True, help_text="Why no file was found.")
    words = models.JSONField(default=dict, help_text="By target: text, or a list of labels.")
    accession_key = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    fingerprint = models.CharField(max_length=200, blank=True, help_text="Of the file when it was looked at.")
    plan = models.CharField(max_length=10, blank=True, choices=Result, help_text="Empty: not checked yet.")
    differences = models.JSONField(default=list, help_text="[[field, before, after]]")
    outcome = models.CharField(max_length=10, blank=True, choices=Result, help_text="Empty: not done yet.")
    reason = models.TextField(blank=True, help_text="Why it is or would be refused, or what else to know.")
    note = models.TextField(blank=True, help_text="What may be wrong with the words, found when reading.")
    asset = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="+")
    record = models.ForeignKey(Record, null=True, on_delete=models.SET_NULL, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("delivery", "number", name="import_row_unique")]
        ordering = ["number"]
        indexes = [
            models.Index("delivery", "accession_key", name="import_row_accession"),
            models.Index("delivery", "sha256", name="import_row_sha256"),
            models.Index("delivery", "outcome", "number", name="import_row_outcome"),
            models.Index("delivery", "plan", "number", name="import_row_plan"),
        ]

    def __str__(self) -> str:
        return f"row {self.number}: {self.outcome or self.plan or 'waiting'}"

    @property
    def result(self) -> str:
        """What became of it, else what would."""
        return self.outcome or self.plan

    @property
    def is_problem(self) -> bool:
        return self.result == self.Result.REFUSED
