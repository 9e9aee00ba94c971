"""Role x picture x action x entry point: each address about one thing, asked by who may and by who may not.

What is not seen is 404; what is seen, and not allowed, is 403; what is allowed is no refusal.
tests/security/test_contents.py looks into what is given out, and into lists.
"""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from assets.models import Asset, Grant, Record
from assets.sharing import media
from tests.security.access import ACCESS, OTHER_METHODS
from tests.security.addresses import Address, addresses
from tests.security.asking import asked, undone
from tests.security.small import ROLES, Small

pytestmark = pytest.mark.django_db
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
    "assets:keep_one": (MANAGE, MANAGE),
    "assets:edit_record": (DESCRIBE, DESCRIBE),
    "assets:edit_record_field": (DESCRIBE, DESCRIBE),
    "assets:find_pictures": (DESCRIBE, ""),
    "assets:record_pictures": ("", DESCRIBE),
    "assets:trash_record": ("", DESCRIBE),
    "assets:restore_record": ("", DESCRIBE),
    "assets:record_state_then": (SEE, DESCRIBE),
    "search:answer_tag": ("", DESCRIBE),
    "search:answer_guess": ("", DESCRIBE),
    "api-1:metadata": (DOWNLOAD, ""),
    "api-1:fill_asset": ("", DESCRIBE),
    "api-1:fill_record": ("", DESCRIBE),
}
"""What GET and POST (or PATCH) ask for, where it is more than to see; an address that is not here and has
more than GET fails."""
IDLE = {
    "assets:edit_field": "it has only some fields",
    "assets:delete": "only by whoever may delete for good",
    "assets:consents": "a POST that says nothing is 404",
    "assets:copy": "only sizes below its own",
}
"""Allowed, and answered with another 4xx than 403; but for the second."""
FROM_THE_TRASH = {"assets:delete", "assets:restore", "assets:restore_record"}


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


def test_what_is_not_seen_is_not_there(small: Small, people: dict[str, Client]) -> None:
    """404, also for who may do everything else, and at the addresses of its object."""
    wrong = []
    for state in small.hiding():
        with undone():
            Asset.objects.filter(pk=small.picture.pk).update(**state)
            for one in of(OF_A_PICTURE + OF_AN_OBJECT):
                for method, _action in methods(one.name):
                    said = asked(people["Curators"], method, small.path(one), one.name).status_code
                    redirects = one.name.endswith("base") or one.route.startswith("iiif") and said == 303
                    if said != 404 and not redirects:
                        wrong.append((*state, method, one.name, said))
    assert not wrong


def test_what_is_seen_and_not_allowed_is_refused_and_the_rest_is_done(
    small: Small, people: dict[str, Client]
) -> None:
    """Asked by the least role that has the action, and by the one below; forms as well as what they send."""
    wrong, order = [], list(ROLES)
    for one in of(OF_A_PICTURE + OF_AN_OBJECT):
        with undone():
            if one.name in FROM_THE_TRASH:
                for model in (Asset, Record):
                    model._default_manager.update(trashed_at=timezone.now())
            for method, action in methods(one.name):
                least = next(n for n, role in enumerate(order) if action in ROLES[role])
                path = small.path(one)
                said = asked(people[order[least]], method, path, one.name).status_code
                if said >= 500 or (said >= 400 and one.name not in IDLE):
                    wrong.append((order[least], method, one.name, said))
                if least:
                    said = asked(people[order[least - 1]], method, path, one.name).status_code
                    if said != 403:
                        wrong.append((order[least - 1], method, one.name, said))
    assert not wrong, "\n".join(map(str, wrong))


def test_what_is_of_somebody_else_alone_is_not_there(small: Small, people: dict[str, Client]) -> None:
    """Light tables, selections with their zip, links, searches, uploads; and a collection that is closed."""
    Asset.objects.filter(pk=small.other.pk).update(collection=small.vault)
    own = ("tables/<", "bulk/<", "shares/<", "saved/<", "upload/<", "uploads/<")
    own += ("imports/<", "imports/uploads/<", "jobs/cancel/<")
    wrong = []
    for one in of((*own, "collections/<")):
        for method, _action in methods(one.name):
            said = asked(people["Curators"], method, small.path(one), one.name).status_code
            if said != 404:
                wrong.append((method, one.name, said))
    assert not wrong


def test_a_token_does_what_it_was_made_for(small: Small) -> None:
    """Whatever its owner may do besides."""
    owner = User.objects.get(is_superuser=True)
    of_scope = {}
    for scope in ("read", "upload", "write"):
        token = ApiToken.objects.issue(owner, scope, scopes=[scope])
        of_scope[scope] = Client(headers={"authorization": f"Bearer {token}"})
    paths = (
        ("read", "GET", "api-1:asset", f"/api/v1/assets/{small.picture.uid}"),
        ("upload", "POST", "api-1:create", "/api/v1/assets"),
        ("write", "PATCH", "api-1:fill_asset", f"/api/v1/assets/{small.picture.uid}/fields"),
    )
    for wanted, method, name, path in paths:
        for scope, client in of_scope.items():
            refused = asked(client, method, path, name).status_code == 403
            assert refused is (scope != wanted), (wanted, scope)


def test_a_link_and_its_files_end_with_the_right_to_share(small: Small) -> None:
    """Restricted, embargoed, in the trash, in a collection closed to its maker, or without "share": the page,
    renditions, originals, copies, tiles and their description."""
    number = small.picture.current_version.number if small.picture.current_version else 0
    page = reverse("assets:shared_picture", args=[small.token, small.picture.uid])
    sizes = ("small", "large", media.ORIGINAL)
    files = [media.address(small.signed(size)) for size in sizes]
    part = [small.signed(media.TILES), small.picture.uid, number]
    files.append(reverse("iiif:shared:info", args=part))
    files.append(reverse("iiif:shared:image", args=[*part, "full", "max", "0", "default.jpg"]))

    def answers() -> set[int]:
        return {Client().get(address).status_code for address in (page, *files)}

    assert answers() == {200}
    for state in (*small.hiding(), {"trashed_at": timezone.now()}):
        with undone():
            Asset.objects.filter(pk=small.picture.pk).update(**state)
            assert answers() == {404}, state
    Grant.objects.filter(group__name="Curators").update(actions=ROLES["Cataloguers"])
    assert answers() == {404}
    for name in ("assets:shared_original", "assets:shared_jpeg"):
        assert Client().get(reverse(name, args=[small.token])).status_code == 404


def test_sharing_needs_the_right_to_share(small: Small, people: dict[str, Client]) -> None:
    """The form as well as what it sends, of a picture that somebody sees."""
    address = f"{reverse('assets:share_new')}?asset={small.picture.uid}"
    for role, may in (("Cataloguers", 403), ("Curators", 200)):
        assert {asked(people[role], method, address).status_code for method in ("GET", "POST")} == {may}


def test_an_ended_licence_closes_downloads_for_all_who_do_not_manage(
    small: Small, people: dict[str, Client]
) -> None:
    Asset.objects.filter(pk=small.picture.pk).update(rights_expire_at=F("created_at"))
    for name in ("assets:original", "assets:download"):
        path = reverse(name, args=[small.picture.uid])
        assert people["Cataloguers"].get(path).status_code == 403
        assert people["Curators"].get(path).status_code == 200


def test_the_administration_asks_for_rights_and_shows_what_is_seen(
    small: Small, people: dict[str, Client]
) -> None:
    """Staff without rights; staff who may change pictures, of which one is restricted."""
    User.objects.filter(username="Curators").update(is_staff=True)
    page, form = reverse("admin:assets_asset_changelist"), {"action": "to_trash"}
    form |= {"_selected_action": str(small.picture.pk)}
    staff = people["Curators"]
    assert staff.get(page).status_code == staff.post(page, form).status_code == 403
    rights = Permission.objects.filter(codename__in=["view_asset", "change_asset"])
    User.objects.get(username="Curators").user_permissions.set(rights)
    Asset.objects.filter(pk=small.picture.pk).update(access="restricted")
    assert b"The heron" not in staff.get(page).content
    staff.post(page, form)
    assert Asset.objects.get(pk=small.picture.pk).trashed_at is None
    Asset.objects.filter(pk=small.picture.pk).update(access="staff")
    assert b"The heron" in staff.get(page).content
    staff.post(page, form)
    assert Asset.objects.get(pk=small.picture.pk).trashed_at
