"""Role x picture x action x entry point: each address about one thing, asked by who may and by who may not.

What is not seen is 404; what is seen, and not allowed, is 403; what is allowed is no refusal.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from assets import light_tables
from assets.bulk import selecting
from assets.models import (
    Asset,
    Change,
    Collection,
    Grant,
    Operation,
    Record,
    ShareLink,
    Term,
    Upload,
)
from assets.sharing import links, media
from search import saved
from search.forms import Wish
from search.models import EmbeddingSpace
from tests.factories import asset
from tests.security.access import ACCESS, OTHER_METHODS
from tests.security.addresses import Address, Library, addresses
from tests.security.test_access import asked, signed_in, undone

pytestmark = pytest.mark.django_db
ROLES = {
    "looker": ["see"],
    "Viewers": ["see", "download"],
    "Cataloguers": ["see", "download", "original", "describe"],
    "Curators": ["see", "download", "original", "describe", "manage", "share"],
}
"""The first by a grant on one collection alone, the others by the groups of a new library."""
OF_A_PICTURE = ("assets/<", "id/<", "iiif/3/<", "api/v1/assets/<", "duplicates/<")
OF_AN_OBJECT = ("records/<", "api/v1/records/<")
SEE, DOWNLOAD, ORIGINAL, DESCRIBE, MANAGE = "see", "download", "original", "describe", "manage"
NEEDS: dict[str, tuple[str, str]] = {
    "assets:retry": ("", DESCRIBE),
    "assets:edit": (DESCRIBE, DESCRIBE),
    "assets:edit_field": (DESCRIBE, DESCRIBE),
    "assets:tags": ("", DESCRIBE),
    "assets:trash": ("", MANAGE),
    "assets:restore": ("", MANAGE),
    "assets:delete": (MANAGE, MANAGE),
    "assets:add_picture": ("", DESCRIBE),
    "assets:say_object": ("", DESCRIBE),
    "assets:put_on_table": ("", SEE),
    "assets:consents": (MANAGE, MANAGE),
    "assets:original": (ORIGINAL, ""),
    "assets:download": (ORIGINAL, ""),
    "assets:sidecar": (DOWNLOAD, ""),
    "assets:copy": (DOWNLOAD, ""),
    "assets:put_version": ("", DESCRIBE),
    "assets:show_version": ("", DESCRIBE),
    "assets:state_then": (SEE, DESCRIBE),
    "assets:pair": (SEE, DESCRIBE),
    "assets:keep_one": (SEE, MANAGE),
    "assets:edit_record": (DESCRIBE, DESCRIBE),
    "assets:edit_record_field": (DESCRIBE, DESCRIBE),
    "assets:record_pictures": ("", DESCRIBE),
    "assets:trash_record": ("", DESCRIBE),
    "assets:restore_record": ("", DESCRIBE),
    "assets:record_state_then": (SEE, DESCRIBE),
    "search:answer_tag": ("", DESCRIBE),
    "api-1:metadata": (DOWNLOAD, ""),
    "api-1:fill_asset": ("", DESCRIBE),
    "api-1:fill_record": ("", DESCRIBE),
}
"""What GET and POST (or PATCH) ask for, where it is more than to see; an address that is not here and has
more than GET fails."""
IDLE = {
    "assets:edit_field": "it has only some fields",
    "assets:delete": "only what is in the trash, and by whoever may delete for good",
    "assets:consents": "a POST that says nothing is 404",
    "assets:copy": "only sizes below its own",
    "api-1:fill_asset": "without a body 422",
    "api-1:fill_record": "without a body 422",
}
"""Allowed, and answered with another 4xx than 403."""

ONLY_WHEN_WRITTEN = {
    "assets:edit",
    "assets:edit_field",
    "assets:tags",
    "assets:restore",
    "assets:say_object",
    "assets:put_version",
    "assets:show_version",
    "assets:edit_record",
    "assets:edit_record_field",
    "assets:record_pictures",
    "assets:restore_record",
    "assets:pair",
    "assets:keep_one",
}
"""These open a form, or find nothing to do, before assets.changes is asked: what is sent here is empty, so
this test says nothing of who is refused there. tests/assets/test_permissions.py asks assets.changes."""


class Small(Library):
    """One picture with its object, in the collection Prints; things of somebody else's own beside it."""

    def __init__(self, owner: User) -> None:
        self.picture = asset(done=True, accession="7", title="The heron", collection="Prints", tags="birds")
        self.other = asset("green", collection="Prints")
        self.vault = Collection.objects.create(name="Vault", inherits=False)
        record = Record.objects.get()
        op = Operation.objects.filter(changes__object_kind=Change.Kind.RECORD).latest("pk")
        Change.objects.create(
            operation=op,
            object_kind=Change.Kind.ASSET,
            object_id=self.picture.pk,
            field="title",
            before="",
            after="",
        )
        table = light_tables.make(owner, "My table")
        light_tables.add(owner, table, [self.picture.pk])
        ends = timezone.now() + timedelta(hours=1)
        share = ShareLink(maker=owner, kind="selection", expires_at=ends, asset_ids=[self.picture.pk])
        share.sizes = ShareLink.Sizes.ORIGINAL
        self.link, self.token = share, links.make(share)
        upload = Upload.objects.create(owner=owner, filename="a.jpg", length=10, expires_at=ends).uid
        self.uids: dict[str, Any] = dict.fromkeys(
            ("assets/", "id/", "iiif/", "api/v1/assets/"), self.picture.uid
        )
        self.uids |= dict.fromkeys(("records/", "api/v1/records/"), record.uid)
        self.uids |= {
            "collections/": self.vault.uid,
            "tables/": table.uid,
            "bulk/": selecting.select(owner, [self.picture.pk]).uid,
            "shares/": share.uid,
            "saved/": saved.keep(owner, "Mine", Wish(q="heron")).uid,
            "upload/": upload,
            "uploads/": upload,
            "imports/uploads/": upload,
        }
        self.operations = dict.fromkeys(("assets/", "records/"), op.uid)
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
        }


@pytest.fixture
def library(space: EmbeddingSpace, admin: User) -> Small:
    return Small(admin)


@pytest.fixture
def people(library: Small) -> dict[str, Client]:
    prints = Collection.objects.get(name="Prints")
    Grant.objects.create(
        group=Group.objects.create(name="looker"), collection=prints, actions=ROLES["looker"]
    )
    found = {}
    for role in ROLES:
        user = User.objects.create_user(role)
        user.groups.set(Group.objects.filter(name=role))
        found[role] = signed_in(User.objects.get(pk=user.pk))
    return found


def states(library: Small) -> Iterator[dict[str, Any]]:
    """In which nobody but an administrator sees the picture; the last hides it in a closed collection."""
    yield {"access": "restricted"}
    yield {"embargo_until": timezone.now() + timedelta(minutes=1)}
    yield {"collection": library.vault}


def of(kinds: tuple[str, ...]) -> list[Address]:
    return [one for one in addresses() if one.route.startswith(kinds) and one.name in ACCESS]


def methods(name: str) -> Iterator[tuple[str, str]]:
    """Each method that somebody may use, with the action that it needs."""
    needs = NEEDS.get(name, (SEE, ""))
    for method, least, action in zip(("GET", "POST"), ACCESS[name], needs, strict=True):
        if least is not None:
            yield method, action
    yield from ((method, needs[1]) for method, known in OTHER_METHODS if known == name)


def test_every_address_that_writes_to_a_picture_says_what_it_needs() -> None:
    unsaid = [one.name for one in of(OF_A_PICTURE + OF_AN_OBJECT) if not all(a for _, a in methods(one.name))]
    assert not unsaid, "Say in NEEDS which action these need."
    assert not {*NEEDS} - {one.name for one in addresses()}, "These are gone."


def test_what_is_not_seen_is_not_there(library: Small, people: dict[str, Client]) -> None:
    """404, also for who may do everything else, and at the addresses of its object."""
    wrong = []
    for state in states(library):
        with undone():
            Asset.objects.filter(pk=library.picture.pk).update(**state)
            for one in of(OF_A_PICTURE + OF_AN_OBJECT):
                for method, _action in methods(one.name):
                    said = asked(people["Curators"], method, library.path(one)).status_code
                    redirects = one.name.endswith("base") or one.route.startswith("iiif") and said == 303
                    body = "fill" in one.name and said == 422  # refused unread
                    if said != 404 and not redirects and not body:
                        wrong.append((*state, method, one.name, said))
    assert not wrong


def test_what_is_seen_and_not_allowed_is_refused_and_the_rest_is_done(
    library: Small, people: dict[str, Client]
) -> None:
    """Asked by the least role that has the action, and by the one below it."""
    wrong, order = [], list(ROLES)
    for one in of(OF_A_PICTURE + OF_AN_OBJECT):
        for method, action in methods(one.name):
            least = next(n for n, role in enumerate(order) if action in ROLES[role])
            path = library.path(one)
            said = asked(people[order[least]], method, path).status_code
            if said >= 500 or (said >= 400 and (one.name not in IDLE)):
                wrong.append((order[least], method, one.name, said))
            untold = {*ONLY_WHEN_WRITTEN, "assets:delete", "api-1:fill_asset", "api-1:fill_record"}
            if least and one.name not in untold:
                said = asked(people[order[least - 1]], method, path).status_code
                if said != 403:
                    wrong.append((order[least - 1], method, one.name, said))
    assert not wrong, "\n".join(map(str, wrong))


def test_what_is_of_somebody_else_alone_is_not_there(library: Small, people: dict[str, Client]) -> None:
    """Light tables, selections with their zip, links, searches, uploads; and a collection that is closed."""
    Asset.objects.filter(pk=library.other.pk).update(collection=library.vault)
    own = ("tables/<", "bulk/<", "shares/<", "saved/<", "upload/<", "uploads/<", "imports/uploads/<")
    wrong = []
    for one in of((*own, "collections/<")):
        for method, _action in methods(one.name):
            said = asked(people["Curators"], method, library.path(one)).status_code
            if said != 404:
                wrong.append((method, one.name, said))
    assert not wrong


def test_a_token_does_what_it_was_made_for(library: Small) -> None:
    """Whatever its owner may do besides."""
    owner = User.objects.get(is_superuser=True)
    of_scope = {}
    for scope in ("read", "upload", "write"):
        token = ApiToken.objects.issue(owner, scope, scopes=[scope])
        of_scope[scope] = Client(headers={"authorization": f"Bearer {token}"})
    paths = (
        ("read", "GET", f"/api/v1/assets/{library.picture.uid}"),
        ("upload", "POST", "/api/v1/assets"),
        ("write", "PATCH", f"/api/v1/assets/{library.picture.uid}/fields"),
    )
    for wanted, method, path in paths:
        for scope, client in of_scope.items():
            refused = asked(client, method, path).status_code == 403
            assert refused is (scope != wanted), (wanted, scope)


def test_a_link_and_its_files_end_with_the_right_to_share(library: Small) -> None:
    """Restricted, embargoed, in the trash, in a collection closed to its maker, or without "share"."""
    maker = User.objects.create_user("maker")
    maker.groups.set(Group.objects.filter(name="Curators"))
    ShareLink.objects.update(maker=maker)
    library.link.refresh_from_db()
    assert library.picture.current_version
    page = reverse("assets:shared_picture", args=[library.token, library.picture.uid])
    sizes = ("small", media.ORIGINAL)
    files = [media.address(media.for_link(library.link, library.picture.current_version, s)) for s in sizes]

    def answers() -> set[int]:
        return {Client().get(address).status_code for address in (page, *files)}

    assert answers() == {200}
    for state in (*states(library), {"trashed_at": timezone.now()}):
        with undone():
            Asset.objects.filter(pk=library.picture.pk).update(**state)
            assert answers() == {404}, state
    Grant.objects.filter(group__name="Curators").update(actions=ROLES["Cataloguers"])
    assert answers() == {404}


def test_an_ended_licence_closes_downloads_for_all_who_do_not_manage(
    library: Small, people: dict[str, Client]
) -> None:
    Asset.objects.filter(pk=library.picture.pk).update(rights_expire_at=F("created_at"))
    for name in ("assets:original", "assets:download"):
        path = reverse(name, args=[library.picture.uid])
        assert people["Cataloguers"].get(path).status_code == 403
        assert people["Curators"].get(path).status_code == 200


def test_the_administration_asks_for_rights_and_shows_what_is_seen(
    library: Small, people: dict[str, Client]
) -> None:
    """Staff without rights; staff who may change pictures, of which one is restricted."""
    from django.contrib.auth.models import Permission

    User.objects.filter(username="Curators").update(is_staff=True)
    page, form = reverse("admin:assets_asset_changelist"), {"action": "to_trash"}
    form |= {"_selected_action": str(library.picture.pk)}
    staff = people["Curators"]
    assert staff.get(page).status_code == staff.post(page, form).status_code == 403
    rights = Permission.objects.filter(codename__in=["view_asset", "change_asset"])
    User.objects.get(username="Curators").user_permissions.set(rights)
    Asset.objects.filter(pk=library.picture.pk).update(access="restricted")
    assert b"The heron" not in staff.get(page).content
    staff.post(page, form)
    assert Asset.objects.get(pk=library.picture.pk).trashed_at is None
    Asset.objects.filter(pk=library.picture.pk).update(access="staff")
    assert b"The heron" in staff.get(page).content
    staff.post(page, form)
    assert Asset.objects.get(pk=library.picture.pk).trashed_at
