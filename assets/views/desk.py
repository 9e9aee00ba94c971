"""What is edited on a page: a picture with the words of its object, or an object by itself."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from assets.descriptions import subject_of
from assets.models import Asset, Record
from assets.views.allowed import need_to_describe
from assets.views.requests import person
from assets.views.values import Words
from assets.views.visible import records_for

TERMS = "term_uses__term__vocabulary"


@dataclass(frozen=True)
class Desk:
    asset: Asset | None
    subject: Asset | Record

    @property
    def of(self) -> Asset | Record:
        """Whose page it is."""
        return self.asset or self.subject

    @property
    def record(self) -> Record | None:
        return self.subject if isinstance(self.subject, Record) else None

    @property
    def url(self) -> str:
        return self.of.get_absolute_url()

    @property
    def edit_url(self) -> str:
        return f"{self.url}edit/"

    @property
    def history_url(self) -> str:
        return f"{self.url}history"

    @property
    def heading(self) -> str:
        """The title, or what stands for it where there is none."""
        if self.asset:
            return self.asset.display_title
        return self.subject.title or getattr(self.subject, "accession_number", "")

    @property
    def words(self) -> Words:
        return Words(self.asset, self.subject)


def load(request: HttpRequest, uid: UUID) -> Asset:
    """The asset with all that its page shows, or 404."""
    visible = Asset.objects.visible_to(request.user)
    related = visible.select_related("current_version__blob", "collection__parent", "uploaded_by")
    whole = related.prefetch_related(
        "current_version__renditions", "current_version__stage_runs", TERMS, f"depictions__record__{TERMS}"
    )
    asset: Asset = get_object_or_404(whole, uid=uid)
    return asset


def load_record(request: HttpRequest, uid: UUID) -> Record:
    """The object with its words, in the trash or not, or 404."""
    found: Record = get_object_or_404(records_for(person(request)).prefetch_related(TERMS), uid=uid)
    return found


def desk_of(request: HttpRequest, kind: str, uid: UUID) -> Desk:
    """The desk of an `asset` or a `record`, or 404."""
    if kind == "record":
        return Desk(None, load_record(request, uid))
    asset = load(request, uid)
    return Desk(asset, subject_of(asset))


def desk_to_describe(request: HttpRequest, kind: str, uid: UUID) -> Desk:
    """The same for whoever may change words on it. Raises PermissionDenied."""
    desk = desk_of(request, kind, uid)
    need_to_describe(request, desk.of)
    return desk
