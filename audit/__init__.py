"""The audit log: who signed in, took something away, gave something out, deleted or set something.

    import audit
    audit.record(audit.Event.DOWNLOADED, request, asset, what="original")

It is only ever added to (docs/audit.md). What was changed of a picture is its history: assets.changes.
"""

from audit.events import Event
from audit.recording import About, record

__all__ = ["About", "Event", "record"]
