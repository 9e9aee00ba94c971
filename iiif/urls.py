from django.urls import URLPattern, include, path

from iiif import views

app_name = "iiif"


def of_one_picture(identifier: str) -> list[URLPattern]:
    return [
        path(identifier, views.base, name="base"),
        path(f"{identifier}/", views.base),
        path(f"{identifier}/info.json", views.info, name="info"),
        path(f"{identifier}/ready", views.ready, name="ready"),
        path(f"{identifier}/<str:region>/<str:size>/<str:rotation>/<str:last>", views.image, name="image"),
    ]


# The plain identifier is the picture as it is now; with a number behind it, that version for ever.
urlpatterns = [
    *of_one_picture("<uuid:uid>"),
    path("", include((of_one_picture("<uuid:uid>:<int:number>"), "version"))),
    # For recipients of a link: without an account, by a signature (assets.sharing.media).
    path("", include((of_one_picture("shared/<str:signed>/<uuid:uid>:<int:number>"), "shared"))),
]
