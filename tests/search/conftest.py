from collections.abc import Iterator
from typing import Any

import pytest

from search import encoders
from search.encoders import _breaker, _http, _limits
from search.encoders._azure import AzureEncoder
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
