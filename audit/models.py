"""Entries and the chain that holds them. Both tables refuse UPDATE, DELETE and TRUNCATE (migration 1)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.events import Event


class Entry(models.Model):
    """One thing that was done. Names are kept as they were; no foreign key, as accounts and objects go."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    event = models.CharField(_("what"), max_length=30, choices=Event)
    user_id = models.BigIntegerField(null=True)
    user_name = models.CharField(_("who"), max_length=150, blank=True)
    address = models.CharField(_("from where"), max_length=45, blank=True)
    kind = models.CharField(max_length=50, blank=True)
    uid = models.CharField(max_length=40, blank=True)
    label = models.CharField(_("about"), max_length=300, blank=True)
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        managed = False  # so that the flush of a test does not try to empty it
        ordering = ["-pk"]
        verbose_name, verbose_name_plural = _("entry of the audit log"), _("audit log")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.event} {self.user_name} {self.label}"


class Link(models.Model):
    """The place of an entry in the chain; written by the database at the end of the entry's transaction."""

    number = models.BigIntegerField(primary_key=True)  # from 1, without a gap
    entry = models.OneToOneField(Entry, on_delete=models.DO_NOTHING, related_name="link")
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"
