"""`manage.py check --database default`: whether the role of the library could change the audit log."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import ProgrammingError

from audit.guarding import loopholes

HINT = "Set DATABASE_OWNER_URL and another role in DATABASE_URL: see 'Two roles' in docs/operations.md."


@register(Tags.database)
def nobody_changes_the_log(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if "default" not in (databases or ()) or settings.AS_OWNER:
        return []
    try:
        found = loopholes()
    except ProgrammingError:  # the table is not there yet
        return []
    if not found:
        return []
    said = f"The role that the library works as could change the audit log: {'; '.join(found)}."
    return [Warning(said, hint=HINT, id="audit.W001")]
