"""What goes wrong on the way to an address, in sentences for people."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import httpcore
import httpx


class FetchRefused(ValueError):
    """It cannot or may not be fetched; the message is for people, and names no address of ours."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status
        """Of the answer, where there was one."""


class OutOfTime(Exception):  # noqa: N818
    """The time for the whole file is over."""


def retry_after(said: str) -> float:
    """Seconds that a server asks to wait; 0 where it does not say."""
    if said.strip().isascii() and said.strip().isdigit():
        return float(said)
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0) if said else 0
    except ValueError:
        return 0


def too_large(most: int) -> FetchRefused:
    return FetchRefused(f"It is larger than {most / 1024**2:,.0f} MB.")


class Passing(Exception):  # noqa: N818
    """It failed in a way that may be over in a moment."""

    def __init__(self, error: FetchRefused) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def in_words(host: str) -> Iterator[None]:
    """What went wrong on the way, for people; the library's own words may quote a header."""
    try:
        yield
    except OutOfTime:
        raise too_slow(host) from None
    except (httpx.InvalidURL, httpcore.UnsupportedProtocol, httpcore.LocalProtocolError, UnicodeError):
        raise FetchRefused("This is no address that can be fetched.") from None
    except (httpcore.TimeoutException, httpx.TimeoutException):
        raise Passing(FetchRefused(f"{host} did not answer in time.")) from None
    except (httpcore.ConnectError, httpx.ConnectError) as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise FetchRefused(f"The certificate of {host} is not to be trusted.") from None
        raise Passing(FetchRefused(f"{host} cannot be reached.")) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpx.RequestError, ssl.SSLError):
        raise Passing(
            FetchRefused(f"The connection to {host} broke before the answer was complete.")
        ) from None


def too_slow(host: str) -> FetchRefused:
    return FetchRefused(f"{host} was too slow, and was given up.")


def refusal(response: httpx.Response) -> FetchRefused:
    host, status = response.url.host, response.status_code
    words = {
        401: f"{host} wants a login for it.",
        403: f"{host} does not let us have it.",
        404: f"{host} has nothing at this address.",
        410: f"{host} has it no more.",
        429: f"{host} is asked too often. Try it again later.",
    }
    said = f"{host} has trouble of its own ({status})." if status >= 500 else f"{host} refused it ({status})."
    return FetchRefused(words.get(status, said), status)
