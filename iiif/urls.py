from django.urls import include, path

from iiif import views

app_name = "iiif"

of_one_picture = [
    path("", views.base, name="base"),
    path("/", views.base),
    path("/info.json", views.info, name="info"),
    path("/<str:region>/<str:size>/<str:rotation>/<str:last>", views.image, name="image"),
]

# The plain identifier is the picture as it is now; with a number behind it, that version for ever.
urlpatterns = [
    path("<uuid:uid>", include(of_one_picture)),
    path("<uuid:uid>:<int:number>", include((of_one_picture, "version"))),
]
