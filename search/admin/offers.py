"""Which encoders the settings name, and for which of them a space can be made."""

from dataclasses import dataclass, field

from search import encoders
from search.encoders import Config, EncoderError, Problem
from search.models import EmbeddingSpace


@dataclass(frozen=True)
class Offer:
    """One configured encoder; `trouble` is what it says itself, `problems` what its settings lack."""

    config: Config
    dimensions: int = 0
    space: EmbeddingSpace | None = None
    problems: list[Problem] = field(default_factory=list)
    trouble: str = ""
    in_the_open: bool = False

    @property
    def can_be_made(self) -> bool:
        return not (self.space or self.problems or self.trouble)


def offers() -> list[Offer]:
    """Every encoder that is configured; asks none of the services."""
    return [_offer(encoders.configured(name)) for name in encoders.names()]


def _offer(config: Config) -> Offer:
    if problems := encoders.problems(config):
        return Offer(config, problems=problems)
    try:
        identity = encoders.get(config.name).identity
    except EncoderError as error:
        return Offer(config, trouble=str(error))
    space = EmbeddingSpace.objects.filter(slug=identity.slug()).first()
    return Offer(config, identity.dimensions, space, in_the_open=encoders.is_key_in_the_open(config))
