"""Groups, with what they are granted: changed on the page of a collection, and of the library."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin import GroupsAdmin
from assets.models import Grant
from assets.views.requests import person
from assets.views.visible import collections_for


class GrantsInline(admin.TabularInline[Grant, Group]):
    model = Grant
    extra = 0
    can_delete = False
    fields = ["collection", "actions"]
    readonly_fields = ["collection", "actions"]
    verbose_name_plural = _("what it may do; changed under Collections")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        found = super().get_queryset(request)
        if person(request).is_superuser:
            return found
        seen = [one.pk for one, _path in collections_for(person(request))]
        return found.filter(Q(collection=None) | Q(collection__in=seen))

    def has_add_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False


class GroupOfPeopleAdmin(GroupsAdmin):
    inlines = [GrantsInline]


admin.site.unregister(Group)
admin.site.register(Group, GroupOfPeopleAdmin)
