from django.urls import path

from search import along, views

app_name = "search"
urlpatterns = [
    path("", views.library, name="library"),
    path("search/facets/", views.facets, name="facets"),
    path("search/picture/", views.picture, name="picture"),
    path("assets/<uuid:uid>/detail/", views.detail, name="detail"),
    path("suggest", views.suggestions, name="suggest"),
    path("help/models/", views.models, name="models"),
    path("assets/<uuid:uid>/along/", along.along, name="along"),
    path("assets/<uuid:uid>/similar/", views.similar, name="similar"),
]
