"""Learning in a museum that is open: people search, workers are killed, pictures come, go and change.

LEARNING_TIMES says how often each of 28 pictures is there (make soak: 40).
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.models import User
from assets import leases
from assets.models import Asset, StageRun
from search import filling, kept, spaces, sql
from search.hybrid import HybridQuery
from search.learning import lessons, library
from search.models import EmbeddingSpace, TextVector
from search.query import run
from tests.encoder import ColourEncoder
from tests.search.learning import museum

TIMES = int(os.environ.get("LEARNING_TIMES", "2"))
READERS = 2
QUESTIONS = ("green and white", "red and cyan", "blue and magenta")
State = EmbeddingSpace.State
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("vocabularies")]


class Answer(NamedTuple):
    space: str
    text: str
    found: tuple[int, ...]


@pytest.fixture
def open_museum(encoder: ColourEncoder) -> EmbeddingSpace:
    space, _ = spaces.ensure()
    museum.pictures(space, museum.titles(TIMES), museum.features(TIMES))
    return space


def ask(user: User, text: str) -> Answer:
    results = run(HybridQuery(user=user, text=text, mode="visual"))
    return Answer(results.space, text, tuple(one.pk for one in results.assets))


def fill(space: EmbeddingSpace) -> EmbeddingSpace:
    """As beat and the workers do, the indexes built beside those who read."""
    until = time.monotonic() + 120
    while space.state == State.BUILDING and time.monotonic() < until:
        for task, pk in filling.tend():
            {filling.FILL: filling.work, filling.INDEX: filling.build_indexes}[task](pk)
        space.refresh_from_db()
    return space


@contextmanager
def readers(user: User) -> Iterator[list[Answer]]:
    """Who asks one question after the other; what they were answered. Whatever fails is raised at the end."""
    over, heard = Event(), list[Answer]()

    def read(first: int) -> None:
        number = first
        try:
            while not over.is_set():
                heard.append(ask(user, QUESTIONS[number % len(QUESTIONS)]))
                number += 1
                time.sleep(0.02)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(READERS) as pool:
        reading: list[Future[None]] = [pool.submit(read, number) for number in range(READERS)]
        try:
            yield heard
        finally:
            over.set()
            for one in reading:
                one.result()


def until_heard(heard: list[Answer], space: EmbeddingSpace) -> None:
    """Wait until each question was answered by this space."""
    end = time.monotonic() + 60
    while {one.text for one in heard if one.space == space.slug} != set(QUESTIONS):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_searches_go_on_while_a_head_is_learned_filled_used_and_left(
    open_museum: EmbeddingSpace, admin: User
) -> None:
    right = {ask(admin, text) for text in QUESTIONS}
    with readers(admin) as heard:
        made = fill(spaces.get(lessons.learn().space or ""))
        assert made.state == State.READY
        until_heard(heard, open_museum)
        spaces.activate(made)
        until_heard(heard, made)
        after = {ask(admin, text) for text in QUESTIONS}
        assert spaces.rollback() == open_museum
        there = len(heard)
        while len(heard) < there + 2 * READERS:
            time.sleep(0.02)
    assert {ask(admin, text) for text in QUESTIONS} == right
    assert {one.space for one in after} == {made.slug}
    assert {one.found for one in after} != {one.found for one in right}
    assert set(heard) == right | after, "each list is all of one space, and exact"


def in_a_child(work: Callable[[], Any]) -> int:
    """Do it in another process, with a connection of its own; the signal that ended it."""
    if (pid := os.fork()) == 0:
        try:
            for one in connections.all():
                one.connection = None  # the parent's: libpq leaves it alone in a child
            work()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def kills(after: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """As `real`, but that this process is killed in the call that comes after so many."""
    calls = iter(range(after))

    def killing(*args: Any, **given: Any) -> Any:
        if next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **given)

    return killing


def free_again() -> bool:
    """Whether the database has noticed that who was learning is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lessons.LEARNING])
        (got,) = cursor.fetchone()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [lessons.LEARNING] if got else [0])
    return bool(got)


def test_who_is_killed_in_the_middle_is_continued(
    open_museum: EmbeddingSpace, encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = Asset.objects.count()
    monkeypatch.setattr(library, "ENCODED_AT_ONCE", 16)
    with monkeypatch.context() as patched:
        patched.setattr(encoder, "encode_texts", kills(1, encoder.encode_texts))
        assert in_a_child(lessons.learn) == signal.SIGKILL
    known, end = TextVector.objects.count(), time.monotonic() + 20
    assert 0 < known < number
    while not free_again():
        assert time.monotonic() < end
        time.sleep(0.02)
    asked = encoder.asked
    made = spaces.get(lessons.learn().space or "")
    assert encoder.asked - asked <= number - known + 1, "what was encoded is not encoded again"
    with monkeypatch.context() as patched:
        patched.setattr(sql, "write_vector", kills(10, sql.write_vector))
        filling.tend()
        assert in_a_child(lambda: filling.work(made.pk)) == signal.SIGKILL
    lost = StageRun.every.filter(variant=made.pk, state=StageRun.State.RUNNING)
    assert lost.exists()
    lost.update(lease_until=timezone.now() - timedelta(seconds=1))
    leases.release_expired()
    assert fill(made).state == State.READY
    seen = sql.vectors_of(made, list(Asset.objects.values_list("pk", flat=True)))
    features = kept.features(open_museum.slug, list(Asset.objects.values_list("current_version", flat=True)))
    learned: Any = spaces.encoder_of(made)
    order = dict(Asset.objects.values_list("pk", "current_version"))
    expected = learned.project(np.stack([features[order[pk]] for pk in seen]))
    assert len(seen) == number and np.allclose(list(seen.values()), expected, atol=2e-3)
