"""Consents of living people to be shown: what a picture remembers of them, and until when all of them hold.

They are stored in `Asset.consents` as a list of plain values, so that each change of them has a history and
can be undone as any other.
"""

import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime

MOST = 200  # people in one picture


class NotAConsent(ValueError):
    """What is stored, or shall be, is none; the message is for people."""


@dataclass(frozen=True)
class Consent:
    """One person's. Dates are ISO 8601 texts, empty where nothing is known."""

    key: str
    person: str
    purpose: str = ""
    given_on: str = ""
    until: str = ""
    """The last day on which it holds."""
    withdrawn_at: str = ""
    note: str = ""

    @property
    def given(self) -> date | None:
        return parse_date(self.given_on)

    @property
    def last_day(self) -> date | None:
        return parse_date(self.until)

    @property
    def withdrawn(self) -> datetime | None:
        return parse_datetime(self.withdrawn_at)

    @property
    def ends_at(self) -> datetime | None:
        """The moment from which it does not hold; None where it has no end."""
        ends = [end for end in (self.withdrawn, midnight_after(self.last_day)) if end]
        return min(ends, default=None)

    def plain(self) -> dict[str, str]:
        return asdict(self)


def midnight_after(day: date | None) -> datetime | None:
    """The end of a day in the time zone of the museum."""
    zone = zoneinfo.ZoneInfo(settings.TIME_ZONE)
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone) if day else None


def new_key() -> str:
    return uuid4().hex[:12]


def consents_of(stored: Any) -> list[Consent]:
    """From what an asset has. Raises NotAConsent."""
    if not isinstance(stored, list) or len(stored) > MOST:
        raise NotAConsent("Consents are a list of at most 200.")
    return [_read(one) for one in stored]


def _read(one: Any) -> Consent:
    names = set(Consent.__dataclass_fields__)
    if (
        not isinstance(one, Mapping)
        or not set(one) <= names
        or not all(isinstance(v, str) for v in one.values())
    ):
        raise NotAConsent("A consent has a person, a purpose, dates and a note.")
    found = Consent(**one)
    if not (found.person.strip() and found.key):
        raise NotAConsent("A consent needs the name of a person.")
    try:
        dated = [
            (found.given_on, found.given),
            (found.until, found.last_day),
            (found.withdrawn_at, found.withdrawn),
        ]
    except ValueError as error:
        raise NotAConsent("A date of a consent is none.") from error
    if any(text and value is None for text, value in dated) or (
        found.withdrawn and not found.withdrawn.tzinfo
    ):
        raise NotAConsent("A date of a consent is none.")
    return found


def end_of(consents: Iterable[Consent]) -> datetime | None:
    """The moment from which not all of them hold any more; None where none has an end."""
    return min((end for one in consents if (end := one.ends_at)), default=None)
