"""Signed addresses of files: for recipients of links, and for staff where files come from another origin.

A signature is bound to who holds it, to one version and to one size, and ends. It opens nothing by itself:
at each request the link, or the person, is asked about once more, so that revocation counts at once.
"""

from typing import Any, NamedTuple

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from assets import licensing
from assets.copies import Copy
from assets.models import Asset, AssetVersion, ShareLink
from assets.sharing import looking

SALT = "assets.sharing.media"
LONGEST, STEP = 3600, 900
"""Seconds that an address is good for; it stays the same for STEP of them: browsers may keep the file."""
FOR_STAFF, STAFF_STEP = 300, 60
TILES, ORIGINAL, SHOWN, WORDED = "tiles", "original", "shown", "worded"
"""Sizes besides the others. For staff alone: the original shown in the browser, or with the words in it."""
RENDITIONS = ("small", "medium", "large")
ACTIONS = {TILES: "original", ORIGINAL: "original"}  # of a link; the sized copies are a "download"


class Wrong(Exception):
    """The address was not signed here, or its time is over, or what it was for is not allowed any more."""


class Claim(NamedTuple):
    """What an address is for."""

    holder: str
    """link or user"""
    pk: int
    mark: str
    version: int
    size: str
    """One of RENDITIONS, jpeg-2048 and so on, original, or tiles."""
    until: int
    """Seconds since 1970."""


class Granted(NamedTuple):
    version: AssetVersion
    size: str
    link: ShareLink | None


def for_link(link: ShareLink, version: AssetVersion, size: str) -> str:
    """The signature by which the recipients of a link get a file."""
    ends = min(_until(LONGEST, STEP), int(link.expires_at.timestamp()))
    return _signed(Claim("link", link.pk, link.mark, version.pk, size, ends))


def for_person(user: User, version: AssetVersion, size: str) -> str:
    return _signed(Claim("user", user.pk, "", version.pk, size, _until(FOR_STAFF, STAFF_STEP)))


def address(signed: str) -> str:
    """Where a file is got; on the origin for files, if there is one."""
    return f"{settings.MEDIA_ORIGIN}{reverse('assets:media', args=[signed])}"


def size_of(copy: Copy) -> str:
    return f"{copy.format.lower()}-{copy.longest}"


def _until(most: int, step: int) -> int:
    now = int(timezone.now().timestamp())
    return now - now % step + most


def _signed(claim: Claim) -> str:
    return Signer(salt=SALT).sign_object(list(claim))


def granted(signed: str) -> Granted:
    """What an address opens at this moment. Raises Wrong."""
    try:
        said: Any = Signer(salt=SALT).unsign_object(signed)
        claim = Claim(*said)
    except (BadSignature, ValueError, TypeError) as error:
        raise Wrong from error
    if claim.until <= timezone.now().timestamp():
        raise Wrong
    return _by_link(claim) if claim.holder == "link" else _by_person(claim)


def _by_link(claim: Claim) -> Granted:
    link = ShareLink.objects.open().select_related("maker").filter(pk=claim.pk).first()
    if link is None or link.mark != claim.mark:
        raise Wrong
    action = "share" if claim.size in RENDITIONS else ACTIONS.get(claim.size, "download")
    version = _version(claim.version, current_of__in=looking.pictures(link, action))
    if claim.size in ACTIONS and not looking.gives_originals(link):
        raise Wrong
    verdict = licensing.for_guest(version.asset, original=False)
    if action == "download" and claim.size not in map(size_of, looking.copies_of(link, version, verdict)):
        raise Wrong
    return Granted(version, claim.size, link)


def _by_person(claim: Claim) -> Granted:
    user = User.objects.filter(pk=claim.pk, is_active=True).first()
    if user is None or claim.size not in (ORIGINAL, SHOWN, WORDED):
        raise Wrong
    seen = Asset.objects.visible_to(user).allowing(user, "original")
    version = _version(claim.version, asset__in=seen)
    if not licensing.verdict_of(version.asset, user).original:
        raise Wrong
    return Granted(version, claim.size, None)


def _version(pk: int, **conditions: Any) -> AssetVersion:
    versions = AssetVersion.objects.select_related("blob", "asset").prefetch_related("renditions")
    version = versions.filter(pk=pk, **conditions).first()
    if version is None:
        raise Wrong
    return version
