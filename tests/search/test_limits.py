"""The limits that all workers share: turns, places, the month, and what a service asks for."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache

from benchmarks import rate
from search import encoders
from search.encoders import EncoderDown, _shared
from search.encoders._azure import AzureEncoder
from search.encoders._calls import DayUsage
from search.encoders._limits import SPARE, Limiter, about, next_month
from search.encoders._patience import Patience
from tests.often import often
from tests.search.remote import Time, picture
from tests.search.serving import Fault, Server

WORKER = Patience(total=8, connect=1, read=1, attempts=5, pause=1)
PERSON = replace(WORKER, total=4, person=True)


@pytest.fixture
def limiter(made_time: Time) -> Limiter:
    return limited(per_second=10, at_once=3)


def limited(**limits: Any) -> Limiter:
    """Another one of the same encoder, as in another process."""
    return Limiter(encoders.Config("museum", "azure", **limits))


def took(made_time: Time, limiter: Limiter, patience: Patience = WORKER) -> float:
    """Seconds that one call waited for its turn."""
    began = made_time.passed
    with limiter.turn(patience, made_time.passed + patience.total):
        return made_time.passed - began


# --- calls a second -------------------------------------------------------------------------------


def test_turns_are_evenly_spaced_whoever_takes_them(limiter: Limiter, made_time: Time) -> None:
    others, moments = limited(per_second=10, at_once=3), []
    for number in range(20):
        took(made_time, others if number % 3 else limiter)
        moments.append(made_time.passed)
    spacings = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
    assert spacings == pytest.approx([SPARE / 10] * 19, abs=1e-5)


def test_idle_time_saves_up_no_burst(limiter: Limiter, made_time: Time) -> None:
    took(made_time, limiter)
    made_time.wait(100)
    assert took(made_time, limiter) == 0 and took(made_time, limiter) > 0.09


def test_a_person_goes_before_the_workers(limiter: Limiter, made_time: Time) -> None:
    """Workers reserve nothing that is not near, so that the next turn is free for a person who searches."""
    took(made_time, limiter)
    for _ in range(3):
        assert limiter._asked("worker", False, 0.02, 1)[0] == "later"
    assert limiter._asked("person", True, 3, 1) == ("go", pytest.approx(SPARE / 10))
    verdict, wait = limiter._asked("worker", False, 0.02, 1)
    assert verdict == "later" and wait == pytest.approx(2 * SPARE / 10)


def test_a_turn_that_comes_too_late_is_not_waited_for(made_time: Time) -> None:
    slow = limited(per_second=0.1)
    took(made_time, slow)
    for patience in (WORKER, PERSON):
        began = made_time.passed
        with pytest.raises(EncoderDown, match="ENCODER_PER_SECOND.*free in 10 seconds") as caught:
            took(made_time, slow, patience)
        assert made_time.passed == began and caught.value.retry_after == pytest.approx(10 * SPARE)


def test_without_limits_nobody_waits(made_time: Time) -> None:
    assert [took(made_time, limited()) for _ in range(50)] == [0] * 50


# --- at a time ------------------------------------------------------------------------------------


@pytest.fixture
def taken(made_time: Time) -> Iterator[ExitStack]:
    """Two places of two, with calls that may take eight seconds."""
    with ExitStack() as places:
        for _ in range(2):
            places.enter_context(limited(at_once=2).turn(WORKER, made_time.passed + 8))
        yield places


def test_no_more_calls_at_a_time_than_allowed(taken: ExitStack, made_time: Time) -> None:
    quick = replace(WORKER, total=1)
    with pytest.raises(EncoderDown, match="All 2 calls.*ENCODER_AT_ONCE") as caught:
        took(made_time, limited(at_once=2), quick)
    assert caught.value.retry_after > 0
    taken.close()
    assert took(made_time, limited(at_once=2), quick) == 0


def test_the_place_of_a_killed_worker_is_free_after_its_time(taken: ExitStack, made_time: Time) -> None:
    made_time.wait(8.1)
    assert took(made_time, limited(at_once=2)) == 0


def test_the_next_free_place_is_for_the_person_who_waits(taken: ExitStack, made_time: Time) -> None:
    limiter = limited(at_once=2)
    assert limiter._asked("person", True, 3, 1)[0] == "busy"
    taken.close()
    assert limiter._asked("worker", False, 0.02, 1)[0] == "busy", "though two places are free"
    assert limiter._asked("person", True, 3, 1)[0] == "go"
    assert limiter._asked("worker", False, 0.02, 1)[0] == "go"


# --- a month, and a day ---------------------------------------------------------------------------


def test_a_month_that_is_used_up_is_said_and_nothing_is_sent(
    clean: Any, server: Server, made_time: Time
) -> None:
    clean.ENCODER_PER_MONTH = 3
    encoder = AzureEncoder(encoders.configured("azure"))
    assert encoders.month_usage("azure") == (0, 3) and encoders.paused("azure") is None
    encoder.encode_texts(["a", "b", "c"])
    with pytest.raises(EncoderDown, match="The 3 calls.*in a month are used up.*ENCODER_PER_MONTH") as caught:
        encoder.encode_texts(["d"])
    assert len(server.requests) == 3 and encoders.month_usage("azure") == (3, 3)
    assert 0 < caught.value.retry_after <= 3600, "somebody may raise the limit"
    pause = encoders.paused("azure")
    assert pause and "used up" in pause.reason and pause.until.day == 1
    encoders.resume("azure")
    assert encoders.paused("azure"), "a month cannot be pressed away"
    clean.ENCODER_PER_MONTH = 4
    assert encoders.paused("azure") is None


def test_the_month_after_december() -> None:
    assert next_month(datetime(2026, 12, 31, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 1, 31, tzinfo=UTC)) == datetime(2026, 2, 1, tzinfo=UTC)


def test_calls_failures_and_refusals_are_counted_by_day(azure: AzureEncoder, server: Server) -> None:
    server.faults.extend([Fault(500), Fault(429), Fault(mode="drop")])
    azure.encode_images([picture()])
    azure.encode_texts(["cat"])
    *before, today = encoders.usage("azure", days=3)
    assert today == DayUsage(today.date, calls=5, failures=2, refused=1)
    assert [day.calls for day in before] == [0, 0] and before[0].date < before[1].date < today.date
    assert encoders.usage("another") and encoders.usage("another")[-1].calls == 0


def test_every_key_has_a_time_to_live(azure: AzureEncoder, server: Server, made_time: Time) -> None:
    server.faults.extend([Fault(429), Fault(429), Fault(429, {"Retry-After": "3"}), Fault(500)])
    azure.encode_images([picture()])
    server.faults.append(Fault(401))
    with pytest.raises(EncoderDown):
        azure.encode_images([picture()])
    made_time.wait(40)
    encoders.probe("azure")
    redis = cache._cache.get_client(None, write=True)  # type: ignore[attr-defined]
    found = {key: redis.ttl(key) for key in redis.scan_iter("encoder:*")}
    assert found and all(seconds > 0 for seconds in found.values()), found


# --- what a service asks for ----------------------------------------------------------------------


def test_all_workers_keep_the_pause_that_one_was_asked_for(
    azure: AzureEncoder, server: Server, made_time: Time
) -> None:
    server.faults.append(Fault(429, {"Retry-After": "600"}))
    with pytest.raises(EncoderDown) as caught:
        azure.encode_images([picture()])
    assert caught.value.retry_after == 600
    made_time.wait(100)
    other = AzureEncoder(encoders.configured("azure"))
    for ask in (lambda: other.encode_texts(["cat"]), lambda: other.encode_images([picture()])):
        with pytest.raises(EncoderDown, match=r"allows no more calls.*Calls go on in 8 minutes") as caught:
            ask()
        assert caught.value.retry_after == pytest.approx(500)
    assert len(server.requests) == 1, "nobody else asked"
    pause = encoders.paused("azure")
    assert pause and "429" in pause.reason and (pause.until - pause.since).total_seconds() == 600
    made_time.wait(500)
    assert other.encode_texts(["cat"]).shape == (1, 1024)


def test_no_service_makes_everybody_wait_for_ever(azure: AzureEncoder, server: Server) -> None:
    server.faults.append(Fault(429, {"Retry-After": "1e9"}))
    with pytest.raises(EncoderDown) as caught:
        azure.encode_images([picture()])
    pause = encoders.paused("azure")
    assert pause and caught.value.retry_after == (pause.until - pause.since).total_seconds() == 3600


def test_one_refusal_is_an_accident_and_more_make_all_slower(limiter: Limiter, made_time: Time) -> None:
    def spacing() -> float:
        made_time.wait(5)
        took(made_time, limiter)
        return took(made_time, limited(per_second=10, at_once=3))

    normal = spacing()
    limiter.hold(0, "too many", refused=True)
    assert spacing() == pytest.approx(normal)
    limiter.hold(0, "too many", refused=True)
    limiter.hold(0, "the same moment", refused=True)
    assert spacing() == pytest.approx(2 * normal, rel=0.2)
    made_time.wait(60)
    assert spacing() == pytest.approx(normal), "and it passes"


def test_without_redis_all_goes_on_without_limits(
    settings: Any, azure: AzureEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    _shared._of.cache_clear()
    settings.CACHE_URL = "redis://127.0.0.1:1/0"
    assert azure.encode_texts(["a", "b", "c"]).shape == (3, 1024)
    assert encoders.usage("azure") == [] and encoders.month_usage("azure") == (0, 0)
    assert encoders.paused("azure") is None
    encoders.probe("azure")
    encoders.resume("azure")
    assert sum("Redis is away" in line for line in caplog.messages) == 1


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 second"), (1.6, "2 seconds"), (300, "5 minutes"), (9e5, "250 hours")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert about(seconds) == words


# --- against a server that counts ------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "window"), [(1, "sliding"), (2, "sliding"), (2, "fixed")])
def test_a_fill_uses_the_allowance_and_is_not_refused(workers: int, window: str) -> None:
    """By the server's own count; further goes are allowed, as a machine may be busy with something else."""
    for _ in range(4):
        cache.clear()
        measured = rate.measure(window, workers, seconds=often(4))
        if measured.used >= 0.9 and measured.refused < 0.01:
            break
    assert measured.calls > 40 and measured.used >= 0.9 and measured.refused < 0.01
