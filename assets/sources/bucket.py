"""What lies below a prefix of an S3 bucket, read with the key of the settings IMPORT_S3_…

The key is one of its own: that of the library's storage could read every original.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from assets.sources import names
from assets.sources._beside import joined
from assets.sources._source import S3, Item, Refused, SourceError, Stream, stream

FROZEN = ("GLACIER", "DEEP_ARCHIVE")
TIMES = Config(connect_timeout=10, read_timeout=60, retries={"max_attempts": 4, "mode": "standard"})
WHY = {
    "NoSuchBucket": "There is no such bucket.",
    "NoSuchKey": "It is not there any more.",
    "404": "It is not there.",
    "AccessDenied": "The key for imports may not read it.",
    "403": "The key for imports may not read it.",
    "InvalidAccessKeyId": "The key for imports is not known there. Check IMPORT_S3_ACCESS_KEY.",
    "SignatureDoesNotMatch": "The key for imports is not right. Check IMPORT_S3_SECRET_KEY.",
    "PreconditionFailed": "It was changed while the import ran. Repeat the import.",
    "InvalidObjectState": "It lies in an archive of the service and has to be restored there first.",
}


class Bucket:
    """All objects whose key begins with the prefix, by pages of the service."""

    def __init__(self, where: str) -> None:
        """`where` is s3://bucket/prefix. Raises SourceError."""
        self._bucket, _, self._prefix = where.removeprefix(S3).partition("/")
        if not where.startswith(S3) or not self._bucket:
            raise SourceError("Write a bucket as s3://name/beginning-of-its-keys.")
        self.identity = f"s3:{self._bucket}/{self._prefix}"
        self.label = where
        self._s3 = _client()

    def items(self) -> Iterator[Item | Refused]:
        """In the order of the keys; a picture and its sidecar follow each other there."""
        distinct = names.Distinct()
        for _, group in groupby(self._objects(), key=lambda found: _stem(found["Key"])):
            yield from joined([self._item(found, distinct) for found in group])

    def _objects(self) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for found in page.get("Contents", []):
                    path = self._path(found["Key"])
                    if path and not path.endswith("/") and not names.is_junk(path):
                        yield found
        except (BotoCoreError, ClientError) as error:
            raise SourceError(f"{self.label} cannot be listed. {_why(error)}") from error

    def _path(self, key: str) -> str:
        """Below the folder of the prefix, which need not end with a whole name."""
        return key[self._prefix.rfind("/") + 1 :]

    def _item(self, found: dict[str, Any], distinct: names.Distinct) -> Item | Refused:
        key = found["Key"]
        try:
            path = distinct(names.inside(self._path(key)))
        except ValueError as error:
            return Refused(self._path(key), str(error))
        if found.get("StorageClass") in FROZEN:
            return Refused(path, WHY["InvalidObjectState"])
        etag = found.get("ETag", "")
        fingerprint = f"{found['Size']}-{etag}" if etag else ""
        return Item(path, found["Size"], lambda known: self._open(key, etag), fingerprint=fingerprint)

    @contextmanager
    def _open(self, key: str, etag: str) -> Iterator[Stream]:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, **({"IfMatch": etag} if etag else {}))
        except (BotoCoreError, ClientError) as error:
            raise SourceError(_why(error)) from error
        with answer["Body"] as body, stream(body.read, _why) as opened:
            yield opened


def _client() -> Any:
    key = settings.IMPORT_S3_ACCESS_KEY
    return boto3.client(
        "s3",
        endpoint_url=settings.IMPORT_S3_ENDPOINT_URL or None,
        region_name=settings.IMPORT_S3_REGION or "us-east-1",
        aws_access_key_id=key or None,
        aws_secret_access_key=settings.IMPORT_S3_SECRET_KEY or None,
        config=TIMES if key else TIMES.merge(Config(signature_version=UNSIGNED)),
    )


def _stem(key: str) -> str:
    """The key as far as the first dot of its last part: the same for a picture and its sidecar."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"


def _why(error: Exception) -> str:
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    if code:
        return WHY.get(code, f"The service refused it ({code}).")
    return "The service cannot be reached, or the connection broke. Check IMPORT_S3_ENDPOINT_URL."
