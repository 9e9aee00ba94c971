"""What came of the runs that somebody has claimed: written together where possible, else one by one."""

import logging
import random
import traceback
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from assets.commits import SOON
from assets.models import Asset, StageRun
from assets.stages import Outcome, PermanentFailure, Postponed, Write

log = logging.getLogger(__name__)
State = StageRun.State
MAX_ATTEMPTS, BACKOFF_SECONDS = 4, 5
FINISH = f"""
    WITH its AS MATERIALIZED (SELECT FROM assets_asset WHERE id = %s AND {SOON} FOR NO KEY UPDATE)
    UPDATE assets_stagerun
    SET state = '{State.DONE}', lease_until = NULL, token = NULL, reason = '', detail = '', changed_at = %s
    WHERE EXISTS (SELECT FROM its) AND id = %s AND token = %s AND state = '{State.RUNNING}'
"""  # noqa: S608 (names of states; values are parameters)
DONE: dict[str, Any] = {
    "state": State.DONE,
    "lease_until": None,
    "token": None,
    "reason": "",
    "detail": "",
}


@dataclass(frozen=True)
class Claim:
    """The right to write the result of one run."""

    run: StageRun
    token: uuid.UUID

    @property
    def held(self) -> "QuerySet[StageRun]":
        return StageRun.every.filter(pk=self.run.pk, token=self.token, state=State.RUNNING)


def record(claim: Claim, outcome: Outcome, alone: bool = True) -> None:
    """Raises nothing for an error of the stage; `alone`: it was called for this run only."""
    if not isinstance(outcome, Exception):
        try:
            return _finish(claim, outcome)
        except Exception as error:  # noqa: BLE001 (the boundary, as in pipeline._outcomes)
            outcome = error
    if isinstance(outcome, PermanentFailure):
        _fail(claim, outcome, str(outcome))
    elif isinstance(outcome, Postponed):
        _postpone(claim, outcome)
    elif isinstance(outcome, SoftTimeLimitExceeded) and alone:
        seconds = settings.CELERY_TASK_SOFT_TIME_LIMIT
        said = (
            f"It took longer than {seconds} seconds and was stopped. The file may be damaged or very large."
        )
        _fail(claim, outcome, said)
    else:
        _try_again(claim, outcome)


def _finish(claim: Claim, write: Write) -> None:
    """The asset is locked before its run, as an edit does that lets runs wait again: they never deadlock."""
    run = claim.run
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FINISH, [run.version.asset_id, timezone.now(), run.pk, claim.token])
        if not cursor.rowcount:
            log.info("%s was taken over by another worker; this result is dropped", run)
            return
        write()
    run.state = State.DONE


def finish_all(good: Sequence[tuple[Claim, Write]]) -> None:
    """Write these results in one transaction, and one by one what cannot be written so."""
    left = good
    if len(good) > 1:
        try:
            left = _finish_together(good)
        except Exception as error:  # noqa: BLE001 (each by itself tells whose it is)
            log.info("%d results could not be written together: %s", len(good), error)
    for claim, write in left:
        record(claim, write)


def _finish_together(good: Sequence[tuple[Claim, Write]]) -> list[tuple[Claim, Write]]:
    """As _finish, in one transaction, without waiting for any lock; returns those that it had to leave."""
    assets = Asset.objects.filter(pk__in={claim.run.version.asset_id for claim, _ in good})
    with transaction.atomic():
        free = set(assets.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
        runs = StageRun.every.filter(
            pk__in=[claim.run.pk for claim, _ in good if claim.run.version.asset_id in free],
            token__in={claim.token for claim, _ in good},
            state=State.RUNNING,
        )
        held = set(runs.select_for_update(skip_locked=True).values_list("pk", flat=True))
        for claim, write in good:
            if claim.run.pk in held:
                write()
        StageRun.every.filter(pk__in=held).update(**DONE, changed_at=timezone.now())
    for claim, _ in good:
        claim.run.state = State.DONE if claim.run.pk in held else claim.run.state
    return [(claim, write) for claim, write in good if claim.run.pk not in held]


def _fail(claim: Claim, error: Exception, reason: str) -> None:
    _leave(claim, error, reason, state=State.FAILED)


def _postpone(claim: Claim, postponed: Postponed) -> None:
    """Back to waiting as if nothing had been tried, but not before the time it names."""
    log.info("%s waits %.0f s: %s", claim.run, postponed.seconds, postponed)
    until = timezone.now() + timedelta(seconds=postponed.seconds)
    _leave(claim, postponed, str(postponed), not_before=until, attempts=F("attempts") - 1)


def _try_again(claim: Claim, error: Exception) -> None:
    """Back to waiting with a growing, jittered delay; after MAX_ATTEMPTS shown as failed."""
    log.warning("%s: attempt %d: %s", claim.run, claim.run.attempts, error, exc_info=error)
    said = f"{type(error).__name__}: {error}"
    if claim.run.attempts >= MAX_ATTEMPTS:
        tried = f"It did not work in {claim.run.attempts} attempts. The last error: {said}"
        return _fail(claim, error, tried)
    delay = BACKOFF_SECONDS * 2 ** (claim.run.attempts - 1) * random.uniform(0.8, 1.4)  # noqa: S311
    _leave(claim, error, said, not_before=timezone.now() + timedelta(seconds=delay))


def _leave(claim: Claim, error: Exception, reason: str, **values: Any) -> None:
    """Give up the claim and note why; the run waits unless `values` say otherwise."""
    said = {"reason": reason, "detail": "".join(traceback.format_exception(error))}
    free = {"state": State.WAITING, "lease_until": None, "token": None, "changed_at": timezone.now()}
    claim.held.update(**{**free, **said, **values})
