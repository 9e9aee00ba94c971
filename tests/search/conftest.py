from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from assets.models import Asset, AssetVersion, Blob, Collection
from search import encoders, rows, spaces, sql
from search.encoders import _breaker, _http, _limits
from search.encoders._azure import AzureEncoder
from search.models import EmbeddingSpace
from tests.encoder import ColourEncoder
from tests.factories import asset
from tests.search import services
from tests.search.remote import Configured, Time
from tests.search.services import KEY
from tests.search.serving import Server, serving

NO_PROXY = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy")


@pytest.fixture
def clean(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """No encoder is configured, and no proxy stands before loopback."""
    for name in NO_PROXY:
        monkeypatch.delenv(name, raising=False)
    return Configured(settings)


@pytest.fixture
def server(clean: Any) -> Iterator[Server]:
    with serving(services.Azure()) as running:
        clean.ENCODER, clean.ENCODER_URL, clean.ENCODER_KEY = "azure", running.url, KEY
        yield running


@pytest.fixture
def made_time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Pauses are noted, not slept; the limits and the breaker go by the same clock."""
    made = Time()
    monkeypatch.setattr(_http.Client, "sleep", made.sleep)
    monkeypatch.setattr(_http.Client, "clock", made.clock)
    monkeypatch.setattr(_limits.Limiter, "sleep", made.wait)
    monkeypatch.setattr(_limits.Limiter, "clock", made.clock)
    monkeypatch.setattr(_limits.Limiter, "now", made.now)
    monkeypatch.setattr(_breaker.Breaker, "now", made.now)
    return made


@pytest.fixture
def azure(server: Server, made_time: Time) -> Iterator[AzureEncoder]:
    encoder = AzureEncoder(encoders.configured("azure"))
    yield encoder
    encoder.client.close()


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def looker(client: Client, viewer: User, space: EmbeddingSpace) -> Client:
    """Staff who may see everything and change nothing."""
    viewer.is_staff = True
    viewer.save()
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    return client


@pytest.fixture
def three(space: EmbeddingSpace) -> list[Asset]:
    return [asset(color, f"{color}.jpg", done=True) for color in ("red", "green", "blue")]


@pytest.fixture
def filled(three: list[Asset], next_encoder: ColourEncoder) -> EmbeddingSpace:
    from tests.search.test_spaces import fill  # a test module, which pytest has to load itself

    return fill(spaces.create("next"))


@pytest.fixture
def thirty(space: EmbeddingSpace) -> list[int]:
    """Ids of thirty assets, whose vectors and facts each example makes anew."""
    home = Collection.objects.named("Library")
    blob = Blob.objects.create(sha256="0" * 64, size=1, media_type="image/jpeg", state="stored")
    made = Asset.objects.bulk_create(Asset(collection=home) for _ in range(30))
    file = {"blob": blob, "original_filename": "a.jpg", "format": "JPEG", "width": 9, "height": 9}
    versions = AssetVersion.objects.bulk_create(AssetVersion(asset=one, **file) for one in made)
    for one, version in zip(made, versions, strict=True):
        one.current_version = version
    Asset.objects.bulk_update(made, ["current_version"])
    ids = [one.pk for one in made]
    rows.refresh(ids)
    return ids


@pytest.fixture
def forced(db: None) -> Iterator[None]:
    """The planner of PostgreSQL would sort so few rows: forbid it, so that the index is walked."""
    sql.rows("SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)", [])
    yield
