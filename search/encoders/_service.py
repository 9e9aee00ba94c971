"""What the settings must say about the service behind an encoder; told by a check before the first call."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import chain
from urllib.parse import urlsplit

from django.conf import settings

from search.encoders._config import Config
from search.encoders._protocol import EncoderUnavailable

MAX_DIMENSIONS = 16_000  # what a vector column can hold at all


@dataclass(frozen=True)
class Needs:
    """The settings of one service. What has no default here must be set."""

    url: str = ""
    secret: bool = True  # ENCODER_KEY or ENCODER_TOKEN must be set
    model: str = ""
    models: tuple[str, ...] = ()  # the only ones there are; empty: any
    dimensions: int = 0
    example: str = ""  # of an address, for the hint
    per_second: float = 0.0  # calls that the service is known to allow; 0: not known
    at_once: int = 4


NEEDS = {
    "azure": Needs(
        model="2023-04-15",
        models=("2023-04-15", "2022-04-11"),
        dimensions=1024,
        example="https://<name>.cognitiveservices.azure.com",
        per_second=20,  # of the paid tier; the free one allows 20 a minute
        at_once=8,  # enough for that rate where an answer takes 0.3 s
    ),
    "cohere": Needs(url="https://api.cohere.com", model="embed-v4.0"),
    "voyage": Needs(url="https://api.voyageai.com", model="voyage-multimodal-3.5"),
    "jina": Needs(url="https://api.jina.ai", model="jina-clip-v2"),
    "openai": Needs(secret=False, example="http://<host>:<port>", at_once=2),
    "immich": Needs(secret=False, example="http://<host>:<port>", at_once=2),
}
SHAPES = ("infinity", "vllm")


@dataclass(frozen=True)
class Problem:
    message: str
    hint: str


def complete(config: Config) -> Config:
    """With the defaults of its service. Raises EncoderUnavailable with what is missing."""
    if found := problems(config):
        raise EncoderUnavailable(f"{found[0].message} {found[0].hint}")
    needs = NEEDS[config.kind]
    return replace(
        config,
        url=(config.url or needs.url).rstrip("/"),
        model=config.model or needs.model,
        dimensions=config.dimensions or needs.dimensions,
        per_second=config.per_second or needs.per_second,
        at_once=config.at_once or needs.at_once,
    )


def bearer(config: Config) -> dict[str, str]:
    """The header of a service that takes its key as a bearer token; empty without one."""
    secret = config.token or config.key
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def problems(config: Config) -> list[Problem]:
    """What keeps an encoder from working, as far as its settings tell; empty for a local one."""
    needs = NEEDS.get(config.kind)
    if config.kind == "onnx" and not config.model:
        hint = f"Set {config.variable('MODEL')} to a folder or to the name of a model on the hub."
        return [Problem(f"The encoder {config.name} needs a model.", hint)]
    if needs is None:
        return []
    said = (_address(config, needs), _secrets(config, needs), _model(config, needs), _time(config))
    return [*chain.from_iterable(said), *_limits(config)]


def is_key_in_the_open(config: Config) -> bool:
    """Whether a key would travel unencrypted over a network."""
    parts = urlsplit(config.url)
    if config.kind not in NEEDS or parts.scheme != "http" or not (config.key or config.token):
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname != "localhost"


def _address(config: Config, needs: Needs) -> Iterator[Problem]:
    variable, url = config.variable("URL"), config.url or needs.url
    example = f"such as {needs.example or needs.url}"
    if not url:
        yield Problem(f"The encoder {config.name} needs an address.", f"Set {variable}, {example}.")
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        yield Problem(f"{variable} is not a web address.", f"Set it to an http(s) address, {example}.")
    elif parts.username or parts.password or parts.query or parts.fragment:
        yield Problem(
            f"{variable} holds more than an address.",
            f"Write only the address, {example}; a key belongs in {config.variable('KEY')}.",
        )


def _secrets(config: Config, needs: Needs) -> Iterator[Problem]:
    key, token = config.variable("KEY"), config.variable("TOKEN")
    if needs.secret and not config.key and not config.token:
        yield Problem(f"The encoder {config.name} needs a key.", f"Set {key}, or {token} (bearer).")
    if config.key and config.token:
        yield Problem(f"Both {key} and {token} are set.", "Set the one that is to be used.")
    for variable, secret in ((key, config.key), (token, config.token)):
        if not all("!" <= letter <= "~" for letter in secret):
            yield Problem(
                f"{variable} contains a space, a line break or a letter that no key has.",
                "Copy it again, without anything around it.",
            )


def _model(config: Config, needs: Needs) -> Iterator[Problem]:
    name, model = config.name, config.model or needs.model
    variable, length = config.variable("MODEL"), config.variable("DIMENSIONS")
    if not model:
        yield Problem(f"The encoder {name} needs a model.", f"Set {variable} to the name the server knows.")
    elif needs.models and model not in needs.models:
        yield Problem(
            f"The encoder {name} knows no model {model!r}.",
            f"Set {variable} to one of: {', '.join(needs.models)}.",
        )
    dimensions = config.dimensions
    if needs.dimensions and dimensions not in (0, needs.dimensions):
        yield Problem(
            f"The vectors of {name} have {needs.dimensions} numbers, not {dimensions}.",
            f"Leave {length} unset.",
        )
    elif not 1 <= (dimensions or needs.dimensions) <= MAX_DIMENSIONS:
        yield Problem(
            f"How many numbers a vector of {name} has is not known.",
            f"Set {length} to the length of the model's vectors; the model's description gives it.",
        )
    if config.kind == "openai" and config.shape not in SHAPES:
        yield Problem(
            f"{config.variable('SHAPE')} is {config.shape!r}.", f"Set it to one of: {', '.join(SHAPES)}."
        )


def _time(config: Config) -> Iterator[Problem]:
    most = patient_seconds()
    if not 0 < config.timeout <= most:
        yield Problem(
            f"{config.variable('TIMEOUT')} is {config.timeout:g} seconds.",
            f"Set it above 0 and to at most {most:g}, so that a stage (STAGE_SECONDS) can end in good time.",
        )


def _limits(config: Config) -> Iterator[Problem]:
    for name in ("per_second", "at_once", "per_month"):
        value = getattr(config, name)
        if not 0 <= value < math.inf:
            variable = config.variable(name.upper())
            yield Problem(f"{variable} is {value:g}.", "Set it to a number above 0, or leave it unset.")


def patient_seconds() -> float:
    """What all attempts for one picture may take together, so that the stage is not killed meanwhile."""
    return float(settings.STAGE_SECONDS * 0.6)
