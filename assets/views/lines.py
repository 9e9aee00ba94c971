"""The facts of a picture in a list of lines, prepared in a fixed number of queries."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import filesizeformat

from assets.descriptions import subject_of
from assets.models import CREATORS, Asset, AssetTerm, Record, RecordTerm

KNOWN_RIGHTS = {
    r"https?://creativecommons\.org/publicdomain/zero/([\d.]+).*": "CC0 {}",
    r"https?://creativecommons\.org/publicdomain/mark/([\d.]+).*": "Public Domain Mark {}",
    r"https?://creativecommons\.org/licenses/([a-z-]+)/([\d.]+).*": "CC {} {}",
    r"https?://rightsstatements\.org/(?:vocab|page)/([A-Za-z-]+)/([\d.]+).*": "{} {}",
}
"""Addresses that say what may be done, and what they are called for short."""


@dataclass(frozen=True)
class Facts:
    """As they should be read; empty where nothing is known."""

    makers: str
    date: str
    number: str
    collection: str
    rights: str
    pixels: str
    size: str


def facts_of(assets: Iterable[Asset]) -> dict[int, Facts]:
    """By id, for assets of `AssetQuerySet.for_grid`: what is said of the object where there is one.

    Those that `assets.grid.loaded` has with their makers ask nothing.
    """
    assets = list(assets)
    subjects = {asset.pk: subject_of(asset) for asset in assets}
    makers = _makers_of(subjects) if any(_known(asset) is None for asset in assets) else {}
    return {
        asset.pk: _facts(asset, subjects[asset.pk], "; ".join(_known(asset) or makers.get(asset.pk, [])))
        for asset in assets
    }


def _known(asset: Asset) -> list[str] | None:
    return getattr(asset, "found_makers", None)


def _makers_of(subjects: Mapping[int, Asset | Record]) -> dict[int, list[str]]:
    """By asset, the makers of what is said of it."""
    records = [subject.pk for subject in subjects.values() if isinstance(subject, Record)]
    own = [pk for pk, subject in subjects.items() if isinstance(subject, Asset)]
    of_records: dict[int, list[str]] = defaultdict(list)
    of_assets: dict[int, list[str]] = defaultdict(list)
    creators = {"term__vocabulary__slug": CREATORS}
    for record_use in RecordTerm.objects.filter(record__in=records, **creators).select_related("term"):
        of_records[record_use.record_id].append(record_use.term.label)
    for use in AssetTerm.objects.filter(asset__in=own, **creators).select_related("term"):
        of_assets[use.asset_id].append(use.term.label)
    return {
        pk: of_records[subject.pk] if isinstance(subject, Record) else of_assets[pk]
        for pk, subject in subjects.items()
    }


def _facts(asset: Asset, subject: Asset | Record, makers: str) -> Facts:
    version = asset.current_version
    return Facts(
        makers=makers,
        date=subject.date,
        number=subject.accession_number if isinstance(subject, Record) else "",
        collection=asset.collection.name,
        rights=rights_name(subject.rights),
        pixels=f"{intcomma(version.width)} × {intcomma(version.height)}" if version and version.width else "",
        size=filesizeformat(version.blob.size) if version else "",
    )


def rights_name(rights: str) -> str:
    """`https://creativecommons.org/licenses/by-sa/4.0/` is `CC BY-SA 4.0`; other statements stay."""
    for address, name in KNOWN_RIGHTS.items():
        if found := re.fullmatch(address, rights.strip()):
            parts = [part.upper() if "licenses" in address else part for part in found.groups()]
            return name.format(*parts)
    return rights
