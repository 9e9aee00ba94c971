"""Which questions were put, counted by day: never by whom, and no longer than SEARCH_LOG_DAYS."""

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.utils import timezone

from assets.text import label_key
from search.models import SearchLog

LONGEST = 200  # characters: what is longer was pasted, and is no question that somebody puts again
ADD = """
    INSERT INTO search_searchlog (day, key, mode, question, total, strong, times)
    VALUES (%s, %s, %s, %s, %s, %s, 1)
    ON CONFLICT (day, key, mode) DO UPDATE SET times = search_searchlog.times + 1,
        question = EXCLUDED.question, total = EXCLUDED.total, strong = EXCLUDED.strong
"""
log = logging.getLogger(__name__)


def after(answer: HttpResponse, question: str, mode: str, total: int, strong: int | None) -> HttpResponse:
    """Count a question once its answer has been sent, so that nobody waits for it."""
    closers: list[Any] = vars(answer)["_resource_closers"]  # called by HttpResponse.close, after it was sent
    closers.append(lambda: note(question, mode, total, strong))
    return answer


def note(question: str, mode: str, total: int, strong: int | None) -> None:
    """Count one question of today, and what it found; a database that is away only costs the count."""
    question = " ".join(question.replace("\x00", " ").split())
    if not question or len(question) > LONGEST or settings.SEARCH_LOG_DAYS <= 0:
        return
    values: list[Any] = [timezone.now().date(), label_key(question)[:LONGEST], mode, question, total, strong]
    try:
        with connection.cursor() as cursor:
            cursor.execute(ADD, values)
    except DatabaseError as error:
        log.warning("A question could not be counted: %s", error)


def prune() -> int:
    """Forget what is older than SEARCH_LOG_DAYS; returns how many rows went."""
    oldest = timezone.now().date() - timedelta(days=max(settings.SEARCH_LOG_DAYS, 0))
    gone, _ = SearchLog.objects.filter(day__lte=oldest).delete()
    return gone
