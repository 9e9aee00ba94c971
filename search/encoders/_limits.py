"""The limits of one encoder, kept by all workers together: calls a second, at a time, and a month.

A call takes its turn before it is sent. Turns are evenly spaced (GCRA without a burst), a little wider than
the allowance, so that a server that counts in windows of a second has nothing to refuse. Workers ask for a
turn only when it is near; a person who searches takes the next one at once, and so is ahead of them.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from search.encoders import _scripts, _shared
from search.encoders._config import Config
from search.encoders._patience import Patience
from search.encoders._protocol import EncoderDown

SPARE = 1.04  # times the spacing that the rate allows: what calls may be late on their way without harm
NEAR_SECONDS = 0.02  # a worker reserves no turn that is further away
BUSY_SECONDS = 0.025  # between two looks for a free place
MOST_HELD = 3600.0  # seconds; after an hour it is asked again, whatever it said, as settings may change
KEPT_SECONDS = 400 * 86_400  # counts of a month or a day


class Limiter:
    """The turns of one encoder. Without Redis everybody goes at once."""

    sleep: Callable[[float], None] = staticmethod(time.sleep)
    clock: Callable[[], float] = staticmethod(time.monotonic)
    now: Callable[[], float] | None = None  # seconds since 1970, for tests; None: by the clock of Redis

    def __init__(self, config: Config) -> None:
        self._config = config
        self._spacing = SPARE / config.per_second if config.per_second else 0.0

    @contextmanager
    def turn(self, patience: Patience, until: float) -> Iterator[None]:
        """Wait for a turn, and hold a place while the call is under way, which ends by `until` (of `clock`).

        Raises EncoderDown where no turn can come in time. A killed worker's place is free again at `until`.
        """
        places_key = _shared.key(self._config.name, "places")
        token, wait = self._reserved(patience, until)
        try:
            if wait > 0:
                self.sleep(wait)
            yield
        finally:
            _shared.ask(lambda redis: redis.zrem(places_key, token), 0)

    def _reserved(self, patience: Patience, until: float) -> tuple[str, float]:
        """The token of a place, and the seconds until the turn that goes with it."""
        token, last = secrets.token_hex(8), min(self.clock() + patience.turn, until)
        while True:
            left = last - self.clock()
            ahead = left if patience.person else min(left, NEAR_SECONDS)
            verdict, wait = self._asked(token, patience.person, max(ahead, 0), until - self.clock())
            if verdict == "go":
                return token, wait
            if verdict == "month" or max(wait, BUSY_SECONDS) >= left:
                raise self._down(verdict, wait)
            again = random.uniform(0.3, 1) * BUSY_SECONDS  # noqa: S311 (no secret)
            self.sleep(again if verdict == "busy" else max(wait - NEAR_SECONDS / 2, 0.001))

    def _asked(self, token: str, person: bool, ahead: float, limit: float) -> tuple[str, float]:
        """The verdict of Redis, and seconds to wait."""
        config = self._config
        arguments = [
            *(self._time(), _microseconds(self._spacing), config.at_once, config.per_month),
            *(_microseconds(ahead), int(person), _microseconds(limit), token, KEPT_SECONDS),
        ]
        verdict, wait = self._run(_scripts.TURN, arguments, ("go", 0))
        return str(verdict), int(wait) / 1e6

    def _run(self, script: str, arguments: list[Any], otherwise: Any) -> Any:
        name = self._config.name
        keys = [pace_key(name), _shared.key(name, "places"), month_key(name, datetime.now(UTC))]
        return _shared.ask(lambda redis: redis.register_script(script)(keys, arguments), otherwise)

    def hold(self, seconds: float, why: str, refused: bool) -> None:
        """Let all workers pause for `seconds`; 0, and `refused`: let them go slower if this comes again."""
        seconds = min(seconds, MOST_HELD)
        self._run(_scripts.HOLD, [self._time(), _microseconds(seconds), why, int(refused)], 1)

    def _time(self) -> str:
        return str(_microseconds(self.now())) if self.now else ""

    def _down(self, verdict: str, wait: float) -> EncoderDown:
        name, config = self._config.name, self._config
        if verdict == "month":
            left = (next_month(datetime.now(UTC)) - datetime.now(UTC)).total_seconds()
            return EncoderDown(month_used_up(config), min(left, MOST_HELD))
        if verdict == "held":
            why = _shared.ask(lambda redis: redis.hget(pace_key(name), "why"), "") or ""
            return EncoderDown(f"{why} Calls go on in {about(wait)}.".strip(), wait)
        if verdict == "busy":
            return EncoderDown(
                f"All {config.at_once} calls that the encoder {name} may have under way at once "
                f"({config.variable('AT_ONCE')}) are taken. Try again in a moment.",
                5.0,
            )
        return EncoderDown(
            f"The calls that the encoder {name} allows just now ({config.variable('PER_SECOND')}) are taken. "
            f"The next one is free in {about(wait)}.",
            wait,
        )


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)


def pace_key(name: str) -> str:
    return _shared.key(name, "pace")


def month_key(name: str, day: datetime) -> str:
    return _shared.key(name, f"month:{day:%Y-%m}")


def next_month(day: datetime) -> datetime:
    """The first moment of the month after that of `day`, in UTC."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)


def month_used_up(config: Config) -> str:
    first = next_month(datetime.now(UTC))
    return (
        f"The {config.per_month:,} calls that the encoder {config.name} may make in a month are used up. "
        f"It goes on on {first.day} {first:%B}, or after {config.variable('PER_MONTH')} is raised."
    )


def about(seconds: float) -> str:
    """A length of time in words for people."""
    if seconds < 100:
        count, unit = max(1, round(seconds)), "second"
    elif seconds < 5400:
        count, unit = round(seconds / 60), "minute"
    else:
        count, unit = round(seconds / 3600), "hour"
    return f"{count} {unit}{'' if count == 1 else 's'}"
