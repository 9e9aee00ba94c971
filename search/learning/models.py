"""What learning keeps: features of pictures, vectors of what people wrote, and what came of each lesson.

Others get them from search.models. search.kept has the SQL about them.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from assets.models import Asset, AssetVersion, Term


class Features(models.Model):
    """What the image side of an encoder says of a version, whichever space is in use: see encoders.looking.

    With them, a picture gets a vector in a learned space without being opened again.
    """

    pk = models.CompositePrimaryKey("model", "version_id")
    model = models.CharField(max_length=100, help_text="encoders.Looking.features_name.")
    version = models.ForeignKey(AssetVersion, on_delete=models.CASCADE, related_name="+")
    numbers = HalfVectorField(null=True, help_text="Null: its preview cannot be read.")

    def __str__(self) -> str:
        return f"{self.model} of {self.version_id}"


class TextVector(models.Model):
    """The vector of a title, a description or a tag, kept so that learning again encodes only what is new."""

    pk = models.CompositePrimaryKey("model", "digest")
    model = models.CharField(max_length=100, help_text="The slug of the encoder's identity.")
    digest = models.BigIntegerField(help_text="Of the text: see search.learning.words.digest.")
    numbers = HalfVectorField()

    def __str__(self) -> str:
        return f"{self.model} of {self.digest}"


class Lesson(models.Model):
    """One time of learning: from how much, what the proof said, and what was learned if it was good."""

    began_at = models.DateTimeField(default=timezone.now)
    encoder = models.CharField(max_length=50, help_text="The name of the encoder that it builds on.")
    options = models.JSONField(default=dict, help_text="What that was set to.")
    base = models.CharField(max_length=100, help_text="The slug of that encoder's identity.")
    against = models.CharField(max_length=100, help_text="The slug of the space it was compared with.")
    assets = models.PositiveIntegerField(help_text="Pictures that could have taken part.")
    described = models.PositiveIntegerField(help_text="Those of them that people have described.")
    figures = models.JSONField(default=dict, help_text="lambda, before, after, gain: see lessons.Report.")
    refused = models.CharField(max_length=20, blank=True, help_text="Why it is not used; empty: it is good.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the arrays.")
    arrays = models.BinaryField(null=True, help_text="What was learned: ridge.Head.packed.")
    learned_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Assets that it learned from.")
    space = models.ForeignKey("search.EmbeddingSpace", null=True, on_delete=models.SET_NULL, related_name="+")
    curve = models.JSONField(
        null=True, help_text="learning.curve.drawn; null: not drawn yet; empty: cannot be."
    )
    curve_begun_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-began_at"]
        indexes = [models.Index(fields=["sha256"], name="lesson_sha256")]

    def __str__(self) -> str:
        return f"lesson of {self.began_at:%Y-%m-%d %H:%M}"


class LearningJob(models.Model):
    """Somebody's wish that it learns now, and how far that is; a worker comes for it: learning.jobs."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    step = models.CharField(max_length=20, blank=True, help_text="features, words or proof.")
    done = models.PositiveIntegerField(default=0, help_text="Of this step.")
    of = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True, help_text="Why it failed, for people.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"learning asked for on {self.asked_at:%Y-%m-%d %H:%M}"


class TagLesson(models.Model):
    """One time of learning tags: what was learned, and how true its probabilities are (decision 39)."""

    began_at = models.DateTimeField(default=timezone.now)
    model = models.CharField(max_length=100, help_text="encoders.Looking.features_name.")
    pictures = models.PositiveIntegerField(help_text="How many it learned from.")
    tags = models.PositiveIntegerField(help_text="How many tags had enough examples.")
    reliability = models.JSONField(default=list, help_text="tags.Tenth, ten times.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the arrays; empty: of no tag enough.")
    arrays = models.BinaryField(null=True, help_text="What was learned: tags.TagHead.packed.")

    class Meta:
        ordering = ["-began_at", "-pk"]
        indexes = [models.Index(fields=["-began_at"], name="tag_lesson_newest")]

    def __str__(self) -> str:
        return f"tags of {self.began_at:%Y-%m-%d %H:%M}"


class TagGuess(models.Model):
    """A tag that a picture probably has, for the page that asks people. search.tag_rows has the SQL."""

    pk = models.CompositePrimaryKey("asset_id", "term_id")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="+")
    probability = models.FloatField()
    lesson = models.ForeignKey(TagLesson, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["-probability", "asset", "term"], name="tag_guess_surest")]

    def __str__(self) -> str:
        return f"{self.term_id} of {self.asset_id}: {self.probability:.2f}"
