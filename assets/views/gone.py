"""What was deleted for good says so at its old address, to those who could see it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render

from assets.models import Tombstone

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def or_gone(view: V) -> V:
    """A view of one uid that answers 410 with the tombstone where it would answer 404."""

    @wraps(view)
    def inner(request: HttpRequest, uid: UUID, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, uid, *args, **kwargs)
        except Http404:
            stone = Tombstone.objects.visible_to(request.user).filter(uid=uid).first()
            if stone is None:
                raise
            return render(request, "assets/gone.html", {"stone": stone}, status=410)

    return inner  # type: ignore[return-value]
