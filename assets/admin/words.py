"""Vocabularies and their terms."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from assets import changes
from assets.admin.common import column, ids, number_of
from assets.models import Asset, AssetTerm, RecordTerm, Term, Vocabulary
from assets.views.requests import person
from assets.views.visible import terms_for


@admin.register(Vocabulary)
class VocabularyAdmin(admin.ModelAdmin[Vocabulary]):
    list_display = ["name", "slug", "number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vocabulary]:
        return super().get_queryset(request).annotate(number=number_of(Term, "vocabulary"))

    @column("terms", "number")
    def number(self, vocabulary: Any) -> int:
        return int(vocabulary.number)


def with_narrower(term: Term) -> list[int]:
    """The ids of a term and of all terms below it."""
    found = new = [term.pk]
    while new:
        new = ids(Term.objects.filter(parents__in=new).exclude(pk__in=found).only("pk").distinct())
        found = found + new
    return found


class TermForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_parents(self) -> Any:
        parents = self.cleaned_data["parents"]
        if self.instance.pk and {parent.pk for parent in parents} & set(with_narrower(self.instance)):
            raise forms.ValidationError("A term cannot be broader than itself.")
        return parents


@admin.register(Term)
class TermAdmin(admin.ModelAdmin[Term]):
    form = TermForm
    list_display = ["label", "vocabulary", "on_pictures", "on_records"]
    list_filter = ["vocabulary"]
    search_fields = ["label", "key"]
    list_select_related = ["vocabulary"]
    autocomplete_fields = ["parents"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Term]:
        assets, records = number_of(AssetTerm, "term"), number_of(RecordTerm, "term")
        found = super().get_queryset(request).annotate(on_assets=assets, on_records=records)
        return found if person(request).is_superuser else found.filter(pk__in=terms_for(person(request)))

    @column("pictures", "on_assets")
    def on_pictures(self, term: Any) -> int:
        return int(term.on_assets)

    @column("records", "on_records")
    def on_records(self, term: Any) -> int:
        return int(term.on_records)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A new label or a new broader term changes what the pictures are found by."""
        super().save_related(request, form, formsets, change)
        if change and form.changed_data:
            below = with_narrower(form.instance)
            use = Q(terms__in=below) | Q(depictions__record__terms__in=below)
            changes.notify(ids(Asset.objects.filter(use).only("pk").distinct().order_by()))
