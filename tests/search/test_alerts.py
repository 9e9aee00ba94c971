"""Saved searches, and alerts by words and by likeness: once, and only of what one may see."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.db.models import F
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.models import User
from assets.changes import apply, notify, operation
from assets.models import Asset, AssetVersion, Blob, Collection
from search import alerts, fresh, saved, sql
from search.forms import Wish
from search.models import EmbeddingSpace, Fresh, SavedMatch, SavedSearch
from search.query import remember_image
from search.saved import SavedError
from tests.encoder import ColourEncoder
from tests.factories import asset, picture, process

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def keep(user: User, address: str, **how: Any) -> SavedSearch:
    return saved.keep(user, "Kept", Wish.of(QueryDict(address)), **{"alert": True, **how})


def told(search: SavedSearch) -> list[str]:
    alerts.work()
    return sorted(search.matches.values_list("asset__title", flat=True))


def edit(one: Asset, **patch: Any) -> None:
    apply(operation("edit", ""), [one], patch)


# --- words and filters ----------------------------------------------------------------------------


def test_words_alert_to_what_is_new_and_has_all_of_them(viewer: User) -> None:
    asset(title="An old boat on a river")
    search = keep(viewer, "q=boat+river&mode=keywords")
    assert told(search) == [] and not Fresh.objects.exists()
    asset(title="A boat on a river"), asset(title="A boat on the sea")
    assert told(search) == ["A boat on a river"]
    assert not Fresh.objects.exists() and alerts.work() == 0


def test_nothing_is_noted_while_nobody_has_an_alert(viewer: User) -> None:
    keep(viewer, "q=boat", alert=False)
    asset(title="A boat")
    assert not Fresh.objects.exists()


def test_an_edit_makes_an_old_picture_match_once(viewer: User) -> None:
    one = asset(title="Sea")
    search = keep(viewer, "tag=ship&mode=keywords&filter=date%3A1800..1900")
    edit(one, add_terms={"tags": ["ship"]})
    assert told(search) == []
    edit(one, date="1850")
    assert told(search) == ["Sea"]
    first = search.matches.get().found_at
    edit(one, title="The sea")
    assert told(search) == ["The sea"] and search.matches.get().found_at == first


def test_only_what_the_owner_may_see(viewer: User, admin: User) -> None:
    mine, theirs = keep(viewer, "q=boat"), keep(admin, "q=boat")
    one = asset(title="A boat")
    edit(one, access="restricted")
    assert told(mine) == [] and told(theirs) == ["A boat"]
    assert saved.news(admin).count() == 1
    admin.is_superuser = False
    assert saved.news(admin).count() == 0  # who may not see it any more is not told any more


def test_a_question_with_mistakes_or_without_its_example_matches_nothing(viewer: User) -> None:
    example = asset("red", title="Example", done=True)
    wrong, like = keep(viewer, "q=date%3Aabc"), keep(viewer, f"like={example.uid}")
    edit(example, access="restricted")
    asset("red", title="New", done=True)
    alerts.work()
    assert not SavedMatch.objects.exists() and wrong.pk and like.pk


def test_what_changes_while_it_is_looked_at_stays_noted(viewer: User) -> None:
    keep(viewer, "q=boat")
    one = asset(title="A boat")
    noted = fresh.waiting(10)
    edit(one, title="A ship")
    fresh.done(noted)
    assert [pk for pk, _ in fresh.waiting(10)] == [one.pk]
    fresh.done(fresh.waiting(10))
    assert fresh.waiting(10) == []


# --- likeness -------------------------------------------------------------------------------------


@pytest.fixture
def crowd(space: EmbeddingSpace) -> None:
    """Fifty-five pictures of no colour in particular: a background that tells what stands out."""
    for n, one in enumerate(pictures(*map(str, range(55)))):
        look(space, one, n)


def pictures(*titles: str) -> list[Asset]:
    """With their search rows, without files."""
    home = Collection.objects.named("Library")
    blob = Blob.objects.get_or_create(sha256="0" * 64, size=1, media_type="image/jpeg", state="stored")[0]
    made = Asset.objects.bulk_create(Asset(collection=home, title=title) for title in titles)
    file = {"blob": blob, "original_filename": "a.jpg", "format": "JPEG", "width": 9, "height": 9}
    versions = AssetVersion.objects.bulk_create(AssetVersion(asset=one, **file) for one in made)
    for one, version in zip(made, versions, strict=True):
        one.current_version = version
    Asset.objects.bulk_update(made, ["current_version"])
    notify([one.pk for one in made])
    return made


def look(space: EmbeddingSpace, one: Asset, seed: int, red: float = 0.0) -> None:
    """Give a picture its vector: the third number says how red it is."""
    vector = np.abs(np.random.default_rng(seed).normal(0.3, 0.03, space.dimensions)).astype(np.float32)
    vector[2] += red
    sql.write_vector(space, one.current_version_id or 0, one.pk, "visual", vector / np.linalg.norm(vector))


def test_likeness_alerts_above_the_cutoff_of_the_question(
    crowd: None, space: EmbeddingSpace, viewer: User, encoder: ColourEncoder
) -> None:
    (example,) = pictures("Example")
    look(space, example, 100, red=3)
    in_words = keep(viewer, "q=something+red&mode=visual")
    by_example = keep(viewer, f"like={example.uid}")
    token = remember_image(picture("red"))
    by_picture = keep(viewer, f"picture={token}")
    fire, coal = pictures("Fire", "Coal")
    look(space, fire, 101, red=3), look(space, coal, 102)
    encoder.away = True
    cache.clear()  # the picture that was given, and all vectors, are forgotten
    assert told(by_picture) == [] and Fresh.objects.filter(waits=True).count() == 2
    assert told(by_example) == ["Fire"]
    asset(title="Something red, later")
    encoder.away = False
    assert alerts.work() == 1 and alerts.work() == 2  # what is new first, then what was put off
    assert told(in_words) == told(by_example) == told(by_picture) == ["Fire"]
    assert not Fresh.objects.exists()


def test_what_was_put_off_is_given_up_after_a_day(viewer: User, encoder: ColourEncoder) -> None:
    keep(viewer, "q=red")
    asset("red")
    encoder.away = True
    cache.clear()
    alerts.work(), alerts.work()
    assert Fresh.objects.get().waits
    Fresh.objects.update(noted_at=F("noted_at") - timedelta(days=2))
    SavedSearch.objects.update(alert_since=F("alert_since") - timedelta(days=3))
    alerts.work()
    assert not Fresh.objects.exists()


def test_a_new_vector_is_noted_and_one_of_another_space_is_not(
    space: EmbeddingSpace, viewer: User, django_capture_on_commit_callbacks: Any
) -> None:
    keep(viewer, "q=red")
    one = asset("red")
    Fresh.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        process(one)
    assert Fresh.objects.filter(asset_id=one.pk).exists()


# --- keeping, opening, pages ----------------------------------------------------------------------


def test_a_picture_that_was_given_is_kept_and_opened_again(browser: Client, viewer: User) -> None:
    token = remember_image(picture("red"))
    one = keep(viewer, f"q=sea&picture={token}&page=3&why=1", alert=False)
    assert one.question == "q=sea"
    cache.clear()
    answer = browser.get(reverse("search:saved_open", args=[one.uid]), follow=True)
    assert "Like the picture you gave" in answer.content.decode()
    with pytest.raises(SavedError, match="could not be read"):
        keep(viewer, f"picture={remember_image(b'no picture')}")
    with pytest.raises(SavedError, match="an hour only"):
        keep(viewer, "picture=gone")
    with pytest.raises(SavedError, match="nothing to save"):
        keep(viewer, "sort=title")


def test_pages(browser: Client, viewer: User) -> None:
    assert "You have saved no search yet" in browser.get("/saved/").content.decode()
    assert "Save this search" in browser.get("/?q=boat").content.decode()
    assert "Save this search" not in browser.get("/").content.decode()
    said = {"question": "/?q=boat&mode=keywords", "name": "Boats", "alert": "on"}
    assert "Saved as “Boats”" in browser.post("/saved/new/", said, follow=True).content.decode()
    one = SavedSearch.objects.get()
    assert browser.get("/saved/count/").content == b""
    asset(title="A boat")
    alerts.work()
    assert browser.get("/saved/count/").content == b"1 new"
    assert "1 new" in browser.get("/saved/").content.decode()
    page = browser.get(one.get_absolute_url())
    assert [card.title for card in page.context["cards"]] == ["A boat"]
    assert browser.get("/saved/count/").content == b"1 new"  # to look at a page changes nothing
    for wrong in ("9999-12-31T23:59:59-12:00", "2999-01-01T00:00:00Z", "yesterday"):
        browser.post(reverse("search:saved_seen", args=[one.uid]), {"until": wrong})
        assert browser.get("/saved/count/").content == b"1 new"
    browser.post(reverse("search:saved_seen", args=[one.uid]), {"until": page.context["until"]})
    assert browser.get("/saved/count/").content == b""
    assert "Nothing new since" in browser.get(one.get_absolute_url()).content.decode()
    browser.post(reverse("search:saved_edit", args=[one.uid]), {"name": "Ships", "shared": "on"})
    one.refresh_from_db()
    assert (one.name, one.shared, one.alert_since) == ("Ships", True, None)
    SavedSearch.objects.update(question=f"q={'x' * 10_000}")  # as others would see it in their lists
    assert "x" * 300 not in browser.get("/saved/").content.decode()
    question = browser.get(reverse("search:saved_delete", args=[one.uid])).content.decode()
    assert "cannot be brought back" in question
    browser.post(reverse("search:saved_delete", args=[one.uid]))
    assert not SavedSearch.objects.exists()


def test_others_see_and_open_what_is_shared_and_change_nothing(browser: Client, admin: User) -> None:
    one = keep(admin, "q=boat", shared=True)
    hidden = keep(admin, "q=secret")
    page = browser.get("/saved/").content.decode()
    assert "boat" in page and "secret" not in page
    assert "boat" in browser.get("/saved/smart/").content.decode() or "Kept" in page
    assert browser.get(reverse("search:saved_open", args=[one.uid])).url == "/?q=boat"
    assert "Name and alert" not in browser.get(one.get_absolute_url()).content.decode()
    for name in ("saved_edit", "saved_seen", "saved_delete"):
        assert browser.post(reverse(f"search:{name}", args=[one.uid]), {"name": "X"}).status_code == 404
    assert browser.get(hidden.get_absolute_url()).status_code == 404


def test_a_person_has_so_many_alerts(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST_ALERTS", 1)
    keep(viewer, "q=a1")
    with pytest.raises(SavedError, match="Not more than 1"):
        keep(viewer, "q=b1")
