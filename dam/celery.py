"""The Celery application; everything about it is configured in settings.py (CELERY_…)."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import beat_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dam.settings")
app = Celery("dam")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def touch_ready_file(**_: object) -> None:
    """`manage.py up` waits for this file before it says that the worker or the beat is ready."""
    if name := os.environ.get("READY_FILE"):
        Path(name).touch()


worker_ready.connect(touch_ready_file)
beat_init.connect(touch_ready_file)
