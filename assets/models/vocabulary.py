"""Controlled words: a tag is a term, and so is a creator, a place, a subject."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func
from django.urls import reverse

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

    def get_absolute_url(self) -> str:
        return reverse("assets:vocabulary", args=[self.slug])


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
    note = models.TextField(blank=True, db_default="", help_text="What it means, and when it is to be used.")
    other_keys = ArrayField(
        models.CharField(max_length=200),
        default=list,
        db_default=models.Value([], ArrayField(models.CharField(max_length=200))),
        editable=False,
        help_text="All other labels, as they are compared.",
    )
    other_words = models.GeneratedField(
        expression=Func(F("other_keys"), function="labels_words"),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = TermQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("vocabulary", "key", name="term_label_unique")]
        indexes = [
            GinIndex(OpClass("words", name="gin_trgm_ops"), name="term_words"),
            GinIndex(OpClass("other_words", name="gin_trgm_ops"), name="term_other_words"),
            GinIndex(fields=["other_keys"], name="term_other_keys"),
            models.Index("vocabulary", "uri", name="term_uri", condition=~models.Q(uri="")),
        ]
        ordering = ["key"]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("assets:term", args=[self.uid])

    @property
    def others(self) -> list[str]:
        """All labels but the first, in every language, each once."""
        keys = {self.key or label_key(self.label)}
        said = self.labels.values() if isinstance(self.labels, dict) else ()  # a form may hold anything
        found = []
        for label in (label for labels in said if isinstance(labels, list) for label in labels):
            if isinstance(label, str) and (key := label_key(label)[:200]) and key not in keys:
                keys.add(key)
                found.append(label)
        return found

    def derive(self) -> None:
        """Set what is made of the labels; whoever changes them calls it."""
        self.key = label_key(self.label)[:200]
        self.other_keys = [label_key(label)[:200] for label in self.others]

    def clean_fields(self, exclude: "set[str] | None" = None) -> None:  # type: ignore[override]
        self.derive()
        super().clean_fields(exclude)


class TermRedirect(models.Model):
    """The address of a term that was merged into another."""

    uid = models.UUIDField(primary_key=True)
    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="redirects")

    def __str__(self) -> str:
        return f"{self.uid} is {self.term}"


class TermWork(models.Model):
    """One change of a vocabulary with all that follows from it, done in steps; see assets.terms.work."""

    class Kind(models.TextChoices):
        EDIT = "edit", "edit"
        MERGE = "merge", "merge"
        IMPORT = "import", "import"
        UNDO = "undo", "undo"

    class State(models.TextChoices):
        WORKING = "working", "under way"
        PLANNED = "planned", "ready to begin"
        DONE = "done", "done"
        FAILED = "failed", "stopped"

    class Phase(models.TextChoices):
        READING = "reading", "reading the file"
        FIELDS = "fields", "changing fields"
        USES = "uses", "changing pictures"
        WRITING = "writing", "changing the vocabulary"
        LINKING = "linking", "putting terms below others"
        UNDOING = "undoing", "taking back"
        REFRESHING = "refreshing", "letting the search know"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    label = models.CharField(max_length=300, help_text="What is done, in words.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    vocabulary = models.ForeignKey(Vocabulary, on_delete=models.CASCADE, related_name="work")
    state = models.CharField(max_length=10, choices=State, default=State.WORKING)
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.REFRESHING)
    plan = models.JSONField(default=dict, help_text="What is to be done, by kind.")
    operations = ArrayField(models.BigIntegerField(), default=list, help_text="In the order they were done.")
    terms = ArrayField(models.BigIntegerField(), default=list, help_text="Whose pictures are written anew.")
    position = models.BigIntegerField(default=0, help_text="How far this phase has come.")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict, help_text="Of an import: numbers and problems.")
    problem = models.TextField(blank=True, help_text="Why it stopped, for people.")
    undoes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by"
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index("id", name="term_work_open", condition=models.Q(state="working")),
            GinIndex(fields=["operations"], name="term_work_operations"),
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("assets:term_work", args=[self.uid])

    @property
    def reversal(self) -> Any:
        """The work that takes this one back, or None."""
        return getattr(self, "undone_by", None)


class TagAnswer(models.Model):
    """What a person said of a tag that was suggested for a picture."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused"

    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, related_name="tag_answers")
    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="answers")
    answer = models.CharField(max_length=10, choices=Answer)
    score = models.FloatField(help_text="How likely it was thought to be, 0 to 1.")
    space = models.CharField(max_length=100, help_text="The embedding space that it was found in.")
    head = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        help_text="The sha256 of what had learned this tag; empty: similar pictures alone.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    operation = models.ForeignKey(
        "assets.Operation", null=True, on_delete=models.SET_NULL, related_name="+", help_text="That added it."
    )
    answered_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint("asset", "term", name="tag_answer_unique")]

    def __str__(self) -> str:
        return f"{self.term}: {self.answer}"
