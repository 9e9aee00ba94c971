"""What a person may take of a picture, on what terms, and why: the one place where this follows from rights.

    verdict = verdict_of(asset, user)
    verdict.longest, verdict.original, verdict.mark, verdict.asks, verdict.reasons

All doors ask here: the page of a picture, its downloads, zips, and the Image API. Nothing has to be switched
when a licence or a consent ends: a verdict compares with the present moment. Why it is as it is stands in
docs/decisions/0035.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assets import copies
from assets.copies import Copy
from assets.kinds import OTHER
from assets.models import Asset, AssetVersion, Download, LicenceRules, Record, Use
from assets.renditions import SIZES
from assets.statements import Statement, statement_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

    Somebody = User | AnonymousUser

ACTIONS = ("download", "original", "manage")
SEEN = SIZES["large"]
"""Pixels that whoever sees a picture sees of it."""


@dataclass(frozen=True)
class Facts:
    """What is known of the rights in a picture: of the objects that it shows, and of itself."""

    statements: tuple[Statement, ...] = ()
    not_for: frozenset[str] = frozenset()
    """Uses that are not allowed, by slug."""
    closes_at: datetime | None = None
    by_consent: bool = False
    """Whether it is a consent that ends first, and not the licence."""
    credit: str = ""

    @property
    def protected(self) -> bool:
        return any(statement.protected for statement in self.statements)


@dataclass(frozen=True)
class Purpose:
    """What somebody has said that a download is for; `use` is a slug of Use, or empty for another."""

    use: str = ""
    words: str = ""


@dataclass(frozen=True)
class Verdict:
    """What one person may take of one picture."""

    longest: int
    """Pixels of the longer side of a copy; 0: nothing may be taken."""
    original: bool = False
    mark: str = ""
    """What is written on copies; empty where nothing is."""
    asks: bool = False
    not_for: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    """Why it is no more than this, in sentences."""
    closed: bool = False
    """The licence or a consent has ended, whoever asks."""
    manages: bool = False

    def offered(self, version: AssetVersion | None) -> list[Copy]:
        """The copies that may be taken, largest first."""
        found = copies.offered(version)
        if self.original or version is None or version.format == OTHER:
            return found if self.original else []
        full = max(version.width, version.height)
        whole = Copy("JPEG", min(full, self.longest))
        return [whole] * (self.longest > 0) + [
            copy for copy in found if copy.longest <= self.longest and copy != whole
        ]

    def refusal(self, purpose: Purpose | None) -> str:
        """Why nothing can be taken for this purpose, in a sentence; empty where something can."""
        if not self.longest:
            return " ".join(self.reasons)
        if purpose and purpose.use in self.not_for:
            use = Use.objects.filter(slug=purpose.use).first()
            return _("This picture may not be used for this: %(use)s.") % {"use": use or purpose.use}
        return ""


def verdict_of(asset: Asset, user: "Somebody") -> Verdict:
    return verdicts([asset], user)[asset.pk]


def for_guest(asset: Asset, *, original: bool) -> Verdict:
    """What the recipients of a link may take: those who share it answer for the purpose."""
    may = frozenset({"download", "original"} if original else {"download"})
    return decide(facts_of(asset), may, LicenceRules.current(), frozenset(), timezone.now())


def verdicts(assets: Sequence[Asset], user: "Somebody") -> dict[int, Verdict]:
    """By asset id, in a fixed number of queries where the objects that they show were prefetched."""
    may, rules, now = may_do(assets, user), LicenceRules.current(), timezone.now()
    asking = frozenset(Use.objects.filter(asks=True).values_list("slug", flat=True))
    return {one.pk: decide(facts_of(one), may[one.pk], rules, asking, now) for one in assets}


def may_do(assets: Iterable[Asset], user: "Somebody") -> dict[int, frozenset[str]]:
    """Which of ACTIONS this person may do with each of these, by asset id, in one query."""
    ids = [asset.pk for asset in assets]
    allowed = {a: Exists(Asset.objects.allowing(user, a).filter(pk=OuterRef("pk"))) for a in ACTIONS}
    rows = Asset.objects.filter(pk__in=ids).order_by().annotate(**{f"may_{a}": e for a, e in allowed.items()})
    found = {
        pk: frozenset(action for action, yes in zip(ACTIONS, held, strict=True) if yes)
        for pk, *held in rows.values_list("pk", *(f"may_{action}" for action in ACTIONS))
    }
    return {pk: found.get(pk, frozenset()) for pk in ids}


def facts_of(asset: Asset) -> Facts:
    depicted = [depiction.record for depiction in asset.depictions.all()]
    subjects: list[Asset | Record] = [*(one for one in depicted if one.trashed_at is None), asset]
    known = (statement_of(subject.rights) for subject in subjects)
    texts = [text for one in subjects for text in (one.credit_line, one.rights_holder) if text.strip()]
    return Facts(
        statements=tuple(dict.fromkeys(statement for statement in known if statement)),
        not_for=frozenset(use for subject in subjects for use in subject.not_for),
        closes_at=asset.closes_at,
        by_consent=asset.closes_at is not None and asset.closes_at == asset.consent_ends_at,
        credit=next(iter(texts), ""),
    )


def decide(
    facts: Facts, may: frozenset[str], rules: LicenceRules, asking: frozenset[str], now: datetime
) -> Verdict:
    """The rule itself. `may`: of ACTIONS; `asking`: the uses for whose sake a purpose is asked for."""
    closed, manages = facts.closes_at is not None and facts.closes_at <= now, "manage" in may
    said = (_closed(facts),) if closed else ()
    of_all: Any = {"not_for": facts.not_for, "closed": closed, "manages": manages}
    codes = {statement.code for statement in facts.statements}
    asks = not manages and bool(codes & set(rules.asks_for) or facts.not_for & asking)
    if closed and not manages:
        return Verdict(0, reasons=said, **of_all)
    if "original" in may:
        return Verdict(copies.FULL, True, asks=asks, reasons=said, **of_all)
    if "download" not in may:
        looks = _("You may look at this picture, and not download it.")
        return Verdict(0, reasons=(*said, looks), **of_all)
    marked = facts.protected and rules.watermark and not manages
    mark = (facts.credit or settings.SITE_NAME) if marked else ""
    longest = rules.largest_protected if facts.protected else rules.largest
    return Verdict(longest, False, mark, asks, reasons=(*said, *_smaller(longest, facts, mark)), **of_all)


def _closed(facts: Facts) -> str:
    ended = date_format(timezone.localtime(facts.closes_at), "DATETIME_FORMAT")
    if facts.by_consent:
        said = _("A consent of somebody in this picture ended on %(date)s.")
    else:
        said = _("The licence of this picture ended on %(date)s.")
    return said % {"date": ended} + " " + _("Only those who manage it can download it.")


def _smaller(longest: int, facts: Facts, mark: str) -> tuple[str, ...]:
    said = _("You can download copies of at most %(pixels)s pixels, and not the original.")
    if facts.protected:
        said = _("It is in copyright: you can download copies of at most %(pixels)s pixels.")
    marked = [_("“%(text)s” is written on them.") % {"text": mark}] if mark else []
    return (said % {"pixels": intcomma(longest)}, *marked)


def most_pixels(asset: Asset, user: "Somebody", purpose: Purpose | None = None) -> int:
    """Of the longer side of one answer of the Image API.

    Parts are for looking, so the page's own size is always allowed; a picture for which a purpose is asked,
    that is not for this one, or that is marked, is not given larger through there.
    """
    verdict = verdict_of(asset, user)
    whole = verdict.longest if not (verdict.asks or verdict.mark or verdict.refusal(purpose)) else 0
    return max(whole, SEEN)


def record(
    asset: Asset,
    user: "User",
    size: str,
    purpose: Purpose | None,
    *,
    marked: bool = False,
    through: str = Download.Through.PAGE,
) -> Download:
    """Note that somebody has taken a file. Every download comes by here: an audit log can follow it."""
    said = purpose or Purpose()
    return Download.objects.create(
        asset=asset,
        title=asset.display_title[:500],
        user=user,
        username=user.get_username()[:150],
        size=size,
        marked=marked,
        use=said.use,
        purpose=said.words,
        through=through,
    )
