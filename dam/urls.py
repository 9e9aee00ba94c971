from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path
from django.utils.translation import gettext_lazy

from accounts import sign_in
from dam import health
from dam.api import api
from dam.audit_page import audit_csv, audit_page
from dam.encoders_page import encoders_page
from dam.health_page import health_page
from dam.storage_page import storage_page

admin.site.site_header = admin.site.site_title = gettext_lazy("Administration")
admin.site.index_title = gettext_lazy("What would you like to look after?")
# The ways in are those of the site, where attempts are counted and second factors are asked for.
admin.site.login = sign_in.for_administration  # type: ignore[method-assign]
admin.site.password_change = sign_in.password_for_administration  # type: ignore[method-assign,assignment]


def favicon(request: HttpRequest) -> HttpResponse:
    """For pages that name no icon of their own, such as a picture opened by itself."""
    return redirect(static("img/favicon.svg"))


urlpatterns = [
    path("favicon.ico", favicon),
    path("accounts/", include("accounts.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/health/", admin.site.admin_view(health_page), name="health"),
    path("admin/storage/", admin.site.admin_view(storage_page), name="storage"),
    path("admin/encoders/", admin.site.admin_view(encoders_page), name="encoders"),
    path("admin/audit/", admin.site.admin_view(audit_page), name="audit"),
    path("admin/audit.csv", admin.site.admin_view(audit_csv), name="audit_csv"),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("iiif/3/", include("iiif.urls")),
    path("", include("search.urls")),
    path("", include("assets.urls")),
]
