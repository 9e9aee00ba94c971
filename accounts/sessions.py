"""Sessions are kept in the database; a cache saves asking it for each page, and may be away."""

import logging
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import cached_db
from django.core.cache import caches
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
SECONDS = 300
"""For which the cache is believed: a session that ended while it was away is in it still when it is back."""


class SessionStore(cached_db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache: Any = _Forgiving(caches[settings.SESSION_CACHE_ALIAS])


class _Forgiving:
    """A cache that knows nothing while it cannot be reached."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def get(self, key: str) -> Any:
        return self._try("get", key)

    def set(self, key: str, value: Any, seconds: int) -> None:
        self._try("set", key, value, min(seconds, SECONDS))

    def delete(self, key: str) -> None:
        self._try("delete", key)

    def __contains__(self, key: str) -> bool:
        return bool(self._try("has_key", key))

    def _try(self, name: str, *values: Any) -> Any:
        try:
            return getattr(self.cache, name)(*values)
        except (RedisError, OSError) as error:
            log.warning("The cache of sessions cannot be reached: %s", error)
            return None
