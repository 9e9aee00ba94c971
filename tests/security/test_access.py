"""Who may ask for what: each address of the URL configuration against the table in access.py."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from assets.models.permissions import CATALOGUERS, CURATORS, VIEWERS
from tests.security.access import (
    ACCESS,
    ADMIN,
    CATALOGUER,
    CURATOR,
    MISSING,
    NOBODY,
    OTHER_METHODS,
    ROLES,
    VIEWER,
)
from tests.security.addresses import Library, addresses
from tests.security.asking import TUS, asked, is_refused, signed_in

pytestmark = pytest.mark.django_db
GROUPS = {VIEWER: VIEWERS, CATALOGUER: CATALOGUERS, CURATOR: CURATORS}
"""Of a new library, with what it grants to each."""


def test_every_address_has_a_line_in_the_table() -> None:
    """Of the administration, all of it is for staff; what is not is in the table."""
    own = {one.name for one in addresses() if not one.is_of_administration}
    assert own - {*ACCESS} == set(), "Say in tests/security/access.py who may GET and POST to these."
    known = {one.name for one in addresses()}
    assert {*ACCESS} - known == set(), "These are gone."


def people(owner: User) -> Iterator[tuple[str, Client]]:
    """One role after the other. The person whom all that is looked at belongs to goes from group to group."""
    yield NOBODY, Client(raise_request_exception=False, headers=TUS)
    client = signed_in(owner)
    for role, group in GROUPS.items():
        owner.groups.set(Group.objects.filter(name=group))
        yield role, client
    yield ADMIN, signed_in(User.objects.get(is_superuser=True))


def complaint(name: str, method: str, role: str, least: str | None, answer: Any) -> str:
    status = answer.status_code
    said = f"{method} {name} as {role}: {status} {answer.get('Location', '')}".strip()
    if status >= 500:
        return said
    if least is None:
        return "" if status == 405 or is_refused(answer) else f"{said}, and nobody may"
    if ROLES.index(role) < ROLES.index(least):
        return "" if is_refused(answer) else f"{said}, and only {least} may"
    allowed = not is_refused(answer) and status != 405 or (status == 404 and name in MISSING)
    return "" if allowed else f"{said}, although {least} may"


@pytest.mark.slow
def test_each_address_is_open_to_those_in_the_table_and_to_no_others(library: Library) -> None:
    """The least role that may, and the one below it; where nobody may, the highest."""
    found = []
    for role, client in people(library.owner):
        for address in addresses():
            if address.name not in ACCESS:
                continue
            for method, least in wanted(address.name):
                if role in asking(least):
                    answer = asked(client, method, library.path(address), address.name)
                    found.append(complaint(address.name, method, role, least, answer))
    found = [*filter(None, found)]
    assert not found, "\n".join(found)


def wanted(name: str) -> Iterator[tuple[str, str | None]]:
    yield from zip(("GET", "POST"), ACCESS[name], strict=True)
    yield from ((method, least) for (method, of), least in OTHER_METHODS.items() if of == name)


def asking(least: str | None) -> list[str]:
    if least is None:
        return [ADMIN]
    place = ROLES.index(least)
    return [*ROLES[max(place - 1, 0) : place], least]


def test_the_administration_is_for_staff(library: Library) -> None:
    reader = signed_in(library.owner)
    for address in addresses():
        if address.is_of_administration and address.name not in ACCESS:
            path = library.path(address)
            assert is_refused(reader.get(path)) and is_refused(reader.post(path)), address


def test_what_is_hidden_is_at_none_of_its_addresses(library: Library) -> None:
    """Every address of a picture, asked for one that may not be seen, and for one that is not there."""
    reader, shown, hidden = signed_in(library.owner), str(library.uids["assets/"]), str(library.hidden.uid)
    for address in addresses():
        path = library.path(address)
        if shown not in path or address.is_of_administration:
            continue
        for method, least in wanted(address.name):
            if least is not None:
                answer = asked(reader, method, path.replace(shown, hidden), address.name)
                assert b"unseen heron" not in getattr(answer, "content", b"")
                if answer.status_code != 404:  # neither may be told from the other
                    nowhere = asked(reader, method, path.replace(shown, str(uuid4())), address.name)
                    assert answer.status_code == nowhere.status_code != 200, (method, address.name)
