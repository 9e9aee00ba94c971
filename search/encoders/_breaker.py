"""A circuit breaker for each encoder, shared by all processes: a service that is down is left in peace.

Five calls in a row that the service failed (one, where the key or the address is refused) open it for half a
minute, then twice as long each time, to ten minutes. While it is open nobody calls; when it is due, one tiny
question finds out, and never somebody's work. Where nobody sends that question, it closes by itself.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from search.encoders import _shared
from search.encoders._limits import about
from search.encoders._protocol import EncoderDown

AFTER = 5  # failures in a row
FIRST, MOST = 30.0, 600.0  # seconds of a pause
FORGOTTEN = 600  # seconds after which a failure no longer counts as one of the same row
UNASKED = 120  # seconds that a due breaker waits for somebody to find out
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """An open breaker; times in seconds since 1970."""

    reason: str
    since: float
    until: float
    seconds: float  # of this pause


class Breaker:
    now: Callable[[], float] = staticmethod(time.time)

    def __init__(self, name: str) -> None:
        self._name, self._key = name, _shared.key(name, "breaker")

    def opened(self) -> Opened | None:
        """The pause, also when it is due; None where calls go on."""
        found: dict[str, str] = _shared.ask(lambda redis: redis.hgetall(self._key), {})
        if "until" not in found:
            return None
        return Opened(found["reason"], float(found["since"]), float(found["until"]), float(found["seconds"]))

    def is_due(self) -> bool:
        opened = self.opened()
        return opened is not None and opened.until <= self.now()

    def check(self) -> None:
        """Raises EncoderDown while it is open."""
        if opened := self.opened():
            left = max(opened.until - self.now(), 5.0)
            raise EncoderDown(paused(opened.reason, left), left)

    def succeeded(self) -> None:
        """The service answered: calls go on, and all is forgotten."""
        if _shared.ask(lambda redis: self._closed(redis), False):
            log.warning("The encoder %s answers again.", self._name)

    def _closed(self, redis: Any) -> bool:
        pipeline = redis.pipeline(transaction=True)
        pipeline.hexists(self._key, "until")
        pipeline.delete(self._key)
        return bool(pipeline.execute()[0])

    def failed(self, reason: str, lasting: bool) -> float:
        """Count a failure, `lasting` where asking again will not help. Seconds left of the pause, or 0.

        Calls that were under way when it opened change nothing; the one that found it due makes it longer.
        """
        opened, now = self.opened(), self.now()
        if opened and opened.until > now:
            return opened.until - now
        if opened:
            return self._open(Opened(reason, opened.since, now, min(2 * opened.seconds, MOST)))
        count = _shared.ask(lambda redis: self._counted(redis), 0)
        if count and (lasting or count >= AFTER):
            return self._open(Opened(reason, now, now, FIRST))
        return 0.0

    def _counted(self, redis: Any) -> int:
        pipeline = redis.pipeline(transaction=True)
        pipeline.hincrby(self._key, "failures", 1)
        pipeline.expire(self._key, FORGOTTEN)
        return int(pipeline.execute()[0])

    def _open(self, opened: Opened) -> float:
        until = opened.until + opened.seconds
        values = {"reason": opened.reason, "since": opened.since, "until": until, "seconds": opened.seconds}

        def write(redis: Any) -> float:
            pipeline = redis.pipeline(transaction=True)
            pipeline.hset(self._key, mapping=values)
            pipeline.expire(self._key, round(opened.seconds) + UNASKED)
            pipeline.execute()
            return opened.seconds

        log.warning("The encoder %s is paused for %.0f s: %s", self._name, opened.seconds, opened.reason)
        return _shared.ask(write, 0.0)


def paused(reason: str, seconds: float) -> str:
    """What people read while nobody calls."""
    return f"{reason} Calls are paused; the next try is in {about(seconds)}."
