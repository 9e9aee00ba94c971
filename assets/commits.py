"""Commits for which nobody waits until the disk has them (PostgreSQL's synchronous_commit).

For what is done once more where the database forgets it, such as who works on what: should the machine stop
in the next half second, that is gone as if it had not been written. Nothing else is: what was committed
before it is there, and what is committed after it takes it along.
"""

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

SOON = "set_config('synchronous_commit', 'off', true) = 'off'"
"""A condition that always holds: put into a statement, the transaction of that statement is such a commit."""


def soon() -> RawSQL:
    """The same for a QuerySet, before `update`."""
    return RawSQL(SOON, [], output_field=BooleanField())  # noqa: S611 (a constant)
