from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import settings as hypothesis_settings

from accounts.models import User
from assets.models import Vocabulary
from search import encoders, spaces
from search.models import EmbeddingSpace
from tests.encoder import ColourEncoder

hypothesis_settings.register_profile("without a clock", deadline=None)
hypothesis_settings.load_profile("without a clock")


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    """Every test has storages of its own and an empty cache."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, for tests alone
    settings.INCOMING_DIR = tmp_path / "incoming"
    settings.INCOMING_DIR.mkdir()
    files = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = {
        **settings.STORAGES,
        **{
            name: {"BACKEND": files, "OPTIONS": {"location": str(tmp_path / name), "allow_overwrite": True}}
            for name in ("originals", "renditions")
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def vocabularies_after_a_flush(request: pytest.FixtureRequest) -> None:
    """Puts back what a test with real transactions has emptied, whichever tests ran before this one."""
    asked = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    if asked or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("_django_db_helper")
        if not Vocabulary.objects.exists():
            make_vocabularies()


def make_vocabularies() -> None:
    for slug in ("tags", "creators", "places", "subjects"):
        Vocabulary.objects.get_or_create(slug=slug, defaults={"name": slug})


@pytest.fixture
def encoder(settings: Any, monkeypatch: pytest.MonkeyPatch) -> ColourEncoder:
    """The test encoder in place of the configured one."""
    made = ColourEncoder()
    monkeypatch.setitem(encoders.REGISTRY, "test", "tests.encoder.ColourEncoder")
    settings.ENCODER, settings.ENCODERS = "test", {"test": {"kind": "test"}, "next": {"kind": "test"}}
    monkeypatch.setattr(encoders, "_made", {encoders.configured("test"): made})
    return made


@pytest.fixture
def next_encoder(encoder: ColourEncoder) -> ColourEncoder:
    """Another one, called "next", that a collection can move to."""
    made = ColourEncoder(version="2")
    encoders._made[encoders.configured("next")] = made
    return made


@pytest.fixture
def space(db: None, encoder: ColourEncoder) -> EmbeddingSpace:
    return spaces.ensure()[0]


@pytest.fixture
def vocabularies(transactional_db: None) -> None:
    """What the migrations put there, and a test with real transactions before this one took away."""
    make_vocabularies()


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("curator", password="a long pass phrase")


@pytest.fixture
def viewer(db: None) -> User:
    return User.objects.create_user("viewer", password="a long pass phrase")


@pytest.fixture
def browser(client: Client, viewer: User) -> Client:
    """Pages as somebody sees them who may see what all may see."""
    client.force_login(viewer)
    return client
