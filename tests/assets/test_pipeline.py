from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from assets import again, leases, outcomes, pipeline, progress, queues
from assets.again import retry
from assets.models import AssetVersion, StageRun
from assets.progress import progress_of
from assets.stages import PermanentFailure, Stage
from assets.stages import pipeline as stages
from tests.factories import asset, process

pytestmark = pytest.mark.django_db
Broken = dict[str, Exception | None]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Broken:
    """Stages that only count: `second` needs `first`, `side` is a blemish. Set an error to break one."""
    broken: Broken = {}
    done: list[str] = []

    def made(name: str, needs: tuple[str, ...] = (), essential: bool = True) -> Stage:
        def run(versions: Sequence[AssetVersion], variant: int) -> Any:
            if error := broken.get(name):
                raise error
            return [lambda: done.append(name) for _ in versions]

        return Stage(name, name.title(), run, needs, essential)

    chain = {
        "first": made("first"),
        "side": made("side", essential=False),
        "second": made("second", ("first",)),
    }
    monkeypatch.setattr(pipeline, "pipeline", lambda: chain)
    monkeypatch.setattr(again, "pipeline", lambda: chain)
    monkeypatch.setattr(progress, "pipeline", lambda: chain)
    monkeypatch.setattr(queues, "pipeline", lambda: chain)
    monkeypatch.setattr(pipeline, "_send", send := Sender())
    broken["sent"] = send  # type: ignore[assignment]
    broken["done"] = done  # type: ignore[assignment]
    return broken


class Sender:
    """Notes what would go to the broker, of each picture the first, marking it as queued."""

    def __init__(self) -> None:
        self.ids: list[int] = []

    def __call__(self, runs: Any, most: int) -> int:
        first: dict[int, int] = {}
        for pk, version in runs.values_list("pk", "version"):
            first.setdefault(version, pk)
        ids, lease = list(first.values())[:most], timezone.now() + timedelta(seconds=60)
        StageRun.objects.filter(pk__in=ids).update(state="queued", lease_until=lease)
        self.ids += ids
        return len(ids)


def runs_of(found: Any) -> dict[str, StageRun]:
    return {run.stage: run for run in StageRun.objects.filter(version=found.current_version_id)}


def expire() -> None:
    StageRun.objects.exclude(lease_until=None).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_one_message_is_enough_for_a_picture_and_its_stages_run_in_the_order_of_their_needs(
    plain: Broken,
) -> None:
    one = asset()
    assert [s.state for s in progress_of(one).stages] == ["waiting"] * 3
    pipeline.feed()
    runs = runs_of(one)
    assert [runs[n].state for n in ("first", "side", "second")] == ["queued", "waiting", "waiting"]
    pipeline.feed()
    assert plain["sent"].ids == [runs["first"].pk]  # type: ignore[union-attr]
    pipeline.run(runs["first"].pk)
    assert plain["done"] == ["first", "side", "second"] and progress_of(one).state == "searchable"
    assert {run.attempts for run in runs_of(one).values()} == {1}


def test_a_window_bounds_what_lies_in_the_broker(plain: Broken, settings: Any) -> None:
    settings.QUEUE_WINDOW = 3
    [asset() for _ in range(4)]
    assert pipeline.feed() == 3 and pipeline.feed() == 0
    assert StageRun.objects.filter(state="queued").count() == 3


def test_each_queue_has_a_window_of_its_own(plain: Broken, settings: Any) -> None:
    settings.QUEUE_WINDOW = 1
    slow, quick = asset(), asset()
    StageRun.objects.filter(version=slow.current_version_id).update(priority=StageRun.BULK)
    assert pipeline.feed() == 2
    assert [runs_of(one)["first"].state for one in (slow, quick)] == ["queued", "queued"]


def test_after_a_while_the_next_stage_is_sent_unless_its_queue_is_full(
    plain: Broken, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "ALONG_SECONDS", -1.0)
    one, other = asset(), asset()
    pipeline.feed()
    pipeline.run(runs_of(one)["first"].pk)
    assert [runs_of(one)[n].state for n in ("first", "side", "second")] == ["done", "queued", "waiting"]
    settings.QUEUE_WINDOW = 1
    pipeline.run(runs_of(other)["first"].pk)
    assert {runs_of(other)[n].state for n in ("side", "second")} == {"waiting"}


def test_a_message_goes_on_only_with_what_is_as_urgent(plain: Broken) -> None:
    one = asset()
    StageRun.objects.filter(stage="side").update(priority=StageRun.BULK)
    StageRun.objects.exclude(stage="side").update(priority=StageRun.INTERACTIVE)
    assert pipeline.feed() == 2, "somebody who waits does not wait for an import of the same picture"
    pipeline.run(runs_of(one)["first"].pk)
    assert plain["done"] == ["first", "second"] and runs_of(one)["side"].state == "queued"


def test_a_worker_that_dies_over_a_later_stage_is_noticed_by_the_same_message(plain: Broken) -> None:
    one = asset()
    runs = runs_of(one)
    StageRun.objects.filter(pk=runs["first"].pk).update(state="done", message_id="same")
    assert pipeline._claim(runs["second"].pk, "same") is not None
    pipeline.run(runs["first"].pk, "same")
    second = runs_of(one)["second"]
    assert (second.state, second.lost_workers) == ("waiting", 1)


def test_two_messages_for_one_run_give_one_result(plain: Broken) -> None:
    run = runs_of(asset())["first"]
    claim = pipeline._claim(run.pk, "a")
    assert claim is not None and pipeline._claim(run.pk, "b") is None
    outcomes._finish(claim, lambda: None)
    pipeline.run(run.pk, "b")
    assert plain["done"] == [] and StageRun.objects.get(pk=run.pk).attempts == 1


def test_a_worker_that_lost_its_lease_cannot_write(plain: Broken) -> None:
    run = runs_of(asset())["first"]
    slow = pipeline._claim(run.pk, "a")
    expire()
    leases.release_expired()
    quick = pipeline._claim(run.pk, "b")
    assert slow is not None and quick is not None
    outcomes._finish(slow, lambda: pytest.fail("an outdated result was written"))
    outcomes._fail(slow, ValueError("outdated"), "outdated")
    assert StageRun.objects.get(pk=run.pk).state == "running"
    outcomes._finish(quick, lambda: None)
    assert StageRun.objects.get(pk=run.pk).state == "done"


def test_a_stage_that_was_touched_meanwhile_is_left_and_the_others_are_done(
    plain: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = asset()
    runs = runs_of(one)
    real, pk = outcomes._finish, runs["side"].pk

    def meanwhile(claim: outcomes.Claim, write: Any) -> None:
        real(claim, write)
        StageRun.objects.filter(pk=pk).update(state="waiting", attempts=1)

    monkeypatch.setattr(outcomes, "_finish", meanwhile)
    pipeline.run(runs["first"].pk)
    assert plain["done"] == ["first", "second"]
    assert runs_of(one)["side"].state == "waiting"


def test_nobody_waits_for_the_disk_but_for_what_was_promised(plain: Broken) -> None:
    def waited() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return str(cursor.fetchone()[0])

    run = runs_of(asset())["first"]
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        claim = pipeline._claim(run.pk, "a")
        assert claim is not None and waited() == "off"
        cursor.execute("SET LOCAL synchronous_commit = on")
        outcomes._finish(claim, lambda: found.append(waited()))
        assert found == ["off"]
        cursor.execute("SET LOCAL synchronous_commit = on")
        asset()
        assert waited() == "on"


def test_three_lost_workers_are_a_permanent_failure(plain: Broken) -> None:
    one = asset()
    run = runs_of(one)["first"]
    for _ in range(3):
        assert pipeline._claim(run.pk, "") is not None
        expire()
        leases.release_expired()
    run.refresh_from_db()
    assert run.state == "failed" and "3 workers" in run.reason
    assert progress_of(one).state == "processing"  # the side stage still runs
    StageRun.objects.filter(stage="side").update(state="done")
    assert progress_of(one).state == "failed"


def test_the_same_message_again_means_that_its_worker_died(plain: Broken) -> None:
    run = runs_of(asset())["first"]
    for lost in range(3):
        assert pipeline._claim(run.pk, "same message") is not None
        assert StageRun.objects.get(pk=run.pk).lost_workers == lost
    assert pipeline._claim(run.pk, "same message") is None
    assert StageRun.objects.get(pk=run.pk).state == "failed"


def test_passing_errors_are_tried_again_later_and_shown_in_the_end(plain: Broken) -> None:
    one = asset()
    run = runs_of(one)["first"]
    plain["first"] = OSError("no route")
    for attempt in range(1, 5):
        pipeline.run(run.pk)
        run.refresh_from_db()
        if attempt < 4:
            assert run.state == "waiting" and run.not_before is not None and run.not_before > timezone.now()
            assert not pipeline._ready().filter(pk=run.pk).exists()
    assert run.state == "failed" and "OSError: no route" in run.reason and "Traceback" in run.detail


def test_a_permanent_failure_is_not_tried_again_and_blocks_only_what_needs_it(plain: Broken) -> None:
    one, other = asset(), asset()
    plain["first"] = PermanentFailure("The file is truncated.")
    pipeline.feed()
    pipeline.run(plain["sent"].ids[0])  # type: ignore[union-attr]
    found = progress_of(one)
    assert found.state == "failed" and found.problems[0].reason == "The file is truncated."
    plain["first"] = None
    pipeline.run(runs_of(other)["first"].pk)
    assert progress_of(other).state == "searchable"


def test_a_blemish_does_not_make_a_picture_fail(plain: Broken) -> None:
    one = asset()
    plain["side"] = PermanentFailure("bad EXIF")
    pipeline.feed()
    [pipeline.run(pk) for pk in list(plain["sent"].ids)]  # type: ignore[union-attr]
    assert progress_of(one).state == "searchable" and progress_of(one).problems[0].reason == "bad EXIF"


def test_retry_lets_failed_runs_wait_again(plain: Broken) -> None:
    one = asset()
    plain["first"] = PermanentFailure("no")
    pipeline.run(runs_of(one)["first"].pk)
    plain["first"] = None
    assert retry([one]) == 1
    run = runs_of(one)["first"]
    assert (run.state, run.attempts, run.reason, run.priority) == ("waiting", 0, "", 1)


def test_forcing_runs_what_is_done_once_more(space: Any) -> None:
    one = asset(done=True)
    assert retry([one]) == 0
    assert retry([one], ["vectorise_picture"], force=True) == 1
    assert progress_of(one).state == "processing"
    process(one)
    assert progress_of(one).state == "searchable"


def test_without_a_broker_the_work_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr(pipeline.current_app, "send_task", away)
    one = asset()
    assert pipeline.feed() == 0
    assert {run.state for run in runs_of(one).values()} == {"waiting"}


def test_every_stage_of_the_settings_needs_only_what_exists() -> None:
    assert all(need in stages() for stage in stages().values() for need in stage.needs)
