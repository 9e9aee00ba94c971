"""The one way to a service: pooled connections, bounds on time, retries, and errors in words for people.

Retried are broken connections, 408, 429 and 5xx, with exponential pauses and jitter; a Retry-After is kept
to where the caller's patience reaches that far, otherwise the call ends at once and says for how long.
"""

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import httpx

from search.encoders._answers import explained, retry_after
from search.encoders._patience import Patience
from search.encoders._protocol import EncoderUnavailable

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

    def __init__(self, url: str, headers: Mapping[str, str], secrets: tuple[str, ...]) -> None:
        """`headers` go with every request; `secrets` are taken out of whatever is quoted."""
        self._secrets = secrets
        try:
            self._http = httpx.Client(
                base_url=url, headers=headers, limits=CONNECTIONS, timeout=10, verify=_trust()
            )
        except (httpx.InvalidURL, ValueError):
            raise EncoderUnavailable(
                "There is no usable address for the encoder. Check ENCODER_URL and the proxy settings."
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
        until = self.clock() + patience.total
        for attempt in range(patience.attempts):
            wanted = 0.0
            try:
                answer, body = self._send(path, patience, until, request)
            except httpx.RequestError as error:
                trouble: Exception = EncoderUnavailable(self._broken(error))
            else:
                if answer.is_success:
                    return self._decoded(body)
                trouble = explained(answer.status_code, body, self.host, self._secrets, of_picture)
                if answer.status_code not in {408, 429} and answer.status_code < 500:
                    raise trouble
                wanted = retry_after(answer.headers.get("retry-after"), self.now())
            jitter = random.uniform(0.5, 1)  # noqa: S311 (no secret)
            pause = max(wanted, patience.pause * 2**attempt * jitter)
            if attempt + 1 == patience.attempts or self.clock() + pause >= until:
                break
            self.sleep(pause)
        if wanted >= 1:
            raise EncoderUnavailable(f"{trouble} It asks to wait {wanted:.0f} seconds.")
        raise trouble

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
                    raise EncoderUnavailable(f"{self.host} sent an answer far too long. Check ENCODER_URL.")
                if self.clock() > until:
                    raise httpx.ReadTimeout("The answer came too slowly.")
        return answer, bytes(body)

    def _broken(self, error: httpx.RequestError) -> str:
        """What a failed connection means. httpx's own words are left out: some quote a header."""
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            return f"{self.host} cannot be reached. Check ENCODER_URL, the network, and that it is running."
        if isinstance(error, httpx.PoolTimeout):
            return f"Too many calls to {self.host} are under way."
        if isinstance(error, httpx.TimeoutException):
            return f"{self.host} did not answer in time. It may be busy, or still loading its model."
        return f"The connection to {self.host} broke before the answer was complete."

    def _decoded(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise EncoderUnavailable(
                f"{self.host} answered with something that is no complete JSON. Check ENCODER_URL."
            ) from None
