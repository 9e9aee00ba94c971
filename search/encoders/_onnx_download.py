"""Fetching a model's files from a hub: at one commit, resumed where they broke off, checked first.

The hub is huggingface.co, or a server with the same two addresses: `/api/models/<id>/revision/<revision>`
lists the files of a commit with their digests, `/<id>/resolve/<commit>/<path>` gives one.
docs/decisions/0007 says why this is not left to a library.
"""

import glob
import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from search.encoders._config import Config
from search.encoders._onnx_files import PART
from search.encoders._protocol import EncoderUnavailable
from search.encoders._service import bearer

HUB = "https://huggingface.co"
TIMEOUT = httpx.Timeout(60, connect=15)
ATTEMPTS = 5  # in a row that bring no byte
LISTINGS = 3  # attempts at the list of files
PIECE = 1 << 20  # bytes read at once
Progress = Callable[[str, int, int], None]
"""Called with the name of a file, how many of its bytes are there, and how many it has."""


class NotReached(EncoderUnavailable):
    """The hub does not answer: no network, no such server, or it is down."""


class Broken(Exception):
    """A transfer stopped; another attempt may go on with it."""


@dataclass(frozen=True)
class Remote:
    """One file of a commit."""

    name: str
    size: int  # bytes
    sha256: str  # of large files; empty where the hub knows only `blob`
    blob: str  # git's sha1 of a small file

    def is_same(self, path: Path) -> bool:
        """Whether a file holds these bytes."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        made = (
            hashlib.sha256() if self.sha256 else hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        )
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                made.update(piece)
        return made.hexdigest() == (self.sha256 or self.blob)


class Hub:
    """One hub, asked with or without a token. Raises EncoderUnavailable and nothing else."""

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def __init__(self, config: Config) -> None:
        self.config = config
        headers = bearer(config)
        try:
            self._http = httpx.Client(
                base_url=(config.url or HUB).rstrip("/"),
                headers=headers,
                timeout=TIMEOUT,
                follow_redirects=True,
            )
        except (httpx.InvalidURL, ValueError):
            raise EncoderUnavailable(f"{config.variable('URL')} is not the address of a hub.") from None
        self.host = self._http.base_url.netloc.decode()

    def files(self, model: str, revision: str = "") -> tuple[str, dict[str, Remote]]:
        """The commit behind a revision (a branch, tag or commit; empty: the newest) and its files by name."""
        path = f"/api/models/{model}/revision/{quote(revision or 'main', safe='')}"
        answer = self._ask(path, f"the model {model} at {revision or 'main'}")
        try:
            found = answer.json()
            return str(found["sha"]), {file.name: file for file in map(_remote, found["siblings"])}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EncoderUnavailable(f"{self.host} does not answer as a hub of models does.") from error

    def fetch(self, model: str, commit: str, file: Remote, folder: Path, progress: Progress) -> None:
        """Put one file into the folder, under its own name only when it is complete and checked."""
        target = folder / file.name
        if file.is_same(target):
            return
        digest = (file.sha256 or file.blob)[:12]  # so that nothing is resumed with bytes of another version
        part = target.with_name(f"{target.name}.{digest}{PART}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _make_room(folder, file, part)
            self._resume(f"/{model}/resolve/{commit}/{quote(file.name)}", file, part, progress)
            if not file.is_same(part):
                part.unlink()
                raise EncoderUnavailable(
                    f"{self.host} sent {file.name} with other bytes than it had announced (sha256 or size). "
                    "It was thrown away; try again."
                )
            part.replace(target)
            for other in target.parent.glob(f"{glob.escape(target.name)}.*{PART}"):
                other.unlink(missing_ok=True)  # of a version that is wanted no more
        except OSError as error:
            raise EncoderUnavailable(f"{target} cannot be written: {error}") from error

    def _resume(self, path: str, file: Remote, part: Path, progress: Progress) -> None:
        """Attempt after attempt until the size is reached; only those that bring nothing are counted."""
        idle, trouble = 0, ""
        while (there := _size(part)) < file.size or not part.exists():
            try:
                self._receive(path, file, part, progress)
                trouble = "it sends nothing"
            except (httpx.HTTPError, Broken) as error:
                trouble = _words(error)
            idle = 0 if _size(part) > there else idle + 1
            if idle >= ATTEMPTS:
                raise NotReached(f"{file.name} could not be had from {self.host}: {trouble}.")
            if idle:
                self.sleep(min(30.0, 2.0**idle))

    def _receive(self, path: str, file: Remote, part: Path, progress: Progress) -> None:
        """What the hub sends after the bytes that are there; all, if it will not begin in the middle."""
        there = _size(part)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
        with self._http.stream("GET", path, headers=headers) as answer:
            if answer.status_code == 416:
                part.unlink()
                raise Broken("the hub has no such range")
            self._raise_for(answer, file.name)
            goes_on = answer.headers.get("content-range", "").startswith(f"bytes {there}-")
            if answer.status_code == 206 and not goes_on:
                raise Broken("the hub sent another range")
            with part.open("ab" if answer.status_code == 206 else "wb") as out:
                for piece in answer.iter_raw():
                    out.write(piece)
                    progress(file.name, out.tell(), file.size)
                    if out.tell() > file.size:
                        return

    def _ask(self, path: str, what: str) -> httpx.Response:
        trouble = ""
        for attempt in range(LISTINGS):
            try:
                answer = self._http.get(path, params={"blobs": "true"})
                self._raise_for(answer, what)
                return answer
            except (httpx.HTTPError, Broken) as error:
                trouble = _words(error)
                if isinstance(error, httpx.ConnectError):
                    break
            self.sleep(2.0**attempt)
        raise NotReached(f"{self.host} cannot be reached ({trouble}).")

    def _raise_for(self, answer: httpx.Response, what: str) -> None:
        """Broken for what may pass, EncoderUnavailable for what will not."""
        status = answer.status_code
        if answer.is_success:
            return
        if status in {408, 429} or status >= 500:
            raise Broken(f"status {status}")
        if status in {401, 403}:
            raise EncoderUnavailable(
                f"{self.host} refuses {what} ({status}): there is no such model, or it asks for an account "
                f"that has agreed to its conditions. Set {self.config.variable('TOKEN')} to a token of one."
            )
        if status == 404:
            raise EncoderUnavailable(
                f"{self.host} does not have {what}. "
                f"Check {self.config.variable('MODEL')} and {self.config.variable('REVISION')}."
            )
        raise EncoderUnavailable(f"{self.host} refuses {what} ({status}).")


def _remote(sibling: dict[str, Any]) -> Remote:
    large = sibling.get("lfs") or {}
    size = int(large["size"] if large else sibling["size"])
    found = Remote(sibling["rfilename"], size, large.get("sha256") or "", sibling.get("blobId") or "")
    if not (found.sha256 or found.blob):
        raise KeyError("digest")
    return found


def _make_room(folder: Path, file: Remote, part: Path) -> None:
    free, wanted = shutil.disk_usage(folder).free, file.size - _size(part)
    if free < wanted:
        raise EncoderUnavailable(f"{folder} has no room for {file.name}: {wanted >> 20} MiB are needed.")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _words(error: Exception) -> str:
    """httpx's own words are left out: some quote a header."""
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return str(error) if isinstance(error, Broken) else "the connection broke"
