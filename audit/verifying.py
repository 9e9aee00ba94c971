"""Walking the chain of the audit log from its first link, and working every hash out again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from audit.models import Link

AT_ONCE = 2000  # links in one statement
FIRST = "0" * 64  # stands before the first link
# As the trigger of migration 1 has it. The hash itself is worked out here, not by a function of the database.
WALK = """
select l.number, l.entry_id, l.previous, l.hash, e.id is not null, jsonb_build_array(
    e.id, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.event, e.user_id,
    e.user_name, e.address, e.kind, e.uid, e.label, e.details
)::text
from audit_link l left join audit_entry e on e.id = l.entry_id
where l.number > %s and l.number <= %s order by l.number limit %s
"""
UNCHAINED = """
select e.id from audit_entry e where not exists (select from audit_link l where l.entry_id = e.id)
order by e.id limit 1
"""


class Broken(Exception):
    """The chain does not hold; the message says where and how, for people."""


@dataclass
class Verified:
    """How far the walk has come."""

    count: int = 0
    head: str = FIRST
    found: bool = False  # whether a head that was noted elsewhere is among the links


def head() -> tuple[int, str]:
    """Number and hash of the last link; 0 and FIRST of an empty log."""
    last = Link.objects.order_by("-number").values_list("number", "hash").first()
    return last or (0, FIRST)


def verify(noted: str = "") -> Iterator[Verified]:
    """Walk the chain in portions, each time saying how far it is. Raises Broken at the first break.

    `noted`: a head written down before. It is in the chain still, unless links were cut off the end.
    """
    state = Verified(found=noted in ("", FIRST))
    last, _ = head()
    while state.count < last:
        with connection.cursor() as cursor:
            cursor.execute(WALK, [state.count, last, AT_ONCE])
            rows = cursor.fetchall()
        if not rows:
            raise Broken(f"Link {state.count + 1:,} is missing.")
        for row in rows:
            _check(state, *row)
            state.found = state.found or state.head == noted
        yield state
    with connection.cursor() as cursor:
        cursor.execute(UNCHAINED)
        if row := cursor.fetchone():
            raise Broken(f"Entry {row[0]} is not in the chain.")
    if not state.found:
        raise Broken("The head that was noted is not in the chain: its end was cut off, or written anew.")
    yield state


def _check(
    state: Verified, number: int, entry: int, previous: str, said: str, there: bool, text: str
) -> None:
    if number != state.count + 1:
        raise Broken(f"Link {state.count + 1:,} is missing.")
    if previous != state.head:
        raise Broken(f"Link {number:,} (entry {entry}) does not follow the one before.")
    if not there:
        raise Broken(f"Entry {entry} (link {number:,}) is missing.")
    if hashlib.sha256((previous + text).encode()).hexdigest() != said:
        raise Broken(f"Entry {entry} (link {number:,}) is not as it was written.")
    state.count, state.head = number, said
