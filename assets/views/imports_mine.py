"""Which imports a person may see: their own, and administrators all."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _

from accounts.models import User
from assets.models import Batch, Import
from assets.seen import may_import
from assets.views.requests import person

TAGS_OFFERED = 200
STEPS = (_("Where from"), _("Columns"), _("Preview"), _("Import"))


def imports_of(user: User) -> "QuerySet[Import]":
    found = Import.objects.select_related("batch__user")
    return found if user.is_superuser else found.filter(batch__user=user)


def uploads_of(user: User) -> "QuerySet[Batch]":
    """Batches of the upload page, which have no import of their own."""
    found = Batch.objects.filter(delivery=None, operation__isnull=False).distinct()
    return found if user.is_superuser else found.filter(user=user)


def mine(request: HttpRequest, uid: UUID) -> Import:
    """Raises Http404 where it is none of this person's, PermissionDenied where they may not import."""
    user = person(request)
    may_import(user)
    return get_object_or_404(imports_of(user), uid=uid)
