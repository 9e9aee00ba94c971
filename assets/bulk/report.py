"""The report of a bulk change as CSV: what became of each picture, as far as this person may see it."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from assets.bulk.portions import GONE
from assets.changes import kind_of
from assets.descriptions import subject_of
from assets.models import Asset, BulkJob, Change, Record
from assets.stored import shown
from assets.tables.formulas import safe

AT_ONCE = 500


class _Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def lines(job: BulkJob, user: User, address: Callable[[str], str]) -> Iterator[str]:
    """The lines of the report for this person; `address` makes a full address of a path."""
    writer: Any = csv.writer(_Echo())
    headers = [_("accession number"), _("title"), _("result"), _("reason"), _("address")]
    yield "\ufeff" + writer.writerow(headers)
    for start in range(0, job.total, AT_ONCE):
        for row in _rows(job, user, job.asset_ids[start : start + AT_ONCE]):
            yield writer.writerow([*map(safe, row[:-1]), address(row[-1]) if row[-1] else ""])


def _rows(job: BulkJob, user: User, ids: Sequence[int]) -> Iterator[list[str]]:
    visible = Asset.objects.visible_to(user).filter(pk__in=ids).select_related("current_version")
    assets = visible.prefetch_related("depictions__record").in_bulk()
    touched = _touched(job, list(assets.values()))
    reasons = job.refusals.filter(asset_id__in=ids).values_list("asset_id", "reason")
    refused = {pk: shown(reason) for pk, reason in reasons}
    for pk in ids:
        if pk not in assets:
            yield ["", "", _("not here"), refused.get(pk, str(GONE)), ""]
            continue
        asset, subject = assets[pk], subject_of(assets[pk])
        number = subject.accession_number if isinstance(subject, Record) else ""
        changed = not touched.isdisjoint((kind_of(one), one.pk) for one in (asset, subject))
        result = _("refused") if pk in refused else _("changed") if changed else _("not changed")
        yield [number, asset.display_title, result, refused.get(pk, ""), asset.get_absolute_url()]


def _touched(job: BulkJob, assets: Sequence[Asset]) -> set[tuple[str, int]]:
    """(kind, id) of what the operations of this job have changed."""
    ids: dict[str, list[int]] = defaultdict(list)
    for asset in assets:
        ids[Change.Kind.ASSET].append(asset.pk)
        if isinstance(subject := subject_of(asset), Record):
            ids[Change.Kind.RECORD].append(subject.pk)
    found: set[tuple[str, int]] = set()
    for kind, those in ids.items():
        done = Change.objects.filter(operation__bulk=job, object_kind=kind, object_id__in=those)
        found |= {(str(kind), pk) for pk in done.values_list("object_id", flat=True)}
    return found
