"""The Celery application; everything about it is configured in settings.py (CELERY_…)."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init, task_postrun, task_prerun, worker_ready
from django.db import DatabaseError, connection, connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
app = Celery("dam")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would make a new connection to the database for each task, which costs 10 ms on both sides.
app.conf.CELERY_DB_REUSE_MAX = 1_000_000


def touch_ready_file(**_: object) -> None:
    """`manage.py up` waits for this file before it says that the worker or the beat is ready."""
    if name := os.environ.get("READY_FILE"):
        Path(name).touch()


worker_ready.connect(touch_ready_file)
beat_init.connect(touch_ready_file)


def take_up(task: Any, **_: object) -> None:
    """The connection that the task before has left is used again, if it still works."""
    if not task.request.is_eager and connection.connection is not None and not connection.is_usable():
        connection.close()


def give_back(task: Any, **_: object) -> None:
    """Left open is only a connection without a transaction or an error, and no lock stays with it."""
    if task.request.is_eager or connection.connection is None:
        return
    clean = connection.autocommit and not connection.in_atomic_block and not connection.errors_occurred
    try:
        if clean:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")
    except DatabaseError:
        clean = False
    if not clean:
        connections.close_all()


task_prerun.connect(take_up)
task_postrun.connect(give_back)
