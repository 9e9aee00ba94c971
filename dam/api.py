"""The HTTP API, version 1: bearer tokens (`manage.py token USER`), description at /api/v1/openapi.json."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.openapi.schema import OpenAPISchema
from ninja.security import HttpBearer

from accounts.models import ApiToken, Scope, TokenError, User
from assets.api import router as assets_router
from assets.api_records import of_assets as fields_router
from assets.api_records import router as records_router
from search.api import router as search_router

LOOKING = {"GET", "HEAD"}
OTHERWISE = {("POST", "/api/v1/assets"): Scope.UPLOAD, ("POST", "/api/v1/search"): Scope.READ}
"""POSTs that change no description; every address that stands here nowhere changes something."""


def scope_of(method: str, path: str) -> Scope:
    """What a token must have been made for. `path` is that of the address; a new one wants `write`."""
    if method in LOOKING:
        return Scope.READ
    return OTHERWISE.get((method, path.rstrip("/")), Scope.WRITE)


class Bearer(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> User:
        try:
            user = ApiToken.objects.admit(token, scope_of(str(request.method), request.path_info))
        except TokenError as refused:
            raise HttpError(refused.status, str(refused)) from refused
        request.user = user
        return user


WORDS = {"type": "string"}
MISTAKES = {"type": "array", "items": {"type": "object"}, "description": "One for each parameter."}
ANSWERED_EVERYWHERE: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("The request cannot be read.", WORDS),
    401: ("No token, or a wrong one.", WORDS),
    403: ("The token was not made for this.", WORDS),
    413: ("The request is too large.", WORDS),
    414: ("The address is too long.", WORDS),
    422: ("It is refused.", {"oneOf": [WORDS, MISTAKES]}),
    429: ("Too many requests; Retry-After says for how many seconds to wait.", WORDS),
    503: ("It took too long; Retry-After says when to try again.", WORDS),
}


class Described(NinjaAPI):
    """Its description tells of the answers that every operation may give as well."""

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(*args, **kwargs)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, (said, detail) in ANSWERED_EVERYWHERE.items():
                    operation["responses"][status] = _problem(said, detail)
        return schema


def _problem(said: str, detail: dict[str, Any]) -> dict[str, Any]:
    body = {"type": "object", "properties": {"detail": detail}, "required": ["detail"]}
    return {"description": said, "content": {"application/json": {"schema": body}}}


api = Described(
    title="Picture memory",
    version="1",
    description="Put pictures in, and find them by words, tags, collections and likeness.",
    auth=Bearer(),
    docs_url=None,
)


@api.exception_handler(PermissionDenied)
def refused(request: HttpRequest, denied: PermissionDenied | type[PermissionDenied]) -> HttpResponse:
    return api.create_response(request, {"detail": str(denied)}, status=403)


api.add_router("/assets", assets_router, tags=["assets"])
api.add_router("/assets", fields_router, tags=["assets"])
api.add_router("/records", records_router, tags=["records"])
api.add_router("/search", search_router, tags=["search"])
