"""Embedding spaces, to look at: which encoder is in use, and how far it has got."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from assets.admin.common import ReadOnly, column
from search.models import Embedding, EmbeddingSpace


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(ReadOnly[EmbeddingSpace]):
    list_display = ["slug", "encoder", "dimensions", "state", "pictures", "words", "created_at"]
    list_filter = ["state", "encoder"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EmbeddingSpace]:
        numbers = {
            f"number_{kind}": Count("embedding__version", filter=Q(embedding__kind=kind), distinct=True)
            for kind in Embedding.Kind.values
        }
        return super().get_queryset(request).annotate(**numbers)

    @column("pictures", "number_visual")
    def pictures(self, space: Any) -> int:
        return int(space.number_visual)

    @column("descriptions", "number_words")
    def words(self, space: Any) -> int:
        return int(space.number_words)
