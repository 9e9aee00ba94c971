"""What a stage of the pipeline is: a plain function that computes, and returns how to write the result.

    @stage("Renditions", needs=(), essential=True)
    def make_renditions(version: AssetVersion) -> Write: ...

The function does its slow work outside any transaction and must be idempotent. The returned callable is
short; the pipeline calls it inside the transaction that marks the run as done, and only if the run still
holds its token.

A stage may have several results for a version, its variants: one vector in each embedding space. Such a
stage takes many versions at once, and answers each, in order, with a Write or the error that belongs to it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from assets.models import AssetVersion

Write = Callable[[], None]
Outcome = Write | Exception
StageFunction = Callable[[AssetVersion], Write]
ManyFunction = Callable[[Sequence[AssetVersion], int], Iterable[Outcome]]


class PermanentFailure(Exception):
    """Trying again would not help. The message is shown to people: say what is wrong and what to do."""


class Postponed(Exception):
    """It cannot be done now through no fault of the picture: no attempt is counted. The message is shown."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True)
class Stage:
    name: str
    label: str
    function: ManyFunction
    needs: tuple[str, ...] = ()
    essential: bool = True
    """Whether a picture without this stage counts as failed; a bad caption block is only a blemish."""
    quiet: bool = False
    """Whether a picture is no less finished while this stage waits or runs."""
    queue: str = "bulk"
    """Where its runs wait for a worker when nobody waits for them: one of assets.queues."""
    variants: Callable[[], Mapping[int, bool]] = lambda: {0: True}
    """The variants that a new version needs, and whether somebody waits for them: never of a quiet stage."""

    def __call__(self, version: AssetVersion, variant: int = 0) -> Write:
        """For one version alone: how to write the result. Raises what is wrong with it."""
        for outcome in self.function([version], variant):
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        raise LookupError(f"The stage {self.name} answered nothing.")


def stage(
    label: str, *, needs: tuple[str, ...] = (), essential: bool = True
) -> Callable[[StageFunction], Stage]:
    """A stage with one result for a version; the pipeline gives it one version at a time."""

    def wrap(function: StageFunction) -> Stage:
        def one(versions: Sequence[AssetVersion], variant: int) -> list[Outcome]:
            return [function(version) for version in versions]

        return Stage(function.__name__, label, one, needs, essential)

    return wrap


def stage_of_many(
    label: str,
    variants: Callable[[], Mapping[int, bool]],
    *,
    needs: tuple[str, ...] = (),
    essential: bool = True,
    quiet: bool = False,
    queue: str = "bulk",
) -> Callable[[ManyFunction], Stage]:
    """A stage with variants, for many versions in one call."""

    def wrap(function: ManyFunction) -> Stage:
        return Stage(function.__name__, label, function, needs, essential, quiet, queue, variants)

    return wrap


@cache
def pipeline() -> dict[str, Stage]:
    """The stages of settings.ASSET_PIPELINE by name, in their order."""
    stages: list[Stage] = [import_string(path) for path in settings.ASSET_PIPELINE]
    return {stage.name: stage for stage in stages}
