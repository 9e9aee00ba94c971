"""Brings parts up, and up again when they die."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from dam.services import ServiceError
from dam.services.family import Family
from dam.services.process import Process, Spec, log_tail

ATTEMPTS = 3  # of a part that dies while the system starts
PATIENCE = 120.0  # seconds for a part to become ready
STEADY = 60.0  # a part that lived this long starts afresh with its count of failures
LONGEST_PAUSE = 30.0
MANY = 4  # failures in a row, after which the end of the log is shown


class Part(Protocol):
    """One long-running process of the system."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def note(self) -> str: ...

    def spec(self) -> Spec: ...

    def ready(self) -> bool: ...


@dataclass
class Watched:
    part: Part
    member: Process
    began: float  # before its preparations, such as making the database
    failures: int = 0
    retry_at: float = 0.0
    waiting: bool = True  # for it to become ready


class Runner:
    """`say` shows a line to people; `pause` sleeps, and raises when it is time to stop."""

    def __init__(self, family: Family, say: Callable[[str], None], pause: Callable[[float], None]) -> None:
        self.family, self.say, self.pause = family, say, pause
        self.watched: list[Watched] = []

    def bring_up(self, parts: Iterable[Part]) -> None:
        """Start the parts together and return when all are ready. Raises ServiceError when one cannot."""
        new = []
        for part in parts:
            began = time.monotonic()
            new.append(Watched(part, self.family.start(part.spec()), began))
            self.watched.append(new[-1])
        while waiting := [one for one in new if one.waiting]:
            for one in waiting:
                self._wait(one)
            self.pause(0.05)

    def _wait(self, one: Watched) -> None:
        seconds = time.monotonic() - one.began
        if one.member.alive and one.part.ready():
            one.waiting = False
            self.say(line(one.part.title, f"ready  {seconds:5.1f} s", one.part.note))
        elif not one.member.alive or time.monotonic() - one.member.began > PATIENCE:
            one.failures += 1
            reason = "not ready in time" if one.member.alive else one.member.ending
            self.family.end(one.member)
            if one.failures == ATTEMPTS:
                raise ServiceError(f"{one.part.title} does not start ({reason}).{self._tail(one)}")
            self.pause(one.failures)
            one.member = self.family.start(one.part.spec())

    def check(self) -> None:
        """Look at every part once: report the dead, start them again after a growing pause."""
        for one in self.watched:
            now = time.monotonic()
            if one.retry_at:
                if now >= one.retry_at:
                    one.retry_at, one.waiting = 0.0, True
                    one.member = self.family.start(one.part.spec())
            elif not one.member.alive:
                self._died(one, now)
            elif one.waiting and one.part.ready():
                one.waiting = False
                self.say(line(one.part.title, f"ready again  {now - one.member.began:.1f} s"))

    def _died(self, one: Watched, now: float) -> None:
        ending = one.member.ending
        self.family.forget(one.member)
        one.failures = 1 if now - one.member.began > STEADY else one.failures + 1
        wait = min(2.0 ** (one.failures - 1), LONGEST_PAUSE)
        one.retry_at = now + wait
        self.say(line(one.part.title, f"{ending}; starting it again in {wait:.0f} s"))
        if one.failures % MANY == 0:
            self.say(f"{one.part.title} keeps failing.{self._tail(one)}")

    def _tail(self, one: Watched) -> str:
        log = one.member.spec.log
        return f" The end of {log}:\n{log_tail(log)}" if log else ""


def line(title: str, state: str, note: str = "") -> str:
    """One aligned line of output for one part."""
    return f"  {title:<18} {state}" + (f"   ({note})" if note else "")
