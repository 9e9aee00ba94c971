"""Why an encoder is not asked just now, and what makes it go on."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from search import encoders
from search.encoders import _shared
from search.encoders._breaker import Breaker
from search.encoders._calls import month_usage
from search.encoders._config import configured
from search.encoders._limits import month_key, month_used_up, next_month, pace_key
from search.encoders._patience import probing
from search.encoders._protocol import EncoderDown, EncoderError

PROBE_SECONDS = 30  # after which another process may ask, if the one that began has died
SHORT = 2.0  # seconds; shorter pauses are not worth a word
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pause:
    """Nobody calls the encoder; `until` is when that is over, or when one question is sent to find out."""

    reason: str
    since: datetime
    until: datetime


def paused(name: str) -> Pause | None:
    """Why nobody calls the encoder, or None; also for one that is not among the settings any more."""
    now = datetime.now(UTC)
    if opened := Breaker(name).opened():
        return Pause(opened.reason, _moment(opened.since), _moment(opened.until))
    used, allowed = month_usage(name)
    if allowed and used >= allowed:
        last = _shared.ask(lambda redis: redis.hget(month_key(name, now), "last"), None)
        return Pause(month_used_up(configured(name)), _microseconds(last, now), next_month(now))
    return _held(name, now)


def _held(name: str, now: datetime) -> Pause | None:
    """Where the service itself asked for a pause."""

    nothing: list[str | None] = [None, None, None]
    fields = ("held", "hold", "why")
    held, hold, why = _shared.ask(lambda redis: redis.hmget(pace_key(name), *fields), nothing)
    until = _microseconds(hold, now)
    if (until - now).total_seconds() < SHORT:
        return None
    return Pause(why or "", _microseconds(held, now), until)


def probe(name: str) -> None:
    """Where a pause is due, find out with one tiny question whether the service is back; raises nothing."""
    breaker = Breaker(name)
    key = _shared.key(name, "probe")
    if not breaker.is_due() or not _shared.ask(
        lambda redis: redis.set(key, 1, nx=True, ex=PROBE_SECONDS), None
    ):
        return
    try:
        with probing():
            encoders.get(name).encode_texts(["a picture"])
        breaker.succeeded()
    except EncoderDown as error:
        log.info("The encoder %s is still paused: %s", name, error)
    except EncoderError as error:
        if breaker.is_due():  # not counted yet where the call was made
            breaker.failed(str(error), lasting=True)
    finally:
        _shared.ask(lambda redis: redis.delete(key), 0)


def resume(name: str) -> None:
    """Let everybody call again at once, whatever happened; a month that is used up stays so."""
    keys = [_shared.key(name, "breaker"), pace_key(name)]
    _shared.ask(lambda redis: redis.delete(*keys), 0)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _microseconds(value: str | None, otherwise: datetime) -> datetime:
    return _moment(int(value) / 1e6) if value else otherwise
