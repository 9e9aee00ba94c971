"""What the settings say about an encoder: the one called ENCODER, or one of those named in ENCODERS.

Several may be configured at once, so that a collection can move from one to the other while it is searched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from search.encoders._protocol import UnknownEncoder


@dataclass(frozen=True)
class Config:
    """The settings of one encoder; empty or 0 where nothing is set. Its secrets show in no repr."""

    name: str  # what people and spaces call it
    kind: str  # which of encoders.REGISTRY it is
    prefix: str = "ENCODER"  # of its environment variables
    url: str = ""
    model: str = ""
    revision: str = ""
    dimensions: int = 0
    timeout: float = 30.0  # seconds that one answer may take while nobody waits
    shape: str = "infinity"
    precision: str = "fp32"
    providers: tuple[str, ...] = ()
    per_second: float = 0.0  # calls; 0: as the kind has it
    at_once: int = 0
    per_month: int = 0  # 0: no limit
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def variable(self, name: str) -> str:
        """The environment variable that sets a value: `URL` -> ENCODER_URL or ENCODER_<NAME>_URL."""
        return f"{self.prefix}_{name}"

    def with_options(self, options: Mapping[str, Any]) -> "Config":
        """With the model and the length of vectors that a space was made with."""
        return replace(self, **{name: options[name] for name in OPTIONS if options.get(name)})

    @property
    def options(self) -> dict[str, Any]:
        """What with_options takes: no secret, no address."""
        return {name: getattr(self, name) for name in OPTIONS}


OPTIONS = ("model", "revision", "dimensions", "shape", "precision")


def configured(name: str) -> Config:
    """The encoder called `name`; the built-in one needs no settings. Raises UnknownEncoder."""
    if name in settings.ENCODERS:
        return Config(name=name, **settings.ENCODERS[name])
    if name in ("builtin", "learned"):
        return Config(name=name, kind=name)
    raise UnknownEncoder(f"There is no encoder {name!r}; there are: {', '.join(names())}.")


def names() -> list[str]:
    """The encoders that can be used, that of ENCODER first."""
    return list(dict.fromkeys([*settings.ENCODERS, "builtin"]))
