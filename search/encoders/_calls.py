"""How many calls each encoder got, by day (UTC). For watching, not for accounts: the counts live in Redis."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from search.encoders import _shared
from search.encoders._config import configured
from search.encoders._limits import KEPT_SECONDS, month_key
from search.encoders._protocol import UnknownEncoder

Outcome = Literal["answered", "failures", "refused"]


@dataclass(frozen=True)
class DayUsage:
    """`calls` are all that were sent, `refused` those answered with 429, `failures` the others in vain."""

    date: date
    calls: int
    failures: int
    refused: int


def count(name: str, outcome: Outcome) -> None:
    """One call was sent, and came to this."""

    def work(redis: Any) -> None:
        pipeline = redis.pipeline(transaction=False)
        pipeline.hincrby(_day_key(name, datetime.now(UTC).date()), "calls", 1)
        if outcome != "answered":
            pipeline.hincrby(_day_key(name, datetime.now(UTC).date()), outcome, 1)
        pipeline.expire(_day_key(name, datetime.now(UTC).date()), KEPT_SECONDS)
        pipeline.execute()

    _shared.ask(work, None)


def usage(name: str, days: int = 14) -> list[DayUsage]:
    """The last `days` days with today, oldest first; empty while Redis is away."""
    today = datetime.now(UTC).date()
    dates = [today - timedelta(days=ago) for ago in reversed(range(days))]

    def work(redis: Any) -> list[DayUsage]:
        pipeline = redis.pipeline(transaction=False)
        for day in dates:
            pipeline.hmget(_day_key(name, day), "calls", "failures", "refused")
        rows = pipeline.execute()
        return [DayUsage(day, *(int(n or 0) for n in row)) for day, row in zip(dates, rows, strict=True)]

    return _shared.ask(work, [])


def month_usage(name: str) -> tuple[int, int]:
    """Calls sent in this calendar month (UTC), and how many are allowed (0: any number)."""
    key = month_key(name, datetime.now(UTC))
    used = _shared.ask(lambda redis: int(redis.hget(key, "calls") or 0), 0)
    return used, allowed_in_month(name)


def allowed_in_month(name: str) -> int:
    """0: any number; also for an encoder that is not among the settings any more."""
    try:
        return configured(name).per_month
    except UnknownEncoder:
        return 0


def _day_key(name: str, day: date) -> str:
    return _shared.key(name, f"day:{day.isoformat()}")
