"""An asset's page in words: labels and values, and its history. No HTML here."""

from collections.abc import Iterable
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from assets import kinds, own
from assets.changes import history_of
from assets.metadata import technical
from assets.models import PLACES, SUBJECTS, Asset, AssetVersion, Change, Operation, Record
from assets.stored.labels import HIDDEN_HOME
from assets.text import clock
from assets.views import embedded
from assets.views.changed import HOME, LONGEST, Names, lines_of
from assets.views.entries import Entry

HISTORY_SHOWN = 30
Facts = list[tuple[str, str]]
DERIVED = {"year_earliest", "year_latest", "created_at", "uploaded_by", "consent_ends_at"}


def of_object(subject: Asset | Record) -> Facts:
    facts = [
        ("Date", subject.date),
        ("Medium", subject.medium),
        ("Places", "; ".join(subject.labels(PLACES))),
        ("Subjects", "; ".join(subject.labels(SUBJECTS))),
        ("Credit line", subject.credit_line),
        ("Rights", subject.rights),
        ("Rights holder", subject.rights_holder),
        ("Usage terms", subject.usage_terms),
    ]
    facts += [(slot.label, own.shown(slot.value(subject.fields))) for slot in own.slots_of(subject)]
    if isinstance(subject, Record):
        facts.insert(0, ("Accession number", subject.accession_number))
    return [(name, value) for name, value in facts if value]


def of_file(asset: Asset) -> Facts:
    if asset.current_version is None:
        return []
    taken = [("Camera", embedded.camera(asset)), ("Taken at", _coordinates(asset))]
    return of_version(asset.current_version) + [(name, value) for name, value in taken if value]


def of_version(version: AssetVersion) -> Facts:
    facts = [
        ("File name", version.original_filename),
        ("Format", kinds.label(version.format, version.blob.media_type, version.original_filename)),
        *_measures(version),
        *technical.said(version.embedded_metadata).items(),
        ("Size", filesizeformat(version.blob.size)),
        ("Version", str(version.number)),
        ("SHA-256", version.blob.sha256),
    ]
    return facts


def _measures(version: AssetVersion) -> Facts:
    facts: Facts = []
    if version.width:
        size = f"{_digits(version.width)} × {_digits(version.height)}"
        if version.format in kinds.DRAWN:
            facts.append(("Drawn with", _("%(size)s pixels") % {"size": size}))
        else:
            millions = number_format(round(version.width * version.height / 1e6, 1), 1)
            facts.append(
                ("Pixels", _("%(size)s (%(number)s megapixels)") % {"size": size, "number": millions})
            )
    if version.pages > 1 or version.format == "PDF":
        facts.append((kinds.KINDS[version.format].counted, _digits(version.pages)))
    if version.duration_ms is not None:
        facts.append(("Duration", clock(version.duration_ms)))
    return facts


def _digits(number: int) -> str:
    return number_format(number, force_grouping=True)


def _coordinates(asset: Asset) -> str:
    """`52.38084° N, 4.63683° E`"""
    if asset.latitude is None or asset.longitude is None:
        return ""
    sides = ("N" if asset.latitude >= 0 else "S", "E" if asset.longitude >= 0 else "W")
    return f"{abs(asset.latitude):.5f}° {sides[0]}, {abs(asset.longitude):.5f}° {sides[1]}"


def history(
    subjects: Iterable[Asset | Record], user: Any, *, most: int = HISTORY_SHOWN, longest: int = LONGEST
) -> list[Entry]:
    """The newest operations on these, such as an asset and its record, in a fixed number of queries.

    Left out is what was said of a picture or an object and a picture that this person may not see.
    """
    of = set(subjects)
    ids = {pk for one in of for pk in _newest(one, most)}
    operations = Operation.objects.filter(pk__in=ids).select_related("user", "undone_by")
    kinds = {("record" if isinstance(one, Record) else "asset", one.pk) for one in of}
    changes = Change.objects.filter(operation__in=ids, object_id__in=[one.pk for one in of]).order_by("pk")
    ours = [c for c in changes if (c.object_kind, c.object_id) in kinds and c.field not in DERIVED]
    names, hidden = Names.of(ours, user, longest), _of_hidden(ours, user)
    moved = {c.operation_id for c in ours if c.field == HOME and not _told(c, names)}
    entries = [
        Entry.of_operation(
            _unnamed(operation) if operation.pk in moved else operation,
            [line for c in ours if c.operation_id == operation.pk for line in lines_of(c, names)],
        )
        for operation in operations.exclude(pk__in=hidden).order_by("-created_at", "-pk")[:most]
    ]
    return entries


def _told(change: Change, names: Names) -> bool:
    """Whether the collections that a picture was moved from and to are known to this person."""
    return all(names.get(HOME, pk) for pk in (change.before, change.after) if pk)


def _unnamed(operation: Operation) -> Operation:
    """For the page alone: what it is called may name a collection."""
    operation.label = HIDDEN_HOME[0]
    return operation


def _of_hidden(changes: Iterable[Change], user: Any) -> set[int]:
    """The operations among these changes that speak of pictures of which this person may not see one."""
    ends: dict[int, set[int]] = {}
    for change in changes:
        after: dict[str, Any] = change.after or {}
        if change.field in ("related", "shown_by"):
            ends.setdefault(change.operation_id, set()).update(
                after[key] for key in ("asset", "other") if key in after
            )
    if not ends:
        return set()
    seen = Asset.objects.visible_to(user).filter(pk__in=set().union(*ends.values()))
    ids = set(seen.values_list("pk", flat=True))
    return {operation for operation, both in ends.items() if not both <= ids}


def _newest(subject: Asset | Record, most: int) -> list[int]:
    return list(history_of(subject).prefetch_related(None).values_list("pk", flat=True)[:most])
