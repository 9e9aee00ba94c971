"""Facts to search by (SearchRow) and vectors to rank by (Embedding), kept apart: docs/decisions/0003."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from pgvector.django import HalfVectorField

from assets.models import Asset, AssetVersion
from search.learning.models import Features as Features
from search.learning.models import LearningJob as LearningJob
from search.learning.models import Lesson as Lesson
from search.learning.models import TagGuess as TagGuess
from search.learning.models import TagLesson as TagLesson
from search.learning.models import TextVector as TextVector

LEARNED = "learned"
"""The encoder of spaces that were learned from this museum's own words: see search.learning.encoder."""

SEEN_BY = ["trashed", "access", "embargo_until", "rights_expire_at", "home_collection_id", "format"]


class SearchRow(models.Model):
    """All that a search filters and sorts by, once per asset. search.rows is the only writer."""

    asset = models.OneToOneField(
        Asset, primary_key=True, db_constraint=True, on_delete=models.CASCADE, related_name="search_row"
    )
    term_ids = ArrayField(
        models.BigIntegerField(), help_text="Terms of asset and record, with their ancestors."
    )
    collection_ids = ArrayField(models.BigIntegerField(), help_text="The home collection and its ancestors.")
    home_collection_id = models.BigIntegerField()
    access = models.CharField(max_length=10)
    embargo_until = models.DateTimeField(null=True)
    rights_expire_at = models.DateTimeField(null=True)
    trashed = models.BooleanField()
    year_earliest = models.IntegerField(null=True)
    year_latest = models.IntegerField(null=True)
    added_at = models.DateTimeField()
    accession_keys = ArrayField(models.CharField(max_length=100), help_text="Of the records it depicts.")
    title_key = models.TextField(help_text="The folded title, for an exact match.")
    title_sort = models.CharField(max_length=200)
    accession_sort = models.CharField(max_length=200)
    words = SearchVectorField()
    format = models.CharField(max_length=20, db_default="", help_text="Of the file, in small letters.")
    width = models.PositiveIntegerField(db_default=0, help_text="Pixels, upright.")
    height = models.PositiveIntegerField(db_default=0, help_text="Pixels, upright.")
    bytes = models.BigIntegerField(db_default=0, help_text="Of the file.")
    colors = ArrayField(
        models.CharField(max_length=10), db_default=[], help_text="Names of those that stand out."
    )
    has = ArrayField(
        models.CharField(max_length=20), db_default=[], help_text="What is known: see search.rows.known_of."
    )
    rights_words = models.TextField(
        db_default="", help_text="Rights and their holder: see assets.text.word_key."
    )
    facet_codes = models.GeneratedField(
        expression=models.Func(
            *("term_ids", "home_collection_id", "colors", "has", "year_earliest", "year_latest"),
            function="search_facet_codes",
        ),
        output_field=models.BinaryField(),
        db_persist=True,
        null=True,
        help_text="What facets count, as search.facet_sql reads it; kept by the database.",
    )
    written = models.BigIntegerField(
        db_default=0,
        editable=False,
        help_text="The transaction that wrote it last; kept by the database.",
    )

    class Meta:
        indexes = [
            GinIndex(fields=["term_ids"], name="row_terms"),
            GinIndex(fields=["collection_ids"], name="row_collections"),
            GinIndex(fields=["accession_keys"], name="row_accessions"),
            GinIndex(fields=["words"], name="row_words"),
            GinIndex(fields=["colors"], name="row_colors"),
            models.Index("added_at", "asset", name="row_added"),
            models.Index(models.F("title_key"), name="row_title"),
            GinIndex(OpClass("title_key", name="gin_trgm_ops"), name="row_title_trigrams"),
            models.Index(fields=["written"], name="row_written"),
            # To count what somebody may see without reading the rows themselves: all that sql.visible_to asks
            # for. Few rows differ in all of it, so that the index is small.
            models.Index(fields=SEEN_BY, name="row_seen"),
        ]

    def __str__(self) -> str:
        return f"facts of {self.asset_id}"


class Word(models.Model):
    """A word that some picture has, as people write it, folded. search.lexicon is the only writer.

    That it is here says nothing about who may see it: whoever shows one asks the search rows first.
    """

    word = models.TextField(primary_key=True)
    seen = models.DateField(help_text="When a picture was last known to have it.")

    class Meta:
        indexes = [GinIndex(OpClass("word", name="gin_trgm_ops"), name="word_trigrams")]

    def __str__(self) -> str:
        return self.word


class Popularity(models.Model):
    """How many pictures have a term, or lie in a collection, that are neither restricted nor
    under an embargo: all together, and those that live in one collection each.

    Counted every few minutes by search.labels, for the order of suggestions and how rare a tag is.
    """

    pk = models.CompositePrimaryKey("kind", "of_id", "home_id")
    kind = models.CharField(max_length=10)
    of_id = models.BigIntegerField()
    home_id = models.BigIntegerField(help_text="Of the collection where they live; 0: wherever they do.")
    pictures = models.PositiveIntegerField()
    public = models.PositiveIntegerField(help_text="Those of them that all who are signed in may see.")

    class Meta:
        # The numbers of one name lie apart in the table, and side by side in this.
        indexes = [
            models.Index(
                fields=["kind", "of_id", "home_id"], include=["pictures", "public"], name="popularity_numbers"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.of_id} in {self.home_id}: {self.pictures}"


class SearchLog(models.Model):
    """How often a question was put on one day (UTC), and what it found the last time. It names nobody.

    search.question_log is the only writer.
    """

    day = models.DateField()
    key = models.CharField(max_length=200, help_text="The question as it is compared: assets.text.label_key.")
    mode = models.CharField(max_length=10)
    question = models.CharField(max_length=200, help_text="As it was last written.")
    total = models.PositiveIntegerField(help_text="How many pictures passed.")
    strong = models.PositiveIntegerField(null=True, help_text="How many matched well, where that is known.")
    times = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "question"
        constraints = [models.UniqueConstraint("day", "key", "mode", name="question_of_a_day")]
        ordering = ["-day", "-times"]

    def __str__(self) -> str:
        return self.question


class EmbeddingSpace(models.Model):
    """One encoder in one exact state. Vectors of different spaces are never compared."""

    class State(models.TextChoices):
        BUILDING = "building", gettext_lazy("being filled")
        READY = "ready", gettext_lazy("filled, not in use")
        ACTIVE = "active", gettext_lazy("in use")
        RETIRED = "retired", gettext_lazy("kept to go back to")

    slug = models.SlugField(max_length=100, unique=True)
    encoder = models.CharField(max_length=50)
    identity = models.JSONField(help_text="Model name, version, preprocessing, checksums of local files.")
    options = models.JSONField(
        default=dict, help_text="What the encoder was set to: encoders.Config.options."
    )
    dimensions = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.BUILDING)
    planned = models.BooleanField(default=False, help_text="Every picture has been noted to be vectorised.")
    problem = models.TextField(blank=True, help_text="What keeps it from being finished, for people.")
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("state", condition=models.Q(state="active"), name="one_active_space")
        ]
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.slug

    @cached_property
    def has_words(self) -> bool:
        """Whether there is a vector of any picture's words. `spaces.active` knows it already."""
        return self.embedding_set.filter(kind=Embedding.Kind.WORDS).exists()

    @property
    def asks(self) -> str:
        """The name of the encoder that is really asked: a learned one builds on another."""
        return str(self.options["model"]) if self.encoder == LEARNED else self.encoder


class Embedding(models.Model):
    """A unit vector of a version in a space. Partitioned by space; search.sql makes the partitions."""

    class Kind(models.TextChoices):
        VISUAL = "visual", "the picture"
        WORDS = "words", "its words"

    pk = models.CompositePrimaryKey("space_id", "version_id", "kind", "part")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.PROTECT, db_index=False)
    version = models.ForeignKey(AssetVersion, on_delete=models.CASCADE, related_name="embeddings")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="embeddings")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.VISUAL)
    part = models.PositiveIntegerField(default=0, help_text="Page, frame or crop; 0 is the whole picture.")
    vector = HalfVectorField()
    source = models.CharField(
        max_length=64, db_default="", help_text="The sha256 of the words it was made from."
    )

    def __str__(self) -> str:
        return f"{self.kind} of {self.version_id} in {self.space_id}"


class Comparison(models.Model):
    """Two spaces measured on the museum's own questions, by a worker; see search.comparing."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    first = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+")
    questions = models.JSONField(help_text="Pairs of a question and the file name of a right answer.")
    mode = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked = models.PositiveIntegerField(default=0, help_text="How many questions have been asked.")
    result = models.JSONField(default=dict)
    problem = models.TextField(blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"


class SavedSearch(models.Model):
    """A question that is kept, and asked anew whenever somebody opens it: a collection that fills itself.

    Of a picture that was given, the bytes are kept, so that every space can look at it.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    question = models.TextField(help_text="As the address of the search page has it, behind the “?”.")
    picture = models.BinaryField(null=True, help_text="To search by: a small JPEG.")
    shared = models.BooleanField(default=False, help_text="Everybody sees it; the pictures as each may.")
    alert_since = models.DateTimeField(null=True, help_text="Pictures from then on are told; empty: none.")
    looked_at = models.DateTimeField(default=timezone.now, help_text="What was found since is new.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "saved searches"
        ordering = ["name", "pk"]
        indexes = [
            models.Index("alert_since", name="saved_alerts", condition=models.Q(alert_since__isnull=False))
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("search:saved_one", args=[self.uid])


class SavedMatch(models.Model):
    """A picture that an alert has told of, once and for all. search.alerts is the only writer."""

    search = models.ForeignKey(SavedSearch, on_delete=models.CASCADE, related_name="matches")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint("search", "asset", name="saved_match_once")]
        indexes = [models.Index("search", "found_at", name="saved_match_found")]

    def __str__(self) -> str:
        return f"{self.asset_id} for {self.search_id}"


class Fresh(models.Model):
    """A picture that alerts have not been asked for since its last change: see search.fresh."""

    asset_id = models.BigIntegerField(primary_key=True)
    noted_at = models.DateTimeField()
    waits = models.BooleanField(db_default=False, help_text="For likeness alone, which could not be asked.")

    class Meta:
        indexes = [models.Index("waits", "noted_at", "asset_id", name="fresh_oldest")]

    def __str__(self) -> str:
        return str(self.asset_id)
