"""How long an encoder that asks a service may keep its caller waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

SEARCHING_SECONDS = 4.0

_probe: ContextVar[bool] = ContextVar("probing", default=False)
_person: ContextVar[bool | None] = ContextVar("somebody_waits", default=None)


@dataclass(frozen=True)
class Patience:
    """The bounds of one call, all in seconds but `attempts`."""

    total: float  # from the call to its end, with every retry and every pause
    connect: float
    read: float  # without a byte of an answer
    attempts: int
    pause: float  # before the second attempt; doubled before each further one
    person: bool = False  # somebody looks at the page: such calls go before others

    @property
    def turn(self) -> float:
        """How long to wait for the turn to call, so that some time is left for the call."""
        return self.total * 0.75


def searching(timeout: float) -> Patience:
    """For a person who looks at the page: a few seconds in all, then search goes on without vectors."""
    return Patience(
        SEARCHING_SECONDS, connect=1.5, read=min(timeout, 3.0), attempts=3, pause=0.2, person=True
    )


def filling(timeout: float, total: float) -> Patience:
    """For workers, which nobody watches: `timeout` for one answer, `total` for all attempts."""
    return Patience(total, connect=min(timeout, 10.0), read=timeout, attempts=5, pause=1.0)


def asking_if_back(timeout: float) -> Patience:
    """For the one question to a service that was down, which may still be loading its model."""
    seconds = min(timeout, 10.0)
    return Patience(seconds, connect=min(seconds, 5.0), read=seconds, attempts=1, pause=0.0, person=True)


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


@contextmanager
def probing() -> Iterator[None]:
    """Within, calls are made although the encoder is paused, and only once each."""
    token = _probe.set(True)
    try:
        yield
    finally:
        _probe.reset(token)


def is_probing() -> bool:
    return _probe.get()
