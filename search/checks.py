"""System checks: what the settings say about the encoder is complete, or it is said what is missing."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from search import encoders
from search.learning import words


@register()
def encoder_settings(**kwargs: Any) -> list[CheckMessage]:
    """Every encoder is of a kind that exists, and what its service needs is set. Asks no service.

    Errors for that of ENCODER alone: a further one that is not complete yet must not keep the library closed.
    """
    return [message for name in encoders.names() for message in _about(encoders.configured(name))]


@register()
def learned_fields(**kwargs: Any) -> list[CheckMessage]:
    """LEARN_FIELDS names nothing that is not learned from."""
    unknown = sorted(set(settings.LEARN_FIELDS) - set(words.FIELDS))
    hint = f"There are: {', '.join(words.FIELDS)}."
    return [
        Error(f"LEARN_FIELDS names {name!r}, which is nothing to learn from.", hint=hint, id="search.E003")
        for name in unknown
    ]


def _about(config: encoders.Config) -> list[CheckMessage]:
    wrong, of = (Error, "E0") if config.name == settings.ENCODER else (Warning, "W1")
    if config.kind not in encoders.REGISTRY:
        variable = "ENCODER" if config.prefix == "ENCODER" else config.variable("KIND")
        hint = f"Set it to one of: {', '.join(sorted(encoders.REGISTRY))}."
        return [wrong(f"There is no encoder {config.kind!r} ({variable}).", hint=hint, id=f"search.{of}01")]
    found: list[CheckMessage] = [
        wrong(problem.message, hint=problem.hint, id=f"search.{of}02")
        for problem in encoders.problems(config)
    ]
    if not found and encoders.is_key_in_the_open(config):
        key, token = config.variable("KEY"), config.variable("TOKEN")
        hint = f"Use an https address for {config.variable('URL')}, or leave {key} and {token} unset."
        found.append(Warning("The key of the encoder travels unencrypted.", hint=hint, id="search.W001"))
    return found
