"""Vocabularies and their terms."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from assets.admin.common import ReadOnly, column, number_of
from assets.models import Asset, AssetTerm, RecordTerm, Term, Vocabulary
from assets.views.requests import person
from assets.views.visible import records_for, terms_for


@admin.register(Vocabulary)
class VocabularyAdmin(admin.ModelAdmin[Vocabulary]):
    list_display = ["name", "slug", "number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vocabulary]:
        return super().get_queryset(request).annotate(number=number_of(Term, "vocabulary"))

    def has_delete_permission(self, request: HttpRequest, obj: Vocabulary | None = None) -> bool:
        """Only an empty one: its terms would go without a history."""
        empty = obj is not None and not Term.objects.filter(vocabulary=obj).exists()
        return empty and super().has_delete_permission(request, obj)

    @column("terms", "number")
    def number(self, vocabulary: Any) -> int:
        return int(vocabulary.number)


@admin.register(Term)
class TermAdmin(ReadOnly[Term]):
    """To look them up: they are changed on the pages of the vocabulary, where every change has a history."""

    list_display = ["label", "vocabulary", "on_pictures", "on_records"]
    list_filter = ["vocabulary"]
    search_fields = ["label", "key"]
    list_select_related = ["vocabulary"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Term]:
        user, seen = person(request), Asset.objects.visible_to(request.user)
        own: dict[str, Any] = {} if user.is_superuser else {"record__in": records_for(user)}
        assets = number_of(AssetTerm, "term", asset__in=seen)
        records = number_of(RecordTerm, "term", **own)
        found = super().get_queryset(request).annotate(on_assets=assets, on_records=records)
        return found if user.is_superuser else found.filter(pk__in=terms_for(user))

    @column("pictures", "on_assets")
    def on_pictures(self, term: Any) -> int:
        return int(term.on_assets)

    @column("records", "on_records")
    def on_records(self, term: Any) -> int:
        return int(term.on_records)
