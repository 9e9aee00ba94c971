"""The encoders: pictures and sentences in, unit vectors of one space out.

    encoder = encoders.get()
    rows = encoder.encode_images([picture])     # float32 (1, encoder.identity.dimensions)
    query = encoder.encode_texts(["a cat"])     # rows @ query.T: the closer, the larger

Each encoder is a private module, imported when first asked for.
"""

from collections.abc import Callable
from threading import RLock

from django.conf import settings
from django.utils.module_loading import import_string

from search.encoders._patience import somebody_waits
from search.encoders._protocol import (
    Encoder,
    EncoderError,
    EncoderUnavailable,
    Limits,
    SpaceIdentity,
    UnknownEncoder,
    UnreadableImage,
    Vectors,
)
from search.encoders._service import Problem, is_key_in_the_open, problems

__all__ = [
    "REGISTRY",
    "Encoder",
    "EncoderError",
    "EncoderUnavailable",
    "Limits",
    "Problem",
    "SpaceIdentity",
    "UnknownEncoder",
    "UnreadableImage",
    "Vectors",
    "get",
    "is_key_in_the_open",
    "problems",
    "reset",
    "somebody_waits",
]

REGISTRY = {
    "azure": "search.encoders._azure.AzureEncoder",
    "builtin": "search.encoders._builtin.BuiltinEncoder",
    "cohere": "search.encoders._cohere.CohereEncoder",
    "immich": "search.encoders._immich.ImmichEncoder",
    "jina": "search.encoders._jina.JinaEncoder",
    "openai": "search.encoders._openai.OpenAIEncoder",
    "voyage": "search.encoders._voyage.VoyageEncoder",
}
"""Name -> dotted path of a callable without arguments that makes the encoder."""

_made: dict[str, Encoder] = {}
_lock = RLock()


def get(name: str | None = None) -> Encoder:
    """The encoder called `name`, or settings.ENCODER; made once in a process and shared by its threads.

    Raises UnknownEncoder, or EncoderUnavailable if it cannot be made (which the next call tries again).
    """
    name = name or settings.ENCODER
    if found := _made.get(name):
        return found
    if name not in REGISTRY:
        raise UnknownEncoder(f"There is no encoder {name!r}; there are: {', '.join(sorted(REGISTRY))}.")
    with _lock:
        if name not in _made:
            make: Callable[[], Encoder] = import_string(REGISTRY[name])
            _made[name] = make()
        return _made[name]


def reset() -> None:
    """Forget the encoders made so far; for tests and after a change of settings."""
    with _lock:
        _made.clear()
