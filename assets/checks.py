"""System checks: a wrong combination of settings is said at start, with what to do."""

import re
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register()
def dotted_paths(**kwargs: Any) -> list[CheckMessage]:
    """ASSET_PIPELINE and what is told of changes must name functions that exist."""
    found: list[CheckMessage] = []
    told = ("ASSET_ADDED", "ASSET_CHANGED", "FACTS_CHANGED", "COLORS_CHANGED", "PICTURE_CHANGED")
    for name in ("ASSET_PIPELINE", *told):
        for path in getattr(settings, name):
            try:
                import_string(path)
            except ImportError as error:
                hint = f"Correct the path in {name}, or install what it needs."
                found.append(Error(f"{name} names {path}: {error}", hint=hint, id="assets.E001"))
    return found


@register()
def networks(**kwargs: Any) -> list[CheckMessage]:
    """IMPORT_ALLOWED_NETWORKS must be networks."""
    found: list[CheckMessage] = []
    for network in settings.IMPORT_ALLOWED_NETWORKS:
        try:
            ip_network(network, strict=False)
        except ValueError as error:
            hint = "Write networks as 10.1.0.0/16, separated by commas."
            found.append(Error(f"IMPORT_ALLOWED_NETWORKS: {error}", hint=hint, id="assets.E020"))
    return found


@register()
def content_languages(**kwargs: Any) -> list[CheckMessage]:
    """CONTENT_LANGUAGES must be codes of languages, at least one."""
    codes = settings.CONTENT_LANGUAGES
    wrong = [code for code in codes if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", code)]
    if codes and not wrong:
        return []
    said = f"“{wrong[0]}” is no code of a language" if wrong else "it is empty"
    hint = "Write codes such as en, de or pt-br, separated by spaces; the first is that of the plain fields."
    return [Error(f"CONTENT_LANGUAGES: {said}.", hint=hint, id="assets.E022")]


@register()
def leases(**kwargs: Any) -> list[CheckMessage]:
    """A message may come back only after its stage can no longer be running."""
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 3600)
    if timeout > settings.STAGE_SECONDS:
        return []
    hint = "Set visibility_timeout in CELERY_BROKER_TRANSPORT_OPTIONS above STAGE_SECONDS."
    return [Error("The broker would deliver a running stage a second time.", hint=hint, id="assets.E002")]


@register()
def storages(**kwargs: Any) -> list[CheckMessage]:
    """STORAGE and STORAGE_BEFORE name places that are there; hours are hours."""
    found: list[CheckMessage] = []
    for name in ("STORAGE", "STORAGE_BEFORE"):
        where = getattr(settings, name)
        if where not in ("local", "s3") and (where or name == "STORAGE"):
            hint = f"Set {name} to local or s3."
            found.append(Error(f"{name} is {where!r}.", hint=hint, id="assets.E003"))
        if where == "s3" and not settings.S3_BUCKET:
            hint = "Set S3_BUCKET and what else the bucket needs: see docs/operations.md."
            found.append(Error(f"{name} is s3, and no bucket is named.", hint=hint, id="assets.E004"))
    if wrong := [hour for hour in settings.FIXITY_HOURS if not 0 <= hour <= 23]:
        said = f"FIXITY_HOURS has {wrong[0]}."
        found.append(Error(said, hint="Write hours of the day from 0 to 23.", id="assets.E005"))
    return found
