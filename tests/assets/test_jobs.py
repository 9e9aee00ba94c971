"""The jobs page: what runs, waits and failed, of what one may see; trying again, and giving up."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from assets import jobs, pipeline
from assets.models import Asset, Batch, StageRun
from tests.factories import asset, picture, take_in

pytestmark = pytest.mark.django_db


def failing(reason: str, name: str = "picture.jpg", stage: str = "make_renditions") -> Asset:
    made = asset("red", name, done=True)
    StageRun.objects.filter(version=made.current_version, stage=stage).update(state="failed", reason=reason)
    return made


def page(browser: Client, path: str = "/jobs/") -> str:
    return browser.get(path).content.decode()


def test_an_empty_page_says_that_nothing_waits(browser: Client) -> None:
    said = page(browser)
    assert "Nothing is waiting" in said and "every picture was processed" in said and "Cancel" not in said


def test_what_runs_and_waits_is_shown(browser: Client) -> None:
    one = asset(title="A harbour")
    run = StageRun.objects.filter(stage="make_renditions").get()
    pipeline._claim(run.pk, "message", "importer@here")
    said = page(browser, "/jobs/now/")
    assert all(words in said for words in ("A harbour", "Preview", "importer@here", "1 step"))
    assert "<html" not in said
    Asset.objects.filter(pk=one.pk).update(access="restricted")
    assert "A harbour" not in page(browser, "/jobs/now/")


def test_failures_are_grouped_by_reason_and_one_group_is_tried_again(browser: Client) -> None:
    for name in ("a.jpg", "b.jpg"):
        failing("It is cut off.", name)
    other = failing("No memory.", "c.jpg")
    hidden = failing("It is cut off.", "hidden.jpg")
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")
    said = page(browser)
    assert "Try 2 again" in said and "Try 1 again" in said and "Try all 3 pictures again" in said
    key = next(reason.key for reason in jobs.reasons(User.objects.get()) if "cut" in reason.reason)
    only = page(browser, f"/jobs/?reason={key}")
    assert "a.jpg" in only and "b.jpg" in only and "c.jpg" not in only and "hidden.jpg" not in only
    browser.post("/jobs/retry/", {"reason": key})
    failed = StageRun.objects.filter(state="failed").values_list("version__asset", flat=True)
    assert set(failed) == {other.pk, hidden.pk}


def test_what_waits_of_a_batch_can_be_given_up_and_tried_again(browser: Client, viewer: User) -> None:
    batch = Batch.objects.create(source="a folder", user=viewer)
    made = [take_in(picture(), batch=batch).asset for _ in range(2)]
    done = StageRun.objects.filter(version__asset=made[0], stage="make_renditions")
    content = picture()
    other = take_in(content, batch=Batch.objects.create(source="of another")).asset
    assert take_in(content, batch=batch).asset == other, "here already, and not theirs to cancel"
    done.update(state="done")
    assert "Cancel 2 waiting" in page(browser)
    browser.post(f"/jobs/cancel/{batch.uid}/")
    given_up = StageRun.objects.filter(state="failed")
    assert given_up.count() == 3 and done.get().state == "done"
    assert not given_up.filter(version__asset=other).exists()
    assert "Cancelled by viewer" in page(browser) and "Cancel 2 waiting" not in page(browser)
    browser.post("/jobs/retry/")
    assert not given_up.exists()


def test_nobody_cancels_the_batch_of_another(browser: Client) -> None:
    batch = Batch.objects.create(source="a folder")
    take_in(picture(), batch=batch)
    assert "Cancel" not in page(browser)
    assert browser.post(f"/jobs/cancel/{batch.uid}/").status_code == 404
    assert not StageRun.objects.filter(state="failed").exists()


def test_pictures_are_counted_by_minute_and_the_slowest_stage_says_how_long_it_takes() -> None:
    now = timezone.now()
    for _ in range(3):
        asset()
    runs = StageRun.objects.filter(stage="make_renditions")
    pks = list(runs.values_list("pk", flat=True))
    runs.filter(pk__in=pks[:2]).update(state="done", changed_at=now - timedelta(seconds=120))
    StageRun.objects.filter(stage="extract_metadata").update(state="done", changed_at=now)
    numbers = jobs.by_minute(now)
    assert len(numbers) == jobs.MINUTES and numbers[-3] == 2 and sum(numbers) == 2
    assert jobs.seconds_left(now) == pytest.approx(60, abs=1)  # two in two minutes, one is left
    assert jobs.plot(numbers).bars == [(342.0, 2.0, 58.0)]
    runs.update(state="waiting")
    assert jobs.seconds_left(now) is None
