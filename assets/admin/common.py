"""What the lists and forms of the administration share."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext

from assets import changes
from assets.changes import Subject
from assets.forms import SEVERAL, LabelsField, term_patch
from assets.forms.rights import UsesField
from assets.models import CREATORS, TAGS, Collection
from assets.stored.marking import ngettext_noop
from assets.views.allowed import may_describe
from assets.views.cards import Card
from assets.views.requests import person
from assets.views.visible import collections_for

M = TypeVar("M", bound=models.Model)
WORDS = ("title", "description", "date", "year_earliest", "year_latest", "medium")
RIGHTS = ("credit_line", "rights", "rights_holder", "usage_terms", "not_for")
COUNTED = {
    "step": ngettext_noop("%(number)s step", "%(number)s steps"),
    "picture": ngettext_noop("%(number)s picture", "%(number)s pictures"),
    "vector": ngettext_noop("%(number)s vector", "%(number)s vectors"),
    "import": ngettext_noop("%(number)s import", "%(number)s imports"),
}
LABELS = {"tags": TAGS, "creators": CREATORS}


class ReadOnly(admin.ModelAdmin[M]):
    """To look at: rows that only the system itself writes."""

    show_full_result_count = False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may act on such rows (retry, undo): those who may change pictures."""
        return bool(person(request).has_perm("assets.change_asset"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class DescribedForm(ModelForm):  # type: ignore[type-arg]
    """Hidden initial values say what *this* person changed, as in assets.forms.DescriptionForm."""

    tags = LabelsField(required=False, help_text=SEVERAL)
    creators = LabelsField(required=False, help_text=SEVERAL)
    not_for = UsesField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "not_for" in self.fields:
            self.fields["not_for"].offer(self.instance.not_for)  # type: ignore[attr-defined]
        for name in LABELS:
            if name in self.fields and self.instance.pk:
                self.initial[name] = self.instance.labels(LABELS[name])
        for name in ("title", "medium", "rights", "rights_holder", "credit_line"):
            if name in self.fields:
                self.fields[name].widget = forms.TextInput(attrs={"class": "vTextField"})
        for field in self.fields.values():
            field.show_hidden_initial = True


class AmongSeen(admin.ModelAdmin[M]):
    """Where a collection is to be named, only those can be that this person sees."""

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.related_model is Collection and not person(request).is_superuser:
            seen = [one.pk for one, _path in collections_for(person(request))]
            kwargs["queryset"] = Collection.objects.filter(pk__in=seen)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class DescribedAdmin(AmongSeen[M]):
    """Every edit goes through assets.changes, so that it has a history and the search knows of it."""

    form = DescribedForm
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or may_describe(person(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False  # there is the trash

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except changes.ChangeRefused as refused:  # nothing was written: the view is one transaction
            self.message_user(request, str(refused), messages.ERROR)
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            self.make(obj)
        verb = "Edited" if change else "Made"
        with changes.together():
            operation = changes.operation("edit", f"{verb} {obj}", user=person(request))
            stored: Subject = type(obj).objects.select_for_update(no_key=True).get(pk=obj.pk)
            if not change:
                changes.created(operation, stored)
            if not changes.apply(operation, [stored], patch_of(form, stored)) and change:
                operation.delete()

    def make(self, obj: Any) -> None:
        """Insert an empty row; its words follow as a change."""
        obj.pk = type(obj).objects.create(uid=obj.uid).pk


def patch_of(form: Any, stored: Subject) -> dict[str, Any]:
    """What was changed in the form, as assets.changes.apply takes it."""
    patch = {name: form.cleaned_data[name] for name in form.changed_data if name not in LABELS}
    for name in LABELS.keys() & form.changed_data:
        terms = term_patch(form, name, LABELS[name], stored.labels(LABELS[name]))
        for kind, labels in terms.items():
            patch[kind] = patch.get(kind, {}) | labels
    return patch


def thumbnail(card: Card, longest: int = 72) -> SafeString | str:
    if not card.small_src:
        return "–"
    return format_html(
        '<img src="{}" alt="" width="{}" height="{}" loading="lazy">', card.small_src, *_fit(card, longest)
    )


def _fit(card: Card, longest: int) -> tuple[int, int]:
    ratio = card.natural_ratio
    return (
        (longest, max(round(longest / ratio), 1)) if ratio > 1 else (max(round(longest * ratio), 1), longest)
    )


def number_of(model: type[models.Model], field: str, **conditions: Any) -> Subquery:
    """How many rows of a model point to each row by `field`, counted for the rows of the page alone.

    A join and a Count would be worked out for the whole table before its first page is known.
    """
    rows = model._default_manager.filter(**{field: OuterRef("pk")}, **conditions).order_by()
    counted = rows.values(field).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)  # type: ignore[return-value]


def column(title: str, order: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """admin.display with the two arguments that we use."""
    return admin.display(description=gettext_lazy(title) if title else "", ordering=order or None)


def counted(number: int, word: str) -> str:
    """`1,234 pictures`, in words of COUNTED."""
    return ngettext(*COUNTED[word], number) % {"number": intcomma(number)}


def ids(rows: Iterable[models.Model]) -> list[int]:
    return [row.pk for row in rows]
