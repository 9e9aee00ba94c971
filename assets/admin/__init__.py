"""The administration of pictures and records, of their bytes, of words, of work and of history."""

from assets.admin import (
    catalogue,
    deliveries,
    history,
    licences,
    originals,
    own_fields,
    permissions,
    pictures,
    watching,
    words,
    work,
)

__all__ = [
    "catalogue",
    "deliveries",
    "history",
    "licences",
    "originals",
    "own_fields",
    "permissions",
    "pictures",
    "watching",
    "words",
    "work",
]
