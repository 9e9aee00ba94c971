"""System checks: what the settings say about the encoder is complete, or it is said what is missing."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from search import encoders


@register()
def encoder_settings(**kwargs: Any) -> list[CheckMessage]:
    """ENCODER names an encoder, and what its service needs is set. Asks no service."""
    name = settings.ENCODER
    if name not in encoders.REGISTRY:
        hint = f"Set it to one of: {', '.join(sorted(encoders.REGISTRY))}."
        return [Error(f"There is no encoder {name!r} (ENCODER).", hint=hint, id="search.E001")]
    found: list[CheckMessage] = [
        Error(problem.message, hint=problem.hint, id="search.E002") for problem in encoders.problems(name)
    ]
    if not found and encoders.is_key_in_the_open(name):
        hint = "Use an https address for ENCODER_URL, or leave ENCODER_KEY and ENCODER_TOKEN unset."
        found.append(Warning("The key of the encoder travels unencrypted.", hint=hint, id="search.W001"))
    return found
