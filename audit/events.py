"""What is recorded: a closed list, so that the log can be filtered and read."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.TextChoices):
    SIGNED_IN = "signed_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
    SIGNED_OUT = "signed_out", _("Signed out")
    SESSION_ENDED = "session_ended", _("Session ended by somebody")
    SECOND_STEP_CHANGED = "second_step_changed", _("Second step of sign-in changed")

    DOWNLOADED = (
        "downloaded",
        _("Downloaded"),
    )  # what: original, copy, words or zip; purpose, if one was asked
    EXPORTED = "exported", _("Exported a list")  # format: csv, ttl …

    SHARE_MADE = "share_made", _("Share link made")
    SHARE_USED = "share_used", _("Share link used")
    SHARE_REFUSED = "share_refused", _("Wrong password of a share link")
    SHARE_REVOKED = "share_revoked", _("Share link taken back")

    DELETED = "deleted", _("Deleted for good")
    RESTORED = "restored", _("Database restored from a backup")

    SETTINGS_CHANGED = "settings_changed", _("Settings changed")
    SPACE_CHANGED = "space_changed", _("Model of the search changed")
    STORAGE_MOVED = "storage_moved", _("Files moved to another storage")

    ACCOUNT_CHANGED = "account_changed", _("Account changed")
    GROUP_CHANGED = "group_changed", _("Group changed")
    GRANT_CHANGED = "grant_changed", _("Permission changed")
    TOKEN_MADE = "token_made", _("API token made")  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token_revoked", _("API token taken back")  # noqa: S105
