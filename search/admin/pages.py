"""What our own pages of the administration share. They are no transactions, as Django's forms would be."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_safe

from assets.admin.common import ReadOnly
from assets.views.requests import person
from search.encoders import EncoderError
from search.spaces import SpaceError

M = TypeVar("M", bound=models.Model)
View = Callable[..., HttpResponse]
asked_or_done = method_decorator(require_http_methods(["GET", "HEAD", "POST"]))


class OwnPages(ReadOnly[M]):
    """To look needs Django's own permission; to act, that to change spaces, which lets one look, too."""

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(person(request).has_perm("search.change_embeddingspace"))

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_act_permission(request)

    def own_views(self) -> Mapping[str, tuple[str, View]]:
        """Name -> (route, view), besides those that every model has."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        model = self.opts.model_name
        own = [
            path(route, self.admin_site.admin_view(view), name=f"search_{model}_{name}")
            for name, (route, view) in self.own_views().items()
        ]
        return own + super().get_urls()

    def looks(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def acts(self, request: HttpRequest) -> None:
        if not self.has_act_permission(request):
            raise PermissionDenied

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        """A whole page in the frame of the administration."""
        around = self.admin_site.each_context(request)
        own = {"title": title, "opts": self.opts, "may_act": self.has_act_permission(request)}
        return TemplateResponse(request, f"search/admin/{template}.html", {**around, **own, **context})


def address(model: str, name: str, *args: Any) -> str:
    return reverse(f"admin:search_{model}_{name}", args=args)


def all_spaces() -> str:
    return address("embeddingspace", "changelist")


def looking(view: View) -> View:
    """For whoever may see such rows, by GET."""

    @functools.wraps(view)
    def checked(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.looks(request)
        return view(self, request, *args, **kwargs)

    made: View = method_decorator(require_safe)(checked)
    return made


def acting(view: View) -> View:
    """For whoever may change spaces. What cannot be done is said where they find all spaces."""

    @functools.wraps(view)
    def checked(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.acts(request)
        try:
            return view(self, request, *args, **kwargs)
        except (SpaceError, EncoderError) as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(way_back(request))

    return checked


def way_back(request: HttpRequest) -> str:
    """A page to choose from is shown again; one that asks whether to do it would only fail once more."""
    return request.path if request.path.endswith("/add/") else all_spaces()
