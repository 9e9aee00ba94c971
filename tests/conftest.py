from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import Client, override_settings
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from accounts.models import ApiToken, User
from assets.models import Grant, Vocabulary, make_roles
from assets.terms import work
from dam.services.postgres import NAME
from search import encoders, partitions, spaces
from search.models import EmbeddingSpace
from tests.encoder import ColourEncoder

hypothesis_settings.register_profile("without a clock", deadline=None)
hypothesis_settings.load_profile("without a clock")


LONG = ("stack", "browser", "reference", "slow")
"""Marks of tests that start whole systems or environments and mostly wait, or have much to do."""


SHARED = "tests/browser/test_journey.py"
ONE_SYSTEM = (SHARED, "tests/browser/test_spaces.py", "tests/browser/test_upload.py")
"""Modules that share a whole system; so they stay together, in one process."""


def together(nodeid: str) -> str:
    """The name of what stays together: a module, or those that share a system."""
    module = nodeid.partition("::")[0]
    return SHARED if module in ONE_SYSTEM else module


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with long tests come first, then those with many: begun last, all would wait for them."""
    long = {together(item.nodeid) for item in items if any(map(item.get_closest_marker, LONG))}
    many = Counter(together(item.nodeid) for item in items)

    def place(item: pytest.Item) -> tuple[bool, int, str]:
        name = together(item.nodeid)
        return name not in long, -many[name], name

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Together(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The database of the tests is a copy of one that has its tables: see tests/embedded.py."""
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = NAME


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    """Every test has storages of its own and an empty cache."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, for tests alone
    for name, value in files_in(tmp_path).items():
        setattr(settings, name, value)


def files_in(folder: Path) -> dict[str, Any]:
    """The settings by which originals, renditions and unfinished uploads lie in this folder."""
    for name in ("incoming", "imports"):
        (folder / name).mkdir(exist_ok=True)
    files = "assets.backends.FolderStorage"
    storages = {
        name: {"BACKEND": files, "OPTIONS": {"location": str(folder / name), "durable": False}}
        for name in ("originals", "renditions")
    }
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    places = {name: folder / name.removesuffix("_DIR").lower() for name in ("UPLOADS_DIR", "IMPORTS_DIR")}
    places["INCOMING_DIR"] = folder / "incoming"
    return {**places, "STORAGES": {**django_settings.STORAGES, **storages}}


T = TypeVar("T")


class Kept(Protocol):
    def __call__(self, build: Callable[[], T]) -> T: ...


@pytest.fixture(scope="module")
def kept(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    """`kept(make)` runs `make` and commits what it made: a library that the tests of a module share.

    The test encoder is used, and each test still takes back its own changes. Not for modules that have
    tests with real transactions, which empty the database.
    """

    def make(build: Callable[[], T]) -> T:
        files = files_in(tmp_path_factory.mktemp("kept"))
        with (
            django_db_blocker.unblock(),
            pytest.MonkeyPatch.context() as patch,
            override_settings(**files),
        ):
            with_colours(django_settings, patch)
            make_vocabularies()
            spaces.ensure()
            return build()

    yield make
    with django_db_blocker.unblock():
        for space in EmbeddingSpace.objects.all():
            partitions.drop(space)
        call_command("flush", interactive=False, verbosity=0, reset_sequences=False)


@pytest.fixture(autouse=True)
def the_language_of_the_site() -> None:
    """Not that of the last request of the test before."""
    translation.deactivate()


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
    make_roles(Group.objects, Grant.objects)


@pytest.fixture
def encoder(settings: Any, monkeypatch: pytest.MonkeyPatch) -> ColourEncoder:
    """The test encoder in place of the configured one."""
    return with_colours(settings, monkeypatch)


def with_colours(settings: Any, monkeypatch: pytest.MonkeyPatch) -> ColourEncoder:
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
def editor(client: Client, admin: User) -> Client:
    """The client of an administrator."""
    client.force_login(admin)
    return client


@pytest.fixture
def without_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request begins of work on terms, it ends, however slow the machine is."""
    monkeypatch.setattr(work, "BRIEF_SECONDS", 600.0)


@pytest.fixture
def viewer(db: None) -> User:
    return User.objects.create_user("viewer", password="a long pass phrase")


@pytest.fixture
def browser(client: Client, viewer: User) -> Client:
    """Pages as somebody sees them who may see what all may see."""
    client.force_login(viewer)
    return client


@pytest.fixture
def token(viewer: User) -> Client:
    """A program that somebody has given a token."""
    return Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})
