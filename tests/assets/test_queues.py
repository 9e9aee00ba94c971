"""Queues: which run goes where, how much of each, and what the broker has lost. The broker is a real one."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from assets import again, leases, pipeline, queues, tasks, waiting
from assets.models import Batch, StageRun
from assets.outcomes import Claim
from dam.celery import give_back, take_up
from search.models import EmbeddingSpace
from tests.factories import asset, picture, take_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def broker() -> Iterator[None]:
    """Empty before and after."""
    empty()
    yield
    empty()


def empty() -> None:
    with current_app.connection_for_write() as connection:
        for name in queues.QUEUES:
            connection.default_channel.queue_purge(name)


def expire() -> None:
    StageRun.every.exclude(lease_until=None).update(lease_until=timezone.now() - timedelta(seconds=1))


def as_import() -> None:
    StageRun.every.filter(priority__lt=StageRun.BACKGROUND).update(priority=StageRun.BULK)


def test_no_task_but_stages_lies_where_the_window_is_counted(settings: Any) -> None:
    """It would wait behind an import, and be taken for runs that the broker still has."""
    from celery import current_app

    names = [name for name in current_app.tasks if name.startswith(("assets.", "search.", "iiif."))]
    for name in names:
        if name != pipeline.RUN_TASK:
            queue = current_app.amqp.router.route({}, name)["queue"].name
            assert queue != "bulk", name


def test_the_first_files_of_a_visit_are_waited_for_and_the_rest_is_an_import(monkeypatch: Any) -> None:
    monkeypatch.setattr(pipeline, "FEW", 2)
    batch = Batch.objects.create(source="upload page")
    made = [take_in(picture(), batch=batch).asset for _ in range(3)]
    runs = [StageRun.objects.filter(version__asset=one, stage="make_renditions").get() for one in made]
    assert [run.priority for run in runs] == [StageRun.INTERACTIVE, StageRun.INTERACTIVE, StageRun.BULK]


def test_a_few_retries_are_waited_for_and_many_are_an_import(monkeypatch: Any) -> None:
    monkeypatch.setattr(again, "FEW", 2)
    few, many = StageRun.objects.filter(stage="make_renditions"), StageRun.objects.all()
    asset()
    many.update(state="failed", priority=StageRun.BACKGROUND)
    assert again.retry_runs(few) == 1 and few.get().priority == StageRun.INTERACTIVE
    asset()
    many.update(state="failed")
    assert again.retry_runs(many) > 2
    assert set(many.values_list("priority", flat=True)) == {StageRun.BULK}


def test_each_run_lies_in_the_queue_of_its_kind(space: EmbeddingSpace) -> None:
    asset()
    as_import()
    asset()
    pipeline.feed()
    assert queues.lying(queues.QUEUES) == {"interactive": 1, "bulk": 1, "vectorise": 0}
    StageRun.every.filter(variant=0, priority=StageRun.BULK).update(state="done")
    pipeline.feed()
    assert queues.lying(queues.QUEUES) == {"interactive": 1, "bulk": 1, "vectorise": 1}


def test_what_still_lies_in_the_broker_is_not_sent_again_however_late_it_is() -> None:
    asset()
    pipeline.feed()
    expire()
    assert pipeline.feed() == 0
    assert queues.lying(["interactive"]) == {"interactive": 1}


def test_what_the_broker_has_lost_is_sent_again_without_penalty() -> None:
    asset()
    asset()
    as_import()
    pipeline.feed()
    empty()
    assert pipeline.feed() == 0, "its lease has not ended"
    expire()
    assert pipeline.feed() == 2
    assert queues.lying(["bulk"]) == {"bulk": 2}
    assert set(StageRun.objects.filter(state="queued").values_list("lost_workers", flat=True)) == {0}


def test_of_a_queue_that_lost_some_only_as_many_are_sent_again() -> None:
    asset()
    asset()
    pipeline.feed()
    with current_app.connection_for_write() as connection:
        assert connection.default_channel.basic_get("interactive", no_ack=True)
    expire()
    assert pipeline.feed() == 1
    assert queues.lying(["interactive"]) == {"interactive": 2}


def test_an_import_holds_on_while_the_backlog_is_long(settings: Any) -> None:
    settings.BACKLOG = 4
    asset()
    assert queues.has_room("bulk"), "what people upload does not count"
    as_import()
    assert queues.has_room("bulk")
    asset()
    as_import()
    assert not queues.has_room("bulk") and queues.has_room("interactive")
    StageRun.objects.filter(stage="extract_metadata").update(state="done")
    assert queues.has_room("bulk")


def test_a_stage_that_had_to_be_killed_fails_with_a_reason(settings: Any) -> None:
    asset()
    run = StageRun.objects.filter(stage="make_renditions").get()
    claim: Claim | None = pipeline._claim(run.pk, "message", "importer@here")
    assert claim is not None and (claim.run.worker, claim.run.state) == ("importer@here", "running")
    leases.timed_out(run.pk, "another message")
    run.refresh_from_db()
    assert run.state == "running"
    first = StageRun.objects.get(stage="extract_metadata")  # whose message went on with this one
    leases.timed_out(first.pk, "message")
    run.refresh_from_db()
    assert (run.state, run.lost_workers) == ("failed", 0)
    assert (
        run.reason
        == f"It took longer than {settings.STAGE_SECONDS} seconds and did not stop when it was asked to."
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_waiting_goes_on_after_the_database_has_gone(monkeypatch: Any) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)
    one, shown = asset(), list[int]()
    StageRun.every.update(state="done")
    connection.ensure_connection()
    end_own_connection()
    assert waiting.wait_until_settled([one.pk], shown.append, lambda: None) == []
    assert shown == [0, 1]


def end_own_connection() -> None:
    """As a database does that is restarted."""
    place = {
        name: connection.get_connection_params()[name] for name in ("dbname", "user", "password", "host")
    }
    own = connection.connection.info.backend_pid
    with psycopg.connect(**place) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [own])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_a_task_leaves_its_connection_to_the_next_one_only_as_long_as_it_is_in_order() -> None:
    task = tasks.run_stage
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7)")
        first = connection.connection
        give_back(task)
        take_up(task)
        assert connection.connection is first
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,), "a lock would have been kept for ever"
    end_own_connection()
    take_up(task)
    assert connection.connection is None
    with transaction.atomic():
        StageRun.every.exists()
        give_back(task)
    assert connection.connection is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_nobody_waits_for_a_process_that_hangs_in_a_transaction() -> None:
    locked, free = (asset().current_version for _ in range(2))
    runs = StageRun.every.filter(stage="make_renditions")
    runs.update(state="running", message_id="message", lease_until=timezone.now() - timedelta(seconds=1))
    pk = runs.get(version=locked).pk
    place = {
        name: connection.get_connection_params()[name] for name in ("dbname", "user", "password", "host")
    }
    with psycopg.connect(**place) as hanging, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '5s'")
        hanging.execute("SELECT 1 FROM assets_stagerun WHERE id = %s FOR UPDATE", [pk])
        leases.timed_out(pk, "message")
        assert leases.release_expired() == 1
        assert [runs.get(version=one).state for one in (locked, free)] == ["running", "waiting"]
        hanging.rollback()
        assert leases.release_expired() == 1 and runs.get(version=locked).lost_workers == 1
        cursor.execute("RESET statement_timeout")
