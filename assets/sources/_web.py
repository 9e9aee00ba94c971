"""Items that are fetched from an address."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from django.conf import settings

from assets.fetching import Answer, Fetcher, FetchRefused
from assets.sources import names
from assets.sources._source import Item, Refused, SourceError, Stream, Unchanged, stream

NOT_MODIFIED = 304
ELSEWHERE = {400, 403, 404, 405, 410, 415, 500, 501}  # answers after which the next address is tried


def item(
    fetcher: Fetcher, addresses: Sequence[str], path: str, name: str, facts: Mapping[str, str] | None = None
) -> Item | Refused:
    """The file at the first of the addresses that has it. Its fingerprint is what the server says of it."""
    try:
        path = names.inside(path)
    except ValueError as error:
        return Refused(path, str(error))
    return Item(path, None, lambda known: _open(fetcher, addresses, known), facts or {}, name=name)


def path_of(url: str) -> str:
    """The address as the path of an item: the server and what follows."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def name_of(url: str) -> str:
    """The last part of the address, as a person would write it."""
    parts = urlsplit(url)
    return unquote(parts.path).rstrip("/").rpartition("/")[2] or parts.netloc


@contextmanager
def _open(fetcher: Fetcher, addresses: Sequence[str], known: str) -> Iterator[Stream]:
    for number, address in enumerate(addresses, 1):
        try:
            with fetcher.get(address, most=settings.MAX_UPLOAD_BYTES, headers=_unless(known)) as answer:
                fingerprint = _fingerprint(answer)
                if known and (answer.status == NOT_MODIFIED or fingerprint == known):
                    raise Unchanged
                with stream(_reading(answer.pieces()), _explain, fingerprint) as opened:
                    yield opened
                    return
        except FetchRefused as error:
            if number == len(addresses) or error.status not in ELSEWHERE:
                raise SourceError(str(error)) from error


def _unless(known: str) -> dict[str, str]:
    """Asks for the file only where it is another one."""
    kind, _, value = known.partition(":")
    header = {"etag": "if-none-match", "modified": "if-modified-since"}.get(kind)
    return {header: value} if header else {}


def _fingerprint(answer: Answer) -> str:
    for kind, header in (("etag", "etag"), ("modified", "last-modified")):
        if value := answer.headers.get(header, "")[:180]:
            return f"{kind}:{value}"
    return ""


def _reading(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    rest = b""

    def read(most: int) -> bytes:
        nonlocal rest
        data = rest or next(pieces, b"")
        rest = data[most:]
        return data[:most]

    return read


def _explain(error: Exception) -> str:
    if isinstance(error, FetchRefused):
        return str(error)
    return "The connection broke before the file was complete."
