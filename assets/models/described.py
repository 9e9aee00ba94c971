"""What records and assets have in common: Dublin Core columns and the museum's own fields."""

import uuid

from django.db import models
from django.utils import timezone

from assets.models.vocabulary import CREATORS, TAGS, Vocabulary


class Described(models.Model):
    """Columns named after Dublin Core where it has a name. Terms hang on the concrete models."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=500, blank=True)
    description = models.TextField(blank=True)
    date = models.CharField("date", max_length=200, blank=True, help_text="As it should be read: c. 1710")
    year_earliest = models.IntegerField(null=True, blank=True, help_text="Negative before our era.")
    year_latest = models.IntegerField(null=True, blank=True)
    medium = models.CharField(max_length=500, blank=True, help_text="Material and technique.")
    rights = models.CharField(
        max_length=500, blank=True, help_text="A statement, or a URI of RightsStatements.org."
    )
    rights_holder = models.CharField(max_length=300, blank=True)
    credit_line = models.CharField(max_length=500, blank=True)
    usage_terms = models.TextField(
        blank=True, db_default="", help_text="What others may do with pictures of it, in words."
    )
    not_for = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text="Uses that are not allowed, by their slugs: see assets.models.Use.",
    )
    fields = models.JSONField(default=dict, blank=True, help_text="Own fields: {field: {language: value}}")
    translations = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text="What columns say in the other languages: {column: {language: text}}",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    trashed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def labels(self, vocabulary: str) -> list[str]:
        """The labels of this object's terms in one vocabulary, in their order."""
        uses = self.term_uses.all()  # type: ignore[attr-defined]
        return [use.term.label for use in uses if use.term.vocabulary.slug == vocabulary]

    def translated(self, column: str, language: str) -> str:
        """What a column says in another language; empty where nothing is said."""
        return str(self.translations.get(column, {}).get(language, ""))

    def other_labels(self) -> list[str]:
        """What else these terms are called, in all languages."""
        uses = self.term_uses.all()  # type: ignore[attr-defined]
        return [label for use in uses for label in use.term.others]

    @property
    def tags(self) -> list[str]:
        return self.labels(TAGS)

    @property
    def creators(self) -> list[str]:
        return self.labels(CREATORS)


class FieldDefinition(models.Model):
    """A field that the museum added; its values lie in `Described.fields` by field and language."""

    class Type(models.TextChoices):
        TEXT = "text", "one line of text"
        LONG_TEXT = "long_text", "several lines of text"
        NUMBER = "number", "number"
        DATE = "date", "date"
        TERM = "term", "term of a vocabulary"

    class AppliesTo(models.TextChoices):
        RECORD = "record", "records"
        ASSET = "asset", "pictures"

    slug = models.SlugField(
        unique=True,
        help_text="Its name in files and in the API; it stays as it is once something is said there.",
    )
    name = models.CharField(max_length=100)
    type = models.CharField(max_length=20, choices=Type, default=Type.TEXT)
    applies_to = models.CharField(max_length=20, choices=AppliesTo, default=AppliesTo.RECORD)
    vocabulary = models.ForeignKey(Vocabulary, null=True, blank=True, on_delete=models.PROTECT)
    repeatable = models.BooleanField(default=False, help_text="It may have several values.")
    multilingual = models.BooleanField(
        default=False, help_text="It is said in each of the languages of the museum (CONTENT_LANGUAGES)."
    )
    required = models.BooleanField(
        default=False, help_text="The page says that it is missing; everything else can be saved without it."
    )
    facet = models.BooleanField(default=False, help_text="Offer it as a filter.")
    weight = models.CharField(
        max_length=1,
        choices=[(c, c) for c in "ABCD"],
        default="C",
        help_text="In the ranking: A counts most.",
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
