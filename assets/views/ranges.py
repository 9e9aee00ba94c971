"""A file whole or in part, as RFC 9110 has it: 206, 416 behind the end, If-Range, 304."""

import re
from datetime import timedelta
from typing import Any

from django.core.files.storage import FileSystemStorage, Storage
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response

from assets import backends

ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


BEGINS = re.compile(r"\s*bytes\s*[= ]\s*0+\s*-", re.IGNORECASE)
GOES_ON = timedelta(hours=1)


class Unsatisfiable(ValueError):
    """There are no such bytes."""


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """Start and length of the part that a Range header asks for, of `size` bytes in all.

    None: the whole file, also where several parts are asked for, or nothing that is understood.
    Raises Unsatisfiable.
    """
    found = ONE.fullmatch(header)
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, last = max(size - int(found[2]), 0), size - 1
    else:
        start, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < start:
            return None
    if start >= size:
        raise Unsatisfiable
    return start, last - start + 1


def asked(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """As `wanted`, of a request; If-Range asks for all of a file that has changed. Raises Unsatisfiable."""
    header = request.headers.get("Range", "") if request.method == "GET" else ""
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    return wanted(header, size)


def is_new(request: HttpRequest, response: HttpResponseBase, noted: "QuerySet[Any]") -> bool:
    """Whether a file is given out by this answer, and not only a later part of one noted within the hour.

    `noted`, with `at`, are the downloads of this file by this person. A part that begins later is a download
    of its own where none is noted: the first byte can be guessed.
    """
    if request.method != "GET" or response.status_code not in (200, 206, 302):
        return False
    part = response.headers.get("Content-Range") or request.headers.get("Range", "")
    if response.status_code == 200 or not part or BEGINS.match(part):
        return True
    return not noted.filter(at__gt=timezone.now() - GOES_ON).exists()


def sent(request: HttpRequest, place: Storage, name: str, size: int, etag: str) -> HttpResponseBase:
    """The answer with a file of `size` bytes in a storage. Raises FileNotFoundError."""
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        try:
            response = _content(place, name, size, asked(request, size, etag))
        except Unsatisfiable:
            response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    return response


def _content(place: Storage, name: str, size: int, only: tuple[int, int] | None) -> HttpResponseBase:
    if only is None and isinstance(place, FileSystemStorage):
        response: HttpResponseBase = FileResponse(place.open(name))  # the server may have a quick way for it
    else:
        start, length = only or (0, size)
        response = StreamingHttpResponse(backends.part(place, name, start, length))
        response["Content-Length"] = str(length)
    if only:
        start, length = only
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    else:
        response["Content-Length"] = str(size)
    return response
