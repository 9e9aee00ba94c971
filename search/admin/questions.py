"""The questions that were counted: to look at, and to forget."""

from django.contrib import admin
from django.http import HttpRequest

from assets.admin.common import ReadOnly
from search.models import SearchLog


@admin.register(SearchLog)
class SearchLogAdmin(ReadOnly[SearchLog]):
    list_display = ["question", "mode", "day", "times", "total", "strong"]
    list_filter = ["mode", "day"]
    date_hierarchy = "day"
    search_fields = ["key"]
    search_help_text = "Words of the question"
    ordering = ["-day", "-times", "pk"]

    def has_delete_permission(self, request: HttpRequest, obj: SearchLog | None = None) -> bool:
        """A question may have named a person: it can be forgotten before its time."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
