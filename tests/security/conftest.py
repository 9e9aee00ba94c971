"""Libraries that the tests of a module share: each test takes back what it writes."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from django.conf import settings as django_settings
from django.test import Client, override_settings

from accounts.models import User
from tests.conftest import Kept
from tests.encoder import ColourEncoder
from tests.security.addresses import Library
from tests.security.small import Small

FILES = ("STORAGES", "INCOMING_DIR", "IMPORTS_DIR", "UPLOADS_DIR")
L = TypeVar("L", bound=Library)
Built = tuple[L, dict[str, Any]]
"""A library, and the settings by which its files are found."""


def with_files(build: Callable[[], L]) -> Callable[[], Built[L]]:
    return lambda: (build(), {name: getattr(django_settings, name) for name in FILES})


def found(built: Built[L], settings: Any) -> L:
    library, files = built
    for name, value in files.items():
        setattr(settings, name, value)
    return library


def large() -> Library:
    """Of a person called viewer, beside an administrator."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        User.objects.create_superuser("curator", password="a long pass phrase")
        return Library(User.objects.create_user("viewer", password="a long pass phrase"))


@pytest.fixture(scope="module")
def built(kept: Kept) -> Built[Library]:
    return kept(with_files(large))


@pytest.fixture(scope="module")
def built_small(kept: Kept) -> Built[Small]:
    return kept(with_files(Small))


@pytest.fixture
def library(built: Built[Library], db: None, encoder: ColourEncoder, settings: Any) -> Library:
    return found(built, settings)


@pytest.fixture
def small(built_small: Built[Small], db: None, encoder: ColourEncoder, settings: Any) -> Small:
    return found(built_small, settings)


@pytest.fixture
def people(small: Small) -> dict[str, Client]:
    """A browser with a token for each role."""
    return small.people
