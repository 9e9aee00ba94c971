"""System checks: an installation that others can reach does not start with a key that others can know."""

import os
import re
import stat
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from dam.security.redacting import passwords

SHORTEST = 50  # characters of a key
FEWEST = 12  # different ones
PLACEHOLDER = re.compile(
    r"django-insecure|change.?me|replace.?me|your.?secret|secret.?key|example|default", re.I
)
HOW = "Unset SECRET_KEY: the first start makes one, in DATA_DIR/secret_key. Or set 50 random letters."


@register(Tags.security)
def secret_key(**kwargs: Any) -> list[CheckMessage]:
    """Neither short, nor one out of a handbook, nor one that opens something else, nor open to others."""
    if settings.DEBUG:
        return []
    key = settings.SECRET_KEY
    found: list[CheckMessage] = []
    if len(key) < SHORTEST or len(set(key)) < FEWEST or PLACEHOLDER.search(key):
        found.append(Error("SECRET_KEY is short, or can be guessed.", hint=HOW, id="dam.E001"))
    if same := [name for name, value in passwords().items() if value == key]:
        said = f"SECRET_KEY is shared: {same[0]} has the same value."
        found.append(Error(said, hint="Everything that is secret needs a value of its own.", id="dam.E002"))
    kept = settings.DATA_DIR / "secret_key"
    if (
        not os.environ.get("SECRET_KEY")
        and kept.exists()
        and kept.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ):
        hint = f"chmod 600 {kept}"
        found.append(Error(f"Other accounts can read {kept}.", hint=hint, id="dam.E003"))
    return found


@register(Tags.security)
def hosts(**kwargs: Any) -> list[CheckMessage]:
    """ALLOWED_HOSTS names hosts."""
    if settings.DEBUG or not any(host.strip(".") in ("", "*") for host in settings.ALLOWED_HOSTS):
        return []
    hint = "Name the hosts under which people open the library, such as dam.example.org."
    return [Error("ALLOWED_HOSTS allows every host.", hint=hint, id="dam.E004")]


@register(Tags.security)
def proxies(**kwargs: Any) -> list[CheckMessage]:
    """TRUSTED_PROXIES are addresses or networks, and not all of them."""
    found: list[CheckMessage] = []
    for name in settings.TRUSTED_PROXIES:
        try:
            wide = ip_network(name, strict=False).prefixlen == 0
        except ValueError:
            wide = True
        if wide:
            hint = "Write the addresses of your proxies, such as 10.0.0.5 or 172.16.0.0/12."
            found.append(Error(f"TRUSTED_PROXIES has {name!r}.", hint=hint, id="dam.E005"))
    return found


@register(Tags.security)
def origins(**kwargs: Any) -> list[CheckMessage]:
    """MEDIA_ORIGIN and SIGN_IN_ORIGINS are origins; what they say goes into a header."""
    found: list[CheckMessage] = []
    for name, values in (
        ("MEDIA_ORIGIN", [settings.MEDIA_ORIGIN]),
        ("SIGN_IN_ORIGINS", settings.SIGN_IN_ORIGINS),
    ):
        for value in filter(None, values):
            if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?", value):
                hint = "Write it as https://media.example.org, in small letters and without a path."
                found.append(Error(f"{name} has {value!r}.", hint=hint, id="dam.E006"))
    media = urlsplit(settings.MEDIA_ORIGIN).hostname
    if media and media not in settings.ALLOWED_HOSTS:
        hint = f"Add {media} to ALLOWED_HOSTS."
        found.append(Error("MEDIA_ORIGIN is a host that is not allowed.", hint=hint, id="dam.E007"))
    return found


@register(Tags.security, deploy=True)
def plain_http(**kwargs: Any) -> list[CheckMessage]:
    """For people on other machines, passwords and pictures travel encrypted."""
    if settings.DEBUG or not (settings.PRODUCTION and settings.PLAIN_HTTP):
        return []
    hint = "Put a proxy with TLS before it, set TRUSTED_PROXIES, and unset PLAIN_HTTP: docs/security.md."
    return [Warning("Passwords travel unencrypted (PLAIN_HTTP).", hint=hint, id="dam.W001")]
