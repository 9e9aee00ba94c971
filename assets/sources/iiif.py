"""A IIIF manifest, or a collection of manifests, with the words that it has for its pictures."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from assets.fetching import Fetcher, FetchRefused, checked
from assets.sources import _web
from assets.sources._manifests import Picture, is_collection, members, pictures
from assets.sources._source import Item, Refused, SourceError

MOST_BYTES = 64 * 1024**2  # of one manifest
DEEPEST = 4  # collections in collections
ANY = "application/ld+json, application/json;q=0.9, */*;q=0.1"


class Manifest:
    """Its pictures in full size, or as large as the service gives them."""

    def __init__(self, url: str) -> None:
        """Raises SourceError where this is no address."""
        try:
            self._url = checked(url)
        except FetchRefused as error:
            raise SourceError(str(error)) from error
        self.identity, self.label = f"iiif:{self._url}", self._url
        self._fetcher = Fetcher()

    def items(self) -> Iterator[Item | Refused]:
        """In the order of the canvases. A manifest of a collection that cannot be had is a Refused."""
        first = self._read(self._url)
        self._left = settings.IMPORT_IIIF_MANIFESTS
        self._seen = {self._url}
        yield from self._found(first, 0)

    def _found(self, found: Any, depth: int) -> Iterator[Item | Refused]:
        if not is_collection(found):
            yield from (self._item(picture) for picture in pictures(found))
            return
        for address, nested in members(found):
            if address in self._seen:
                continue
            self._seen.add(address)
            self._left -= 1
            if self._left < 0:
                most = settings.IMPORT_IIIF_MANIFESTS
                yield Refused(
                    address, f"The collection has more than {most:,} manifests; this is beyond that."
                )
                return
            if nested and depth == DEEPEST:
                yield Refused(address, "It is a collection too deep in other collections.")
                continue
            try:
                yield from self._found(self._read(address), depth + 1)
            except SourceError as error:
                yield Refused(address, str(error))

    def _read(self, url: str) -> Any:
        try:
            with self._fetcher.get(url, most=MOST_BYTES, headers={"accept": ANY}) as answer:
                found = json.loads(answer.read())
        except FetchRefused as error:
            raise SourceError(str(error)) from error
        except (ValueError, RecursionError) as error:
            raise SourceError("This is no IIIF manifest: it is no JSON.") from error
        if not isinstance(found, dict):
            raise SourceError("This is no IIIF manifest.")
        return found

    def _item(self, picture: Picture) -> Item | Refused:
        address = picture.addresses[0]
        return _web.item(
            self._fetcher, picture.addresses, _web.path_of(address), _name(picture), picture.facts
        )


def _name(picture: Picture) -> str:
    """A file name that tells pages apart, which the last part of the address does not: `default.jpg`."""
    parts = urlsplit(picture.addresses[-1]).path.strip("/").split("/")
    own = parts[-5] if len(parts) > 4 and parts[-1].startswith(("default.", "native.")) else parts[-1]
    name = unquote(own).rpartition("/")[2] or "picture"
    return name if "." in name[-6:] else f"{name}.jpg"
