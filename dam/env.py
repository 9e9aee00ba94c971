"""Typed reading of environment variables. Every name read is remembered in `READ`.

`READ` lets the tests hold docker-compose.yml and the documentation to what settings.py really reads.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
READ: dict[str, str] = {}
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def _read(name: str, default: T, cast: Callable[[str], T]) -> T:
    READ[name] = repr(default)
    text = os.environ.get(name)
    if not text:  # empty is unset, as docker compose writes it
        return default
    try:
        return cast(text)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"The environment variable {name}={text!r} is not usable: {error}"
        ) from None


def text(name: str, default: str = "") -> str:
    return _read(name, default, str)


def integer(name: str, default: int) -> int:
    return _read(name, default, int)


def number(name: str, default: float) -> float:
    return _read(name, default, float)


def path(name: str, default: Path) -> Path:
    return _read(name, default, lambda value: Path(value).expanduser()).resolve()


def flag(name: str, default: bool) -> bool:
    def cast(value: str) -> bool:
        if value.lower() not in TRUE | FALSE:
            raise ValueError("write 1 or 0")
        return value.lower() in TRUE

    return _read(name, default, cast)


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A list separated by commas or spaces."""
    return _read(name, list(default), lambda value: value.replace(",", " ").split())
