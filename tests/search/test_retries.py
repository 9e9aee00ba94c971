"""Which calls to a service are tried again, how often, and for how long somebody waits."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from search import encoders
from search.encoders import EncoderUnavailable, _http, _patience
from search.encoders._answers import retry_after
from search.encoders._azure import AzureEncoder
from search.encoders._remote import RemoteEncoder
from tests.search.remote import Time, picture
from tests.search.serving import Fault, Server


@pytest.mark.parametrize(
    "trouble", [Fault(500), Fault(503), Fault(429), Fault(408), Fault(mode="drop"), Fault(mode="cut")]
)
def test_what_passes_is_tried_again(
    azure: AzureEncoder, server: Server, made_time: Time, trouble: Fault
) -> None:
    server.faults.extend([trouble, trouble])
    assert azure.encode_images([picture()]).shape == (1, 1024)
    assert len(server.requests) == 3
    first, second = made_time.slept
    assert 0.5 <= first <= 1 <= second <= 2, "exponential, with jitter"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302, 422])
def test_what_does_not_pass_is_not_tried_again(azure: AzureEncoder, server: Server, status: int) -> None:
    server.faults.append(Fault(status, body=b"{}", headers={"Location": server.url}))
    with pytest.raises(EncoderUnavailable, match=str(status)):
        azure.encode_images([picture()])
    assert len(server.requests) == 1, "and the key follows no redirect"


def test_trying_again_ends(azure: AzureEncoder, server: Server, made_time: Time) -> None:
    server.faults.extend([Fault(500)] * 20)
    with pytest.raises(EncoderUnavailable, match=r"trouble of its own \(500\)"):
        azure.encode_images([picture()])
    assert len(server.requests) == 5 and made_time.passed < 20
    server.requests.clear()
    with pytest.raises(EncoderUnavailable):
        azure.encode_texts(["cat"])
    assert len(server.requests) == 3 and sum(made_time.slept[4:]) < 1


def test_retry_after_is_kept(azure: AzureEncoder, server: Server, made_time: Time) -> None:
    server.faults.append(Fault(429, {"Retry-After": "7"}))
    azure.encode_images([picture()])
    assert made_time.slept == [7]


def test_retry_after_as_a_date(
    azure: AzureEncoder, server: Server, made_time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    monkeypatch.setattr(_http.Client, "now", staticmethod(now.timestamp))
    date = format_datetime(now.replace(second=9), usegmt=True)
    server.faults.append(Fault(503, {"Retry-After": date}))
    azure.encode_images([picture()])
    assert made_time.slept == [9]


@pytest.mark.parametrize("after", ["3600", "1e9", "5"])
def test_nobody_waits_longer_than_a_few_seconds(
    azure: AzureEncoder, server: Server, made_time: Time, after: str
) -> None:
    server.faults.append(Fault(429, {"Retry-After": after}))
    with pytest.raises(EncoderUnavailable, match=r"429.*asks to wait \d+ seconds"):
        azure.encode_texts(["cat"])
    assert made_time.slept == []


def test_a_long_pause_is_left_to_the_pipeline(azure: AzureEncoder, server: Server, made_time: Time) -> None:
    server.faults.append(Fault(429, {"Retry-After": "600"}))
    with pytest.raises(EncoderUnavailable, match="asks to wait 600 seconds"):
        azure.encode_images([picture()])
    assert made_time.slept == [] and len(server.requests) == 1


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "nan", "inf", "Mon, 99 Foo 2026", "0"])
def test_a_retry_after_that_says_nothing(value: str | None) -> None:
    assert retry_after(value, now=0) == 0


def test_a_person_who_searches_by_a_picture_is_not_made_to_wait(
    azure: AzureEncoder, server: Server, made_time: Time
) -> None:
    server.faults.append(Fault(429, {"Retry-After": "5"}))
    with encoders.somebody_waits(), pytest.raises(EncoderUnavailable):
        azure.encode_images([picture()])
    server.faults.append(Fault(429, {"Retry-After": "5"}))
    with encoders.somebody_waits(False):
        azure.encode_texts(["the words of a picture, by a worker"])
    assert made_time.slept == [5]


@pytest.mark.parametrize("mode", ["slow", "trickle"])
def test_a_slow_service_is_given_up_in_time(
    server: Server, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    quick = _patience.Patience(total=0.4, connect=0.2, read=0.2, attempts=3, pause=0.01)
    monkeypatch.setattr(RemoteEncoder, "patience", lambda *_, **__: quick)
    server.faults.extend([Fault(mode=mode)] * 5)
    encoder, began = AzureEncoder(encoders.configured("azure")), time.monotonic()
    with pytest.raises(EncoderUnavailable, match="did not answer in time"):
        encoder.encode_texts(["cat"])
    assert time.monotonic() - began < 1.5
    encoder.client.close()


def test_the_whole_of_a_search_is_a_few_seconds() -> None:
    assert _patience.searching(30).total <= 5 and _patience.searching(30).read <= 5


def test_a_service_that_is_not_there(clean: Any, azure: AzureEncoder, server: Server) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(EncoderUnavailable, match=r"127\.0\.0\.1:\d+ cannot be reached\. Check ENCODER_URL"):
        azure.encode_texts(["cat"])
