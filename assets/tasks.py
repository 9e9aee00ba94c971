"""Celery tasks: load, call, record. No rules here; ids only, keyword-only."""

import logging
from typing import Any

from celery import current_app, shared_task
from celery.worker.request import Request
from django.db import DatabaseError, connections

from assets import colors, fixity, leases, looking, orphans, pipeline, purging, storage, uploads, watching
from assets.bulk import running as bulk
from assets.bulk import selecting
from assets.changes import collections
from assets.imports import running, starting
from assets.sharing import links
from assets.terms import work as term_work
from assets.uploads.finishing import FINISH_SECONDS, FINISH_TASK

log = logging.getLogger(__name__)


class StageRequest(Request):  # type: ignore[misc]
    """Says of a stage that had to be killed that it took too long, rather than that its worker got lost."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        super().on_timeout(soft, timeout)
        if soft:
            return
        try:
            leases.timed_out(self.kwargs["run_id"], self.id)
        except DatabaseError as error:  # then its lease ends, as that of a lost worker
            log.warning("It could not be noted that run %s was killed: %s", self.kwargs["run_id"], error)
        finally:
            connections.close_all()  # this is the parent of all worker processes


@shared_task(name=pipeline.RUN_TASK, bind=True, Request=StageRequest)
def run_stage(self: Any, *, run_id: int) -> None:
    pipeline.run(run_id, message_id=self.request.id or "", worker=self.request.hostname or "")


@shared_task(name="assets.feed")
def feed() -> None:
    pipeline.feed()


@shared_task(name="assets.find_colors")
def find_colors() -> None:
    colors.look_at_missing(200)


@shared_task(name="assets.find_duplicates")
def find_duplicates() -> None:
    looking.work()


@shared_task(name="assets.plan_duplicates")
def plan_duplicates() -> None:
    looking.plan()


@shared_task(name="assets.sweep")
def sweep() -> None:
    storage.sweep()
    starting.sweep()
    selecting.sweep()
    links.forget()


@shared_task(name="assets.empty_trash", soft_time_limit=600, time_limit=660)
def empty_trash() -> None:
    purging.empty()


@shared_task(name="assets.check_fixity", soft_time_limit=3600, time_limit=3660)
def check_fixity() -> None:
    fixity.work()


@shared_task(name="assets.check_fixity_of_all", soft_time_limit=600, time_limit=660)
def check_fixity_of_all() -> None:
    if fixity.work_on():
        current_app.send_task("assets.check_fixity_of_all")


@shared_task(name="assets.find_orphans", soft_time_limit=3500, time_limit=3600)
def find_orphans() -> None:
    orphans.survey()


@shared_task(name=FINISH_TASK, time_limit=FINISH_SECONDS, soft_time_limit=FINISH_SECONDS - 10)
def finish_upload(*, upload_id: int) -> None:
    uploads.finish(upload_id)


@shared_task(name="assets.tend_uploads")
def tend_uploads() -> None:
    uploads.tend()


@shared_task(name="assets.watch", soft_time_limit=3500, time_limit=3600)
def watch() -> None:
    watching.look_at_all()


@shared_task(name=running.TASK, time_limit=3600, soft_time_limit=3500)
def import_step(*, import_id: int) -> None:
    running.step(import_id)


@shared_task(name="assets.tend_imports")
def tend_imports() -> None:
    running.tend()


@shared_task(name=collections.TASK)
def collection_changed(*, collection_id: int, after: int) -> None:
    following = collections.tell(collection_id, after)
    if following is not None:
        message = {"collection_id": collection_id, "after": following}
        current_app.send_task(collections.TASK, kwargs=message)


@shared_task(name=bulk.TASK)
def bulk_step(*, job_id: int) -> None:
    bulk.step(job_id)


@shared_task(name="assets.tend_bulk")
def tend_bulk() -> None:
    bulk.tend()


@shared_task(name=term_work.TASK, time_limit=3600, soft_time_limit=3500)
def term_step(*, work_id: int) -> None:
    term_work.step(work_id)


@shared_task(name="assets.tend_terms")
def tend_terms() -> None:
    term_work.tend()
