"""What the tests of encoders that ask a service have in common; the fixtures stand in conftest.py."""

from typing import Any

import numpy as np
from django.core.checks import run_checks
from PIL import Image

BEGAN = 4_000_000_000.0  # seconds since 1970; a day that no test will see
BAD_NUMBERS = {
    "short": lambda row: row[:-1],
    "long": lambda row: [*row, 0.5],
    "NaN": lambda row: [float("nan"), *row[1:]],
    "infinite": lambda row: [float("inf"), *row[1:]],
    "huge integer": lambda row: [10**400, *row[1:]],
    "zero": lambda row: [0.0] * len(row),
    "empty": lambda row: [],
    "words": lambda row: [str(number) for number in row],
    "true": lambda row: [True, *row[1:]],
    "nothing": lambda row: [None, *row[1:]],
    "nested": lambda row: [row],
    "null": lambda row: None,
}


def picture(color: Any = "red", size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", size, color).convert(mode)


def unit(row: list[float]) -> Any:
    return np.array(row) / np.linalg.norm(row)


def found() -> dict[str, str]:
    return {m.id: f"{m.msg} {m.hint}" for m in run_checks() if (m.id or "").startswith("search.")}


class Time:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.passed, self.slept = 0.0, list[float]()

    def clock(self) -> float:
        return self.passed

    def now(self) -> float:
        return BEGAN + self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.slept.append(seconds)

    def wait(self, seconds: float) -> None:
        """For a turn to call, which is not of interest everywhere."""
        self.passed += seconds


class Configured:
    """The settings of the one encoder there is, by the names of their environment variables."""

    def __init__(self, settings: Any) -> None:
        vars(self).update(settings=settings, values={})

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "ENCODER":
            self.settings.ENCODER = value
        else:
            self.values[name.removeprefix("ENCODER_").lower()] = value
        kind = self.settings.ENCODER
        self.settings.ENCODERS = {kind: {"kind": kind, **self.values}}

    def __getattr__(self, name: str) -> Any:
        return self.values[name.removeprefix("ENCODER_").lower()]
