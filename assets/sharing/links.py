"""A link is made, found, let people in, and ends."""

import secrets
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

import audit
from accounts.models import User
from assets.models import ShareLink, ShareUse

TRIES, TRIES_IN_ALL, PAUSE = 5, 50, timedelta(minutes=15)
"""Wrong passwords within PAUSE: of one network, and of everybody."""
AGAIN = timedelta(hours=1)
"""Where visits are not limited, one network opens a link once in this time, as far as that is counted."""
What = ShareUse.What


class TooManyTries(Exception):
    """No password is looked at for a while."""


@transaction.atomic
def make(link: ShareLink, password: str = "", by: HttpRequest | None = None) -> str:
    """Store a new link; returns the token of its address, which is kept nowhere."""
    link.password = make_password(password) if password else ""
    token = _token(link)
    link.save(force_insert=True)
    _record(link, by, "made", password=bool(password))
    return token


@transaction.atomic
def renew(link: ShareLink, by: HttpRequest | None = None) -> str:
    """Another address for a link; the former one, and all that was signed by it, ends. Returns its token."""
    token = _token(link)
    link.save(update_fields=["digest"])
    _record(link, by, "new address")
    return token


@transaction.atomic
def change(link: ShareLink, by: HttpRequest, action: str, **values: Any) -> None:
    """Set these values, and nothing that somebody else has set meanwhile."""
    ShareLink.objects.filter(pk=link.pk).update(**values)
    link.refresh_from_db(fields=list(values))
    _record(link, by, action)


@transaction.atomic
def revoke(link: ShareLink, by: HttpRequest, user: User) -> None:
    """End it for everybody. Of a link that its maker has ended, and somebody else now ends, that counts."""
    stored = ShareLink.objects.select_for_update().get(pk=link.pk)
    if stored.revoked_at and (stored.revoked_by_id == user.pk or stored.maker_id == user.pk):
        return
    change(link, by, "revoke", revoked_at=stored.revoked_at or timezone.now(), revoked_by=user)


@transaction.atomic
def reopen(link: ShareLink, by: HttpRequest, user: User) -> None:
    """Raises PermissionDenied for its maker, where somebody else has ended it."""
    stored = ShareLink.objects.select_for_update().get(pk=link.pk)
    if stored.revoked_at is None:
        return
    if not stored.may_be_reopened_by(user):
        raise PermissionDenied(_("Somebody else has ended this link: only an administrator can open it."))
    change(link, by, "reopen", revoked_at=None, revoked_by=None)


def _record(link: ShareLink, by: HttpRequest | None, action: str, **more: Any) -> None:
    """What it leads to, by ids in the database, as they may be thousands."""
    event = audit.Event.SHARE_MADE if link.revoked_at is None else audit.Event.SHARE_REVOKED
    leads_to = {"target": link.target, "assets": link.asset_ids}
    details = {"action": action, "of": link.kind, "sizes": link.sizes, "until": link.expires_at}
    audit.record(event, by or link.maker, link, **details, visits=link.uses_allowed, **leads_to, **more)


def _token(link: ShareLink) -> str:
    token = secrets.token_urlsafe(32)
    link.digest = ShareLink.digest_of(token)
    return token


def latest() -> datetime:
    """The last moment at which a link may end that is made or extended now."""
    return timezone.now() + timedelta(days=settings.SHARE_MOST_DAYS)


@transaction.atomic
def enter(link: ShareLink, network: str, by: HttpRequest | None = None) -> bool:
    """Count a visit; False where no more are allowed, or the link has ended meanwhile."""
    left = Q(uses_allowed=None) | Q(uses__lt=F("uses_allowed"))
    came_in = ShareLink.objects.filter(left, pk=link.pk, revoked_at=None, expires_at__gt=timezone.now())
    if not came_in.update(uses=F("uses") + 1):
        return False
    note(link, What.OPENED, network, by)
    return True


def seen(link: ShareLink, network: str, by: HttpRequest | None = None) -> None:
    """Somebody looks at a link of which visits are not limited: a visit, unless they did just before."""
    recently = link.log.filter(what=What.OPENED, network=network, at__gt=timezone.now() - AGAIN)
    if not recently.exists():
        enter(link, network, by)


def right_password(link: ShareLink, password: str, network: str, by: HttpRequest | None = None) -> bool:
    """Raises TooManyTries.

    The try is written down before the password is looked at: tries at the same time count one another.
    """
    this = note(link, What.TRIED, network)
    tries = link.log.filter(what=What.TRIED, at__gt=timezone.now() - PAUSE)
    if tries.filter(network=network).count() > TRIES or tries.count() > TRIES_IN_ALL:
        this.delete()  # else the pause would never end for somebody who goes on trying
        raise TooManyTries
    if not check_password(password, link.password):
        audit.record(audit.Event.SHARE_REFUSED, by, link)
        return False
    this.delete()
    return True


@transaction.atomic
def note(link: ShareLink, what: str, network: str, by: HttpRequest | None = None, **more: Any) -> ShareUse:
    """In the log of the link and in that of the library, but for tries of a password: whether one was wrong
    is not known yet. `by` a recipient."""
    if what == What.OPENED:
        audit.record(audit.Event.SHARE_USED, by, link)
    elif what == What.DOWNLOADED:
        taken = {"what": more.get("size", ""), "asset": more.get("asset_id")}
        audit.record(audit.Event.DOWNLOADED, by, link, **{k: v for k, v in taken.items() if v})
    return ShareUse.objects.create(link=link, what=what, network=network, **more)


def network_of(address: str) -> str:
    """An address without the part that tells of one person: `192.0.2.0/24`; empty where it is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def forget() -> int:
    """Remove what was done by links longer ago than SHARE_USE_DAYS; returns how many lines went."""
    if not settings.SHARE_USE_DAYS:
        return 0
    old = timezone.now() - timedelta(days=settings.SHARE_USE_DAYS)
    return ShareUse.objects.filter(at__lt=old).delete()[0]
