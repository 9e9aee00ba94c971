"""How large a request may be before anything of it is read, and how long a statement may take."""

from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

Next = Callable[[HttpRequest], HttpResponseBase]

LONGEST_ADDRESS = 16_000  # characters of path and query; a search may have 20 filters of 1,000
LONGEST_HEADERS = 32_000  # characters of names and values, cookies included
MOST_PARAMETERS = 1_000  # of a query
ROOM = 16 * 1024**2  # bytes of fields and sidecars beside a file that is as large as a file may be


def limits(get_response: Next) -> Next:
    """414, 431 or 413 for a request that is too large; 503 where the database took too long for an answer.

    Fields of forms and JSON are bounded by DATA_UPLOAD_MAX_MEMORY_SIZE where they are read, and pieces of
    uploads by assets.views.tus.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return _refusal(request) or get_response(request)

    return middleware


class Statements:
    """Says it in words where a statement was stopped by the time limit of the web process."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OperationalError) or not isinstance(error.__cause__, QueryCanceled):
            return None
        said = _("This took too long, and was stopped. Ask for something narrower, or try again later.")
        return refused(request, 503, said, retry=10)


def refused(request: HttpRequest, status: int, said: str, retry: int = 0) -> HttpResponse:
    """The answer in the form that is asked for: JSON to programs, a line of text to browsers."""
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse({"detail": said}, status=status)
    else:
        answer = HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
    if retry:
        answer["Retry-After"] = str(retry)
    return answer


def _refusal(request: HttpRequest) -> HttpResponse | None:
    query = request.META.get("QUERY_STRING", "")
    if len(request.path) + len(query) > LONGEST_ADDRESS or query.count("&") >= MOST_PARAMETERS:
        return refused(request, 414, _("The address is too long."))
    if sum(len(name) + len(value) for name, value in request.headers.items()) > LONGEST_HEADERS:
        return refused(request, 431, _("The headers of the request are too long."))
    if length(request) > settings.MAX_UPLOAD_BYTES + ROOM:
        return refused(request, 413, _("The request is too large."))
    return None


def length(request: HttpRequest) -> int:
    """Bytes of the body; Django reads none beyond what is declared."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isascii() and declared.isdigit() else 0
