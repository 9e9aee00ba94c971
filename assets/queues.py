"""Which queue a run goes to, how much of each lies in the broker, and whether there is room for more.

    interactive   somebody waits for it: an upload of a few files, a retry by hand; all its stages
    bulk          imports: previews and embedded metadata
    vectorise     imports: likeness, which asks an encoder

What is in no queue waits in the database: that is the back-pressure on the broker. Runs of priority
BACKGROUND are in none (pipeline.work_off).
"""

from collections.abc import Iterable

from celery import current_app
from django.conf import settings
from django.db.models import Q
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from assets.models import StageRun
from assets.stages import pipeline

INTERACTIVE, BULK, VECTORISE = QUEUES = ("interactive", "bulk", "vectorise")
AWAY = (OperationalError, RedisError, OSError)  # the broker cannot be reached
OPEN = (StageRun.State.WAITING, StageRun.State.QUEUED, StageRun.State.RUNNING)


def queue_of(priority: int, stage: str) -> str:
    """The queue of a run of this priority (below BACKGROUND) and stage."""
    return INTERACTIVE if priority < StageRun.BULK else pipeline()[stage].queue


def stages_of(queue: str) -> list[str]:
    """The stages whose runs may go to this queue."""
    return [name for name, stage in pipeline().items() if queue in (INTERACTIVE, stage.queue)]


def runs_of(queue: str) -> Q:
    """A condition on StageRun: those of this queue, in whatever state."""
    if queue == INTERACTIVE:
        return Q(priority__lt=StageRun.BULK)
    return Q(priority__gte=StageRun.BULK, priority__lt=StageRun.BACKGROUND, stage__in=stages_of(queue))


def has_room(queue: str = BULK) -> bool:
    """Whether whoever produces work for this queue should go on; else: wait some seconds and ask again.

    False while BACKLOG or more of its runs are not finished, whether they wait, were sent or are being done;
    whoever asks before each file overshoots by what it takes in meanwhile, which does no harm. People's own
    uploads (`interactive`) are never held up. Costs one query of an index.
    """
    if queue == INTERACTIVE:
        return True
    unfinished = StageRun.every.filter(runs_of(queue), state__in=OPEN)
    return not unfinished[settings.BACKLOG - 1 : settings.BACKLOG].exists()


def lying(queues: Iterable[str]) -> dict[str, int]:
    """How many messages of each queue lie in the broker, not yet taken by a worker. Raises one of AWAY."""
    with current_app.connection_for_write() as connection:
        channel = connection.default_channel
        return {name: channel.queue_declare(queue=name).message_count for name in queues}
