"""What pictures are of one another, for those who may see both; and keeping one of two duplicates."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.models import User
from assets import changes
from assets.descriptions import subject_of
from assets.models import Asset, DuplicateCandidate, Operation, Relation
from assets.models.duplicates import CandidateQuerySet
from assets.querysets import AssetQuerySet

Kind = Relation.Kind
FORWARD = {
    Kind.DUPLICATE: _("A duplicate of"),
    Kind.VERSION: _("A version of"),
    Kind.DETAIL: _("A detail of"),
    Kind.VERSO: _("The verso of"),
}
INVERSE = {
    Kind.DUPLICATE: _("A duplicate of this picture"),
    Kind.VERSION: _("A version of this picture"),
    Kind.DETAIL: _("A detail of this picture"),
    Kind.VERSO: _("The verso of this picture"),
}
ALIKE_SHOWN = 3
TAKEN_OVER = (
    "title",
    "description",
    "date",
    "medium",
    "credit_line",
    "rights",
    "rights_holder",
    "usage_terms",
    "not_for",
)


@dataclass(frozen=True)
class Related:
    """Another picture, and what this one is of it; `inverse`: what it is of this one."""

    kind: str
    inverse: bool
    asset: Asset

    @property
    def words(self) -> str:
        return gettext((INVERSE if self.inverse else FORWARD)[Kind(self.kind)])


def seen_by(user: Any) -> AssetQuerySet:
    """The pictures that this person may see and change: none in the trash, none that has still to come."""
    return Asset.objects.live().visible_to(user).exclude(current_version=None)


def related_to(asset: Asset, user: Any) -> list[Related]:
    """What is said of this picture and others, as far as this person may see those; oldest first."""
    seen = seen_by(user)
    ends = Q(asset=asset, other__in=seen) | Q(other=asset, asset__in=seen)
    found = list(Relation.objects.filter(ends).exclude(kind=Kind.UNRELATED).order_by("created_at", "pk"))
    others = [r.other_id if r.asset_id == asset.pk else r.asset_id for r in found]
    assets = seen.for_grid().in_bulk(others) if others else {}
    return [
        Related(relation.kind, relation.other_id == asset.pk, assets[pk])
        for relation, pk in zip(found, others, strict=True)
        if pk in assets
    ]


def between(one: Asset, two: Asset) -> Relation | None:
    return Relation.objects.filter(Q(asset=one, other=two) | Q(asset=two, other=one)).first()


def are_duplicates(one: Asset, two: Asset) -> bool:
    found = between(one, two)
    return found is not None and found.kind == Kind.DUPLICATE


def open_for(user: Any) -> CandidateQuerySet:
    """Pairs of which nobody has said anything, as far as this person may see both."""
    return DuplicateCandidate.objects.open().visible_to(user)


def alike_to(asset: Asset, user: Any) -> list[Asset]:
    """The nearest pictures that this one may be the same as, of which nobody has said anything."""
    found = open_for(user).of(asset).nearest_first()[:ALIKE_SHOWN]
    ids = [c.second_id if c.first_id == asset.pk else c.first_id for c in found]
    assets = seen_by(user).for_grid().in_bulk(ids) if ids else {}
    return [assets[pk] for pk in ids if pk in assets]


def keep_one(kept: Asset, gone: Asset, user: User | None, *, take_over: bool) -> Operation:
    """Move one of two duplicates to the trash, in one operation with what the other takes over of its words.

    Only words that the kept one has none of. Raises ChangeRefused where they were not said to be duplicates.
    """
    with changes.together():
        if not are_duplicates(kept, gone):
            raise changes.ChangeRefused(gettext("Nobody has said that these two are duplicates."))
        if any(one.trashed_at for one in changes.lock([kept, gone])):
            raise changes.ChangeRefused(gettext("One of them was moved to the trash meanwhile."))
        op = changes.operation("trash", "Kept one of two duplicates", user=user)
        if take_over:
            _take_over(op, kept, gone)
        changes.apply(op, [gone], {"trashed_at": timezone.now()})
    return op


def _take_over(op: Operation, kept: Asset, gone: Asset) -> None:
    """The objects that a picture shows are taken over only as a whole, by one that shows none."""
    source, target = subject_of(gone), subject_of(kept)
    of_picture = ("alt_text", "latitude", "longitude", "rights_expire_at", "consents")
    own = {name: getattr(gone, name) for name in of_picture}
    patch = {name: value for name, value in own.items() if getattr(kept, name) in ("", None, [])}
    patch["field_values"] = {slug: said for slug, said in gone.fields.items() if slug not in kept.fields}
    changes.apply(op, [kept], patch | {"add_terms": _labels(gone)})
    if target is kept and source is not gone:
        for depiction in gone.depictions.select_related("record"):
            changes.depict(op, kept, depiction.record, depiction.view)
    elif source is gone:
        words = {name: getattr(gone, name) for name in TAKEN_OVER if not getattr(target, name)}
        changes.apply(op, [target], words)


def _labels(asset: Asset) -> dict[str, list[str]]:
    """The terms of a picture by vocabulary."""
    found: dict[str, list[str]] = {}
    for use in asset.term_uses.select_related("term__vocabulary"):
        found.setdefault(use.term.vocabulary.slug, []).append(use.term.label)
    return found
