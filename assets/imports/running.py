"""The work of an import in bounded steps: whoever dies in between, the next step goes on from the database.

A step claims the import for a while (`lease_until`, `token`), works for STEP_SECONDS, and asks for the next.
Beat calls `tend`, which sends a step for every import that nobody is working on.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from assets import claims
from assets.claims import Claim, free
from assets.imports import layout, looking, undoing, writing
from assets.imports.files import Files, SourceError
from assets.models import Import, ImportRow
from assets.queues import has_room
from assets.storage import StorageFull
from assets.tables import TableRefused

log = logging.getLogger(__name__)
State = Import.State
TASK = "assets.import_step"
STEP_SECONDS = 8.0
ROWS = 200  # looked at or taken in at once, at most
MOST_ATTEMPTS = 3
LOST = "A worker died over this three times in a row, the last time after row {}."


def begin(delivery: Import, state: str, among: Iterable[str]) -> bool:
    """Let the work go on in this state, if it is in one of `among` now; False where it is not.

    Who is working on it keeps it until the end of the step or of the lease.
    """
    fresh: dict[str, Any] = {"attempts": 0, "problem": "", "finished_at": None}
    if state != State.CHECKING:
        fresh |= {"started_at": timezone.now()}
    changed = Import.objects.filter(pk=delivery.pk, state__in=among).update(state=state, **fresh)
    if changed:
        delivery.refresh_from_db(fields=["state", *fresh])
        transaction.on_commit(lambda: send([delivery.pk]))
    return bool(changed)


def stop(delivery: Import, state: str) -> bool:
    """Pause or cancel what is running; the rows that are done stay."""
    going = [State.MAPPING, State.CHECKING, State.PLANNED, State.RUNNING, State.PAUSED]
    found = Import.objects.filter(pk=delivery.pk, state__in=going)
    return bool(found.update(state=state, finished_at=timezone.now()))


def undo(delivery: Import, user: User | None = None) -> bool:
    """Take the whole import back, in the name of `user` or of whose it is; False where it is still being
    worked on."""
    among = [State.DONE, State.CANCELLED, State.PAUSED]
    said = delivery.options | {"undone_by": user.pk if user else None}
    Import.objects.filter(pk=delivery.pk, state__in=among).update(position=0, options=said)
    return begin(delivery, State.UNDOING, among)


def again(delivery: Import, rows: "QuerySet[ImportRow]") -> int:
    """Let these rows be checked, or taken in, once more; returns how many.

    What is paused stays so until somebody lets it go on; of what was cancelled or taken back none are.
    """
    with transaction.atomic():
        open_now = Import.objects.select_for_update().filter(pk=delivery.pk, state__in=Import.CORRECTABLE)
        if not open_now.exists():
            return 0
        count = rows.update(outcome="", plan="", reason="", done_at=None, differences=[])
        begin(delivery, State.CHECKING, [State.PLANNED, State.CHECKING])
        begin(delivery, State.RUNNING, [State.DONE, State.RUNNING])
    return count


def tend() -> None:
    """Send a step for each import that waits for one."""
    send(free(Import.objects.all()).values_list("pk", flat=True))


def send(ids: Iterable[int]) -> None:
    """Offer steps to the workers."""
    claims.send(TASK, "import_id", ids)


def step(import_id: int, seconds: float = STEP_SECONDS) -> bool:
    """Work on an import for a while; returns whether more is to be done. Nothing where somebody else does."""
    claim = Claim.of(Import.objects.select_related("batch__user"), import_id)
    if claim is None:
        return False
    delivery = claim.work
    if delivery.attempts > MOST_ATTEMPTS:
        row = delivery.rows.exclude(outcome="").order_by("-number").first()
        _pause(claim, LOST.format(row.number if row else 0))
        return False
    try:
        more = _work(claim, seconds)
    except (SourceError, TableRefused, StorageFull, undoing.CannotUndo) as error:
        _pause(claim, str(error))
        return False
    except Exception as error:
        log.exception("%s stopped", delivery)
        _pause(claim, f"Something unexpected went wrong ({type(error).__name__}: {error}).")
        return False
    claim.release()
    if more:
        transaction.on_commit(lambda: send([import_id]))
    return more


def _pause(claim: Claim[Import], problem: str) -> None:
    back = {State.CHECKING: State.MAPPING, State.UNDOING: State.DONE}
    claim.pause(problem, back.get(State(claim.work.state), State.PAUSED))


def _work(claim: Claim[Import], seconds: float) -> bool:
    """Portion after portion; whether more is left. Listing the files may take longer, and does not count."""
    delivery, until = claim.work, time.monotonic() + seconds
    if delivery.state == State.UNDOING:
        while not undoing.undo_some(delivery):
            if not claim.renew() or time.monotonic() > until:
                return True
        claim.finish(State.UNDONE)
        return False
    files = Files(delivery)
    if not claim.hold():
        return True
    until = time.monotonic() + seconds
    if not delivery.laid_out and not layout.lay_out(delivery, files, until):
        return True
    while rows := list(_next(delivery)):
        if delivery.state == State.CHECKING:
            looking.look_at(delivery, rows, files, until)
        elif has_room():
            writing.take_in(delivery, rows, files, until, claim.renew)
        else:
            return False  # beat comes back
        if not claim.renew() or time.monotonic() > until:
            return True
    claim.finish(State.PLANNED if delivery.state == State.CHECKING else State.DONE)
    return False


def _next(delivery: Import) -> "QuerySet[ImportRow]":
    left = delivery.rows.filter(plan="") if delivery.state == State.CHECKING else delivery.rows
    return left.filter(outcome="").select_related("asset", "record").order_by("number")[:ROWS]
