"""No secret in a log: what is one by its look or by the settings is replaced before a line is written."""

import logging
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

HIDDEN = "[hidden]"
SHORTEST = 8  # characters: a shorter word of the settings is found in too many lines that are none
NAMES = (  # of secrets
    "authorization|(?:api|subscription)[-_]?key|access[-_]?key|secret(?:[-_]?(?:access[-_]?)?key)?|client[-_]?secret|"
    "passw(?:or)?d|pass|pwd|session(?:id)?|csrf(?:middleware)?token|cookie|token|"
    "x-amz-(?:signature|credential|security-token)|signature|sig"
)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
LOOKS = (
    (re.compile(r"\b(Bearer|Basic|Token) +[A-Za-z0-9._~+/=-]{6,}", re.I), rf"\1 {HIDDEN}"),
    (re.compile(r"\bpm_[A-Za-z0-9_-]{8,}"), HIDDEN),
    (re.compile(r"(/(?:s|media|iiif/3/shared)/)[A-Za-z0-9._~:=%-]{20,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(\w://[^\s/:@]{0,200}):[^\s/@]{1,500}@"), rf"\1:{HIDDEN}@"),
    (
        re.compile(
            rf"""(?<![A-Za-z])({NAMES})(["']?\s{{0,3}}[=:]\s{{0,3}}["']?)(?!\[hidden\])[^\s"'&;,)}}\]]+""",
            re.I,
        ),
        rf"\1\2{HIDDEN}",
    ),
)


class Formatter(logging.Formatter):
    """As the ordinary one; message, arguments and the text of exceptions are all gone through.

    No text out of a file or a request can look like a line of its own: further lines are set in, and what
    would steer a terminal is written as its number.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = redacted(super().format(record), self._known)
        text = CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))
        return text.replace("\n", "\n    ")

    @cached_property
    def _known(self) -> tuple[str, ...]:
        return tuple(sorted(known_secrets(), key=len, reverse=True))


def redacted(text: str, known: tuple[str, ...] = ()) -> str:
    """The text without the secrets that are known, and without what looks like one."""
    for secret in known:
        text = text.replace(secret, HIDDEN)
    for look, put in LOOKS:
        text = look.sub(put, text)
    return text


def known_secrets() -> Iterator[str]:
    """Those of the settings, long enough to be told from words."""
    return (secret for secret in _secrets() if len(secret) >= SHORTEST)


def _secrets() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS
    yield from passwords().values()


def passwords() -> dict[str, str]:
    """By the names of the settings: what opens services, other than the key of this installation."""
    urls = {"REDIS_URL": settings.REDIS_URL, "CACHE_URL": settings.CACHE_URL}
    found = {name: unquote(urlsplit(url).password or "") for name, url in urls.items()}
    found["BROKER_URL"] = unquote(urlsplit(settings.CELERY_BROKER_URL).password or "")
    found["DATABASE"] = str(settings.DATABASES["default"].get("PASSWORD") or "")
    found["DATABASE_URL"] = str(settings.WEB_DATABASE.get("PASSWORD") or "")
    found["DATABASE_OWNER_URL"] = unquote(urlsplit(settings.OWNER_URL).password or "")
    for app in settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]:
        found[f"OIDC_{app['provider_id'].upper()}_CLIENT_SECRET"] = app["secret"]
    found["S3_SECRET_KEY"] = str(settings.S3["secret_key"] or "")
    found["IMPORT_S3_SECRET_KEY"] = settings.IMPORT_S3_SECRET_KEY
    encoders: Mapping[str, Mapping[str, Any]] = settings.ENCODERS
    for encoder in encoders.values():
        for name in ("key", "token"):
            found[f"{encoder.get('prefix', '')}_{name.upper()}"] = str(encoder.get(name) or "")
    return {name: value for name, value in found.items() if value}
