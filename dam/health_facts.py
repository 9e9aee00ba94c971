"""What the health page knows: collected here, put into words in dam.health_page. Nothing here raises."""

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext_noop
from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

from assets import fixity
from assets.models import Asset, Blob, Rendition, StageRun
from assets.stages import pipeline
from search import encoders, filling

T = TypeVar("T")
log = logging.getLogger(__name__)
AWAY = (DatabaseError, RedisError, KombuError, OSError)
PING_SECONDS, PING_KEPT, SIZES_KEPT = 1.0, 10, 120
DAYS = 14
MOST_FILES = 20_000  # of a folder that is looked through
QUEUES = {
    "control": gettext_noop("handing out work"),
    "interactive": gettext_noop("what people upload"),
    "files": gettext_noop("large uploads, imports and closer views"),
    "bulk": gettext_noop("the pictures of imports"),
    "vectorise": gettext_noop("the likeness of imported pictures"),
    "fill": gettext_noop("embedding spaces"),
}


def known(work: Callable[[], T], otherwise: T) -> T:
    """What `work` gives, or `otherwise` where a service that it asks is away."""
    try:
        return work()
    except AWAY as error:
        log.warning("The health page could not ask for something: %s", error)
        return otherwise


def kept(key: str, seconds: int, work: Callable[[], T], otherwise: T) -> T:
    """The same, remembered in the cache while that works."""
    with suppress(*AWAY):
        found: T | None = cache.get(f"health:{key}")
        if found is not None:
            return found
    made = known(work, otherwise)
    with suppress(*AWAY):
        cache.set(f"health:{key}", made, seconds)
    return made


# --- workers --------------------------------------------------------------------------------------


def workers() -> dict[str, list[str]]:
    """The workers that answer within a second, each with the queues that it serves."""

    def ask() -> dict[str, list[str]]:
        answers = current_app.control.inspect(timeout=PING_SECONDS).active_queues() or {}
        return {name: sorted(queue["name"] for queue in queues) for name, queues in sorted(answers.items())}

    return kept("workers", PING_KEPT, ask, {})


def last_tick() -> datetime | None:
    """When the clock (beat) and the worker that it talks to last did something."""
    found: datetime | None = known(lambda: cache.get(filling.TENDED), None)
    return found


# --- versions -------------------------------------------------------------------------------------


def versions() -> dict[str, str]:
    return {
        "PostgreSQL": known(lambda: _value("SHOW server_version"), ""),
        "pgvector": known(lambda: _value("SELECT extversion FROM pg_extension WHERE extname = 'vector'"), ""),
        **known(_redis_version, {"Valkey": ""}),
    }


def _redis_version() -> dict[str, str]:
    redis: Any = Redis.from_url(settings.CACHE_URL, socket_timeout=1, socket_connect_timeout=1)
    with redis:
        server = redis.info("server")
    if "valkey_version" in server:
        return {"Valkey": str(server["valkey_version"])}
    return {"Redis": str(server["redis_version"])}


def _value(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return str(row[0]) if row else ""


# --- work -----------------------------------------------------------------------------------------


@dataclass
class Stage:
    """The runs of one stage that are not done."""

    label: str
    waiting: int = 0
    running: int = 0
    failed: int = 0


def stages() -> list[Stage]:
    """What people wait for; the work for spaces that are only being tried is told with the spaces."""
    found = {name: Stage(stage.label) for name, stage in pipeline().items()}
    open_or_failed = StageRun.objects.exclude(state=StageRun.State.DONE)
    counted = open_or_failed.values_list("stage", "state").annotate(Count("pk"))
    none: list[tuple[Any, ...]] = []
    for name, state, number in known(lambda: list(counted), none):
        if stage := found.get(name):
            kind = "waiting" if state in ("waiting", "queued") else state
            setattr(stage, kind, getattr(stage, kind) + number)
    return [stage for stage in found.values() if stage.waiting or stage.running or stage.failed]


def oldest_queued() -> datetime | None:
    """Since when the longest waiting message lies in the broker: its lease began then."""
    queued = StageRun.every.filter(state=StageRun.State.QUEUED).order_by("lease_until")
    lease = known(lambda: queued.values_list("lease_until", flat=True).first(), None)
    return lease - timedelta(seconds=settings.QUEUE_LEASE_SECONDS) if lease else None


@dataclass
class Incoming:
    """Files that are on their way in, and bytes that are being put into the store."""

    files: int
    oldest: datetime | None
    writing: int


def incoming() -> Incoming:
    none: list[float] = []
    times = known(lambda: [path.stat().st_mtime for path in _files(settings.INCOMING_DIR)], none)
    oldest = datetime.fromtimestamp(min(times), timezone.get_current_timezone()) if times else None
    writing = known(lambda: Blob.objects.filter(state=Blob.State.WRITING).count(), 0)
    return Incoming(len(times), oldest, writing)


def _files(folder: Path) -> list[Path]:
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            found.append(path)
        if len(found) >= MOST_FILES:
            break
    return found


# --- disk -----------------------------------------------------------------------------------------


@dataclass
class Disk:
    free: int = 0
    total: int = 0
    parts: dict[str, int] = field(default_factory=dict)  # name -> bytes

    @property
    def is_short(self) -> bool:
        return bool(self.total) and (self.free < 2 * 1024**3 or self.free < self.total * 0.05)


def disk() -> Disk:
    """The disk of DATA_DIR, and what takes up room; big folders as the database counts them."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Disk(usage.free, usage.total, kept("sizes", SIZES_KEPT, _sizes, {}))


def _sizes() -> dict[str, int]:
    found = {
        gettext_noop("originals"): _sum(
            Blob.objects.filter(state=Blob.State.STORED).aggregate(bytes=Sum("size"))
        ),
        gettext_noop("thumbnails and previews"): _sum(Rendition.objects.aggregate(bytes=Sum("size"))),
        gettext_noop("database"): int(_value("SELECT pg_database_size(current_database())")),
    }
    for name in (gettext_noop("models"), gettext_noop("incoming"), gettext_noop("logs"), "valkey"):
        folder = settings.DATA_DIR / name
        if folder.is_dir():
            found[name] = sum(path.stat().st_size for path in _files(folder))
    return found


def _sum(found: dict[str, Any]) -> int:
    return int(found["bytes"] or 0)


# --- originals ------------------------------------------------------------------------------------


def originals() -> fixity.Summary | None:
    """What the readings of the originals have shown."""
    return known(fixity.summary, None)


def storage_away() -> str:
    """Why the originals could not be read when it was last tried."""
    return known(fixity.away, "")


def in_trash() -> int:
    return known(lambda: Asset.objects.exclude(trashed_at=None).count(), 0)


# --- encoders -------------------------------------------------------------------------------------


@dataclass
class EncoderHealth:
    name: str
    kind: str
    paused: encoders.Pause | None
    pause_ends: bool
    month: int
    allowed: int
    days: list[encoders.DayUsage]


def encoder_health() -> list[EncoderHealth]:
    """Every encoder that the settings name; the days without a call are left out."""
    return [_encoder(name) for name in encoders.names()]


def _encoder(name: str) -> EncoderHealth:
    paused, (month, allowed) = encoders.paused(name), encoders.month_usage(name)
    days = [day for day in reversed(encoders.usage(name, DAYS)) if day.calls]
    ends = paused is not None and paused.until > timezone.now()
    return EncoderHealth(name, encoders.configured(name).kind, paused, ends, month, allowed, days)
