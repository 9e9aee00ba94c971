from django.urls import path

from search import along, home, learning_views, saved_views, selecting, tag_queue, tag_views, views, why

app_name = "search"
urlpatterns = [
    path("", views.library, name="library"),
    path("home/", home.page, name="home"),
    path("bulk/", selecting.select, name="select"),
    path("search/facets/", views.facets, name="facets"),
    path("search/picture/", views.picture, name="picture"),
    path("assets/<uuid:uid>/detail/", views.detail, name="detail"),
    path("suggest", views.suggestions, name="suggest"),
    path("help/models/", views.models, name="models"),
    path("saved/", saved_views.index, name="saved"),
    path("saved/new/", saved_views.new, name="save"),
    path("saved/count/", saved_views.count, name="saved_count"),
    path("saved/smart/", saved_views.smart, name="smart"),
    path("saved/<uuid:uid>/", saved_views.page, name="saved_one"),
    path("saved/<uuid:uid>/open/", saved_views.open_one, name="saved_open"),
    path("saved/<uuid:uid>/edit/", saved_views.edit, name="saved_edit"),
    path("saved/<uuid:uid>/seen/", saved_views.seen, name="saved_seen"),
    path("saved/<uuid:uid>/delete/", saved_views.delete, name="saved_delete"),
    path("assets/<uuid:uid>/along/", along.along, name="along"),
    path("assets/<uuid:uid>/why/", why.why, name="why"),
    path("assets/<uuid:uid>/similar/", views.similar, name="similar"),
    path("assets/<uuid:uid>/suggested/", tag_views.suggestions, name="suggested_tags"),
    path("assets/<uuid:uid>/suggested/<uuid:term>/", tag_views.answer, name="answer_tag"),
    path("suggested/", tag_views.review, name="suggested"),
    path("learning/", learning_views.page, name="learning"),
    path("learning/progress/", learning_views.progress, name="learning_progress"),
    path("learning/now/", learning_views.learn, name="learning_now"),
    path("learning/use/", learning_views.use, name="learning_use"),
    path("learning/back/", learning_views.back, name="learning_back"),
    path("learning/tags/", tag_queue.page, name="tag_queue"),
    path("assets/<uuid:uid>/guessed/<uuid:term>/", tag_queue.answer, name="answer_guess"),
]
