"""How long an encoder that asks a service may keep its caller waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

SEARCHING_SECONDS = 4.0

_person: ContextVar[bool | None] = ContextVar("somebody_waits", default=None)


@dataclass(frozen=True)
class Patience:
    """The bounds of one call, all in seconds but `attempts`."""

    total: float  # from the call to its end, with every retry and every pause
    connect: float
    read: float  # without a byte of an answer
    attempts: int
    pause: float  # before the second attempt; doubled before each further one


def searching(timeout: float) -> Patience:
    """For a person who looks at the page: a few seconds in all, then search goes on without vectors."""
    return Patience(SEARCHING_SECONDS, connect=1.5, read=min(timeout, 3.0), attempts=3, pause=0.2)


def filling(timeout: float, total: float) -> Patience:
    """For workers, which nobody watches: `timeout` for one answer, `total` for all attempts."""
    return Patience(total, connect=min(timeout, 10.0), read=timeout, attempts=5, pause=1.0)


@contextmanager
def somebody_waits(person: bool = True) -> Iterator[None]:
    """Within, every call is short (or, with False, patient). Otherwise texts are short, pictures patient."""
    token = _person.set(person)
    try:
        yield
    finally:
        _person.reset(token)


def is_person_waiting(default: bool) -> bool:
    said = _person.get()
    return default if said is None else said
