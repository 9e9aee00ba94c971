"""/admin/encoders/: what turns pictures and sentences into vectors, its limits, and whether it answers."""

import time
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from PIL import Image

from dam import health_facts
from search import encoders
from search.admin.offers import Offer, offers
from search.encoders import EncoderError, Limits

SENTENCE, SIDE = "a picture", 224


@dataclass(frozen=True)
class Row:
    """One encoder of the settings with all that is known of it."""

    offer: Offer
    health: health_facts.EncoderHealth
    limits: Limits | None
    answered: int
    """Calls of the days shown that were answered."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def encoders_page(request: HttpRequest) -> HttpResponse:
    """A POST asks the encoder that it names; that may cost two calls of a service."""
    if not request.user.has_perm("search.view_embeddingspace"):
        raise PermissionDenied
    may_act = request.user.has_perm("search.change_embeddingspace")
    if request.method == "POST":
        if not may_act:
            raise PermissionDenied
        name = request.POST.get("encoder", "")
        works, said = asked(name)
        messages.add_message(request, messages.SUCCESS if works else messages.ERROR, said)
        return redirect("encoders")
    context = {**admin.site.each_context(request), "title": _("Encoders"), "may_act": may_act}
    return TemplateResponse(request, "encoders.html", context | {"rows": rows(), "days": health_facts.DAYS})


def rows() -> list[Row]:
    """Asks none of the services."""
    health = {one.name: one for one in health_facts.encoder_health()}
    return [_row(offer, health[offer.config.name]) for offer in offers()]


def _row(offer: Offer, health: health_facts.EncoderHealth) -> Row:
    limits = None
    if not offer.problems and not offer.trouble:
        limits = encoders.get(offer.config.name).limits
    answered = sum(day.calls - day.failures - day.refused for day in health.days)
    return Row(offer, health, limits, answered)


def asked(name: str) -> tuple[bool, str]:
    """Whether an encoder answers a sentence and a picture, and the sentence that says so to people."""
    if name not in encoders.names():
        return False, _("There is no encoder “%(name)s” in the settings.") % {"name": name}
    try:
        with encoders.somebody_waits():
            encoder = encoders.get(name)
            began = time.monotonic()
            (words,) = encoder.encode_texts([SENTENCE])
            between = time.monotonic()
            encoder.encode_images([Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")])
            ended = time.monotonic()
    except EncoderError as error:
        return False, _("%(name)s does not answer: %(why)s") % {"name": name, "why": error}
    values: dict[str, Any] = {
        "name": name,
        "numbers": len(words),
        "words": f"{between - began:.2f}",
        "picture": f"{ended - between:.2f}",
    }
    said = _(
        "%(name)s answers: a sentence took %(words)s seconds, a picture %(picture)s seconds, "
        "and each became %(numbers)s numbers."
    )
    return True, said % values
