"""The HTTP API, version 1: bearer tokens (`manage.py token USER`), description at /api/v1/openapi.json."""

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.security import HttpBearer

from accounts.models import ApiToken, User
from assets.api import router as assets_router
from assets.api_records import of_assets as fields_router
from assets.api_records import router as records_router
from search.api import router as search_router


class Bearer(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = ApiToken.objects.user_of(token)
        if user is not None:
            request.user = user
        return user


api = NinjaAPI(
    title="Picture memory",
    version="1",
    description="Put pictures in, and find them by words, tags, collections and likeness.",
    auth=Bearer(),
    docs_url=None,
)
api.add_router("/assets", assets_router, tags=["assets"])
api.add_router("/assets", fields_router, tags=["assets"])
api.add_router("/records", records_router, tags=["records"])
api.add_router("/search", search_router, tags=["search"])
