"""The catalogue object, and which pictures show it."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assets.models.described import Described
from assets.models.vocabulary import Term
from assets.querysets import LiveQuerySet
from assets.text import accession_key


class Record(Described):
    """An object of the catalogue. Its accession number identifies it, never one of its files."""

    accession_number = models.CharField(max_length=100, blank=True)
    accession_key = models.CharField(
        max_length=100, blank=True, editable=False, help_text="As it is compared."
    )
    terms = models.ManyToManyField(Term, through="RecordTerm", related_name="records")

    objects = LiveQuerySet["Record"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "accession_key",
                condition=Q(trashed_at=None) & ~Q(accession_key=""),
                name="record_accession_live_unique",
                violation_error_message="Another record has this accession number.",
            )
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.accession_number, self.title])) or f"record {self.uid}"

    def clean_fields(self, exclude: "set[str] | None" = None) -> None:  # type: ignore[override]
        self.accession_key = accession_key(self.accession_number)
        super().clean_fields(exclude)

    def get_absolute_url(self) -> str:
        return reverse("assets:record", args=[self.uid])


class RecordTerm(models.Model):
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="term_uses")
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="record_uses")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("record", "term", name="record_term_unique")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return str(self.term)


class Depiction(models.Model):
    """This picture shows this object, in this view."""

    class View(models.TextChoices):
        RECTO = "recto", _("recto (front)")
        VERSO = "verso", _("verso (back)")
        DETAIL = "detail", _("detail")
        OTHER = "other", _("other view")

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="depictions")
    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, related_name="depictions")
    view = models.CharField(max_length=20, choices=View, default=View.RECTO)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("record", "asset", name="depiction_unique")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.record} ({self.view})"
