"""For the administrations of other apps: from where, from what and to what; and deletions as well.

Of deletions Django sends no signal; what is made and changed is recorded by audit.signals, without this too.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from audit.recording import about_of
from audit.signals import at_hand, record_done

SECRET = ("password", "secret", "key", "token")

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object


class Recorded(Base):
    """Stands before ModelAdmin."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        request.audit_changes = {} if add else from_to(form)  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        with at_hand(request):
            return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        with at_hand(request, getattr(request, "audit_changes", None)):
            return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        done = super().log_deletions(request, queryset)
        person = request.user if isinstance(request.user, AbstractBaseUser) else None
        with at_hand(request):
            for one in queryset:
                record_done(person, one._meta.model_name, about_of(one), "deleted", "")
        return done


def from_to(form: Any) -> dict[str, list[str]]:
    """What was changed in the form of a model, before and after, in words; nothing that is a secret."""
    names = [name for name in form.changed_data if not any(word in name for word in SECRET)]
    return {name: [_said(form.initial.get(name)), _said(form.cleaned_data.get(name))] for name in names}


def _said(value: Any) -> str:
    if value is None:
        return ""
    several = isinstance(value, Iterable) and not isinstance(value, str | dict)
    return "; ".join(sorted(map(str, value))) if several else str(value)
