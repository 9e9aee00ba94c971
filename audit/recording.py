"""Writing an entry: one INSERT in the transaction of what it tells of. The database chains it (0037)."""

import ipaddress
import json
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.http import HttpRequest

from audit.events import Event

SHORT = {4: 24, 6: 48}  # bits of an address that are kept
LONGEST = {"user_name": 150, "label": 300}


class About(NamedTuple):
    """What an entry is about, where there is no object for it."""

    kind: str
    uid: str = ""
    label: str = ""


def record(
    event: Event,
    by: HttpRequest | models.Model | None,
    about: models.Model | About | None = None,
    /,
    **details: Any,
) -> None:
    """Add an entry: `by` a request or a person (None: the system itself), `about` an object, or no one.

    It is written or rolled back together with the transaction it stands in. `details` are few and small,
    and hold no secret: names and numbers, as JSON. Raises DatabaseError: what cannot be recorded is not done.
    """
    request = by if isinstance(by, HttpRequest) else None
    person: Any = getattr(request, "user", None) if request else by
    if person is not None and person.pk is None:  # nobody has signed in
        person = None
    of = about if isinstance(about, About) else about_of(about)
    apps.get_model("audit", "Entry")._default_manager.create(
        event=Event(event),
        user_id=person.pk if person else None,
        user_name=_text(person.get_username(), LONGEST["user_name"]) if person else "",
        address=address_of(request) if request else "",
        kind=of.kind,
        uid=_text(of.uid, 40),
        label=_text(of.label, LONGEST["label"]),
        details=_json(details),
    )


def about_of(subject: models.Model | None) -> About:
    """Kind, permanent id and name of an object; its name is kept as it is now."""
    if subject is None:
        return About("")
    title = getattr(subject, "display_title", None) or str(subject)
    return About(subject._meta.model_name or "", str(getattr(subject, "uid", None) or subject.pk), title)


def address_of(request: HttpRequest) -> str:
    """Where a request came from, as AUDIT_ADDRESSES says: `short` keeps the network, `none` nothing."""
    if settings.AUDIT_ADDRESSES == "none":
        return ""
    try:
        found = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")))  # dam.security.proxies sets it
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if settings.AUDIT_ADDRESSES == "full":
        return str(found)
    return str(ipaddress.ip_network((found, SHORT[found.version]), strict=False))


def _json(details: dict[str, Any]) -> Any:
    """As plain JSON without null characters, which PostgreSQL does not store."""
    return json.loads(json.dumps(details, cls=DjangoJSONEncoder).replace("\\u0000", ""))


def _text(value: object, longest: int) -> str:
    return str(value).replace("\x00", "")[:longest]
