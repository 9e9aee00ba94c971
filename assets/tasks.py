"""Celery tasks: load, call, record. No rules here; ids only, keyword-only."""

from typing import Any

from celery import shared_task

from assets import colors, fixity, pipeline, purging, storage


@shared_task(name=pipeline.RUN_TASK, bind=True)
def run_stage(self: Any, *, run_id: int) -> None:
    pipeline.run(run_id, message_id=self.request.id or "")


@shared_task(name="assets.feed")
def feed() -> None:
    pipeline.feed()


@shared_task(name="assets.find_colors")
def find_colors() -> None:
    colors.look_at_missing(200)


@shared_task(name="assets.sweep")
def sweep() -> None:
    storage.sweep()


@shared_task(name="assets.empty_trash", soft_time_limit=600, time_limit=660)
def empty_trash() -> None:
    purging.empty()


@shared_task(name="assets.check_fixity", soft_time_limit=3600, time_limit=3660)
def check_fixity() -> None:
    fixity.work()
