"""The one way to a service: pooled connections, bounds on time, retries, and errors in words for people.

Retried are broken connections, 408, 429 and 5xx, with exponential pauses and jitter; a Retry-After is kept
to where the caller's patience reaches that far, otherwise the call ends at once and says for how long.
Before each call it takes its turn (_limits); a service that is down is not asked at all (_breaker).
"""

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import httpx

from search.encoders._answers import Trouble, explained, retry_after, trouble
from search.encoders._breaker import Breaker, paused
from search.encoders._calls import count
from search.encoders._config import Config
from search.encoders._limits import MOST_HELD, Limiter
from search.encoders._patience import Patience, is_probing
from search.encoders._protocol import EncoderDown, EncoderError, EncoderUnavailable, UnreadableImage

MAX_ANSWER_BYTES = 64 * 1024**2
CONNECTIONS = httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=30)


@cache
def _trust() -> ssl.SSLContext:
    """The certificates to trust, read once in a process."""
    return httpx.create_ssl_context()


class Client:
    """Posts to one service; shared by the threads of a process. Raises EncoderError and nothing else."""

    sleep: Callable[[float], None] = staticmethod(time.sleep)
    clock: Callable[[], float] = staticmethod(time.monotonic)
    now: Callable[[], float] = staticmethod(time.time)

    def __init__(self, config: Config, headers: Mapping[str, str]) -> None:
        """`config` is complete; `headers` go with every request."""
        self._config, self._limiter, self._breaker = config, Limiter(config), Breaker(config.name)
        try:
            self._http = httpx.Client(
                base_url=config.url, headers=headers, limits=CONNECTIONS, timeout=10, verify=_trust()
            )
        except (httpx.InvalidURL, ValueError):
            raise EncoderUnavailable(
                f"There is no usable address for the encoder. Check {self._url} and the proxy settings."
            ) from None
        self.host = self._http.base_url.netloc.decode()

    def __repr__(self) -> str:
        return f"<Client of {self.host}>"

    def close(self) -> None:
        self._http.close()

    def post(self, path: str, patience: Patience, of_picture: bool = False, **request: Any) -> Any:
        """The decoded JSON of a 2xx answer to a POST; `request` as httpx takes it (json, content, params …).

        `of_picture`: the request carries a picture, so that a refusal may be about it (UnreadableImage).
        """
        if not is_probing():
            self._breaker.check()
        until = self.clock() + patience.total
        for attempt in range(patience.attempts):
            found = self._attempt(path, patience, until, of_picture, request)
            if not isinstance(found, Trouble):
                self._breaker.succeeded()
                return found
            jitter = random.uniform(0.5, 1)  # noqa: S311 (no secret)
            pause = max(found.wait, patience.pause * 2**attempt * jitter)
            if not found.again or attempt + 1 == patience.attempts or self.clock() + pause >= until:
                break
            self.sleep(pause)
        raise self._given_up(found)

    def _attempt(
        self, path: str, patience: Patience, until: float, of_picture: bool, request: Mapping[str, Any]
    ) -> Any:
        """The decoded answer to one call, or a Trouble; counted, and told to the others who call."""
        with self._limiter.turn(patience, until):
            try:
                answer, body = self._send(path, patience, until, request)
                found = self._read(answer, body, of_picture)
            except httpx.RequestError as error:
                found = Trouble(EncoderUnavailable(self._broken(error)), again=True, down=True)
        if not isinstance(found, Trouble):
            count(self._config.name, "answered")
            return found
        count(self._config.name, "refused" if found.refused else "failures")
        if found.wait or found.refused:
            self._limiter.hold(found.wait, str(found.error), refused=found.refused and not found.wait)
        return found

    def _read(self, answer: httpx.Response, body: bytes, of_picture: bool) -> Any:
        if not answer.is_success:
            error = explained(answer.status_code, body, self.host, self._config, of_picture)
            wait = retry_after(answer.headers.get("retry-after"), self.now())
            return trouble(answer.status_code, wait, error)
        if len(body) > MAX_ANSWER_BYTES:
            words = f"{self.host} sent an answer far too long. Check {self._url}."
            return Trouble(EncoderUnavailable(words), down=True)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            words = f"{self.host} answered with something that is no complete JSON. Check {self._url}."
            return Trouble(EncoderUnavailable(words), down=True)

    def _given_up(self, found: Trouble) -> EncoderError:
        """The error to raise; EncoderDown where it is known when to come back, and not before."""
        words, left = str(found.error), 0.0
        if found.down:
            left = self._breaker.failed(words, found.lasting)
        elif isinstance(found.error, UnreadableImage):
            self._breaker.succeeded()  # it works, and does not take this picture
        if found.wait >= 1:
            wait = max(left, min(found.wait, MOST_HELD))
            return EncoderDown(f"{words} It asks to wait {found.wait:.0f} seconds.", wait)
        return EncoderDown(paused(words, left), left) if left else found.error

    def _send(
        self, path: str, patience: Patience, until: float, request: Mapping[str, Any]
    ) -> tuple[httpx.Response, bytes]:
        """One attempt. The deadline holds for answers that trickle, too, which no timeout of httpx ends."""
        left = max(until - self.clock(), 0.001)
        timeout = httpx.Timeout(min(patience.read, left), connect=min(patience.connect, left))
        body = bytearray()
        with self._http.stream("POST", path, timeout=timeout, **request) as answer:
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > MAX_ANSWER_BYTES:
                    break
                if self.clock() > until:
                    raise httpx.ReadTimeout("The answer came too slowly.")
        return answer, bytes(body)

    def _broken(self, error: httpx.RequestError) -> str:
        """What a failed connection means. httpx's own words are left out: some quote a header."""
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            return f"{self.host} cannot be reached. Check {self._url}, the network, and that it is running."
        if isinstance(error, httpx.PoolTimeout):
            return f"Too many calls to {self.host} are under way."
        if isinstance(error, httpx.TimeoutException):
            return f"{self.host} did not answer in time. It may be busy, or still loading its model."
        return f"The connection to {self.host} broke before the answer was complete."

    @property
    def _url(self) -> str:
        """The name of the variable that says where the service is."""
        return self._config.variable("URL")
