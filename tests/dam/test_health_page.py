"""The page that says how the library is."""

from collections import namedtuple
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import User
from assets.models import Blob, StageRun
from dam import health, health_facts
from search import encoders, filling
from search.models import EmbeddingSpace
from tests.factories import asset
from tests.search.pages import text

ALL = {
    "celery@here": ["control", "interactive"],
    "importer@here": ["bulk", "control", "files", "interactive", "vectorise"],
    "filler@here": ["fill"],
}
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def desk(client: Client, admin: User, space: EmbeddingSpace) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Those that answer."""
    answering = dict(ALL)
    monkeypatch.setattr(health_facts, "workers", lambda: answering)
    return answering


def page(desk: Client) -> str:
    answer = desk.get(reverse("health"))
    assert answer.status_code == 200
    return text(answer)


def ticking() -> None:
    cache.set(filling.TENDED, timezone.now(), 60)


def test_all_is_well(desk: Client, space: EmbeddingSpace) -> None:
    asset(done=True)
    ticking()
    said = page(desk)
    assert "Everything works." in said and "Nothing waits, nothing has failed." in said
    assert "Worker celery@here answers serves control, interactive" in said
    assert f"{space.slug} in use" in said and "1 of 1 picture done" in said
    assert "pgvector 0." in said and "Valkey" in said and "are free where the library" in said
    assert "Originals" in said and "Database" in said and "No upload is on its way." in said


def test_it_is_for_staff(client: Client, viewer: User, desk: Client) -> None:
    client.force_login(viewer)
    assert client.get(reverse("health")).status_code == 302
    viewer.is_staff = True
    viewer.save()
    said = page(client)
    assert "Parts" in said and "Drop…" not in said
    desk.force_login(viewer)
    assert "Health" in text(client.get(reverse("admin:index")))


def test_workers_and_the_clock_that_are_away(desk: Client, workers: dict[str, list[str]]) -> None:
    said = page(desk)
    assert "The clock (beat) does not hand out work. See beat.log" in said
    cache.set(filling.TENDED, timezone.now() - timedelta(minutes=5), 600)
    del workers["filler@here"]
    said = page(desk)
    assert "2 things need attention." in said and "The clock (beat) does not hand out work" in said
    assert (
        "No worker answers for embedding spaces (queue fill). See worker.log, importer.log and filler.log"
        in said
    )
    workers.clear()
    said = page(desk)
    assert "Workers none answers" in said and "The clock" not in said, "who would have seen it?"


@pytest.mark.parametrize("part", ["cache", "broker", "embedding space"])
def test_a_part_that_does_not_answer(desk: Client, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise RedisError("away")

    monkeypatch.setitem(health.CHECKS, part, away)
    ticking()
    said = page(desk)
    assert f"The {part} does not answer." in said and "1 thing needs attention." in said
    assert "No worker" not in said


def test_work_that_waits_and_fails(desk: Client, settings: Any) -> None:
    asset()
    StageRun.objects.filter(stage="make_renditions").update(state="failed", reason="No.")
    runs = StageRun.objects.filter(stage="extract_metadata")
    lease = timedelta(seconds=settings.QUEUE_LEASE_SECONDS)
    runs.update(state="queued", lease_until=timezone.now() - timedelta(minutes=10) + lease)
    Blob.objects.create(sha256="0" * 64, size=1, media_type="image/png")
    (settings.INCOMING_DIR / "half").write_bytes(b"half a picture")
    ticking()
    said = page(desk)
    assert (
        "1 step has failed." in said
        and reverse("assets:jobs") in desk.get(reverse("health")).content.decode()
    )
    assert "nobody has begun it. Run `manage.py resume`." in said
    assert "1 file on the way in" in said and "1 file being put into the store" in said


def test_encoders_spaces_and_disks_in_trouble(
    desk: Client, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    pause = encoders.Pause("The key was refused.", now, now + timedelta(minutes=3))
    days = [encoders.DayUsage(now.date(), 12, 3, 1)]
    monkeypatch.setattr(encoders, "paused", lambda name: pause if name == "next" else None)
    monkeypatch.setattr(encoders, "usage", lambda name, days_back: days if name == "next" else [])
    monkeypatch.setattr(encoders, "month_usage", lambda name: (12, 1000) if name == "next" else (0, 0))
    monkeypatch.setattr(health_facts.shutil, "disk_usage", lambda path: Usage(100 * 2**30, 99 * 2**30, 2**30))
    EmbeddingSpace.objects.update(problem="The index could not be built.")
    ticking()
    said = page(desk)
    assert "3 things need attention." in said and "The disk is nearly full." in said
    assert "The encoder next is paused: The key was refused." in said
    assert "12 calls this month of 1,000 allowed." in said and "12 3 1" in said
    assert f"{space.slug}: The index could not be built." in said


def test_times_are_those_of_the_person(desk: Client, admin: User) -> None:
    admin.time_zone = "Asia/Tokyo"
    admin.save()
    moment = timezone.now().replace(hour=12, minute=0, second=5)
    cache.set(filling.TENDED, moment, 60)
    assert "21:00:05" in page(desk)


def test_it_asks_a_fixed_number_of_queries(desk: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(desk)
        return len(captured)

    asset(done=True)
    count()
    before = count()
    for color in ("red", "blue"):
        asset(color, done=True)
    assert count() == before


def test_sizes_and_workers_are_remembered_for_a_while() -> None:
    asked: list[int] = []
    for _ in range(2):
        assert health_facts.kept("x", 5, lambda: asked.append(1) or "found", "") == "found"
    assert len(asked) == 1

    def away() -> str:
        raise OSError("away")

    assert health_facts.kept("y", 5, away, "nothing") == "nothing"


def test_machines_are_answered_as_before(client: Client, space: EmbeddingSpace) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["parts"].keys() == health.CHECKS.keys()
