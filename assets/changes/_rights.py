"""Which changes of words give away more of a picture than could be taken before (decision 35)."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from assets.models import Asset, LicenceRules, Record
from assets.statements import statement_of


class Widening:
    """Asked of many planned changes; the rules of downloads and the objects are read once, and only where a
    change is about rights."""

    def __init__(self, planned: Iterable[tuple[Asset | Record, str, Any]]) -> None:
        lost = {value["record"] for _, field, value in planned if field == "depicts" and not value["linked"]}
        self.lost = Record.objects.live().in_bulk(lost) if lost else {}

    @cached_property
    def rules(self) -> LicenceRules:
        return LicenceRules.current()

    def widens(self, subject: Asset | Record, field: str, value: Any) -> bool:
        """Whether with this value larger copies, unmarked ones, for more uses or without being asked for a
        purpose, could be had of the picture, or of the pictures of the object."""
        if field == "rights":
            return self._frees(subject.rights, value)
        if field == "not_for":
            return bool(set(subject.not_for) - set(value))
        if field == "depicts" and not value["linked"]:
            return value["record"] in self.lost and self._without(self.lost[value["record"]])
        if field == "trashed_at" and isinstance(subject, Record):
            return value is not None and self._without(subject)
        return False

    def _without(self, record: Record) -> bool:
        """What pictures lose that do not show this object any more."""
        return bool(record.not_for) or self._frees(record.rights, "")

    def _frees(self, before: str, after: str) -> bool:
        was, now = statement_of(before), statement_of(after)
        held, holds = bool(was and was.protected), bool(now and now.protected)
        asked, asks = (bool(one and one.code in self.rules.asks_for) for one in (was, now))
        larger = holds and not held and self.rules.largest_protected > self.rules.largest
        return (held and not holds) or (asked and not asks) or larger
