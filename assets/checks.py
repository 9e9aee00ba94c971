"""System checks: a wrong combination of settings is said at start, with what to do."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register()
def dotted_paths(**kwargs: Any) -> list[CheckMessage]:
    """ASSET_PIPELINE, ASSET_CHANGED and FACTS_CHANGED must name functions that exist."""
    found: list[CheckMessage] = []
    for name in ("ASSET_PIPELINE", "ASSET_CHANGED", "FACTS_CHANGED"):
        for path in getattr(settings, name):
            try:
                import_string(path)
            except ImportError as error:
                hint = f"Correct the path in {name}, or install what it needs."
                found.append(Error(f"{name} names {path}: {error}", hint=hint, id="assets.E001"))
    return found


@register()
def leases(**kwargs: Any) -> list[CheckMessage]:
    """A message may come back only after its stage can no longer be running."""
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 3600)
    if timeout > settings.STAGE_SECONDS:
        return []
    hint = "Set visibility_timeout in CELERY_BROKER_TRANSPORT_OPTIONS above STAGE_SECONDS."
    return [Error("The broker would deliver a running stage a second time.", hint=hint, id="assets.E002")]
