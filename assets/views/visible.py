"""What a person may be offered: records, tags and collections that no hidden picture alone stands behind."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from assets.forms import collection_path
from assets.models import (
    TAGS,
    Asset,
    AssetSet,
    AssetTerm,
    Change,
    Collection,
    Depiction,
    Record,
    RecordTerm,
    Term,
)
from assets.scopes import Action, scope_of
from assets.text import label_key


def records_for(user: User) -> "QuerySet[Record]":
    """Records without a picture, and those of which this person may see one."""
    of_it = Depiction.objects.filter(record=OuterRef("pk"))
    seen = of_it.filter(asset__in=Asset.objects.visible_to(user))
    return Record.objects.filter(Exists(seen) | ~Exists(of_it))


def trashed_records_for(user: User) -> "QuerySet[Any]":
    """Objects that went into the trash by themselves, the last first: others come back with a picture.

    `goes`: whether it is deleted for good with the place that waited for its picture.
    """
    gone = Depiction.objects.exclude(asset__trashed_at=None)
    along = gone.exclude(asset__current_version=None)
    found = records_for(user).exclude(trashed_at=None).exclude(pk__in=along.values("record"))
    of_it = Depiction.objects.filter(record=OuterRef("pk"))
    goes = Exists(of_it) & ~Exists(of_it.filter(asset__trashed_at=None))
    return found.annotate(goes=goes).order_by("-trashed_at", "-pk")


def hidden_changes(user: User) -> "QuerySet[Change]":
    """What was done to hidden pictures, to objects that only such show, and to others' own light tables."""
    of: tuple[tuple[str, QuerySet[Any], QuerySet[Any]], ...] = (
        (Change.Kind.ASSET, Asset.objects.all(), Asset.objects.visible_to(user)),
        (Change.Kind.RECORD, Record.objects.all(), records_for(user)),
        (Change.Kind.TABLE, AssetSet.objects.all(), AssetSet.objects.visible_to(user)),
    )
    hidden = Q(object_kind=Change.Kind.TABLE, before__shared=False) & ~Q(before__owner=user.pk)  # deleted
    for kind, every, seen in of:  # looked up one by one: few changes are asked about, of many objects
        here, shown = (Exists(found.filter(pk=OuterRef("object_id"))) for found in (every, seen))
        hidden |= Q(here, ~shown, object_kind=kind)
    return Change.objects.filter(hidden)


def terms_for(user: User, vocabulary: str = "") -> "QuerySet[Term]":
    """Terms that this person may see in use, on a picture or on an object, and those that nothing has;
    of one vocabulary, or of all."""
    on_assets = AssetTerm.objects.filter(term=OuterRef("pk"))
    on_records = RecordTerm.objects.filter(term=OuterRef("pk"))
    seen = Exists(on_assets.filter(asset__in=Asset.objects.visible_to(user)))
    described = Exists(on_records.filter(record__in=records_for(user)))
    unused = ~(Exists(on_assets) | Exists(on_records))
    terms = Term.objects.in_vocabulary(vocabulary) if vocabulary else Term.objects.all()
    return terms.filter(seen | described | unused)


def tags_for(user: User) -> "QuerySet[Term]":
    """Tags that are on a picture which this person may see, and those that nothing has."""
    on_assets = AssetTerm.objects.filter(term=OuterRef("pk"))
    on_records = RecordTerm.objects.filter(term=OuterRef("pk"))
    seen = Exists(on_assets.filter(asset__in=Asset.objects.visible_to(user)))
    return Term.objects.in_vocabulary(TAGS).filter(seen | ~(Exists(on_assets) | Exists(on_records)))


def collections_for(user: User) -> list[tuple[Collection, str]]:
    """Collections with their full path, in the order of a table of contents, by one query.

    Left out are those where all pictures, inner collections included, are hidden from this person, and empty
    ones where they would be.
    """
    return offered_of(collections_to_offer(user), user)


def collections_to_offer(user: User) -> "QuerySet[Any]":
    """All, and whether something lives there, and something that this person may see: for `offered_of`."""
    lives_here = Asset.objects.filter(collection=OuterRef("pk"))
    return Collection.objects.annotate(used=Exists(lives_here), seen=Exists(lives_here.visible_to(user)))


def offered_of(every: Iterable[Any], user: User) -> list[tuple[Collection, str]]:
    """Those of all collections that this person may be offered, with their path, in their order."""
    by_id: dict[int, Any] = {c.pk: c for c in every}
    for collection in by_id.values():
        if collection.parent_id:
            collection.parent = by_id[collection.parent_id]
    scope = scope_of(user)
    shown = {above for c in by_id.values() if c.seen for above in _with_above(c)}
    used = {above for c in by_id.values() if c.used for above in _with_above(c)}
    granted = {c for c in by_id.values() if scope.may(Action.SEE, c.pk)}
    offered = [
        c for c in by_id.values() if c in shown or c in granted and not used.intersection(_hiding(c, shown))
    ]
    return sorted(((c, collection_path(c)) for c in offered), key=lambda pair: label_key(pair[1]))


def paths_to_fill(user: User) -> list[str]:
    """The paths of the collections that this person sees and may put pictures into."""
    scope = scope_of(user)
    return [path for one, path in collections_for(user) if scope.may(Action.DESCRIBE, one.pk)]


def _with_above(collection: Collection) -> list[Collection]:
    """This collection and those that contain it, innermost first."""
    found, node = [collection], collection.parent
    while node is not None and node not in found:
        found.append(node)
        node = node.parent
    return found


def _hiding(collection: Collection, shown: set[Collection]) -> list[Collection]:
    """Those that could hide this one: itself and what contains it, without what is shown anyhow."""
    return [above for above in _with_above(collection) if above not in shown]
