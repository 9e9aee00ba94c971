"""Every address that the URL configuration has, by name, with an object to each."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiToken, User
from assets import changes
from assets.changes import grants
from assets.models import (
    Asset,
    AssetSet,
    Batch,
    BulkJob,
    Change,
    Collection,
    Import,
    Operation,
    Record,
    ShareLink,
    Term,
    TermWork,
    Upload,
    Vocabulary,
)
from assets.sharing import links, media
from assets.views import term_history
from search.models import SavedSearch
from tests.browser import filled
from tests.factories import asset, process

ADMINISTRATION = "admin/"
QUERIES = {"assets:share_new": "?asset={picture}", "assets:bulk_zip": "?size=0"}
"""Without which an address is about nothing."""


@dataclass(frozen=True)
class Address:
    name: str
    """With the namespaces, as `reverse` takes it; of a view without a name its route."""
    route: str

    @property
    def is_of_administration(self) -> bool:
        return self.route.startswith(ADMINISTRATION)


def addresses() -> list[Address]:
    return list(_walk(get_resolver().url_patterns, (), ""))


def _walk(
    patterns: Sequence[URLPattern | URLResolver], spaces: tuple[str, ...], route: str
) -> Iterator[Address]:
    for one in patterns:
        whole = route + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = (*spaces, one.namespace) if one.namespace else spaces
            yield from _walk(one.url_patterns, inner, whole)
        else:
            yield Address(":".join((*spaces, one.name)) if one.name else whole, whole)


class Library:
    """Something of every kind, of which `owner` may see all but `hidden`."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        shown = [asset(name=f"{number}.jpg") for number in range(8)]
        process(shown[0])
        Asset.objects.update(uploaded_by=owner)
        filled.of_library(owner, shown)
        filled.of_pictures(owner, shown)
        filled.of_collections(owner, shown)
        filled.of_bulk(owner, shown)
        filled.of_imports(owner)
        filled.of_vocabulary(owner, shown)
        self.picture = Asset.objects.get(pk=shown[0].pk)
        self.link = ShareLink(maker=owner, kind="selection", label="For you", expires_at=_soon())
        self.link.asset_ids, self.link.sizes = [one.pk for one in shown], ShareLink.Sizes.ORIGINAL
        self.token = links.make(self.link)
        self.hidden = asset(name="restricted.jpg", title="The unseen heron")
        changes.apply(changes.operation("edit", "Hide"), [self.hidden], {"access": "restricted"})
        upload = Upload.objects.create(owner=owner, filename="a.jpg", length=10, expires_at=_soon())
        self.uids: dict[str, Any] = {
            "assets/": shown[0].uid,
            "id/": shown[0].uid,
            "iiif/": shown[0].uid,
            "s/": shown[0].uid,
            "records/": Record.objects.filter(trashed_at=None).earliest("pk").uid,
            "collections/": Collection.objects.get(name="Etchings").uid,
            "tables/": AssetSet.objects.get().uid,
            "bulk/": BulkJob.objects.latest("pk").uid,
            "imports/": Import.objects.latest("pk").uid,
            "imports/uploads/": upload.uid,
            "terms/changes/": TermWork.objects.latest("pk").uid,
            "terms/": Term.objects.get(label="sailing ships").uid,
            "shares/": self.link.uid,
            "saved/": SavedSearch.objects.get().uid,
            "upload/": upload.uid,
            "uploads/": upload.uid,
            "operations/": Operation.objects.latest("pk").uid,
            "jobs/cancel/": Batch.objects.latest("pk").uid,
            "api/v1/assets/": shown[0].uid,
            "api/v1/records/": Record.objects.filter(trashed_at=None).earliest("pk").uid,
        }
        ApiToken.objects.issue(owner, "one's own")
        record = Record.objects.get(uid=self.uids["records/"])
        self.operations = {
            "assets/": _last_of(Change.Kind.ASSET, shown[0].pk),
            "records/": _last_of(Change.Kind.RECORD, record.pk),
            "collections/": _last_of(Change.Kind.COLLECTION, Collection.objects.get(name="Etchings").pk),
            "collections/access/history/": _last_of(Change.Kind.COLLECTION, grants.LIBRARY),
            "terms/": term_history.entries(Term.objects.get(label="sailing ships"))[0].of.uid,
        }
        pair = sorted(shown[3:5], key=lambda one: one.pk)
        self.values: dict[str, Any] = {
            "left": pair[0].uid,
            "right": pair[1].uid,
            "asset_uid": shown[0].uid,
            "term": Term.objects.get(label="boats").uid,
            "number": 1,
            "slug": Vocabulary.objects.get(slug="tags").slug,
            "vocabulary": "tags",
            "longest": 1000,
            "region": "full",
            "size": "max",
            "rotation": "0",
            "last": "default.jpg",
            "pk": ApiToken.objects.latest("pk").pk,
            "provider_id": "none",
            "token": self.token,
        }

    def path(self, address: Address) -> str:
        """Its path, about the objects here; of the administration about none that there is."""

        def value(found: re.Match[str]) -> str:
            name = found[1].rpartition(":")[2]
            if name == "signed":
                return self.signed(media.TILES if address.route.startswith("iiif/") else "small")
            if address.is_of_administration:
                return "1"
            if name == "name":
                return "small" if "/v<int:" in address.route else "title"
            if name == "operation":
                return str(self.operations[address.route.partition("<")[0]])
            if name == "uid":
                kinds = [kind for kind in self.uids if address.route.startswith(kind)]
                return str(self.uids[max(kinds, key=len)] if kinds else uuid4())
            return str(self.values[name])

        if "(?P<" in address.route or "(?:" in address.route:
            return "/" + re.sub(r"\(.*", "nothing/", address.route.replace("\\", ""))
        query = QUERIES.get(address.name, "").format(picture=self.picture.uid)
        return "/" + re.sub(r"<([^>]+)>", value, address.route) + query

    def signed(self, size: str) -> str:
        """The signature by which whoever has the link gets the picture in one size."""
        assert self.picture.current_version
        return media.for_link(self.link, self.picture.current_version, size)


def _last_of(kind: str, pk: int) -> UUID:
    """The operation that changed one object last."""
    return Change.objects.filter(object_kind=kind, object_id=pk).latest("pk").operation.uid


def _soon() -> Any:
    from datetime import timedelta

    from django.utils import timezone

    return timezone.now() + timedelta(hours=1)
