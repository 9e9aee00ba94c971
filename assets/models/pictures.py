"""Pictures: the asset that people talk about, its versions, their bytes, and what was derived from them."""

from datetime import datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext_lazy as _

from assets.consents import NotAConsent, consents_of, end_of
from assets.models.collections import Collection
from assets.models.described import Described
from assets.models.vocabulary import Term
from assets.querysets import AssetQuerySet

NOBODY = str(UUID(int=0))


@cache
def _address(prefix: str) -> str:
    """Of the asset NOBODY: to look an address up takes long, and a page has one for each of its cards."""
    return reverse("assets:asset", args=[NOBODY])


class Blob(models.Model):
    """Bytes in storage, known by their SHA-256 and stored once, whoever uploads them."""

    class State(models.TextChoices):
        WRITING = "writing"
        STORED = "stored"

    class Fixity(models.TextChoices):
        """What the last reading of the bytes has shown (assets.fixity)."""

        UNCHECKED = "unchecked", "not read yet"
        OK = "ok", "as stored"
        MISSING = "missing", "missing"
        CHANGED = "changed", "changed"
        UNREADABLE = "unreadable", "unreadable"

    BAD = (Fixity.MISSING, Fixity.CHANGED, Fixity.UNREADABLE)

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField(help_text="Bytes.")
    media_type = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=State, default=State.WRITING)
    created_at = models.DateTimeField(auto_now_add=True)
    fixity = models.CharField(
        max_length=10, choices=Fixity, default=Fixity.UNCHECKED, db_default=Fixity.UNCHECKED
    )
    fixity_detail = models.TextField(blank=True, db_default="", help_text="What was found instead.")
    checked_at = models.DateTimeField(null=True, help_text="When the bytes were last read and compared.")
    is_new = False
    """Whether nothing was known of these bytes before `assets.storage.store`."""

    class Meta:
        verbose_name = "original"
        indexes = [
            models.Index(
                models.F("checked_at").asc(nulls_first=True),
                "id",
                name="blob_next_check",
                condition=Q(state="stored"),
            ),
            models.Index("id", name="blob_bad", condition=Q(fixity__in=["missing", "changed", "unreadable"])),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def storage_name(self) -> str:
        """The name in the `originals` storage; it derives from the content."""
        return f"{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


HAS_AN_END = Q(rights_expire_at__isnull=False) | Q(consent_ends_at__isnull=False)


class Asset(Described):
    """One picture, with or without a catalogue record; without a version, the place where it will be.

    What a record waits with for its picture has all that a picture has, but for the file (decision 12).
    """

    class Access(models.TextChoices):
        PUBLIC = "public", _("public")
        STAFF = "staff", _("staff")
        RESTRICTED = "restricted", _("restricted")

    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="assets")
    access = models.CharField(max_length=10, choices=Access, default=Access.STAFF)
    embargo_until = models.DateTimeField(null=True, blank=True)
    rights_expire_at = models.DateTimeField(null=True, blank=True)
    consents = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text="Of the people in it: see assets.consents.",
    )
    consent_ends_at = models.DateTimeField(
        null=True, editable=False, help_text="From then on not all consents hold; it derives from them."
    )
    alt_text = models.TextField(blank=True, help_text="What a person who cannot see the picture should know.")
    latitude = models.FloatField(null=True, blank=True, help_text="Decimal degrees, north positive.")
    longitude = models.FloatField(null=True, blank=True, help_text="Decimal degrees, east positive.")
    current_version = models.OneToOneField(
        "AssetVersion", null=True, editable=False, on_delete=models.PROTECT, related_name="current_of"
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    terms = models.ManyToManyField(Term, through="AssetTerm", related_name="assets")
    is_demo = models.BooleanField(default=False, editable=False)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index("collection", name="asset_live_by_collection", condition=Q(trashed_at=None)),
            models.Index("id", name="asset_demo", condition=Q(is_demo=True, trashed_at=None)),
            models.Index("rights_expire_at", "consent_ends_at", name="asset_ends", condition=HAS_AN_END),
            models.Index(
                fields=["latitude", "longitude"], name="asset_places", condition=Q(latitude__isnull=False)
            ),
            models.Index(models.F("created_at").desc(), models.F("id").desc(), name="asset_newest"),
        ]

    def __str__(self) -> str:
        return self.display_title

    def clean_fields(self, exclude: "set[str] | None" = None) -> None:  # type: ignore[override]
        super().clean_fields(exclude)
        if "consents" in (exclude or ()):
            return
        try:
            self.consent_ends_at = end_of(consents_of(self.consents))
        except NotAConsent as error:
            raise ValidationError({"consents": str(error)}) from error

    def get_absolute_url(self) -> str:
        return _address(get_script_prefix()).replace(NOBODY, str(self.uid))

    @property
    def closes_at(self) -> datetime | None:
        """When its use ends by itself: with its licence, or with the first consent that ends."""
        return min(filter(None, (self.rights_expire_at, self.consent_ends_at)), default=None)

    @property
    def record(self) -> "models.Model | None":
        """The first live record that this picture shows, or None."""
        records = (depiction.record for depiction in self.depictions.all())
        return next((record for record in records if record.trashed_at is None), None)

    @property
    def is_awaited(self) -> bool:
        """Whether the picture has still to come."""
        return self.current_version_id is None

    @property
    def filename(self) -> str:
        return self.current_version.original_filename if self.current_version else ""

    @property
    def display_title(self) -> str:
        """The object's title, else the picture's own, else the name of the file, else the object's number."""
        record = self.record
        named = getattr(record, "title", "") or self.title or self.filename
        return named or getattr(record, "accession_number", "") or f"picture {self.uid}"

    def rendition(self, name: str) -> "Rendition | None":
        if self.current_version is None:
            return None
        return next((r for r in self.current_version.renditions.all() if r.name == name), None)


class AssetTerm(models.Model):
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="term_uses")
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="asset_uses")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("asset", "term", name="asset_term_unique")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return str(self.term)


class AssetVersion(models.Model):
    """One state of an asset's file. Renditions, stage runs and embeddings belong to a version."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="versions")
    original_filename = models.CharField(max_length=255)
    format = models.CharField(max_length=20, help_text="As the content says: JPEG, PNG, TIFF …")
    width = models.PositiveIntegerField(help_text="Pixels, upright; 0 for what is no picture.")
    height = models.PositiveIntegerField(help_text="Pixels, upright; 0 for what is no picture.")
    pages = models.PositiveIntegerField(default=1, db_default=1, help_text="Or frames of an animation.")
    duration_ms = models.PositiveBigIntegerField(null=True, editable=False, help_text="Of a video.")
    color = models.CharField(
        max_length=7, blank=True, help_text="Mean colour as #rrggbb, shown while loading."
    )
    colors = ArrayField(
        models.CharField(max_length=10),
        null=True,
        help_text="Names of the colours that stand out: see assets.colors. Null: nobody has looked yet.",
    )
    embedded_metadata = models.JSONField(
        default=dict, blank=True, help_text="As found in the file, by standard."
    )
    sidecar = models.TextField(
        blank=True, db_default="", help_text="The XMP that came in a file beside this one."
    )
    unwritable = models.CharField(
        max_length=300, blank=True, db_default="", help_text="Why no metadata can be written into this file."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("asset", "number", name="asset_version_unique")]
        indexes = [
            models.Index("original_filename", name="version_filename"),
            models.Index("id", name="version_without_colors", condition=Q(colors=None)),
        ]

    def __str__(self) -> str:
        return f"{self.original_filename} (version {self.number})"


class DocumentText(models.Model):
    """The words inside a document, such as a PDF. They may be long, so they stand beside the version."""

    version = models.OneToOneField(AssetVersion, on_delete=models.CASCADE, related_name="document_text")
    text = models.TextField()

    def __str__(self) -> str:
        return f"the words in {self.version}"


class Rendition(models.Model):
    """A derived, upright sRGB picture for screens. Can be made again from the original at any time."""

    version = models.ForeignKey(AssetVersion, on_delete=models.CASCADE, related_name="renditions")
    name = models.CharField(max_length=20, help_text="small, medium or large: see assets.renditions.SIZES")
    storage_name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=50)
    width = models.PositiveIntegerField(help_text="Pixels.")
    height = models.PositiveIntegerField(help_text="Pixels.")
    size = models.PositiveIntegerField(help_text="Bytes.")

    class Meta:
        constraints = [models.UniqueConstraint("version", "name", name="rendition_unique")]

    def __str__(self) -> str:
        return f"{self.name} of {self.version}"

    def get_absolute_url(self) -> str:
        """Where it is served; the version in it lets browsers keep it for ever."""
        return reverse("assets:rendition", args=[self.version.asset.uid, self.version.number, self.name])
