"""Pictures that look alike, and what people have said of two pictures (docs/decisions/0022)."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest, Least
from django.utils.translation import gettext_lazy as _
from pgvector.django import BitField

from assets.fingerprints import BITS
from assets.models.pictures import Asset, AssetVersion

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Fingerprint(models.Model):
    """What a version looks like in bits. In a narrow table, since many are read at once."""

    version = models.OneToOneField(
        AssetVersion, primary_key=True, on_delete=models.CASCADE, related_name="fingerprint"
    )
    bits = BitField(length=BITS, null=True, help_text="Null: too uniform to be told from others.")

    class Meta:
        indexes = [GinIndex(models.Func("bits", function="fingerprint_pieces"), name="fingerprint_near")]

    def __str__(self) -> str:
        return f"fingerprint of {self.version_id}"


class Relation(models.Model):
    """What somebody has said of two pictures. Written by assets.changes alone."""

    class Kind(models.TextChoices):
        DUPLICATE = "duplicate_of", _("a duplicate of")
        VERSION = "version_of", _("a version of")
        DETAIL = "detail_of", _("a detail of")
        VERSO = "verso_of", _("the verso of")
        UNRELATED = "unrelated", _("unrelated to")

    kind = models.CharField(max_length=20, choices=Kind)
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="relations")
    other = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="relations_of_others")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Least("asset", "other"), Greatest("asset", "other"), name="relation_of_two"
            ),
            models.CheckConstraint(condition=~Q(asset=F("other")), name="relation_not_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} is {self.get_kind_display()} {self.other_id}"


class CandidateQuerySet(models.QuerySet["DuplicateCandidate"]):
    def open(self) -> "CandidateQuerySet":
        """Those that look alike enough, and of which nobody has said anything."""
        ends = {"asset": OuterRef("first"), "other": OuterRef("second")}
        turned = {"asset": OuterRef("second"), "other": OuterRef("first")}
        said = Exists(Relation.objects.filter(**ends)) | Exists(Relation.objects.filter(**turned))
        return self.filter(~said, state=DuplicateCandidate.State.ALIKE)

    def visible_to(self, user: "User | AnonymousUser") -> "CandidateQuerySet":
        """Those of which this person may see both pictures, none of them in the trash."""
        seen = Asset.objects.live().visible_to(user).exclude(current_version=None)
        return self.filter(first__in=seen, second__in=seen)

    def of(self, asset: Asset) -> "CandidateQuerySet":
        return self.filter(Q(first=asset) | Q(second=asset))

    def nearest_first(self) -> "CandidateQuerySet":
        return self.order_by("distance", "pk")


class DuplicateCandidate(models.Model):
    """Two pictures that look alike, the older first. What people say of them is a Relation, nothing here."""

    class State(models.TextChoices):
        ALIKE = "alike", "to be looked at"
        UNSURE = "unsure", "waits for the vectors"

    first = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    distance = models.PositiveSmallIntegerField(help_text=f"Bits of {BITS} in which the fingerprints differ.")
    likeness = models.FloatField(null=True, help_text="Cosine of the vectors; null until both are there.")
    state = models.CharField(max_length=10, choices=State)
    found_at = models.DateTimeField(auto_now_add=True)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("first", "second", name="candidate_unique"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="candidate_older_first"),
        ]
        indexes = [
            models.Index("distance", "id", name="candidate_alike", condition=Q(state="alike")),
            models.Index("id", name="candidate_unweighed", condition=Q(likeness=None)),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}, {self.distance} bits apart"
