"""Where an asset lives (exactly one home collection) and where else it is shown (any number of sets)."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from assets.models.labels import label_words
from assets.querysets import AssetSetQuerySet, CollectionQuerySet
from assets.text import label_key


class Collection(models.Model):
    """A home: nested, and the thing that permissions hang on. Changed by assets.changes.collections."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, editable=False)
    words = label_words("name")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    description = models.TextField(blank=True)
    cover = models.ForeignKey(
        "assets.Asset", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    inherits = models.BooleanField(
        default=True, db_default=True, help_text="Else what is granted above does not count here and below."
    )

    objects = CollectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("parent", "key", name="collection_name_unique", nulls_distinct=False)
        ]
        indexes = [GinIndex(OpClass("words", name="gin_trgm_ops"), name="collection_words")]
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("assets:collection", args=[self.uid])

    def clean_fields(self, exclude: "set[str] | None" = None) -> None:  # type: ignore[override]
        self.key = label_key(self.name)
        super().clean_fields(exclude)

    def with_descendants(self) -> list[int]:
        """This collection's id and those of all that it contains."""
        ids = found = [self.pk]
        while found:
            children = Collection.objects.filter(parent__in=found).exclude(pk__in=ids)
            found = list(children.values_list("pk", flat=True))
            ids = ids + found
        return ids


class AssetSet(models.Model):
    """An ordered selection across collections: a light table, an exhibition list. Carries no permission.

    Whoever may see a table may arrange it; assets.light_tables does so.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    shared = models.BooleanField(
        default=False, help_text="Everybody sees and arranges it; else its owner alone. Of nobody: shared."
    )
    cover = models.ForeignKey(
        "assets.Asset", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    arrangement = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="One more whenever its pictures or their order change.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AssetSetQuerySet.as_manager()

    class Meta:
        verbose_name = "light table"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("assets:light_table", args=[self.uid])

    def put_in_order(self, asset_ids: list[int]) -> None:
        """Make exactly these assets the content, in this order."""
        with transaction.atomic():
            self.items.all().delete()
            SetItem.objects.bulk_create(
                SetItem(set=self, asset_id=pk, position=n) for n, pk in enumerate(dict.fromkeys(asset_ids))
            )


class SetItem(models.Model):
    set = models.ForeignKey(AssetSet, on_delete=models.CASCADE, related_name="items")
    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, related_name="set_items")
    position = models.PositiveIntegerField()
    note = models.TextField(blank=True, db_default="")

    class Meta:
        constraints = [models.UniqueConstraint("set", "asset", name="set_item_unique")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.set} {self.position}"
