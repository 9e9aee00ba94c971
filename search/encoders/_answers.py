"""What a service that refused meant, in words for people: what happened and what to do. Never a secret."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from search.encoders._config import Config
from search.encoders._protocol import EncoderError, EncoderUnavailable, UnreadableImage

LONGEST_QUOTE = 200  # characters of a service's own words


@dataclass(frozen=True)
class Trouble:
    """Why one call gave nothing, and what follows from that."""

    error: EncoderError
    again: bool = False  # another try may help
    down: bool = False  # the service failed, not what was sent
    lasting: bool = False  # and will go on failing until somebody changes something
    refused: bool = False  # too many calls
    wait: float = 0.0  # seconds that the service asks to wait


def trouble(status: int, wait: float, error: EncoderError) -> Trouble:
    """What an answer other than 2xx means for further calls; `wait`: of its Retry-After."""
    if isinstance(error, UnreadableImage):
        return Trouble(error)
    passing = status in {408, 429} or status >= 500
    lasting = status in {401, 402, 403, 404, 405} or 300 <= status < 400
    return Trouble(error, passing, passing or lasting, lasting, status == 429, wait if passing else 0.0)


def explained(status: int, body: bytes, host: str, config: Config, of_picture: bool) -> EncoderError:
    """The error for an answer other than 2xx; UnreadableImage only where a picture itself is refused."""
    codes, words = said(body, (config.key, config.token))
    quote = f" It says: {words}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else ""
    about_picture = status in {413, 415} or (
        status in {400, 422} and any("image" in code.lower() for code in codes)
    )
    if of_picture and about_picture:
        reason = "as too large" if status == 413 else "in this form"
        return UnreadableImage(f"{host} does not take this picture {reason}.{quote}")
    return EncoderUnavailable(f"{_reason(status, host, config)}{quote}")


def _reason(status: int, host: str, config: Config) -> str:
    url, model, length = (config.variable(name) for name in ("URL", "MODEL", "DIMENSIONS"))
    if status in {401, 403}:
        key, token = config.variable("KEY"), config.variable("TOKEN")
        return f"{host} refused the key ({status}). Check {key} or {token}, and what it may do."
    if status == 402:
        return f"The account at {host} has nothing left to spend (402). Check its plan and its payments."
    if status in {404, 405} or 300 <= status < 400:
        return f"{host} has no such service ({status}). Check {url} and {model}."
    if status == 413:
        return f"What was sent to {host} is too large (413)."
    if status == 429:
        return f"{host} allows no more calls just now (429): the rate or the quota of the account is used up."
    if status >= 500:
        return f"{host} has trouble of its own ({status}); it should pass."
    return f"{host} did not accept the request ({status}). Check {model} and {length}."


def said(body: bytes, secrets: Iterable[str]) -> tuple[list[str], str]:
    """The codes in an error body and its message, of any of the usual shapes; shortened, without secrets."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return [], ""
    codes: list[str] = []
    words: list[str] = []
    _collect(content, codes, words, depth=4)
    text = " ".join(" ".join(dict.fromkeys(words)).split())
    for secret in secrets:
        text = text.replace(secret, "[key]") if secret else text
    printable = "".join(letter for letter in text if letter.isprintable())
    return codes, printable[:LONGEST_QUOTE]


def _collect(content: object, codes: list[str], words: list[str], depth: int) -> None:
    """Azure: error.{code, message, innererror}; others: message, detail, error or detail[].msg."""
    if depth == 0:
        return
    if isinstance(content, list):
        for item in content[:3]:
            _collect(item, codes, words, depth - 1)
    if not isinstance(content, dict):
        return
    for name in ("code", "type"):
        if isinstance(content.get(name), str):
            codes.append(content[name])
    for name in ("message", "msg", "detail", "error"):
        if isinstance(content.get(name), str):
            words.append(content[name])
    for name in ("error", "innererror", "detail"):
        _collect(content.get(name), codes, words, depth - 1)


def retry_after(value: str | None, now: float) -> float:
    """Seconds to wait by a Retry-After header (seconds or an HTTP date); 0 where it says nothing usable.

    `now` is the time of day in seconds since 1970.
    """
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, TypeError, OverflowError, IndexError):
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
