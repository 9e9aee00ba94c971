"""Where an import takes its files from: folders, archives, buckets, addresses (docs/decisions/0019).

    source = opened("/srv/scans")
    for item in source.items():      # Item or Refused
        with item.open() as stream:
            ...

Raised is SourceError alone, with a sentence for people.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from assets.fetching import FetchRefused, checked
from assets.sources._source import S3, Item, Refused, Source, SourceError, Stream, Unchanged
from assets.sources.addresses import WEB, Addresses, is_list
from assets.sources.archive import Zip
from assets.sources.folder import Folder
from assets.sources.iiif import Manifest

__all__ = [
    "KINDS",
    "Addresses",
    "Folder",
    "Manifest",
    "Zip",
    "Item",
    "Refused",
    "Source",
    "SourceError",
    "Stream",
    "Unchanged",
    "opened",
]
KINDS = ("folder", "zip", "s3", "urls", "iiif")


def opened(where: str, *, kind: str | None = None, within: Sequence[Path] | None = None) -> Source:
    """The source at a path or an address; `kind` is one of KINDS where what is there does not show it.

    Paths on this machine must lie below one of `within`, if that is given: for sources that people name on
    a page. Raises SourceError.
    """
    if where.startswith(S3):
        from assets.sources.bucket import Bucket  # with boto3, which takes long and is seldom needed

        return Bucket(where)
    if where.lower().startswith(WEB):
        manifest = kind == "iiif" or kind is None and _is_manifest(where)
        return Manifest(where) if manifest else Addresses([_checked(where)], where)
    path = Path(where)
    if within is not None and not any(path.resolve().is_relative_to(root.resolve()) for root in within):
        raise SourceError(f"Imports may not read {where}.")
    if kind == "zip" or kind is None and path.suffix.lower() == ".zip" and path.is_file():
        return Zip(path)
    if kind == "urls" or kind is None and path.suffix.lower() == ".txt" and is_list(path):
        return Addresses.listed(path)
    return Folder(path)


def _checked(url: str) -> str:
    try:
        return checked(url)
    except FetchRefused as error:
        raise SourceError(str(error)) from error


def _is_manifest(url: str) -> bool:
    path = urlsplit(_checked(url)).path.lower().rstrip("/")
    return path.endswith((".json", "/manifest", "/collection"))
