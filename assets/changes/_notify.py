"""Telling the other apps what has changed: once for each transaction, however many changes it makes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

_collected: ContextVar[dict[int, bool] | None] = ContextVar("collected", default=None)
"""By asset, whether it was made just now."""


@contextmanager
def together() -> Iterator[None]:
    """One transaction for several changes, whose search rows are written once, at its end."""
    collected: dict[int, bool] = {}
    with transaction.atomic():
        outer = _collected.set(collected)
        try:
            yield
        finally:
            _collected.reset(outer)
        notify(sorted(pk for pk, new in collected.items() if not new))
        notify(sorted(pk for pk, new in collected.items() if new), new=True)


def facts_changed(asset_ids: Sequence[int]) -> None:
    """Tell the other apps (settings.FACTS_CHANGED) that something was found out about the files.

    Nobody has changed a word, so that nothing which was made of the words needs to be made again.
    """
    for path in settings.FACTS_CHANGED:
        import_string(path)(list(asset_ids))


def colors_changed(asset_ids: Sequence[int]) -> None:
    """Tell the other apps (settings.COLORS_CHANGED) that the colours of what these assets show are known."""
    for path in settings.COLORS_CHANGED:
        import_string(path)(list(asset_ids))


def picture_changed(asset_ids: Sequence[int]) -> None:
    """Tell the other apps (settings.PICTURE_CHANGED) that these assets show another picture now, or none."""
    for path in settings.PICTURE_CHANGED if asset_ids else ():
        import_string(path)(list(asset_ids))


def notify(asset_ids: Sequence[int], new: bool = False) -> None:
    """Tell the other apps (settings.ASSET_CHANGED, or ASSET_ADDED) inside the running transaction."""
    waiting = _collected.get()
    if waiting is not None:
        waiting.update((pk, new or waiting.get(pk, False)) for pk in asset_ids)
    elif asset_ids:
        for path in settings.ASSET_ADDED if new else settings.ASSET_CHANGED:
            import_string(path)(list(asset_ids))
