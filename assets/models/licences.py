"""What a museum has decided about the use of its pictures, and what was downloaded for which purpose."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

BUILT_IN = {
    "press": gettext_noop("press"),
    "web": gettext_noop("web"),
    "print": gettext_noop("print"),
    "education": gettext_noop("education"),
    "commercial": gettext_noop("commercial use"),
}
"""What every library begins with; the migration has the same."""


class Use(models.Model):
    """Something that pictures are used for. Pictures say by slug what they are not for."""

    slug = models.SlugField(unique=True, help_text="It stays as it is once a picture says it.")
    name = models.CharField(
        max_length=60, help_text="As it is read behind “not for”: press, commercial use …"
    )
    asks = models.BooleanField(
        default=True,
        help_text="Whoever downloads a picture that is not for this has to say what for.",
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "use"
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return _(self.name) if self.name else self.slug


def warning_days() -> list[int]:
    return [90, 30, 7]


class LicenceRules(models.Model):
    """What follows from rights in this library. There is one row, or none: then these defaults hold."""

    largest = models.PositiveIntegerField(
        "largest copy",
        default=2048,
        validators=[MinValueValidator(256)],
        help_text="Pixels of the longer side, for people who may download copies but no originals.",
    )
    largest_protected = models.PositiveIntegerField(
        "largest copy in copyright",
        default=1600,
        validators=[MinValueValidator(256)],
        help_text="The same for pictures whose statement says that they are in copyright.",
    )
    watermark = models.BooleanField(
        default=True,
        help_text="Write the credit line or the holder on copies of pictures in copyright, for these people.",
    )
    asks_for = ArrayField(
        models.CharField(max_length=20),
        default=list,
        blank=True,
        verbose_name="ask what for",
        help_text="Statements with which a download has to say its purpose.",
    )
    warn_days = ArrayField(
        models.PositiveIntegerField(validators=[MinValueValidator(1)]),
        default=warning_days,
        verbose_name="warn before",
        help_text="Days before rights end at which those who manage a picture are told, with commas between.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "rules of downloads"

    def __str__(self) -> str:
        return _("Rules of downloads")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> "LicenceRules":
        return cls.objects.first() or cls()


class Download(models.Model):
    """One file that somebody took: written once, never changed, and kept when the picture is gone."""

    class Through(models.TextChoices):
        PAGE = "page", gettext_lazy("page of the picture")
        SHOWN = "shown", gettext_lazy("opened in the browser")
        ZIP = "zip", gettext_lazy("zip of several")
        IIIF = "iiif", gettext_lazy("Image API")

    asset = models.ForeignKey("assets.Asset", null=True, on_delete=models.SET_NULL, related_name="downloads")
    title = models.CharField(max_length=500, help_text="Of the picture at that time.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    username = models.CharField(max_length=150, help_text="It stays when the person is deleted.")
    size = models.CharField(
        max_length=40, help_text="original, or the format and the pixels of the longer side."
    )
    marked = models.BooleanField(default=False, help_text="With a watermark.")
    use = models.SlugField(blank=True, help_text="Of assets.Use; empty where none was named.")
    purpose = models.CharField(max_length=500, blank=True, help_text="In the words of who took it.")
    through = models.CharField(max_length=10, choices=Through, default=Through.PAGE)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.username}: {self.title} ({self.size})"


class RightsSeen(models.Model):
    """When a person last looked at the rights that end: what comes near an end later is news."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user}, {self.at}"
