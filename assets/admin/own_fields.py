"""The museum's own fields; what is said in them already is never made unreadable."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets import changes, own
from assets.admin.common import column, ids
from assets.models import Asset, FieldDefinition, Record

MOST_AT_ONCE = 2000  # rows of the search that are written while somebody waits
SHAPE = {"type", "vocabulary", "repeatable", "multilingual"}


def said_in(field: FieldDefinition | None, slug: str) -> "QuerySet[Any]":
    """The objects or pictures that have a value in a field, as it was before it was changed."""
    model = Asset if field and field.applies_to == "asset" else Record
    return model._default_manager.filter(fields__has_key=slug)


class FieldForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("type") == FieldDefinition.Type.TERM and not found.get("vocabulary"):
            self.add_error("vocabulary", _("Choose the vocabulary that its terms are of."))
        if self.instance.pk and not self.errors:
            self._keep_what_is_said(found)
        return found

    def _keep_what_is_said(self, found: dict[str, Any]) -> None:
        before = FieldDefinition.objects.get(pk=self.instance.pk)
        values = said_in(before, before.slug)
        for name in {"slug", "applies_to"} & set(self.changed_data):
            if number := values.count():
                self.add_error(
                    name, _said(number) + " " + _("So this stays as it is. Add another field instead.")
                )
        if not self.errors and SHAPE & set(self.changed_data):
            wanted = FieldDefinition(**{f: found[f] for f in ("slug", "name", *SHAPE)})
            every = values.values_list("fields", flat=True).iterator(chunk_size=2000)
            number, example = own.unfit(wanted, every)
            if number:
                reason = (
                    _("The first of them reads “%s”. Correct them first, or add another field instead.")
                    % example
                )
                self.add_error(None, _unfit(number) + " " + reason)


def _said(number: int) -> str:
    return ngettext("%(n)d object has a value in it.", "%(n)d objects have a value in it.", number) % {
        "n": number
    }


def _unfit(number: int) -> str:
    one, many = (
        "%(n)d object has a value that would not fit.",
        "%(n)d objects have values that would not fit.",
    )
    return ngettext(one, many, number) % {"n": number}


@admin.register(FieldDefinition)
class FieldDefinitionAdmin(admin.ModelAdmin[FieldDefinition]):
    form = FieldForm
    exclude = ["facet"]  # nothing is offered as a filter by it yet
    list_display = [
        "name",
        "slug",
        "type",
        "applies_to",
        "vocabulary",
        "required",
        "used",
        "position",
    ]
    list_editable = ["position"]
    list_filter = ["applies_to", "type"]
    list_select_related = ["vocabulary"]
    prepopulated_fields = {"slug": ["name"]}

    @column("values")
    def used(self, field: FieldDefinition) -> int:
        return said_in(field, field.slug).count()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A field in which something is said is not deleted: its values would be found and seen by nobody."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        said = {str(field): said_in(field, field.slug).count() for field in objs}
        protected += [f"{name}: {_said(number)}" for name, number in said.items() if number]
        return deleted, counts, needed, protected

    def save_model(self, request: HttpRequest, obj: FieldDefinition, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "weight" in form.changed_data:
            self._weigh_again(request, obj)

    def _weigh_again(self, request: HttpRequest, field: FieldDefinition) -> None:
        """What the words count in a search stands in the search rows."""
        of_record = Q(depictions__record__fields__has_key=field.slug)
        use = of_record if field.applies_to == "record" else Q(fields__has_key=field.slug)
        found = ids(Asset.objects.filter(use).only("pk").distinct().order_by()[: MOST_AT_ONCE + 1])
        if len(found) <= MOST_AT_ONCE:
            changes.notify(found)
        else:
            self.message_user(request, _("The search counts it so after its next daily check."))
