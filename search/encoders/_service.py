"""What the settings must say about the service behind an encoder; told by a check before the first call."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

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


NEEDS = {
    "azure": Needs(
        model="2023-04-15",
        models=("2023-04-15", "2022-04-11"),
        dimensions=1024,
        example="https://<name>.cognitiveservices.azure.com",
    ),
    "cohere": Needs(url="https://api.cohere.com", model="embed-v4.0"),
    "voyage": Needs(url="https://api.voyageai.com", model="voyage-multimodal-3.5"),
    "jina": Needs(url="https://api.jina.ai", model="jina-clip-v2"),
    "openai": Needs(secret=False, example="http://<host>:<port>"),
    "immich": Needs(secret=False, example="http://<host>:<port>"),
}
SHAPES = ("infinity", "vllm")


@dataclass(frozen=True)
class Problem:
    message: str
    hint: str


@dataclass(frozen=True)
class Service:
    """Where a service is and how to speak to it. Its secrets show in no repr."""

    name: str
    url: str
    model: str
    dimensions: int
    timeout: float  # seconds that one answer may take while nobody waits
    key: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def bearer(self) -> dict[str, str]:
        """The header of a service that takes its key as a bearer token; empty without one."""
        secret = self.token or self.key
        return {"Authorization": f"Bearer {secret}"} if secret else {}


def configured(name: str) -> Service:
    """The service that the settings describe. Raises EncoderUnavailable with what is missing."""
    if found := problems(name):
        raise EncoderUnavailable(f"{found[0].message} {found[0].hint}")
    needs = NEEDS[name]
    return Service(
        name=name,
        url=(settings.ENCODER_URL or needs.url).rstrip("/"),
        model=settings.ENCODER_MODEL or needs.model,
        dimensions=settings.ENCODER_DIMENSIONS or needs.dimensions,
        timeout=settings.ENCODER_TIMEOUT,
        key=settings.ENCODER_KEY,
        token=settings.ENCODER_TOKEN,
    )


def problems(name: str) -> list[Problem]:
    """What keeps the encoder `name` from working, as far as the settings tell; empty for a local one."""
    needs = NEEDS.get(name)
    if needs is None:
        return []
    return [*_address(name, needs), *_secrets(name, needs), *_model(name, needs), *_time()]


def is_key_in_the_open(name: str) -> bool:
    """Whether a key would travel unencrypted over a network."""
    parts = urlsplit(settings.ENCODER_URL)
    if name not in NEEDS or parts.scheme != "http" or not (settings.ENCODER_KEY or settings.ENCODER_TOKEN):
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname != "localhost"


def _address(name: str, needs: Needs) -> Iterator[Problem]:
    url = settings.ENCODER_URL or needs.url
    example = f"such as {needs.example or needs.url}"
    if not url:
        yield Problem(f"The encoder {name} needs an address.", f"Set ENCODER_URL, {example}.")
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        yield Problem("ENCODER_URL is not a web address.", f"Set it to an http(s) address, {example}.")
    elif parts.username or parts.password or parts.query or parts.fragment:
        yield Problem(
            "ENCODER_URL holds more than an address.",
            f"Write only the address, {example}; a key belongs in ENCODER_KEY.",
        )


def _secrets(name: str, needs: Needs) -> Iterator[Problem]:
    key, token = settings.ENCODER_KEY, settings.ENCODER_TOKEN
    if needs.secret and not key and not token:
        yield Problem(f"The encoder {name} needs a key.", "Set ENCODER_KEY, or ENCODER_TOKEN (bearer).")
    if key and token:
        yield Problem("Both ENCODER_KEY and ENCODER_TOKEN are set.", "Set the one that is to be used.")
    for setting, secret in (("ENCODER_KEY", key), ("ENCODER_TOKEN", token)):
        if not all("!" <= letter <= "~" for letter in secret):
            yield Problem(
                f"{setting} contains a space, a line break or a letter that no key has.",
                "Copy it again, without anything around it.",
            )


def _model(name: str, needs: Needs) -> Iterator[Problem]:
    model = settings.ENCODER_MODEL or needs.model
    if not model:
        yield Problem(f"The encoder {name} needs a model.", "Set ENCODER_MODEL to the name the server knows.")
    elif needs.models and model not in needs.models:
        yield Problem(
            f"The encoder {name} knows no model {model!r}.",
            f"Set ENCODER_MODEL to one of: {', '.join(needs.models)}.",
        )
    dimensions = settings.ENCODER_DIMENSIONS
    if needs.dimensions and dimensions not in (0, needs.dimensions):
        yield Problem(
            f"The vectors of {name} have {needs.dimensions} numbers, not {dimensions}.",
            "Leave ENCODER_DIMENSIONS unset.",
        )
    elif not 1 <= (dimensions or needs.dimensions) <= MAX_DIMENSIONS:
        yield Problem(
            f"How many numbers a vector of {name} has is not known.",
            "Set ENCODER_DIMENSIONS to the length of the model's vectors; the model's description gives it.",
        )
    if name == "openai" and settings.ENCODER_SHAPE not in SHAPES:
        yield Problem(
            f"ENCODER_SHAPE is {settings.ENCODER_SHAPE!r}.", f"Set it to one of: {', '.join(SHAPES)}."
        )


def _time() -> Iterator[Problem]:
    most = patient_seconds()
    if not 0 < settings.ENCODER_TIMEOUT <= most:
        yield Problem(
            f"ENCODER_TIMEOUT is {settings.ENCODER_TIMEOUT:g} seconds.",
            f"Set it above 0 and to at most {most:g}, so that a stage (STAGE_SECONDS) can end in good time.",
        )


def patient_seconds() -> float:
    """What all attempts for one picture may take together, so that the stage is not killed meanwhile."""
    return settings.STAGE_SECONDS * 0.6
