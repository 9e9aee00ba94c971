"""The encoders: pictures and sentences in, unit vectors of one space out.

    encoder = encoders.get()
    rows = encoder.encode_images([picture])     # float32 (1, encoder.identity.dimensions)
    query = encoder.encode_texts(["a cat"])     # rows @ query.T: the closer, the larger

Each encoder is a private module, imported when first asked for.
"""

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from search.encoders._calls import DayUsage, month_usage, usage
from search.encoders._config import Config, configured, names
from search.encoders._looking import Looking, Plain, looking
from search.encoders._patience import somebody_waits
from search.encoders._pauses import Pause, paused, probe, resume
from search.encoders._protocol import (
    Encoder,
    EncoderDown,
    EncoderError,
    EncoderUnavailable,
    Limits,
    Role,
    SpaceIdentity,
    UnknownEncoder,
    UnreadableImage,
    Vectors,
)
from search.encoders._service import Problem, is_key_in_the_open, problems

__all__ = [
    "REGISTRY",
    "Config",
    "DayUsage",
    "Encoder",
    "EncoderDown",
    "EncoderError",
    "EncoderUnavailable",
    "Limits",
    "Looking",
    "Pause",
    "Plain",
    "Problem",
    "Role",
    "SpaceIdentity",
    "UnknownEncoder",
    "UnreadableImage",
    "Vectors",
    "configured",
    "get",
    "is_key_in_the_open",
    "looking",
    "month_usage",
    "names",
    "paused",
    "probe",
    "problems",
    "reset",
    "resume",
    "somebody_waits",
    "usage",
]

REGISTRY = {
    "azure": "search.encoders._azure.AzureEncoder",
    "builtin": "search.encoders._builtin.BuiltinEncoder",
    "cohere": "search.encoders._cohere.CohereEncoder",
    "immich": "search.encoders._immich.ImmichEncoder",
    "jina": "search.encoders._jina.JinaEncoder",
    "onnx": "search.encoders._onnx.OnnxEncoder",
    "openai": "search.encoders._openai.OpenAIEncoder",
    "voyage": "search.encoders._voyage.VoyageEncoder",
}
"""Kind -> dotted path of a callable that makes the encoder from its Config."""
OWN = {"learned": "search.learning.encoder.LearnedEncoder"}
"""Likewise, of what no setting names: `manage.py learn` makes it."""

_made: dict[Config, Encoder] = {}
_lock = RLock()


def get(name: str | None = None, options: Mapping[str, Any] | None = None) -> Encoder:
    """The encoder called `name` (or settings.ENCODER), made once in a process and shared by its threads.

    With `options`, those of Config.options that are to differ from the settings. Raises UnknownEncoder, or
    EncoderUnavailable if it cannot be made (which the next call tries again).
    """
    config = configured(name or settings.ENCODER).with_options(options or {})
    if found := _made.get(config):
        return found
    if config.kind not in REGISTRY | OWN:
        kinds = ", ".join(sorted(REGISTRY))
        raise UnknownEncoder(f"There is no kind of encoder {config.kind!r}; there are: {kinds}.")
    with _lock:
        if config not in _made:
            make: Callable[[Config], Encoder] = import_string((REGISTRY | OWN)[config.kind])
            _made[config] = make(config)
        return _made[config]


def reset() -> None:
    """Forget the encoders made so far; for tests and after a change of settings."""
    with _lock:
        _made.clear()
