"""Where an asset lives (exactly one home collection) and where else it is shown (any number of sets)."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models, transaction

from assets.models.labels import label_words
from assets.querysets import CollectionQuerySet
from assets.text import label_key


class Collection(models.Model):
    """A home: nested, and the thing that permissions will hang on."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, editable=False)
    words = label_words("name")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    description = models.TextField(blank=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("parent", "key", name="collection_name_unique", nulls_distinct=False)
        ]
        indexes = [GinIndex(OpClass("words", name="gin_trgm_ops"), name="collection_words")]
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

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
    """An ordered selection across collections: a light table, an exhibition list. Carries no permission."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "set"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

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

    class Meta:
        constraints = [models.UniqueConstraint("set", "asset", name="set_item_unique")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.set} {self.position}"
