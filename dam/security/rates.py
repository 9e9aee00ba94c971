"""How often the API may be asked, by token or else by address; counted in the cache for whole minutes."""

import hashlib
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from dam.security.limits import refused

log = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponseBase]
MINUTE = 60


def rates(get_response: Next) -> Next:
    """429 with Retry-After above API_PER_MINUTE of a token, and above API_WRONG_PER_MINUTE wrong tokens of an
    address. While the cache is away nothing is counted and nobody is refused."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return get_response(request)
        address = f"wrong:{request.META.get('REMOTE_ADDR', '')}"
        over = _seen(address) >= settings.API_WRONG_PER_MINUTE > 0
        over = over or _counted(_asker(request)) > settings.API_PER_MINUTE > 0
        if over:
            seconds = MINUTE - int(time.time()) % MINUTE
            return refused(request, 429, _("Too many requests. Please wait a moment."), retry=seconds)
        response = get_response(request)
        if response.status_code == 401:
            _counted(address)
        return response

    return middleware


def _asker(request: HttpRequest) -> str:
    """Of a token its hash alone is kept."""
    token = request.headers.get("Authorization", "")
    if token:
        return f"token:{hashlib.sha256(token.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"
    return f"address:{request.META.get('REMOTE_ADDR', '')}"


def _key(who: str) -> str:
    return f"rates:{who}:{int(time.time()) // MINUTE}"


def _seen(who: str) -> int:
    try:
        return int(cache.get(_key(who), 0))
    except (RedisError, OSError) as error:
        log.warning("Requests cannot be counted: %s", error)
        return 0


def _counted(who: str) -> int:
    """How many there were in this minute, with this one."""
    try:
        cache.add(_key(who), 0, 2 * MINUTE)
        return int(cache.incr(_key(who)))
    except (RedisError, OSError, ValueError) as error:  # ValueError: it was emptied just now
        log.warning("Requests cannot be counted: %s", error)
        return 0
