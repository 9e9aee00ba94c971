"""What a thumbnail card shows, prepared in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext

from assets.descriptions import subject_of
from assets.kinds import KINDS, OTHER, icon, label
from assets.models import Asset, AssetVersion, Rendition, StageRun
from assets.progress import AWAITED, Progress, Standing, Variants, progress_from
from assets.text import clock

NARROWEST, WIDEST, STEPS = 0.55, 3.0, 20  # static/css/ratio.css has one class for each step
ROW, PHONE_COLUMN = 13.5, 11  # rem, as in static/css/cards.css


@dataclass(frozen=True)
class Card:
    """One picture of a grid; the addresses are empty until its renditions are made."""

    asset: Asset
    state: str  # searchable, processing, failed, awaited
    small: Rendition | None
    medium: Rendition | None
    why: Any = None
    """What a search says of it: search.reasons.Reason."""
    place: str = ""
    """Behind its address: where it stands in which results."""
    facts: Any = None
    """In a list of lines: assets.views.lines.Facts."""

    @cached_property
    def natural_ratio(self) -> float:
        version = self.asset.current_version
        return version.width / version.height if version and version.width and version.height else 1.0

    @cached_property
    def ratio(self) -> int:
        """Width by height in twentieths, kept within what a row can show."""
        return round(min(max(self.natural_ratio, NARROWEST), WIDEST) * STEPS)

    @property
    def beyond(self) -> bool:
        """Too narrow or too wide for a row: shown whole on a mat."""
        return not NARROWEST <= self.natural_ratio <= WIDEST

    @cached_property
    def kind(self) -> str:
        """In a few words, where it is more than one picture, or none: `Video 0:42`, `PDF, 12 pages`."""
        version = self.asset.current_version
        if version is None:
            return ""
        if version.format == "VIDEO":
            return " ".join(
                [gettext("Video"), *([clock(version.duration_ms)] if version.duration_ms else [])]
            )
        if version.format == OTHER:
            return label(version.format, version.blob.media_type, version.original_filename)
        counted = gettext(KINDS[version.format].counted.lower())
        pages = f"{number_format(version.pages, force_grouping=True)} {counted}" if version.pages > 1 else ""
        return ", ".join(part for part in ("PDF" if version.format == "PDF" else "", pages) if part)

    @property
    def icon(self) -> str:
        """The symbol of what has no picture, or not yet."""
        version = self.asset.current_version
        return icon(version.blob.media_type) if version and version.format == OTHER else "picture"

    @cached_property
    def url(self) -> str:
        return self.asset.get_absolute_url()

    @cached_property
    def src(self) -> str:
        return rendition_url(self.asset, self.medium or self.small, self.url)

    @cached_property
    def small_src(self) -> str:
        return rendition_url(self.asset, self.small or self.medium, self.url)

    @property
    def srcset(self) -> str:
        both = [rendition for rendition in (self.small, self.medium) if rendition]
        return ", ".join(f"{rendition_url(self.asset, one, self.url)} {one.width}w" for one in both)

    @property
    def sizes(self) -> str:
        return f"(max-width: 40rem) {PHONE_COLUMN}rem, {self.ratio / STEPS * ROW * 1.2:.0f}rem"

    @cached_property
    def title(self) -> str:
        return self.asset.display_title

    @cached_property
    def width(self) -> str:
        """In pixels, as attributes have it whatever the language."""
        return str(self.asset.current_version.width if self.asset.current_version else 0)

    @cached_property
    def height(self) -> str:
        return str(self.asset.current_version.height if self.asset.current_version else 0)

    @cached_property
    def uid(self) -> str:
        return str(self.asset.uid)

    @property
    def more_like(self) -> str:
        """What a button is called, like the next three, to who does not see where it is."""
        return gettext("More like this: %(title)s") % {"title": self.title}

    @property
    def less_like(self) -> str:
        return gettext("Less like this: %(title)s") % {"title": self.title}

    @property
    def why_here(self) -> str:
        return gettext("Why is this here: %(title)s") % {"title": self.title}

    @property
    def select(self) -> str:
        return gettext("Select %(title)s") % {"title": self.title}

    @property
    def alt(self) -> str:
        """For people who do not see it, where no title stands beside it."""
        return self.asset.alt_text or self.title

    @cached_property
    def date(self) -> str:
        return subject_of(self.asset).date


def cards_of(assets: Iterable[Asset]) -> list[Card]:
    """One card for each asset of `AssetQuerySet.for_grid`; asks once for the state of all.

    Those of `assets.grid.loaded` know it already.
    """
    assets = list(assets)
    versions = [asset.current_version for asset in assets if asset.current_version]
    runs: dict[int, list[StageRun | Standing]] = defaultdict(list)
    runs.update({one.pk: found for one in versions if (found := _known(one)) is not None})
    unknown = [one.pk for one in versions if one.pk not in runs]
    for run in StageRun.objects.filter(version__in=unknown).defer("detail") if unknown else ():
        runs[run.version_id].append(run)
    variants: Variants = {}
    return [
        _card(asset, progress_from(runs[pk], variants) if (pk := asset.current_version_id) else AWAITED)
        for asset in assets
    ]


def _known(version: AssetVersion) -> list[StageRun | Standing] | None:
    """How far its stages are, where that was loaded with it."""
    if "stage_runs" in getattr(version, "_prefetched_objects_cache", {}):
        return list(version.stage_runs.all())
    return getattr(version, "standings", None)


def _card(asset: Asset, progress: Progress) -> Card:
    small, medium = asset.rendition("small"), asset.rendition("medium")
    return Card(asset, progress.state, small, medium)


def rendition_url(asset: Asset, rendition: Rendition | None, url: str = "") -> str:
    """As Rendition.get_absolute_url, without asking the database for what is known here.

    `url` is the asset's own address where it is known: to look one up takes long beside all else on a card.
    """
    if rendition is None or asset.current_version is None:
        return ""
    return f"{url or asset.get_absolute_url()}v{asset.current_version.number}/{rendition.name}/"
