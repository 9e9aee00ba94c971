"""Controlled words: a tag is a term, and so is a creator, a place, a subject."""

import uuid

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from assets.models.labels import label_words
from assets.querysets import TermQuerySet
from assets.text import label_key

TAGS, CREATORS, PLACES, SUBJECTS = "tags", "creators", "places", "subjects"


class Vocabulary(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        verbose_name_plural = "vocabularies"

    def __str__(self) -> str:
        return self.name


class Term(models.Model):
    """One concept of a vocabulary, with its labels by language and its broader terms."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    vocabulary = models.ForeignKey(Vocabulary, on_delete=models.PROTECT, related_name="terms")
    label = models.CharField(max_length=200)
    key = models.CharField(max_length=200, editable=False, help_text="The label as it is compared.")
    words = label_words("label")
    labels = models.JSONField(default=dict, blank=True, help_text='By language: {"de": ["Hund", "Köter"]}')
    parents = models.ManyToManyField("self", symmetrical=False, related_name="children", blank=True)
    uri = models.URLField(max_length=500, blank=True)

    objects = TermQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("vocabulary", "key", name="term_label_unique")]
        indexes = [GinIndex(OpClass("words", name="gin_trgm_ops"), name="term_words")]
        ordering = ["key"]

    def __str__(self) -> str:
        return self.label

    def clean_fields(self, exclude: "set[str] | None" = None) -> None:  # type: ignore[override]
        self.key = label_key(self.label)
        super().clean_fields(exclude)
