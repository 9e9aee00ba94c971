"""What all processes share about an encoder, in the Redis of the cache. Every key has a time to live.

Without Redis all goes on, without limits and without counting; that is logged once and tried again soon.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis.exceptions import RedisError

T = TypeVar("T")
AWAY_SECONDS = 5.0  # so long nobody asks a Redis again that did not answer
log = logging.getLogger(__name__)


class Shared:
    """One Redis, and whether it answers; used by all threads of a process."""

    def __init__(self, url: str) -> None:
        self._client: Any = redis.Redis.from_url(
            url, socket_timeout=1, socket_connect_timeout=1, decode_responses=True
        )
        self._away_since: float | None = None
        self._not_before = 0.0

    def ask(self, work: Callable[[Any], T], otherwise: T) -> T:
        """What `work` gives when it is handed a redis.Redis; `otherwise` while Redis cannot be reached."""
        if time.monotonic() < self._not_before:
            return otherwise
        try:
            found = work(self._client)
        except (RedisError, OSError) as error:
            self._not_before = time.monotonic() + AWAY_SECONDS
            if self._away_since is None:
                self._away_since = time.monotonic()
                log.warning("Redis is away; encoders are asked without limits until it is back: %s", error)
            return otherwise
        if self._away_since is not None:
            log.warning("Redis is back after %.0f s.", time.monotonic() - self._away_since)
            self._away_since = None
        return found


@cache
def _of(url: str) -> Shared:
    return Shared(url)


def ask(work: Callable[[Any], T], otherwise: T) -> T:
    """See Shared.ask; of the Redis that the settings name."""
    return _of(settings.CACHE_URL).ask(work, otherwise)


def key(name: str, what: str) -> str:
    """Of something about the encoder called `name`."""
    return f"encoder:{name}:{what}"
