"""The collection that a path names: found, or one that is still to be made."""

from collections.abc import Callable
from functools import partial

from accounts.models import User
from assets.changes import collections
from assets.models import Collection
from assets.querysets import path_parts
from assets.text import label_key


def known(path: str) -> Collection:
    """The collection of this path; one that is not there yet has no id, and nothing is made."""
    found: Collection | None = None
    for part in path_parts(path):
        found = Collection.objects.filter(parent=found, key=label_key(part)[:200]).first()
        if found is None:
            break
    return found or Collection(name=path)


def made_by(user: User | None) -> Callable[[str], Collection]:
    """Raises ChangeRefused where this person may not put pictures there."""
    return partial(collections.home, user)
