"""The folders that are watched. They are paths of the server, so that only administrators name them."""

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.admin.common import column
from assets.models import WatchedFolder
from assets.sources import Folder, SourceError
from assets.stored import shown


class WatchedFolderForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_folder(self) -> str:
        folder = str(self.cleaned_data["folder"])
        try:
            found = Folder(Path(folder))
        except SourceError as error:
            raise forms.ValidationError(shown(str(error))) from error
        if not Path(folder).is_dir() or not Path(folder).is_absolute():
            raise forms.ValidationError(_("Write the whole path of a folder."))
        return str(found.root)


@admin.register(WatchedFolder)
class WatchedFolderAdmin(admin.ModelAdmin[WatchedFolder]):
    form = WatchedFolderForm
    list_display = ["folder", "collection", "is_active", "looked_at", "state"]
    readonly_fields = ["looked_at", "state"]
    raw_id_fields = ["user"]

    @column("state")
    def state(self, row: WatchedFolder) -> str:
        if not row.is_active:
            return _("Not watched at present.")
        if row.trouble and row.pause_until:
            again = _("It is tried again at %(time)s.") % {
                "time": f"{timezone.localtime(row.pause_until):%H:%M}"
            }
            return f"{shown(row.trouble)} {again}"
        return _("Watched.") if row.looked_at else _("Not looked at yet.")

    def save_model(self, request: HttpRequest, obj: WatchedFolder, form: Any, change: bool) -> None:
        obj.pause_until = None  # whoever saves it wants it looked at now
        super().save_model(request, obj, form, change)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: WatchedFolder | None = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: WatchedFolder | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: WatchedFolder | None = None) -> bool:
        return request.user.is_superuser
