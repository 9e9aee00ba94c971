"""Celery tasks: load, call, record. No rules here; ids only, keyword-only."""

import logging

from celery import current_app, shared_task
from django.core.cache import cache
from django.utils import timezone

from search import (
    alerts,
    checking,
    comparing,
    duplicates,
    encoders,
    features,
    filling,
    frequent,
    question_log,
    suggestions,
)
from search.learning import curve, jobs, schedule, tag_lessons, teaching

log = logging.getLogger(__name__)
DAY, HOUR = 86_400, 3600
FEATURES_SECONDS = 40.0


@shared_task(name="search.tend")
def tend() -> None:
    for task, space_id in filling.tend():
        current_app.send_task(task, kwargs={"space_id": space_id}, expires=10)
    for pk in comparing.waiting().values_list("pk", flat=True):
        current_app.send_task(comparing.TASK, kwargs={"comparison_id": pk}, expires=10)
    for pk in jobs.waiting().values_list("pk", flat=True):
        current_app.send_task(jobs.TASK, kwargs={"job_id": pk}, expires=10)
    for pk in curve.waiting().values_list("pk", flat=True):
        current_app.send_task(curve.TASK, kwargs={"lesson_id": pk}, expires=10)
    cache.set(filling.TENDED, timezone.now(), DAY)  # last: without the cache, work goes on


@shared_task(name="search.weigh_duplicates")
def weigh_duplicates() -> None:
    duplicates.weigh(500)


@shared_task(name="search.alert", time_limit=600, soft_time_limit=580)
def alert() -> None:
    alerts.work()


@shared_task(name="search.check_rows")
def check_rows() -> None:
    suggestions.count_again()
    checking.work()


@shared_task(name="search.prune_questions")
def prune_questions() -> None:
    question_log.prune()
    frequent.prune()


@shared_task(name=filling.FILL, soft_time_limit=filling.FILL_SECONDS, time_limit=filling.FILL_SECONDS + 10)
def fill(*, space_id: int) -> None:
    filling.work(space_id)


@shared_task(name=filling.INDEX, time_limit=DAY, soft_time_limit=DAY)
def build_indexes(*, space_id: int) -> None:
    filling.build_indexes(space_id)


@shared_task(name=comparing.TASK, time_limit=DAY, soft_time_limit=DAY)
def compare(*, comparison_id: int) -> None:
    comparing.run(comparison_id)


@shared_task(name="search.keep_features")
def keep_features() -> None:
    try:
        features.keep_missing(FEATURES_SECONDS)
    except encoders.EncoderError as error:
        log.info("Features are kept later: %s", error)


@shared_task(name="search.learn")
def learn() -> None:
    if schedule.is_due():
        jobs.ask(None)


@shared_task(name=jobs.TASK, time_limit=DAY, soft_time_limit=DAY)
def learn_now(*, job_id: int) -> None:
    jobs.run(job_id)


@shared_task(name=curve.TASK, time_limit=DAY, soft_time_limit=DAY)
def draw_curve(*, lesson_id: int) -> None:
    curve.run(lesson_id)


@shared_task(name=teaching.TASK, time_limit=HOUR, soft_time_limit=HOUR)
def choose_to_describe(*, user_id: int) -> None:
    teaching.choose(user_id)


@shared_task(name="search.learn_tags", time_limit=DAY, soft_time_limit=DAY)
def learn_tags() -> None:
    try:
        tag_lessons.learn()
    except encoders.EncoderError as error:
        log.warning("Learning tags has to wait: %s", error)
