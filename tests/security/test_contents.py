"""What is given out, and what lists tell: role x picture x archives, files, lists and the administration.

Hidden from somebody is the heron, and a gull is shown.
"""

import io
import zipfile
from collections.abc import Iterator
from copy import copy
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from assets import changes, light_tables
from assets.bulk import selecting
from assets.models import Asset, AssetVersion, Collection, Operation, Record, StageRun
from assets.sharing import media
from audit.models import Entry
from tests.security.access import ACCESS
from tests.security.addresses import Address, addresses
from tests.security.asking import asked, signed_in, undone
from tests.security.small import Small
from tests.security.test_matrix import OF_A_PICTURE, of

pytestmark = pytest.mark.django_db


def changed(small: Small, **state: Any) -> None:
    """By the one way by which search rows follow."""
    changes.apply(changes.operation("edit", "Changed"), [small.picture], state)


def tells(small: Small, answer: Any) -> bool:
    parts = answer.streaming_content if getattr(answer, "streaming", False) else [answer.content]
    text = b"".join(parts) + answer.get("Location", "").encode()
    return b"heron" in text or str(small.picture.uid).encode() in text


# --- lists ----------------------------------------------------------------------------------------


def lists() -> list[Address]:
    """Every page, part of one, table and answer of the API that is about no picture that somebody names."""
    named = (*OF_A_PICTURE, "records/<", "api/v1/records/<", "assets/<", "iiif/", "s/<", "media/")
    return [
        one
        for one in addresses()
        if one.name in ACCESS and ACCESS[one.name][0] and not one.route.startswith(named)
    ]


def test_no_list_tells_of_what_is_hidden(small: Small, people: dict[str, Client]) -> None:
    """Pages, counts, suggestions and the API; things of one's own that it lies in as well."""
    curator = User.objects.get(username="Curators")
    table = light_tables.make(curator, "Mine")
    light_tables.add(curator, table, [small.picture.pk, small.other.pk])
    own = {"tables/": table.uid, "shares/": small.link.uid, "collections/": small.picture.collection.uid}
    own["bulk/"] = selecting.select(curator, [small.picture.pk, small.other.pk]).uid
    mine = copy(small)
    mine.uids = small.uids | own
    paths = {one.name: path for one in lists() if "asset=" not in (path := mine.path(one))}

    def telling() -> set[str]:
        return {name for name, path in paths.items() if tells(small, asked(people["Curators"], "GET", path))}

    told = telling()
    changed(small, access="restricted")
    assert telling() == set()
    assert told >= {
        "search:library",
        "search:home",
        "api-1:search",
        "assets:collection",
        "assets:light_table",
        "assets:table_print",
        "assets:bulk_job",
        "assets:bulk_report",
    }


# --- what is taken away ---------------------------------------------------------------------------


def exports() -> list[Address]:
    """By their routes: tables, archives, vocabularies and words of a picture."""
    ends = (".csv", ".zip", ".ttl", ".xmp")
    return [one for one in addresses() if one.route.endswith(ends) and not one.is_of_administration]


def test_the_audit_log_knows_of_everything_that_is_taken_away(small: Small) -> None:
    owner = signed_in(small.owner)
    assert len(exports()) > 10
    for one in exports():
        with undone():
            before = Entry.objects.count()
            answer = owner.get(small.path(one))
            assert answer.status_code == 200 and tells(small, answer) is not None, one  # read to its end
            found = Entry.objects.all()[: Entry.objects.count() - before]
            assert {entry.event for entry in found} & {"exported", "downloaded"}, one


def files_of(answer: Any) -> list[str]:
    """What a zip holds, in whatever order; nothing where there is none."""
    if answer["Content-Type"] != "application/zip":
        return []
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    return sorted(archive.namelist())


def zips(small: Small, people: dict[str, Client]) -> Iterator[tuple[str, str, list[str]]]:
    """(role, size, names of the files) of both pictures."""
    for role, client in people.items():
        user = User.objects.get(username=role)
        job = selecting.select(user, [small.picture.pk, small.other.pk])
        for size in ("0", "2048"):
            answer = client.get(reverse("assets:bulk_zip", args=[job.uid]), {"size": size})
            yield role, size, files_of(answer)


def test_a_zip_holds_what_each_role_may_take(small: Small, people: dict[str, Client]) -> None:
    held = {(role, size): len(names) for role, size, names in zips(small, people)}
    both = 3  # with the list
    may = {"looker": (0, 0), "Viewers": (0, both), "Cataloguers": (both, both), "Curators": (both, both)}
    wanted = {(role, "0"): found[0] for role, found in may.items()}
    assert held == wanted | {(role, "2048"): found[1] for role, found in may.items()}
    for state in small.hiding():
        with undone():
            changed(small, **state)
            left = [names for _role, _size, names in zips(small, people) if names]
            assert left and all(len(names) == 2 and "heron" not in str(names) for names in left), state


def test_the_zip_of_a_link_holds_what_its_maker_may_share(small: Small) -> None:
    path = reverse("assets:shared_original", args=[small.token])
    assert len(files_of(Client().get(path))) == 3
    table = Asset.objects.filter(pk=small.picture.pk)
    for state in small.hiding():
        with undone():
            table.update(**state)
            answer = Client().get(path)  # of one picture there is no archive
            assert answer.status_code == 404


# --- files that browsers keep ---------------------------------------------------------------------


def files(small: Small, people: dict[str, Client]) -> dict[str, Client]:
    """Addresses of bytes, with who has asked for them before."""
    uid, curator = small.picture.uid, people["Curators"]
    tile = [uid, "full", "max", "0", "default.jpg"]
    part = [small.signed(media.TILES), uid, 1, *tile[1:]]
    return {
        reverse("assets:rendition", args=[uid, 1, "small"]): curator,
        reverse("assets:original", args=[uid]): curator,
        reverse("iiif:info", args=[uid]): curator,
        reverse("iiif:image", args=tile): curator,
        reverse("iiif:version:image", args=[uid, 1, *tile[1:]]): curator,
        reverse("iiif:shared:image", args=part): Client(),
        media.address(small.signed("large")): Client(),
        media.address(small.signed(media.ORIGINAL)): Client(),
    }


def test_what_a_browser_has_kept_is_not_confirmed_once_it_is_hidden(
    small: Small, people: dict[str, Client]
) -> None:
    """Nor is what lies prepared given out in parts."""
    every = files(small, people)
    etags = {}
    for path, client in every.items():
        answer = client.get(path)
        assert answer.status_code == 200, path
        etags[path] = answer.get("ETag", '"none"')
    again = {path: client.get(path, headers={"If-None-Match": etags[path]}) for path, client in every.items()}
    assert [answer.status_code for answer in again.values()].count(304) >= 6
    for state in small.hiding():
        with undone():
            Asset.objects.filter(pk=small.picture.pk).update(**state)
            for path, client in every.items():
                for headers in ({"If-None-Match": etags[path]}, {"Range": "bytes=0-9"}):
                    assert client.get(path, headers=headers).status_code == 404, (path, state)


# --- the trash ------------------------------------------------------------------------------------

STAYS = {
    "assets:asset",
    "assets:state",
    "assets:by_uid",
    "assets:delete",
    "assets:edit",
    "assets:history_csv",
    "assets:state_then",
    "assets:rendition",
    "assets:original",
    "assets:download",
    "assets:sidecar",
    "iiif:info",
    "iiif:ready",
    "iiif:image",
    "iiif:version:info",
    "iiif:version:ready",
    "iiif:version:image",
}
"""What the page of a picture in the trash shows to who sees it, until it is deleted for good."""


def test_what_is_in_the_trash_is_on_its_page_alone(small: Small, people: dict[str, Client]) -> None:
    changes.trash([small.picture], None)
    here = set()
    for one in of(OF_A_PICTURE):
        if ACCESS[one.name][0] and asked(people["Curators"], "GET", small.path(one)).status_code == 200:
            here.add(one.name)
    assert here <= STAYS
    assert {"assets:asset", "assets:rendition"} <= here


# --- the administration ---------------------------------------------------------------------------

KEPT_APART = ("audit", "mfa", "socialaccount", "account", "sessions", "admin", "contenttypes")
"""Apps whose lists administrators alone give others to see: titles of hidden pictures stand in the log."""


@pytest.fixture
def staff(small: Small) -> Client:
    """Every permission of Django, and no more of the library than a curator."""
    user = User.objects.create_user("staff", is_staff=True)
    user.groups.set(Group.objects.filter(name="Curators"))
    user.user_permissions.set(Permission.objects.exclude(content_type__app_label__in=KEPT_APART))
    return signed_in(user)


def desks() -> Iterator[tuple[Any, str]]:
    """(model, beginning of the names of its addresses) of what is registered."""
    for model in admin.site._registry:
        if model._meta.app_label not in KEPT_APART:
            yield model, f"admin:{model._meta.app_label}_{model._meta.model_name}"


def pages() -> Iterator[str]:
    """Every list and whatever else has no row in its address; of its first row the form, and the question
    before it is deleted."""
    for model, name in desks():
        if row := model._default_manager.order_by("pk").first():
            yield from (reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "delete"))
    plain = (one.route for one in addresses() if one.is_of_administration and "<" not in one.route)
    yield from (f"/{route}" for route in plain if "(" not in route and "log" not in route)


def test_the_administration_tells_nobody_else_of_what_is_hidden(small: Small, staff: Client) -> None:
    """Lists, forms, questions before deletion, histories: to somebody who is no superuser."""
    StageRun.objects.filter(version__asset=small.picture).update(state="failed", reason="heron.jpg")
    lists = [reverse(f"admin:assets_{name}_changelist") for name in ("asset", "record", "stagerun", "change")]
    assert all(tells(small, asked(staff, "GET", path)) for path in lists)
    changed(small, access="restricted")
    for path in pages():
        answer = asked(staff, "GET", path)
        assert answer.status_code < 500, path
        assert not tells(small, answer), path


def test_no_action_of_the_administration_touches_what_is_hidden(small: Small, staff: Client) -> None:
    """Each that is registered, with every row, as far as Django's permissions go."""
    changed(small, access="restricted")
    StageRun.objects.filter(version__asset=small.picture).update(state="failed")

    def facts() -> list[Any]:
        runs = StageRun.objects.filter(version__asset=small.picture).order_by("pk")
        hidden = Operation.objects.filter(changes__object_kind="asset", changes__object_id=small.picture.pk)
        return [
            Asset.objects.filter(pk=small.picture.pk).values().get(),
            AssetVersion.objects.filter(asset=small.picture).count(),
            Record.objects.values().get(),
            [*runs.values_list("state", "attempts")],
            [*hidden.order_by("pk").values_list("pk", "undone_by")],
            Collection.objects.filter(name__in=["Vault", "Prints"]).count(),
        ]

    before, done = facts(), 0
    for model, name in desks():
        keys = [*model._default_manager.values_list("pk", flat=True)]
        for action in admin.site._registry[model].actions or ():
            with undone():
                form = {"action": action, "_selected_action": keys, "post": "yes"}
                answer = staff.post(reverse(f"{name}_changelist"), form)
                assert answer.status_code < 500, (name, action)
                assert facts() == before, (name, action)
                done += 1
    assert done > 8


def test_staff_change_no_more_than_their_role_lets_them(small: Small, staff: Client) -> None:
    """Django's permissions open the administration; what is done there asks for the collection as well."""
    User.objects.get(username="staff").groups.set(Group.objects.filter(name="Viewers"))
    StageRun.objects.update(state="failed")
    forms = [(Asset, small.picture), (Record, small.record), (Collection, small.picture.collection)]
    for model, row in forms:
        name = f"admin:assets_{model._meta.model_name}"
        assert staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200  # to look
        assert staff.post(reverse(f"{name}_change", args=[row.pk]), {"title": "Mine"}).status_code == 403
    lists = {Asset: ("retry_failed", "vectorise_again", "to_trash"), StageRun: ("retry", "cancel")}
    for model, actions in lists.items():
        keys = [*model._default_manager.values_list("pk", flat=True)]
        for action in actions:
            path = reverse(f"admin:assets_{model._meta.model_name}_changelist")
            with undone():
                staff.post(path, {"action": action, "_selected_action": keys})
                assert not StageRun.objects.exclude(state="failed").exists(), action
                assert not Asset.objects.trashed().exists(), action
