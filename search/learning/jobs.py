"""Learning that somebody asked for, or that is due: noted in the database, done by a worker."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from search import encoders, features, spaces
from search.learning import lessons, tag_lessons
from search.learning.library import Note
from search.models import LearningJob

TASK = "search.learn_now"
PORTION = 20.0  # seconds of keeping features, between two notes of how far it is
STALE = timedelta(minutes=15)
"""A job that was not heard of for so long has lost its worker: longer than any step between two notes."""
State = LearningJob.State
OPEN = (State.WAITING, State.RUNNING)


def ask(user: User | None) -> LearningJob:
    """Note the wish to learn now; the one that is noted already, if there is one."""
    return under_way() or LearningJob.objects.create(user=user)


def under_way() -> LearningJob | None:
    return LearningJob.objects.filter(state__in=OPEN).first()


def waiting() -> "QuerySet[LearningJob]":
    """Those that nobody is at."""
    stale = Q(state=State.RUNNING, changed_at__lt=timezone.now() - STALE)
    return LearningJob.objects.filter(Q(state=State.WAITING) | stale)


def run(job_id: int) -> None:
    """Do one that waits; nothing happens if somebody else has it.

    It goes on waiting while somebody learns by the command. What fails is kept with it, in words.
    """
    if not waiting().filter(pk=job_id).update(state=State.RUNNING, step="", changed_at=timezone.now()):
        return

    def note(step: str, done: int, of: int) -> None:
        _change(job_id, step=step, done=done, of=of)

    try:
        _keep_features(note)
        lessons.learn(note=note)
        tag_lessons.learn()
    except lessons.Busy:
        _change(job_id, state=State.WAITING)
    except (encoders.EncoderError, spaces.SpaceError) as error:
        _change(job_id, state=State.FAILED, problem=str(error))
    except Exception:
        _change(job_id, state=State.FAILED)
        raise
    else:
        _change(job_id, state=State.DONE)


def _keep_features(note: Note) -> None:
    space = spaces.active()
    while space and features.keep_missing(PORTION):
        note("features", round(1000 * features.share(space)), 1000)


def _change(job_id: int, **values: object) -> None:
    LearningJob.objects.filter(pk=job_id).update(changed_at=timezone.now(), **values)
