"""Uploads in pieces, which survive a broken connection, a reload and a restart (docs/decisions/0018).

The bytes lie in one file for each upload, below settings.UPLOADS_DIR; the row says whose they are and what
is said about them. With the last byte a picture goes the way of all others (assets.ingest), without being
spooled again. A file that is no picture, such as a table to import, waits until `claim` takes it.
"""

from assets.uploads._body import pieces
from assets.uploads._files import DiskFull, Locked, UploadError
from assets.uploads.finishing import NotThere, TakenIn, claim, complete, finish, give_up, tend
from assets.uploads.receiving import (
    ALGORITHMS,
    Checksum,
    TooLarge,
    WrongChecksum,
    WrongOffset,
    create,
    offset_of,
    receive,
)

__all__ = [
    "ALGORITHMS",
    "Checksum",
    "DiskFull",
    "Locked",
    "NotThere",
    "TakenIn",
    "TooLarge",
    "UploadError",
    "WrongChecksum",
    "WrongOffset",
    "claim",
    "complete",
    "create",
    "finish",
    "give_up",
    "offset_of",
    "pieces",
    "receive",
    "tend",
]
