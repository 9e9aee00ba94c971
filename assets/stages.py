"""What a stage of the pipeline is: a plain function that computes, and returns how to write the result.

    @stage("Renditions", needs=(), essential=True)
    def make_renditions(version: AssetVersion) -> Write: ...

The function does its slow work outside any transaction and must be idempotent. The returned callable is
short; the pipeline calls it inside the transaction that marks the run as done, and only if the run still
holds its token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from assets.models import AssetVersion

Write = Callable[[], None]
StageFunction = Callable[[AssetVersion], Write]


class PermanentFailure(Exception):
    """Trying again would not help. The message is shown to people: say what is wrong and what to do."""


@dataclass(frozen=True)
class Stage:
    name: str
    label: str
    needs: tuple[str, ...]
    essential: bool
    """Whether a picture without this stage counts as failed; a bad caption block is only a blemish."""
    function: StageFunction

    def __call__(self, version: AssetVersion) -> Write:
        return self.function(version)


def stage(
    label: str, *, needs: tuple[str, ...] = (), essential: bool = True
) -> Callable[[StageFunction], Stage]:
    def wrap(function: StageFunction) -> Stage:
        return Stage(function.__name__, label, needs, essential, function)

    return wrap


@cache
def pipeline() -> dict[str, Stage]:
    """The stages of settings.ASSET_PIPELINE by name, in their order."""
    stages: list[Stage] = [import_string(path) for path in settings.ASSET_PIPELINE]
    return {stage.name: stage for stage in stages}
