"""Rights: what the statements mean, what may be taken when and by whom, and what is noted."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import User
from assets import apart, changes, copies, ending, licensing
from assets.bulk import selecting
from assets.consents import Consent, NotAConsent, consents_of
from assets.models import Asset, Download, LicenceRules, Operation, Relation, Use
from assets.relations import keep_one
from assets.scopes import scope_of
from assets.statements import BY_CODE
from audit.models import Entry
from search.hybrid import HybridQuery
from search.query import run
from tests.assets.test_permissions import grant
from tests.assets.test_views import edited
from tests.factories import asset, picture, take_in
from tests.iiif.conftest import FULL as FULL_SIZE
from tests.iiif.conftest import placed, with_pyramid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
LATER, EARLIER = timedelta(hours=1), timedelta(seconds=-1)
INC = "http://rightsstatements.org/vocab/InC/1.0/"
Grant = Callable[..., None]


@pytest.fixture
def may(viewer: User) -> Grant:
    """`may("see", "download")`: what the viewer may do in the whole library."""
    return partial(grant, viewer, None)


@pytest.fixture(autouse=True)
def uses_after_a_flush(db: None) -> None:
    for slug in ("press", "web", "print", "education", "commercial"):
        Use.objects.get_or_create(slug=slug, defaults={"name": slug})


def large(name: str = "sea.jpg", **words: str) -> Asset:
    found = take_in(picture("white", (2400, 1200)), name, words=words).asset
    assert found is not None
    return Asset.objects.get(pk=found.pk)


def change(found: Asset, **patch: Any) -> Asset:
    changes.apply(changes.operation("edit", ""), [found], patch)
    return Asset.objects.get(pk=found.pk)


def address(found: Asset, page: str = "") -> str:
    return f"/assets/{found.uid}/{page}"


# --- what has ended -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "closed"), [(-1, False), (0, True)])
@pytest.mark.parametrize("by", ["licence", "consent"])
def test_the_minute_of_the_end(
    browser: Client, may: Grant, monkeypatch: pytest.MonkeyPatch, by: str, seconds: int, closed: bool
) -> None:
    may("see", "download", "original")
    end = timezone.now().replace(second=0, microsecond=0) + timedelta(days=3)
    found = asset()
    if by == "licence":
        found = change(found, rights_expire_at=end)
    else:
        found = change(found, consents=[Consent("k", "Ada", withdrawn_at=end.isoformat()).plain()])
    moved = end + timedelta(seconds=seconds)
    browser.get(address(found))  # so that the session is no older than the clock
    monkeypatch.setattr(timezone, "now", lambda: moved)
    answer = browser.get(address(found, "original/"))
    assert answer.status_code == (403 if closed else 200)
    assert (b"licence" if by == "licence" else b"consent") in answer.content if closed else True
    page = browser.get(address(found)).content.decode()
    assert ("Closed." in page, 'original/" download' in page) == (closed, not closed)


@pytest.mark.parametrize(("seconds", "status"), [(-1, 404), (0, 200)])
def test_the_minute_in_which_an_embargo_ends(
    browser: Client, monkeypatch: pytest.MonkeyPatch, seconds: int, status: int
) -> None:
    end = timezone.now().replace(second=0, microsecond=0) + timedelta(days=3)
    found = change(asset(), embargo_until=end)
    browser.get("/trash/")  # so that the session is no older than the clock
    monkeypatch.setattr(timezone, "now", lambda: end + timedelta(seconds=seconds))
    pages = ("", "download/", "history.csv")
    assert {browser.get(address(found, page)).status_code for page in pages} == {status}


def test_the_search_agrees_with_the_rule_about_what_has_ended(viewer: User) -> None:
    now = timezone.now()
    found = {
        name: asset() for name in ("licence over", "licence runs", "consent over", "consent runs", "none")
    }
    for name, moment in (("over", now + EARLIER), ("runs", now + LATER)):
        change(found[f"licence {name}"], rights_expire_at=moment)
        change(
            found[f"consent {name}"], consents=[Consent("k", "Ada", withdrawn_at=moment.isoformat()).plain()]
        )
    fresh = list(
        Asset.objects.filter(pk__in=[one.pk for one in found.values()]).prefetch_related("depictions")
    )
    by_rule = {pk for pk, v in licensing.verdicts(fresh, viewer).items() if v.closed}
    asked = {
        state: HybridQuery(user=viewer, filters=(f"rights:{state}",)) for state in ("expired", "expiring")
    }
    by_search = {state: {one.pk for one in run(query).assets} for state, query in asked.items()}
    assert by_rule == by_search["expired"] == {found["licence over"].pk, found["consent over"].pk}
    assert by_search["expiring"] == {found["licence runs"].pk, found["consent runs"].pk}


def test_rights_are_those_of_the_object_and_of_the_picture(viewer: User) -> None:
    found = asset(accession="7", rights="CC0", credit_line="Gift")
    change(found, rights=INC, not_for=["press"])
    changes.apply(changes.operation("edit", ""), [found.record], {"not_for": ["web"]})
    facts = licensing.facts_of(Asset.objects.get())
    assert [one.code for one in facts.statements] == ["CC0", "InC"] and facts.protected
    assert (facts.not_for, facts.credit) == ({"press", "web"}, "Gift")
    assert not licensing.facts_of(asset(rights="© me")).statements


def test_verdicts_of_many_take_as_many_queries_as_of_one(
    viewer: User, django_assert_num_queries: Any
) -> None:
    scope_of(viewer)  # resolved once for a request
    for number in (1, 4):
        for n in range(number):
            asset(accession=f"{number}.{n}")
        whole = list(Asset.objects.prefetch_related("depictions__record"))
        with django_assert_num_queries(3):
            assert len(licensing.verdicts(whole, viewer)) == len(whole)


# --- copies ---------------------------------------------------------------------------------------------


def taken_copy(browser: Client, found: Asset, longest: int) -> Image.Image:
    answer = browser.get(address(found, f"jpeg/{longest}/"))
    assert answer.status_code == 200, answer.content
    return Image.open(io.BytesIO(answer.getvalue()))


def test_a_copy_is_marked_where_due_and_nowhere_else(browser: Client, may: Grant) -> None:
    found = large(rights="InC", credit_line="Gift of Käthe")
    may("see", "download")
    copy = taken_copy(browser, found, 1600)
    assert copy.size == (1600, 800) and copy.convert("L").getextrema()[0] < 60  # type: ignore[operator]
    said = str(copy.getxmp())  # type: ignore[no-untyped-call]
    assert "Gift of Käthe" in said and f"'WebStatement': '{INC}'" in said and "'Marked': 'True'" in said
    LicenceRules(watermark=False).save()
    assert taken_copy(browser, found, 1024).convert("L").getextrema()[0] > 100  # type: ignore[operator]
    LicenceRules(watermark=True).save()
    may("see", "download", "original")
    assert taken_copy(browser, found, 1024).convert("L").getextrema()[0] > 100  # type: ignore[operator]
    noted = [(one.size, one.marked, one.username) for one in Download.objects.order_by("pk")]
    names = ["JPEG 1600", "JPEG 1024", "JPEG 1024"]
    assert noted == [(name, n == 0, "viewer") for n, name in enumerate(names)]


# --- downloads ------------------------------------------------------------------------------------------


def test_who_may_have_copies_has_no_original_and_none_that_is_larger(browser: Client, may: Grant) -> None:
    found, small = large(rights="InC"), asset(name="small.jpg")
    may("see", "download")
    for page in ("original/", "download/", "original/?show", "download/?metadata=0"):
        answer = browser.get(address(found, page))
        assert answer.status_code == 403 and b"at most 1,600 pixels" in answer.content
        assert b"JPEG, 1,600 pixels" in answer.content
    assert browser.get(address(found, "jpeg/2048/")).status_code == 404
    page = browser.get(address(found)).content.decode()
    assert "/jpeg/1600/" in page and "/jpeg/2048/" not in page and "/original/" not in page
    assert taken_copy(browser, small, 320).size == (
        320,
        240,
    )  # of a JPEG too, which is there in no other size
    may("see")
    assert browser.get(address(small, "jpeg/320/")).status_code == 403
    assert b"You may look at this picture" in browser.get(address(small)).content
    assert Download.objects.count() == 1


def test_only_what_is_sent_is_noted(browser: Client, may: Grant) -> None:
    found = asset(title="Sea")
    browser.head(address(found, "original/"))
    browser.get(address(found, "metadata.xmp"))
    assert not Download.objects.exists()
    browser.get(address(found, "download/?metadata=0"))  # which hands over to another view
    one = Download.objects.get()
    assert (one.title, one.size, one.through, one.asset) == ("Sea", "original", "page", found)
    browser.get(address(found, "original/?show"))
    assert Download.objects.latest("pk").through == "shown"


def test_a_file_without_its_first_byte_is_a_download_too(browser: Client) -> None:
    page = address(asset(), "original/")
    for part in ("bytes=1-", "bytes=5-", "Bytes = 7-"):  # the later ones go on with what is noted
        assert browser.get(page, headers={"range": part}).status_code == 206
        assert Download.objects.count() == Entry.objects.filter(event="downloaded").count() == 1
    browser.get(page, headers={"range": "bytes=00-"})
    assert Download.objects.count() == Entry.objects.filter(event="downloaded").count() == 2


def test_an_earlier_description_brings_no_consent_back(viewer: User) -> None:
    agreed = Consent("k", "Ada").plain()
    found = change(asset(), consents=[agreed], title="Then")
    then = Operation.objects.latest("pk")
    over = Consent("k", "Ada", withdrawn_at=timezone.now().isoformat()).plain()
    change(found, consents=[over], title="Now")
    grant(viewer, None, "describe")
    changes.restore_state([found], then, viewer, "")
    found.refresh_from_db()
    assert (found.title, found.consents) == ("Then", [over])


def test_a_purpose_is_asked_once_and_what_is_not_allowed_is_refused(browser: Client, may: Grant) -> None:
    may("see", "download", "original")
    found = change(asset(), not_for=["press"])
    page = browser.get(address(found)).content.decode()
    assert "Say what it is for" in page and 'original/" download' not in page
    asked = browser.get(address(found, "download/"))
    assert asked.status_code == 302 and asked["Location"].startswith("/purpose/?next=")
    assert browser.post(asked["Location"], {"use": "other", "words": " "}).status_code == 200
    sent = {"use": "press", "words": "The Courier"}
    assert browser.post(asked["Location"], sent)["Location"] == address(found)
    refused = browser.get(address(found, "download/"))
    assert refused.status_code == 403 and b"not be used for this: press" in refused.content
    assert browser.post("/purpose/?next=//evil.example/", {"use": "web", "words": ""})["Location"] == "/"
    assert browser.get(address(found, "download/")).status_code == 200
    one = Download.objects.get()
    assert (one.use, one.purpose) == ("web", "")
    assert Entry.objects.get(event="downloaded").details == {"what": "original", "use": "web"}


def test_a_zip_holds_what_each_picture_allows(browser: Client, viewer: User, may: Grant) -> None:
    free, inside = large("a.jpg", title="Free"), large("b.jpg", title="Inside", rights="InC")
    ended = change(asset(title="Ended"), rights_expire_at=timezone.now() + EARLIER)
    asks = change(asset(title="Asks"), not_for=["press"])
    job = selecting.select(viewer, [free.pk, inside.pk, ended.pk, asks.pk])
    may("see", "download")
    answer = browser.get(f"/bulk/{job.uid}/pictures.zip", {"size": "2048"})
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as made:  # type: ignore[attr-defined]
        names = [name for name in made.namelist() if name != "list.csv"]
        sizes = [Image.open(io.BytesIO(made.read(name))).size for name in names]
        said = made.read("list.csv").decode()
    assert sizes == [(2048, 1024), (1600, 800)]
    assert "Ended: The licence of this picture ended" in said and "Asks: Before this one" in said
    noted = list(Download.objects.order_by("pk").values_list("title", "size", "marked", "through"))
    assert noted == [("Free", "JPEG 2048", False, "zip"), ("Inside", "JPEG 1600", True, "zip")]


def test_the_image_api_gives_no_larger_picture_than_may_be_taken(viewer: User, may: Grant) -> None:
    found = large(rights="InC")
    may("see", "download", "original")
    assert licensing.most_pixels(found, viewer) == copies.FULL
    may("see", "download")
    assert licensing.most_pixels(found, viewer) == licensing.SEEN  # since it is marked otherwise
    assert licensing.most_pixels(change(found, rights="CC0"), viewer) == 2048
    may("see")
    assert licensing.most_pixels(found, viewer) == licensing.SEEN


def test_the_list_of_downloads_is_for_those_who_manage(browser: Client, may: Grant, admin: User) -> None:
    found, other = asset(title="=Sea"), asset(title="Hill")
    for one in (found, other):
        browser.get(address(one, "original/"))
    page = browser.get("/downloads/", {"q": "hill"})
    assert [row[0].title for row in page.context["rows"]] == ["Hill"]
    assert "No download is like this." in browser.get("/downloads/", {"since": "2999-01-01"}).content.decode()
    table = browser.get("/downloads/list.csv").getvalue().decode()
    assert "'=Sea" in table and table.count("viewer") == 2 and f"/assets/{found.uid}/" in table
    assert Entry.objects.get(event="exported").details["pictures"] == 2
    may("see", "download", "original")
    assert "Nobody has downloaded" in browser.get("/downloads/").content.decode()
    assert browser.get("/downloads/list.csv").getvalue().decode().count("viewer") == 0
    Download.objects.filter(asset=other).update(asset=None)  # as when it is deleted for good
    browser.force_login(admin)
    assert len(browser.get("/downloads/").context["rows"]) == 2


# --- consents, editing, history -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        {},
        [1],
        [{"key": "k", "person": " "}],
        [{"key": "k", "person": "A", "until": "2026-02-30"}],
        [{"x": "y"}],
    ],
)
def test_what_is_no_consent_is_not_stored(bad: Any) -> None:
    found = asset()
    with pytest.raises(NotAConsent):
        consents_of(bad)
    with pytest.raises(changes.ChangeRefused):
        change(found, consents=bad)


def test_a_withdrawn_consent_closes_and_undo_opens_again(browser: Client, viewer: User) -> None:
    found = asset()
    page = address(found, "consents/")
    assert "No consent is noted yet." in browser.get(page).content.decode()
    wrong = {"act": "add", "person": "Ada", "given_on": "2026-03-02", "until": "2026-03-01"}
    assert b"end before it was given" in browser.post(page, wrong).content
    browser.post(page, {**wrong, "until": "2999-01-01", "purpose": "Catalogue"})
    (one,) = consents_of(Asset.objects.get().consents)
    assert (one.person, one.purpose, one.until) == ("Ada", "Catalogue", "2999-01-01")
    assert Asset.objects.get().consent_ends_at == one.ends_at
    shown = browser.post(page, {"act": "withdraw", "consent": one.key}, follow=True).content.decode()
    assert "a consent was withdrawn" in shown and "Undo" in shown
    assert licensing.verdict_of(Asset.objects.get(), viewer).closed
    told = browser.get(address(found)).content.decode()
    assert "1 (withdrawn: 1)" in told and "Ada" not in told  # whoever sees the picture reads its history
    changes.undo(Operation.objects.filter(label__contains="was withdrawn").get(), viewer)
    again = Asset.objects.get()
    assert not licensing.verdict_of(again, viewer).closed and again.consent_ends_at == one.ends_at
    browser.post(page, {"act": "remove", "consent": one.key})
    assert (Asset.objects.get().consents, Asset.objects.get().consent_ends_at) == ([], None)
    assert browser.post(page, {"act": "remove", "consent": "none"}).status_code == 404


def test_consents_are_for_those_who_manage(browser: Client, may: Grant) -> None:
    found = change(asset(), consents=[Consent("k", "Ada Secret").plain()])
    assert b"See the consents" in browser.get(address(found)).content
    may("see", "describe", "download", "original")
    assert browser.get(address(found, "consents/")).status_code == 403
    assert b"See the consents" not in browser.get(address(found)).content


def test_uses_and_the_end_of_a_licence_are_edited_as_all_else(browser: Client) -> None:
    found = asset()
    page = browser.get(address(found, "edit/")).content.decode()
    assert "In Copyright" in page and 'value="commercial"' in page
    data: dict[str, Any] = edited(browser, found, rights="cc by", rights_expire_at="2031-01-01T09:00")
    browser.post(address(found, "edit/"), data | {"not_for": ["press", "commercial"]})
    stored = Asset.objects.get()
    assert (stored.not_for, stored.rights) == (["press", "commercial"], "cc by")
    assert stored.rights_expire_at == stored.closes_at and stored.closes_at is not None
    shown = browser.get(address(found)).content.decode()
    assert "Creative Commons Attribution 4.0" in shown and "press, commercial" in shown
    bad = browser.post(address(found, "edit/not_for/"), {"not_for": ["war"]})
    assert b"There is no such use: war." in bad.content
    browser.post(address(found, "edit/not_for/"), {"initial-not_for": "press; commercial"})
    assert Asset.objects.get().not_for == []
    changes.undo(Operation.objects.order_by("-pk")[0], None)
    assert Asset.objects.get().not_for == ["press", "commercial"]


# --- what ends soon -------------------------------------------------------------------------------------


def test_windows_count_and_only_what_came_nearer_is_news(
    browser: Client, viewer: User, may: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    for days in (-1, 3, 20, 60, 200):
        change(asset(), rights_expire_at=now + timedelta(days=days))
    assert [(w.days, w.count, w.news) for w in ending.windows(viewer)] == [
        (0, 1, 1),
        (7, 1, 1),
        (30, 1, 1),
        (90, 1, 1),
    ]
    assert browser.get("/rights/count/").content == b"4"
    page = browser.get("/rights/", {"days": "30"})
    assert [ends for _card, ends in page.context["rows"]] == [now + timedelta(days=20)]
    assert browser.get("/rights/count/").content == b""
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=14))
    assert [(w.days, w.count, w.news) for w in ending.windows(viewer)] == [
        (0, 2, 1),
        (7, 1, 1),
        (30, 0, 0),
        (90, 1, 0),
    ]
    may("see", "download")
    assert ending.news(viewer) == 0


def test_rules_are_one_row_and_have_defaults() -> None:
    assert LicenceRules.current().pk is None and LicenceRules.current().warn_days == [90, 30, 7]
    LicenceRules(largest=1000).save()
    LicenceRules(largest=2000).save()
    assert (LicenceRules.objects.count(), LicenceRules.current().largest) == (1, 2000)


def test_the_image_api_answers_whole_pictures_as_large_as_a_copy(
    browser: Client, may: Grant, settings: Any, tmp_path: Path
) -> None:
    settings.IIIF_CACHE_DIR = tmp_path / "iiif"
    placed().save(tmp_path / "placed.png", compress_level=1)
    apart.show(tmp_path / "placed.png", "PNG", tmp_path / "made.tif", max(FULL_SIZE), 60)
    folder = Path(settings.STORAGES["renditions"]["OPTIONS"]["location"])
    found = with_pyramid(change(asset(), rights="InC"), folder, tmp_path / "made.tif")
    may("see", "download")
    api = f"/iiif/3/{found.uid}"
    assert browser.get(f"{api}/info.json").json()["maxWidth"] == licensing.SEEN
    whole = browser.get(f"{api}/full/max/0/default.jpg")
    assert max(Image.open(io.BytesIO(whole.getvalue())).size) == licensing.SEEN
    assert browser.get(f"{api}/full/2000,/0/default.jpg").status_code == 400
    assert browser.get(f"{api}/0,0,512,512/512,512/0/default.jpg").status_code == 200
    may("see", "download", "original")
    assert not Download.objects.exists() and not Entry.objects.filter(event="downloaded").exists()
    large = browser.get(f"{api}/full/2000,/0/default.jpg")
    assert large.status_code == 200
    taken, entry = Download.objects.get(), Entry.objects.get(event="downloaded")
    assert (taken.asset, taken.size, taken.through) == (found, "JPEG 2000", "iiif")
    assert entry.uid == str(found.uid) and entry.details["longest"] == 2000
    again = browser.get(f"{api}/full/2000,/0/default.jpg", headers={"if-none-match": large["ETag"]})
    assert again.status_code == 304 and Download.objects.count() == 1


def test_of_two_duplicates_the_kept_one_has_the_restrictions_of_both(viewer: User) -> None:
    kept, gone = asset(), change(asset(), not_for=["press"], rights_expire_at=timezone.now() + LATER)
    changes.relate(gone, kept, Relation.Kind.DUPLICATE, viewer)
    keep_one(kept, gone, viewer, take_over=True)
    kept.refresh_from_db()
    assert kept.not_for == ["press"] and kept.closes_at == gone.rights_expire_at


def test_an_address_is_found_by_the_short_name_of_what_it_says(viewer: User) -> None:
    found = asset(rights=BY_CODE["CC BY-SA 4.0"].uri)
    asset(rights=INC)
    assert [one.pk for one in run(HybridQuery(user=viewer, filters=('rights:"cc by-sa"',))).assets] == [
        found.pk
    ]


def test_the_rules_are_set_in_the_administration(client: Client, admin: User) -> None:
    client.force_login(admin)
    sent = {"largest": 3000, "largest_protected": 1200, "asks_for": ["CNE", "InC"], "warn_days": "60,10"}
    assert client.post("/admin/assets/licencerules/add/", sent).status_code == 302
    rules = LicenceRules.current()
    assert (rules.largest, rules.watermark, rules.asks_for) == (3000, False, ["CNE", "InC"])
    assert ending.warn_days() == [10, 60]
    assert client.get("/admin/assets/licencerules/add/").status_code == 403
