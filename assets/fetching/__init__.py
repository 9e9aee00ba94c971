"""The one way to fetch from an address that somebody has given, such as a picture to import or a manifest.

    with Fetcher() as fetcher, fetcher.get(url, most=10_000_000) as answer:
        for piece in answer.pieces():
            ...

A server that fetches what it is told can be used to reach what only it can reach (SSRF). So the name is
resolved here, each address is looked at, and the connection is made to the very address that was looked at:
a name that means another one a moment later gains nothing. Addresses that are not public are refused,
except those in the setting IMPORT_ALLOWED_NETWORKS. Redirections are followed by hand, each like a new
address. Size and time are bounded whatever the other side says. Proxies of the environment are not used: they
would resolve names by themselves.
"""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx

from assets.fetching._addresses import checked, may_connect, vetted
from assets.fetching._transport import Clock, Transport
from assets.fetching._words import (
    FetchRefused,
    Passing,
    in_words,
    refusal,
    retry_after,
    too_large,
    too_slow,
)

__all__ = ["Answer", "FetchRefused", "Fetcher", "Patience", "checked", "may_connect", "vetted"]
MOST_REDIRECTIONS = 5
PASSING = {408, 425, 429, 500, 502, 503, 504}
AGENT = "picture-memory"


@dataclass(frozen=True)
class Patience:
    """Seconds for a connection, for a silence, and for the whole of one file; how often it is tried."""

    connect: float = 10
    silence: float = 30
    whole: float = 1800
    attempts: int = 4
    pause: float = 1
    """Before the second attempt; doubled before each further one."""
    longest_pause: float = 60
    """A server that asks to wait longer is not waited for."""


class Answer:
    """A successful answer, or 304 to a conditional question. Read it once."""

    def __init__(self, response: httpx.Response, most: int) -> None:
        self._response, self._most = response, most
        self.url = str(response.url)
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def pieces(self) -> Iterator[bytes]:
        """The body, decoded. Raises FetchRefused where it is larger than it may be, or breaks off."""
        size, host = 0, self._response.url.host
        body = self._response.iter_bytes()
        while piece := _next(body, host):
            size += len(piece)
            if size > self._most:
                raise too_large(self._most)
            yield piece

    def read(self) -> bytes:
        return b"".join(self.pieces())

    @property
    def size(self) -> int | None:
        """Bytes, as the server says; it may be wrong."""
        said = self.headers.get("content-length", "")
        return int(said) if said.isascii() and said.isdigit() else None


class Fetcher:
    """Keeps connections for the next question; for one thread."""

    def __init__(self, patience: Patience = Patience()) -> None:  # noqa: B008 (frozen)
        self.patience, self._clock = patience, Clock()
        self._http = httpx.Client(
            transport=Transport(self._clock),
            headers={"user-agent": AGENT, "accept-encoding": "identity"},
            timeout=httpx.Timeout(patience.silence, connect=patience.connect),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @contextmanager
    def get(self, url: str, *, most: int, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """The answer to a GET, of at most `most` bytes; follows redirections, and waits for a busy server.

        Raises FetchRefused.
        """
        self._clock.until = time.monotonic() + self.patience.whole
        response = self._answered(url, headers or {})
        try:
            answer = Answer(response, most)
            if answer.size is not None and answer.size > most:
                raise too_large(most)
            yield answer
        finally:
            response.close()

    def _answered(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        host = urlsplit(checked(url)).hostname or ""
        for attempt in range(self.patience.attempts):
            last = attempt + 1 == self.patience.attempts
            wait = self.patience.pause * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 (no secret)
            try:
                with in_words(host):
                    response = self._redirected(url, headers)
            except Passing as passing:
                if last:
                    raise passing.error from passing
            else:
                if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
                    return response
                response.close()
                wait = max(wait, retry_after(response.headers.get("retry-after", "")))
                if last or response.status_code not in PASSING or wait > self.patience.longest_pause:
                    raise refusal(response)
            if time.monotonic() + wait > self._clock.until:
                raise too_slow(host)
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _redirected(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        for _ in range(MOST_REDIRECTIONS + 1):
            request = self._http.build_request("GET", checked(url), headers=dict(headers))
            response = self._http.send(request, stream=True)
            if not response.has_redirect_location:
                return response
            response.close()
            url = urljoin(url, response.headers["location"])
        raise FetchRefused(f"{request.url.host} redirects again and again.")


def _next(body: Iterator[bytes], host: str) -> bytes:
    try:
        with in_words(host):
            return next(body, b"")
    except Passing as passing:
        raise passing.error from None
