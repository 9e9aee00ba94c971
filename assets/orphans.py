"""Objects in storage that no row knows: listed, and removed when somebody asks for it."""

import re
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.core.cache import cache
from django.utils import timezone

from assets import storage
from assets.backends import contents
from assets.models import Blob, Rendition

AT_ONCE = 1000
AGE = timedelta(days=1)
ORIGINAL = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})")
RENDITION = re.compile(r"[0-9a-f]{2}/([0-9a-f-]{36})/v\d+/[a-z]+\.(?:webp|tif)")


FOUND, FOUND_SECONDS = "orphans:found", 30 * 86_400  # in the cache
LOOKING, LOOKING_SECONDS = "orphans:looking", 3600


class Orphan(NamedTuple):
    kind: str  # originals or renditions
    name: str
    size: int
    ours: bool
    """Whether it is named as we name things. What is not is left alone."""


def orphans(age: timedelta = AGE) -> Iterator[Orphan]:
    """What lies in the two storages for longer than `age` and is in no list of ours."""
    long_ago = timezone.now() - age
    for kind, place in (("originals", storage.originals()), ("renditions", storage.renditions())):
        old = (found for found in contents(place) if found.modified < long_ago)
        while some := list(islice(old, AT_ONCE)):
            listed = known(kind, [found.name for found in some])
            for found in some:
                if found.name not in listed:
                    yield Orphan(
                        kind, found.name, found.size, _pattern(kind).fullmatch(found.name) is not None
                    )


@dataclass(frozen=True)
class Survey:
    """What was found the last time; `foreign` files are not named as we name things."""

    ended: datetime
    seconds: float
    number: int
    bytes: int
    foreign: int


def survey() -> Survey:
    """Look through both storages and remember what was found."""
    began, number, size, foreign = time.monotonic(), 0, 0, 0
    cache.set(LOOKING, timezone.now(), LOOKING_SECONDS)
    try:
        for orphan in orphans():
            number, size, foreign = number + orphan.ours, size + orphan.size, foreign + (not orphan.ours)
        found = Survey(timezone.now(), time.monotonic() - began, number, size, foreign)
        cache.set(FOUND, found, FOUND_SECONDS)
    finally:
        cache.delete(LOOKING)
    return found


def surveyed() -> Survey | None:
    """What the last look has found, as long as it is remembered."""
    found: Survey | None = cache.get(FOUND)
    return found


def is_looking() -> bool:
    return cache.get(LOOKING) is not None


def remove(orphan: Orphan) -> bool:
    """Delete it if it still is one; returns whether it was."""
    if not orphan.ours:
        return False
    if orphan.kind == "renditions":
        if not known(orphan.kind, [orphan.name]):
            storage.renditions().delete(orphan.name)
            return True
        return False
    with storage.locked(orphan.name[-64:]):
        if known(orphan.kind, [orphan.name]):
            return False
        storage.originals().delete(orphan.name)
    return True


def _pattern(kind: str) -> re.Pattern[str]:
    return ORIGINAL if kind == "originals" else RENDITION


def known(kind: str, names: Sequence[str]) -> set[str]:
    """Those of these names that a row has."""
    parts = [match[1] for name in names if (match := _pattern(kind).fullmatch(name))]
    if kind == "originals":
        return {blob.storage_name for blob in Blob.objects.filter(sha256__in=parts)}
    uids = [uuid.UUID(part) for part in parts if len(part.replace("-", "")) == 32]
    listed = Rendition.objects.filter(version__asset__uid__in=uids)
    return set(listed.values_list("storage_name", flat=True))
