"""`/healthz`: this process answers. `/readyz`: the parts that it needs answer too."""

from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from search import spaces


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when all parts answer, else 503; says which does not. No detail that a stranger should not see."""
    parts = {name: works(check) for name, check in CHECKS.items()}
    ready = all(parts.values())
    said = {"status": "ready" if ready else "not ready", "parts": parts}
    return JsonResponse(said, status=200 if ready else 503)


def works(check: Callable[[], object]) -> bool:
    try:
        return bool(check())
    except (DatabaseError, RedisError, OperationalError, OSError):
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _cache() -> bool:
    cache.set("readyz", 1, 5)
    return bool(cache.get("readyz"))


def _broker() -> bool:
    with Connection(
        settings.CELERY_BROKER_URL, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS
    ) as broker:
        broker.ensure_connection(max_retries=1, timeout=3)
        return True


CHECKS: dict[str, Callable[[], object]] = {
    "database": _database,
    "cache": _cache,
    "broker": _broker,
    "embedding space": spaces.active,
}
