"""A service that is down is left in peace, with a reason that people can read, and asked again in time."""

from collections.abc import Iterator

import pytest

from search import encoders
from search.encoders import EncoderDown, EncoderUnavailable, UnreadableImage
from search.encoders._azure import AzureEncoder
from search.encoders._breaker import AFTER, FIRST, MOST
from tests.search.remote import Time, picture
from tests.search.serving import Fault, Server

TRIES = 3  # for one search


@pytest.fixture
def down(azure: AzureEncoder, server: Server) -> Iterator[AzureEncoder]:
    """An encoder whose service fails until its faults are cleared; nobody asks it any more."""
    server.faults.extend([Fault(500)] * 500)
    for _ in range(AFTER):
        fail(azure)
    server.requests.clear()
    encoders.reset()
    yield azure
    encoders.reset()


def fail(encoder: AzureEncoder) -> EncoderUnavailable:
    with pytest.raises(EncoderUnavailable) as caught:
        encoder.encode_texts(["cat"])
    return caught.value


def test_the_fifth_failure_in_a_row_opens_it(azure: AzureEncoder, server: Server) -> None:
    server.faults.extend([Fault(500)] * AFTER * TRIES)
    errors = [fail(azure) for _ in range(AFTER)]
    assert [isinstance(error, EncoderDown) for error in errors] == [False] * 4 + [True]
    assert len(server.requests) == AFTER * TRIES
    assert isinstance(errors[-1], EncoderDown) and errors[-1].retry_after == FIRST
    assert "trouble of its own (500)" in str(errors[-1]) and "next try is in 30 seconds" in str(errors[-1])


def test_while_it_is_open_nobody_asks(down: AzureEncoder, server: Server, made_time: Time) -> None:
    made_time.wait(10)
    for other in (down, AzureEncoder(encoders.configured("azure"))):  # a process of its own
        with pytest.raises(EncoderDown, match=r"\(500\).*Calls are paused") as caught:
            other.encode_images([picture()])
        assert caught.value.retry_after == pytest.approx(FIRST - 10, abs=0.01)
        assert isinstance(fail(other), EncoderDown)
    assert not server.requests
    pause = encoders.paused("azure")
    assert pause is not None and "(500)" in pause.reason and pause.since < pause.until


def test_a_success_between_begins_the_row_anew(azure: AzureEncoder, server: Server) -> None:
    for _ in range(3):
        server.faults.extend([Fault(500)] * (AFTER - 1) * TRIES)
        assert not any(isinstance(fail(azure), EncoderDown) for _ in range(AFTER - 1))
        azure.encode_texts(["cat"])
    assert encoders.paused("azure") is None


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_does_not_pass_opens_it_at_once(azure: AzureEncoder, server: Server, status: int) -> None:
    server.faults.append(Fault(status, body=b"{}"))
    error = fail(azure)
    assert isinstance(error, EncoderDown) and str(status) in str(error)
    fail(azure)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Fault(408), Fault(429), Fault(503), Fault(mode="drop"), Fault(body=b"no")])
def test_failures_of_the_service_count(azure: AzureEncoder, server: Server, fault: Fault) -> None:
    server.faults.extend([fault] * AFTER * TRIES)
    assert [isinstance(fail(azure), EncoderDown) for _ in range(AFTER)] == [False] * 4 + [True]


def test_what_is_wrong_with_one_picture_or_text_does_not(azure: AzureEncoder, server: Server) -> None:
    for fault in (Fault(413, body=b"{}"), Fault(400, body=b"{}"), Fault(change=lambda row: [0.0])):
        server.faults.extend([fault] * 2 * AFTER)
        for _ in range(2 * AFTER):
            with pytest.raises((EncoderUnavailable, UnreadableImage)) as caught:
                azure.encode_images([picture()])
            assert not isinstance(caught.value, EncoderDown)


def test_a_picture_that_is_refused_shows_that_the_service_works(azure: AzureEncoder, server: Server) -> None:
    for _ in range(3):
        server.faults.extend([Fault(500)] * (AFTER - 1) * TRIES + [Fault(413, body=b"{}")])
        for _ in range(AFTER - 1):
            fail(azure)
        with pytest.raises(UnreadableImage):
            azure.encode_images([picture()])
    assert encoders.paused("azure") is None


def test_one_question_finds_out_and_the_pause_doubles(
    down: AzureEncoder, server: Server, made_time: Time
) -> None:
    first, lengths = encoders.paused("azure"), []
    for _ in range(7):
        pause = encoders.paused("azure")
        assert pause is not None and first is not None and pause.since == first.since
        lengths.append(pause.until.timestamp() - made_time.now())
        encoders.probe("azure")
        assert not server.requests, "not before it is due"
        made_time.wait(lengths[-1] + 0.01)
        assert isinstance(fail(down), EncoderDown) and not server.requests, "nobody's work finds out"
        encoders.probe("azure")
        assert len(server.requests) == 1, "and it does not try again"
        server.requests.clear()
    assert lengths == pytest.approx([FIRST, 60, 120, 240, 480, MOST, MOST], abs=0.1)


def test_when_it_is_back_all_goes_on_and_all_is_forgotten(
    down: AzureEncoder, server: Server, made_time: Time
) -> None:
    server.faults.clear()
    made_time.wait(FIRST + 0.01)
    encoders.probe("azure")
    assert [request.json() for request in server.requests] == [{"text": "a picture"}]
    assert encoders.paused("azure") is None
    assert down.encode_images([picture()]).shape == (1, 1024)
    server.faults.extend([Fault(500)] * TRIES)
    assert not isinstance(fail(down), EncoderDown)


def test_somebody_may_press_try_again_now(down: AzureEncoder, server: Server) -> None:
    server.faults.clear()
    encoders.resume("azure")
    assert encoders.paused("azure") is None
    assert down.encode_texts(["cat"]).shape == (1, 1024)


def test_a_call_that_was_under_way_when_it_opened_changes_nothing(down: AzureEncoder) -> None:
    before = encoders.paused("azure")
    for _ in range(3):
        with encoders._pauses.probing():  # as one that had begun before
            assert isinstance(fail(down), EncoderDown)
    assert encoders.paused("azure") == before


def test_an_encoder_that_cannot_be_made_stays_paused(
    down: AzureEncoder, server: Server, made_time: Time, clean: object
) -> None:
    made_time.wait(FIRST + 0.01)
    clean.ENCODER_KEY = ""  # type: ignore[attr-defined]
    encoders.probe("azure")
    pause = encoders.paused("azure")
    assert pause is not None and "needs a key" in pause.reason and not server.requests


@pytest.mark.parametrize("name", ["builtin", "gone"])
def test_encoders_without_a_service_or_settings_are_never_paused(name: str) -> None:
    assert encoders.paused(name) is None and encoders.month_usage(name) == (0, 0)
    encoders.probe(name)
    encoders.resume(name)
