"""Many pictures as one zip, made while it is sent: never more of it in memory than a piece of one file.

The files are deflated without compression, not stored: their lengths follow behind them, and of a stored
file nobody could tell where it ends without the directory at the end of the archive.
"""

import csv
import io
import logging
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from assets import copies, licensing, storage
from assets.bulk.naming import Names, beside, ending_of, safe, stem_of
from assets.bulk.selecting import downloadable
from assets.decode import DAMAGED
from assets.licensing import Verdict
from assets.metadata import writing
from assets.metadata.present import Statement, present
from assets.models import Asset, AssetVersion
from assets.querysets import AssetQuerySet
from assets.scopes import Action
from assets.tables.formulas import safe as harmless

log = logging.getLogger(__name__)
ORIGINAL = 0
LIST = "list.csv"


class Missing(Exception):
    """There is no file to send; the message is for people."""


TROUBLE = (Missing, copies.NoCopy, *DAMAGED)


@dataclass(frozen=True)
class Content:
    """One file of the archive, of which the length is known."""

    ending: str
    length: int
    pieces: Iterator[bytes]
    sidecar: bytes = b""
    size: str = "original"
    marked: bool = False


class Archive:
    """The bytes of the zip, for a streaming response; `done` is called once, however it ends."""

    def __init__(
        self,
        user: User,
        ids: Sequence[int],
        longest: int,
        address: Callable[[str], str],
        done: Callable[[], None] = lambda: None,
        purpose: licensing.Purpose | None = None,
    ) -> None:
        self.user, self.ids, self.longest, self.address, self._done = user, ids, longest, address, done
        self.purpose = purpose
        self.names = Names(LIST)
        self.rows: list[list[str]] = []
        self._sink = _Sink()
        self._pieces = self._all()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._pieces.close()
        done, self._done = self._done, lambda: None
        done()

    def _all(self) -> "Generator[bytes, None, None]":
        with zipfile.ZipFile(self._sink, "w") as made:  # type: ignore[call-overload]
            for pk in self.ids:
                yield from self._one(made, pk)
            made.writestr(_entry(LIST, compressed=True), self._list())
            yield self._sink.taken()
        yield self._sink.taken()

    def _one(self, made: zipfile.ZipFile, pk: int) -> Iterator[bytes]:
        """A picture, as this person may see it at this moment; else a line in the list that says why not."""
        try:
            asset, version, says, verdict = self._read(pk)
        except Missing as missing:
            self.rows.append(["", *[""] * 8, str(missing)])
            return
        finally:
            _let_go()
        stem, note, name = stem_of(asset), "", ""
        try:
            content = self.content(version, says, verdict)
            name = self.names.unique(stem, content.ending)
            with made.open(_entry(name, content.length), "w") as member:
                for piece in content.pieces:
                    member.write(piece)
                    yield self._sink.taken()
            self.note(asset, content)
            if content.sidecar:
                made.writestr(_entry(beside(name, content.ending), compressed=True), content.sidecar)
        except TROUBLE as error:
            log.warning("A file of an archive is missing: %s", error, exc_info=True)
            note = _("This file is missing, or only a part of it is here: %(reason)s") % {"reason": error}
            text = self.names.unique(safe(f"{stem} MISSING"), ".txt")
            made.writestr(_entry(text), f"{note}\n{self.address(asset.get_absolute_url())}\n")
            name = name or text
        finally:
            _let_go()
        yield self._sink.taken()
        self.rows.append(self._row(asset, name, says, note))

    def there(self) -> AssetQuerySet:
        """All that may be in it, at this moment: the right may have been lost meanwhile."""
        user = User.objects.filter(pk=self.user.pk).first()
        self.user = user or self.user
        return downloadable(user, Action.DOWNLOAD) if user else Asset.objects.none()

    def note(self, asset: Asset, content: Content) -> None:
        """That somebody has taken this file."""
        licensing.record(asset, self.user, content.size, self.purpose, marked=content.marked, through="zip")

    def verdict(self, asset: Asset) -> Verdict:
        """What may be taken of it, at this moment."""
        return licensing.verdict_of(asset, self.user)

    def _read(self, pk: int) -> tuple[Asset, AssetVersion, Statement, Verdict]:
        found = self.there().with_words().defer(None).filter(pk=pk).first()
        if found is None:
            raise Missing(_("This picture is not in the library any more, or you may not download it."))
        if found.current_version is None:
            raise Missing(_("%(title)s still waits for its picture.") % {"title": found.display_title})
        verdict = self.verdict(found)
        refusal = verdict.refusal(self.purpose)
        if not refusal and verdict.asks and self.purpose is None:
            refusal = _("Before this one, say what you need the pictures for.")
        if refusal:
            raise Missing(f"{found.display_title}: {refusal}")
        return found, found.current_version, present(found), verdict

    def content(self, version: AssetVersion, says: Statement, verdict: Verdict) -> Content:
        """What was asked for, or where that may not be, the largest copy that may."""
        jpegs = [copy for copy in verdict.offered(version) if copy.format == "JPEG"]
        wanted = self.longest or copies.FULL
        smaller = next((copy for copy in jpegs if copy.longest <= wanted), None)
        if verdict.original and (self.longest == ORIGINAL or smaller is None):
            return _original(version, says)
        if smaller is None:
            raise Missing(_("Of this file there is no copy, and you may not take the original."))
        made = copies.made(version, smaller, verdict.mark)
        content = with_words(made, "JPEG", says, "", ".jpg")
        return replace(content, size=f"JPEG {smaller.longest}", marked=bool(verdict.mark))

    def _row(self, asset: Asset, name: str, says: Statement, note: str) -> list[str]:
        rights = " ".join(filter(None, [says.rights, says.rights_holder]))
        words = [says.accession, says.title or asset.display_title, "; ".join(says.creators), says.date]
        words += [rights, says.credit_line, says.usage_terms]
        return [name, *words, self.address(asset.get_absolute_url()), note]

    def _list(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text)
        headers = [_("file"), _("accession number"), _("title"), _("maker"), _("date"), _("rights")]
        writer.writerow([*headers, _("credit line"), _("usage terms"), _("address"), _("note")])
        writer.writerows([harmless(value) for value in row] for row in self.rows)
        return "\ufeff" + text.getvalue()


def _original(version: AssetVersion, says: Statement) -> Content:
    """With the words in it; where these cannot be written, as it came in and with an XMP file beside it."""
    ending = ending_of(version)
    try:
        file: IO[bytes] = storage.originals().open(version.blob.storage_name)
    except FileNotFoundError as error:
        raise Missing(_("The file is not in storage.")) from error
    try:
        return with_words(file, version.format, says, version.sidecar, ending)
    except writing.Unwritable:
        file.close()
    sidecar = b""
    with suppress(*TROUBLE), storage.local_copy(version.blob) as path:
        sidecar = writing.sidecar_of(path, says, version.sidecar)
    whole = storage.originals().open(version.blob.storage_name)
    return Content(ending, version.blob.size, _chunks(whole), sidecar)


def with_words(file: IO[bytes], format: str, says: Statement, sidecar: str, ending: str) -> Content:
    pieces = writing.pieces_of(file, format, says, sidecar)
    return Content(ending, writing.length_of(pieces), writing.stream(file, pieces))


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(writing.CHUNK):
            yield part


def _entry(name: str, length: int = 0, *, compressed: bool = False) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, timezone.localtime().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry._compresslevel = 6 if compressed else 0  # type: ignore[attr-defined]
    entry.file_size = length  # by which zipfile knows whether four bytes are enough for it
    entry.external_attr = 0o644 << 16
    return entry


def _let_go() -> None:
    """Give the connection back: the next piece is sent when the other side has taken this one."""
    if not connection.in_atomic_block:
        connection.close()


class _Sink:
    """What zipfile writes to: a stream that cannot go back, and whose content is taken out again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
