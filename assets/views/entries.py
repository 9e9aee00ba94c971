"""One line of a history: what was done, by whom, and where it is taken back. No HTML here."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from assets.models import Operation, TermWork
from assets.views.changed import Line


@dataclass(frozen=True)
class Entry:
    """One operation, or all that a change of the vocabulary did, as far as it touched what this is about."""

    of: Operation | TermWork
    lines: list[Line]
    undone: bool
    undo: str
    """Where a POST takes it back; empty where nothing does."""
    page: str = ""
    """Of its own, if it has one."""

    @classmethod
    def of_operation(cls, operation: Operation, lines: list[Line]) -> "Entry":
        undone = getattr(operation, "undone_by", None) is not None
        return cls(operation, lines, undone, "" if undone else reverse("assets:undo", args=[operation.uid]))

    @classmethod
    def of_work(cls, work: TermWork, lines: list[Line]) -> "Entry":
        undone = work.reversal is not None
        lasting = undone or work.kind == TermWork.Kind.UNDO or work.state == TermWork.State.WORKING
        undo = "" if lasting else reverse("assets:term_work_undo", args=[work.uid])
        return cls(work, lines, undone, undo, work.get_absolute_url())

    @property
    def operations(self) -> list[Any]:
        """The ids of what was done."""
        return self.of.operations if isinstance(self.of, TermWork) else [self.of.pk]
