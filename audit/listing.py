"""The entries that somebody looks for, and as CSV."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.models import Entry

AT_ONCE = 2000
SHOWN = 20  # of a long list
HEADERS = ["number", "hash", "at", "event", "user id", "user", "address", "kind", "id", "about", "details"]


class Wanted(NamedTuple):
    """Empty: all."""

    event: str = ""
    who: str = ""
    about: str = ""
    since: date | None = None
    until: date | None = None  # that day included


def entries(wanted: Wanted) -> QuerySet[Entry]:
    """The newest first."""
    found = Entry.objects.order_by("-pk")
    if wanted.event:
        found = found.filter(event=wanted.event)
    if wanted.who:
        found = found.filter(user_name__iexact=wanted.who.strip())
    if about := wanted.about.strip():
        found = found.filter(Q(uid=about) | Q(label__icontains=about))
    if wanted.since:
        found = found.filter(at__date__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__date__lte=wanted.until)
    return found


def lines(found: QuerySet[Entry]) -> Iterator[str]:
    """As CSV, the oldest first, in portions; times in UTC."""
    writer: Any = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(HEADERS)
    rows, after = found.select_related("link").order_by("pk"), 0
    while portion := list(rows.filter(pk__gt=after)[:AT_ONCE]):
        yield "".join(writer.writerow(map(safe, _cells(entry))) for entry in portion)
        after = portion[-1].pk


def said(entry: Entry) -> Iterable[str]:
    """The details of an entry in words."""
    for name, value in entry.details.items():
        yield f"{name.replace('_', ' ')}: {_in_words(value)}"


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {_change(both)}" for name, both in value.items())
    if not isinstance(value, list):
        return str(value)
    more = f" … ({intcomma(len(value))})" if len(value) > SHOWN else ""
    return ", ".join(map(str, value[:SHOWN])) + more


def _change(both: Any) -> str:
    return " → ".join(str(one) or "–" for one in both) if isinstance(both, list) else str(both)


def _cells(entry: Entry) -> list[Any]:
    link = getattr(entry, "link", None)
    moment = entry.at.isoformat().replace("+00:00", "Z")
    who = [entry.user_id or "", entry.user_name, entry.address]
    of = [entry.kind, entry.uid, entry.label, json.dumps(entry.details, ensure_ascii=False, sort_keys=True)]
    return [link.number if link else "", link.hash if link else _("none"), moment, entry.event, *who, *of]


class Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def safe(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
