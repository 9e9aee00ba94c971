"""Who may ask for what: each address of the URL configuration against the table in access.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client

from accounts.models import ApiToken, User
from search.models import EmbeddingSpace
from tests.security.access import (
    ACCESS,
    ADMIN,
    MISSING,
    NOBODY,
    OTHER_METHODS,
    ROLES,
    VIEWER,
)
from tests.security.addresses import Library, addresses

pytestmark = pytest.mark.django_db
TUS = {"Tus-Resumable": "1.0.0"}  # without it, uploads do not look at who asks
TO_SIGN_IN = ("/accounts/login/?next=", "/admin/login/?next=")


def test_every_address_has_a_line_in_the_table() -> None:
    """Of the administration, all of it is for staff; what is not is in the table."""
    own = {one.name for one in addresses() if not one.is_of_administration}
    assert own - {*ACCESS} == set(), "Say in tests/security/access.py who may GET and POST to these."
    known = {one.name for one in addresses()}
    assert {*ACCESS} - known == set(), "These are gone."


@pytest.fixture
def library(space: EmbeddingSpace, viewer: User) -> Library:
    return Library(viewer)


def clients(viewer: User, admin: User) -> dict[str, Client]:
    """Until there are roles, everybody who signs in is a viewer; what is looked at is theirs."""
    return {
        NOBODY: Client(raise_request_exception=False, headers=TUS),
        VIEWER: signed_in(viewer),
        ADMIN: signed_in(admin),
    }


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False, headers=TUS)
    client.force_login(user)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.objects.issue(user, 'test')}"
    return client


@contextmanager
def undone() -> Iterator[None]:
    """What is written meanwhile is taken back."""
    with transaction.atomic():
        mark = transaction.savepoint()
        yield
        transaction.savepoint_rollback(mark)


def is_refused(answer: HttpResponseBase) -> bool:
    return answer.status_code in (401, 403, 404) or answer.get("Location", "").startswith(TO_SIGN_IN)


def asked(client: Client, method: str, path: str) -> Any:
    """The answer; the client stays signed in whatever it asks for."""
    kept = client.cookies.copy()
    with undone():
        answer = client.generic(method, path)
    client.cookies = kept
    return answer


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
def test_each_address_is_open_to_those_in_the_table_and_to_no_others(
    library: Library, viewer: User, admin: User
) -> None:
    """The least role that may, and the one below it; where nobody may, the highest."""
    found, people = [], clients(viewer, admin)
    for address in addresses():
        if address.name not in ACCESS:
            continue
        path = library.path(address)
        for method, least in wanted(address.name):
            for role in asking(least, [*people]):
                answer = asked(people[role], method, path)
                found.append(complaint(address.name, method, role, least, answer))
    assert not list(filter(None, found))


def wanted(name: str) -> Iterator[tuple[str, str | None]]:
    yield from zip(("GET", "POST"), ACCESS[name], strict=True)
    yield from ((method, least) for (method, of), least in OTHER_METHODS.items() if of == name)


def asking(least: str | None, roles: list[str]) -> list[str]:
    if least is None:
        return [roles[-1]]
    may = [role for role in roles if ROLES.index(role) >= ROLES.index(least)]
    below = [role for role in roles if role not in may]
    return [*below[-1:], may[0]]


def test_the_administration_is_for_staff(library: Library, viewer: User) -> None:
    reader = signed_in(viewer)
    for address in addresses():
        if address.is_of_administration and address.name not in ACCESS:
            path = library.path(address)
            assert is_refused(reader.get(path)) and is_refused(reader.post(path)), address


def test_what_is_hidden_is_at_none_of_its_addresses(library: Library, viewer: User) -> None:
    """Every address of a picture, asked for one that may not be seen, and for one that is not there."""
    reader, shown, hidden = signed_in(viewer), str(library.uids["assets/"]), str(library.hidden.uid)
    for address in addresses():
        path = library.path(address)
        if shown not in path or address.is_of_administration:
            continue
        for method, least in wanted(address.name):
            if least is not None:
                answer = asked(reader, method, path.replace(shown, hidden))
                assert b"unseen heron" not in getattr(answer, "content", b"")
                if answer.status_code != 404:  # neither may be told from the other
                    nowhere = asked(reader, method, path.replace(shown, str(uuid4())))
                    assert answer.status_code == nowhere.status_code != 200, (method, address.name)
