"""One picture with its object, who may do what with it, and the states in which it is hidden."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from assets import light_tables
from assets.bulk import selecting
from assets.imports import starting
from assets.models import (
    Batch,
    Change,
    Collection,
    Grant,
    Operation,
    Record,
    ShareLink,
    Term,
    Upload,
)
from assets.sharing import links
from search import saved
from search.forms import Wish
from tests.factories import asset
from tests.security.addresses import Library
from tests.security.asking import signed_in

ROLES = {
    "looker": ["see"],
    "Viewers": ["see", "download"],
    "Cataloguers": ["see", "download", "original", "describe"],
    "Curators": ["see", "download", "original", "describe", "manage", "share"],
}
"""The first by a grant on one collection alone, the others by the groups of a new library."""
OTHERS = ("collections/", "collections/access/history/", "terms/")
"""What has earlier states besides pictures and objects."""


class Small(Library):
    """The picture in the collection Prints, shared by a link of a curator; things of an administrator's own
    beside it, and one account for each role."""

    def __init__(self) -> None:
        owner = self.owner = User.objects.create_superuser("owner")
        words = {"accession": "7", "title": "The heron", "tags": "birds", "collection": "Prints"}
        self.picture = asset("red", "heron.jpg", done=True, **words)
        self.other = asset("green", "gull.jpg", done=True, title="A gull", collection="Prints")
        self.vault = Collection.objects.create(name="Vault", inherits=False)
        record = self.record = Record.objects.get()
        op = Operation.objects.filter(changes__object_kind=Change.Kind.RECORD).latest("pk")
        for kind, one, field in (
            (Change.Kind.ASSET, self.picture, "title"),
            (Change.Kind.COLLECTION, self.vault, "name"),
        ):
            Change.objects.create(
                operation=op, object_kind=kind, object_id=one.pk, field=field, before="", after=""
            )
        table = light_tables.make(owner, "My table")
        light_tables.add(owner, table, [self.picture.pk])
        ends = timezone.now() + timedelta(hours=1)
        self.people = dict(self._people())
        upload = Upload.objects.create(owner=owner, filename="a.jpg", length=10, expires_at=ends).uid
        self.uids: dict[str, Any] = dict.fromkeys(
            ("assets/", "id/", "iiif/", "s/", "api/v1/assets/"), self.picture.uid
        )
        self.uids |= dict.fromkeys(("records/", "api/v1/records/"), record.uid)
        self.uids |= {
            "collections/": self.vault.uid,
            "tables/": table.uid,
            "bulk/": selecting.select(owner, [self.picture.pk]).uid,
            "shares/": self._share(owner, ends),
            "saved/": saved.keep(owner, "Mine", Wish(q="heron")).uid,
            "upload/": upload,
            "uploads/": upload,
            "imports/uploads/": upload,
            "imports/": self._import(owner),
            "terms/": Term.objects.get(label="birds").uid,
            "jobs/cancel/": Batch.objects.create(source="upload page", user=owner).uid,
        }
        self.operations = dict.fromkeys(("assets/", "records/", *OTHERS), op.uid)
        self.values: dict[str, Any] = {
            "left": self.picture.uid,
            "right": self.other.uid,
            "asset_uid": self.picture.uid,
            "term": Term.objects.get(label="birds").uid,
            "number": 1,
            "longest": 1000,
            "region": "full",
            "size": "max",
            "rotation": "0",
            "last": "default.jpg",
            "token": self.token,
            "slug": "tags",
            "vocabulary": "tags",
            "pk": ApiToken.objects.latest("pk").pk,
            "provider_id": "none",
        }

    def _import(self, owner: User) -> Any:
        folder = settings.IMPORTS_DIR / "one"
        folder.mkdir(parents=True)
        (folder / "list.csv").write_text("File;Number;Title\nmissing.jpg;A 1;Sea\n")
        return starting.begin(owner, "list.csv", table=str(folder / "list.csv")).uid

    def _share(self, owner: User, ends: Any) -> Any:
        """A link of the administrator's, and `link`, which is a curator's; returns the id of the first."""

        def link(maker: User) -> tuple[ShareLink, str]:
            made = ShareLink(maker=maker, kind="selection", expires_at=ends, label="For you")
            made.asset_ids, made.sizes = [self.picture.pk, self.other.pk], ShareLink.Sizes.ORIGINAL
            return made, links.make(made)

        self.link, self.token = link(User.objects.get(username="Curators"))
        return link(owner)[0].uid

    def _people(self) -> Iterator[tuple[str, Client]]:
        prints = Collection.objects.get(name="Prints")
        group = Group.objects.create(name="looker")
        Grant.objects.create(group=group, collection=prints, actions=ROLES["looker"])
        for role in ROLES:
            user = User.objects.create_user(role)
            user.groups.set(Group.objects.filter(name=role))
            yield role, signed_in(User.objects.get(pk=user.pk))

    def hiding(self) -> Iterator[dict[str, Any]]:
        """In which nobody but an administrator sees the picture; the last hides it in a closed collection."""
        yield {"access": "restricted"}
        yield {"embargo_until": timezone.now() + timedelta(minutes=1)}
        yield {"collection": self.vault}
