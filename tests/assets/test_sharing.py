"""Links for people without an account: what they show, to whom, how long; and signed addresses of files."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.signing import Signer
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import User
from assets import light_tables
from assets.bulk import selecting
from assets.changes import apply, operation
from assets.models import Asset, Collection, ShareLink, ShareUse
from assets.sharing import links, looking, media
from audit.models import Entry
from tests.assets.test_permissions import grant, grant_more
from tests.factories import asset, encoded, scene, take_in
from tests.factories import picture as jpeg

pytestmark = pytest.mark.django_db
Sizes = ShareLink.Sizes
PASSWORD = "a red herring"


class Clock:
    """The present, moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, really = timedelta(0), timezone.now
        monkeypatch.setattr(timezone, "now", lambda: really() + self.ahead)

    def at(self, moment: datetime) -> None:
        self.ahead += moment - timezone.now()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def guest() -> Client:
    return Client()


@pytest.fixture
def two() -> list[Asset]:
    return [asset(color, title=color, done=True) for color in ("red", "green")]


def shared(maker: User, what: Any, password: str = "", **values: Any) -> tuple[ShareLink, str]:
    """A link, and its address."""
    kinds = {Collection: ShareLink.Kind.COLLECTION, list: ShareLink.Kind.SELECTION}
    kind = kinds.get(type(what), ShareLink.Kind.TABLE)
    ids = {"asset_ids": [one.pk for one in what]} if isinstance(what, list) else {"target": what.pk}
    values.setdefault("expires_at", timezone.now() + timedelta(days=3))
    link = ShareLink(maker=maker, kind=kind, label="For the catalogue", **ids, **values)
    return link, reverse("assets:shared", args=[links.make(link, password)])


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:300]
    assert not answer.cookies and answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow" and "private" in answer["Cache-Control"]
    return str(answer.content.decode())


def signed(link: ShareLink, one: Asset, size: str) -> str:
    one.refresh_from_db()
    assert one.current_version
    return media.address(media.for_link(link, one.current_version, size))


# --- what a link shows ----------------------------------------------------------------------------


def test_a_selection_shows_what_its_maker_may_share_at_this_moment(
    viewer: User,
    guest: Client,
    two: list[Asset],
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    django_assert_max_num_queries: Any,
) -> None:
    red, green = two
    link, address = shared(viewer, two)
    with django_assert_max_num_queries(17):  # however many pictures
        page = text_of(guest, address)
    assert ">red</a>" in page and ">green</a>" in page
    assert "sessionid" not in guest.cookies and "csrftoken" not in guest.cookies
    one = f"{address}{red.uid}/"
    file = signed(link, red, "large")
    assert "red" in text_of(guest, one) and guest.get(file).status_code == 200

    def hidden() -> bool:
        assert ">green</a>" in (page := text_of(guest, address))
        assert guest.get(one).status_code == guest.get(file).status_code == 404
        return ">red</a>" not in page

    Asset.objects.filter(pk=red.pk).update(access="restricted")
    assert hidden()
    begins = timezone.now()
    Asset.objects.filter(pk=red.pk).update(access="staff", embargo_until=begins + timedelta(minutes=5))
    assert hidden()
    clock.at(begins + timedelta(minutes=5, seconds=1))
    assert ">red</a>" in text_of(guest, address)
    Asset.objects.filter(pk=red.pk).update(trashed_at=timezone.now())
    assert hidden()
    Asset.objects.filter(pk=red.pk).update(trashed_at=None)
    for end in ("rights_expire_at", "consent_ends_at"):
        Asset.objects.filter(pk=red.pk).update(**{end: timezone.now()})
        assert hidden()
        Asset.objects.filter(pk=red.pk).update(**{end: None})
    assert ">red</a>" in text_of(guest, address)
    Asset.objects.filter(pk=red.pk).update(collection=Collection.objects.named("Apart"))
    grant(viewer, None, "see")
    grant_more(viewer, green.collection, "share")  # the maker may share it no more, and sees it
    assert hidden()


def test_a_restricted_picture_shows_not_even_by_an_administrator(
    admin: User, guest: Client, two: list[Asset]
) -> None:
    Asset.objects.filter(pk=two[0].pk).update(access="restricted")
    link, address = shared(admin, two)
    assert looking.counted(link) == (2, 0, 1) and ">red</a>" not in text_of(guest, address)


def test_collections_and_tables_as_they_are_when_somebody_looks(
    viewer: User, guest: Client, two: list[Asset]
) -> None:
    prints = Collection.objects.named("Prints")
    inner = Collection.objects.named("Prints / Etchings")
    _, address = shared(viewer, prints)
    assert "There is no picture to be seen" in text_of(guest, address)
    Asset.objects.filter(pk=two[1].pk).update(collection=inner)
    assert ">green</a>" in text_of(guest, address)
    table = light_tables.make(viewer, "Spring")
    light_tables.add(viewer, table, [two[1].pk, two[0].pk])
    link, on_table = shared(viewer, table)
    assert looking.in_order(link) == [two[1].pk, two[0].pk]
    one = text_of(guest, f"{on_table}{two[0].uid}/")
    assert 'rel="prev"' in one and 'rel="next"' not in one and "2 of 2" in one
    table.owner = User.objects.create_user("other")
    table.save()
    assert "There is no picture to be seen" in text_of(guest, on_table)  # it is not its maker's any more
    prints_of_the_other = text_of(guest, address)
    assert ">red</a>" not in prints_of_the_other


# --- how a link ends ------------------------------------------------------------------------------


def test_all_ends_look_as_if_the_link_had_never_been(
    viewer: User, guest: Client, two: list[Asset], clock: Clock
) -> None:
    nothing = text_of(guest, reverse("assets:shared", args=["x" * 43]), 404)
    link, address = shared(viewer, two)
    file = signed(link, two[0], "small")

    def open_now() -> bool:
        page, part = guest.get(address), guest.get(file)
        assert page.status_code == part.status_code
        assert page.status_code == 200 or page.content.decode() == nothing
        return bool(page.status_code == 200)

    assert open_now()
    ShareLink.objects.update(revoked_at=timezone.now())
    assert not open_now()
    ShareLink.objects.update(revoked_at=None)
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    assert not open_now()
    User.objects.filter(pk=viewer.pk).update(is_active=True)
    assert open_now()
    former = address
    address = reverse("assets:shared", args=[links.renew(ShareLink.objects.get())])
    assert text_of(guest, former, 404) == nothing and guest.get(file).status_code == 404
    link.refresh_from_db()
    clock.at(link.expires_at - timedelta(seconds=20))
    file = signed(link, two[0], "small")
    assert open_now()
    clock.at(link.expires_at)
    assert not open_now()


def test_visits_of_a_browser_count_once_and_only_so_many_are_let_in(
    viewer: User, guest: Client, two: list[Asset]
) -> None:
    link, address = shared(viewer, two, uses_allowed=2)
    door = text_of(guest, address)
    assert "Open the pictures" in door and ">red</a>" not in door and not ShareUse.objects.exists()
    assert guest.get(f"{address}{two[0].uid}/").content.decode() == door
    for _ in range(2):
        page = guest.post(address, follow=True).content.decode()
    assert ">red</a>" in page and ShareLink.objects.get().uses == 1
    assert guest.get(address).status_code == 200
    (cookie,) = guest.cookies.values()
    assert cookie["httponly"] and cookie["path"] == address and cookie["samesite"] == "Lax"
    assert Client().post(address, follow=True).status_code == 200
    assert Client().get(address).status_code == Client().post(address).status_code == 404
    assert ">red</a>" in guest.get(address).content.decode()  # whoever is inside stays
    assert ShareLink.objects.get().state == "used"
    other = Client()
    other.cookies[cookie.key] = f"{cookie.value[:-1]}{'a' if cookie.value[-1] != 'a' else 'b'}"
    assert other.get(address).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_last_visit_is_let_in_once_however_many_come_at_the_same_time(
    viewer: User, vocabularies: None
) -> None:
    link = ShareLink(maker=viewer, kind="selection", label="x", uses_allowed=3)
    link.expires_at = timezone.now() + timedelta(days=1)
    links.make(link)

    def come(_: int) -> bool:
        try:
            return links.enter(link, "")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(come, range(16))) == 3
    assert ShareLink.objects.get().uses == ShareUse.objects.count() == 3


def test_a_password_is_asked_for_and_tries_are_limited(
    viewer: User, guest: Client, two: list[Asset], clock: Clock
) -> None:
    link, address = shared(viewer, two, PASSWORD)
    assert PASSWORD not in link.password

    def say(password: str, address_of: str = "192.0.2.7") -> Any:
        return Client(REMOTE_ADDR=address_of).post(address, {"password": password}, follow=True)

    assert ">red</a>" not in text_of(guest, address)
    assert ">red</a>" in say(PASSWORD).content.decode()
    for _ in range(links.TRIES):
        assert "This is not the password" in say("wrong").content.decode()
    assert "Too many" in say(PASSWORD).content.decode() and ShareUse.objects.filter(what="tried").count() == 5
    assert ">red</a>" in say(PASSWORD, "2001:db8::1").content.decode()  # somebody elsewhere
    clock.at(timezone.now() + links.PAUSE)
    assert ">red</a>" in say(PASSWORD).content.decode()
    networks = set(ShareUse.objects.values_list("network", flat=True))
    assert networks == {"192.0.2.0/24", "2001:db8::/48"}
    failed = Entry.objects.filter(event="share_refused", uid=link.uid)
    assert failed.count() == links.TRIES and {one.address for one in failed} == {"192.0.2.0/24"}
    assert links.network_of("::ffff:192.0.2.9") == "192.0.2.0/24" and links.network_of("unix") == ""


# --- signed addresses -----------------------------------------------------------------------------


def test_a_signature_opens_one_file_of_one_link_for_less_than_an_hour(
    viewer: User, guest: Client, two: list[Asset], clock: Clock, settings: Any
) -> None:
    link, _ = shared(viewer, two)
    address = signed(link, two[0], "large")
    assert address == signed(link, two[0], "large")  # so that a browser keeps the picture
    answer = guest.get(address)
    assert answer["Content-Type"] == "image/webp" and answer["Cache-Control"] == "private, max-age=900"
    assert guest.get(address, headers={"if-none-match": answer["ETag"]}).status_code == 304
    for place in (-1, len("/media/") + 3):
        broken = list(address)
        broken[place] = "A" if broken[place] != "A" else "B"
        assert guest.get("".join(broken)).status_code == 404
    version = two[0].current_version
    assert version
    ends = int(timezone.now().timestamp()) + 600
    for said in (
        ["link", link.pk, link.mark, version.pk, "huge", ends],
        ["link", link.pk, "another mark", version.pk, "large", ends],
        ["user", viewer.pk, "", version.pk, "large", ends],
        ["link", link.pk],
        {"a": 1},
    ):
        forged = media.address(Signer(salt=media.SALT).sign_object(said))
        assert guest.get(forged).status_code == 404, said
    own = ["link", link.pk, link.mark, version.pk, "large", ends]
    assert guest.get(media.address(Signer(salt="another").sign_object(own))).status_code == 404
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one" * 9
    assert guest.get(address).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert guest.get(address).status_code == 404
    address = signed(link, two[0], "large")
    clock.at(timezone.now() + timedelta(seconds=media.LONGEST - media.STEP - 1))
    assert guest.get(address).status_code == 200
    clock.at(timezone.now() + timedelta(seconds=media.STEP + 1))
    assert guest.get(address).status_code == 404


@pytest.mark.parametrize("sizes", [Sizes.LOOK, Sizes.MIDDLE, Sizes.ORIGINAL])
def test_only_the_sizes_of_a_link_are_given_out(viewer: User, guest: Client, sizes: str) -> None:
    big = take_in(encoded(scene(3, (2300, 600)), quality=50), words={"title": "big"}).asset
    small = take_in(content := jpeg("red"), "small.jpg", words={"title": "small"}).asset
    assert big and small
    link, address = shared(viewer, [big, small], sizes=sizes)
    page = text_of(guest, f"{address}{big.uid}/")
    assert ("2,048 pixels" in page) == (sizes != Sizes.LOOK)
    assert ("as it was handed in" in page) == (sizes == Sizes.ORIGINAL)

    def status(one: Asset, size: str) -> int:
        return int(guest.get(signed(link, one, size)).status_code)

    both, original = sizes != Sizes.LOOK, sizes == Sizes.ORIGINAL
    if not original:
        assert status(big, "jpeg-2300") == 404
    assert status(big, "original") == (200 if original else 404)
    assert status(big, "jpeg-2048") == (200 if both else 404) and status(big, "png-2300") == 404
    files = {}
    for name, given in (("jpeg", both), ("original", original)):
        if name == "jpeg" and original:
            continue  # each copy takes a process of its own
        answer = guest.get(f"{address}{name}.zip")
        assert answer.status_code == (200 if given else 404)
        files[name] = (
            b"".join(answer.streaming_content) if given else b""
        )  # read to its end: the turn is free
    if sizes == Sizes.MIDDLE:
        archive = zipfile.ZipFile(io.BytesIO(files["jpeg"]))
        made = archive.read("small.jpg")
        assert made != content and Image.open(io.BytesIO(made)).size == (320, 240)
        assert Image.open(io.BytesIO(archive.read("big.jpg"))).width == 2048
        uses = ShareUse.objects.filter(what="downloaded")
        assert (
            uses.filter(size="jpeg-2048", asset_id=big.pk).exists() and uses.filter(size="zip jpeg").exists()
        )
    tiles = media.for_link(link, big.current_version, media.TILES)  # type: ignore[arg-type]
    info = reverse("iiif:shared:ready", args=[tiles, big.uid, 1])
    assert guest.get(info).status_code == (200 if original else 404)


def test_tiles_by_a_signature(viewer: User, guest: Client, two: list[Asset]) -> None:
    link, address = shared(viewer, two, sizes=Sizes.ORIGINAL)
    version = two[0].current_version
    assert version
    sign = media.for_link(link, version, media.TILES)
    at = reverse("iiif:shared:info", args=[sign, two[0].uid, 1])
    info = guest.get(at).json()
    assert info["id"].endswith(at.removesuffix("/info.json"))
    tile = guest.get(f"{info['id']}/full/100,/0/default.jpg")
    assert tile.status_code == 200 and tile["Cache-Control"] == "private, max-age=900"
    assert guest.get(reverse("iiif:shared:info", args=[sign, two[1].uid, 1])).status_code == 404
    other = media.for_link(link, version, "large")
    assert guest.get(reverse("iiif:shared:info", args=[other, two[0].uid, 1])).status_code == 404
    assert guest.get(media.address(sign)).status_code == 404
    ShareLink.objects.update(revoked_at=timezone.now())
    assert guest.get(at).status_code == 404
    assert guest.get(reverse("iiif:info", args=[two[0].uid])).status_code == 401


def test_ranges_of_an_original(viewer: User, browser: Client, guest: Client) -> None:
    one = take_in(content := jpeg("blue")).asset
    assert one
    link, _ = shared(viewer, [one], sizes=Sizes.ORIGINAL)
    size = len(content)
    for client, address in (
        (browser, reverse("assets:original", args=[one.uid])),
        (guest, signed(link, one, "original")),
    ):
        whole = client.get(address)
        assert b"".join(whole.streaming_content) == content and whole["Accept-Ranges"] == "bytes"
        assert whole["Cache-Control"] == "private, no-cache" and int(whole["Content-Length"]) == size
        etag = whole["ETag"]
        for asked, part in (
            ("bytes=0-9", (0, 10)),
            ("bytes=100-", (100, size)),
            ("bytes=-7", (size - 7, size)),
            (f"bytes=5-{size + 99}", (5, size)),
            (f"bytes=-{size + 99}", (0, size)),
        ):
            answer = client.get(address, headers={"range": asked, "if-range": etag})
            start, end = part
            assert answer.status_code == 206 and b"".join(answer.streaming_content) == content[start:end]
            assert answer["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
            assert (
                answer["Content-Length"] == str(end - start) and "attachment" in answer["Content-Disposition"]
            )
        for asked in (f"bytes={size}-", "bytes=-0"):
            answer = client.get(address, headers={"range": asked})
            assert answer.status_code == 416 and answer["Content-Range"] == f"bytes */{size}"
        for asked in ("bytes=9-5", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=a-b"):
            assert client.get(address, headers={"range": asked}).status_code == 200
        changed = {"range": "bytes=0-9", "if-range": '"another"'}
        assert client.get(address, headers=changed).status_code == 200
        assert client.get(address, headers={"if-none-match": etag}).status_code == 304
        assert client.head(address, headers={"range": "bytes=0-9"}).status_code == 200
    noted = ShareUse.objects.filter(what="downloaded", size="original").count()
    guest.get(signed(link, one, "original"), headers={"range": "bytes=100-"})
    assert ShareUse.objects.filter(what="downloaded", size="original").count() == noted


def test_originals_of_staff_come_from_the_origin_for_files(
    viewer: User, browser: Client, guest: Client, settings: Any, clock: Clock
) -> None:
    settings.MEDIA_ORIGIN = "https://media.museum.test"
    one = take_in(content := jpeg("blue"), words={"title": "Sea"}).asset
    assert one
    answer = browser.get(f"/assets/{one.uid}/original/?show")
    assert answer.status_code == 302 and answer["Location"].startswith("https://media.museum.test/media/")
    assert "no-store" in answer["Cache-Control"]
    address = answer["Location"].removeprefix("https://media.museum.test")
    shown = guest.get(address)
    assert b"".join(shown.streaming_content) == content and shown["Content-Type"] == "image/jpeg"
    assert "inline" in shown["Content-Disposition"] and "sandbox" in shown["Content-Security-Policy"]
    Asset.objects.update(access="restricted")
    assert guest.get(address).status_code == 404
    Asset.objects.update(access="staff")
    clock.at(timezone.now() + timedelta(seconds=media.FOR_STAFF))
    assert guest.get(address).status_code == 404
    answer = browser.get(f"/assets/{one.uid}/download/")
    assert answer["Location"].startswith("https://media.museum.test/media/")
    worded = guest.get(answer["Location"].removeprefix("https://media.museum.test"))
    assert worded.status_code == 200 and "attachment" in worded["Content-Disposition"]
    assert len(b"".join(worded.streaming_content)) > len(content)  # with the words
    assert [e.details["what"] for e in Entry.objects.filter(event="downloaded")] == ["original"] * 2


# --- for staff ------------------------------------------------------------------------------------


def form(**values: Any) -> dict[str, Any]:
    ends = (timezone.localtime() + timedelta(days=10)).strftime("%Y-%m-%dT%H:%M")
    uid = "7b1c8a52-1f0e-4d0b-9f9f-2f6f0a3b1c11"
    return {"uid": uid, "label": "Press", "sizes": "look", "expires_at": ends, **values}


def test_a_link_is_made_ended_opened_extended_and_renewed(
    viewer: User, browser: Client, guest: Client, two: list[Asset]
) -> None:
    assert "Nothing is shared yet" in browser.get("/shares/").content.decode()
    job = selecting.select(viewer, [one.pk for one in two])
    at = f"/shares/new/?selection={job.uid}"
    assert at in browser.get(job.get_absolute_url()).content.decode()
    assert "sees 2 pictures" in browser.get(at).content.decode()
    wrong = browser.post(at, form(expires_at="2001-01-01T10:00", password="short")).content.decode()
    assert "This moment is over" in wrong and "at least 8" in wrong and not ShareLink.objects.exists()
    late = browser.post(at, form(expires_at="2101-01-01T10:00")).content.decode()
    assert "at the latest" in late
    made = browser.post(at, form(password=PASSWORD)).content.decode()
    address = made.split('data-copy="http://testserver')[1].split('"')[0]
    assert "Somebody shares" in guest.get(address).content.decode()
    again = browser.post(at, form(), follow=True).content.decode()
    assert "there already" in again and ShareLink.objects.count() == 1
    link = ShareLink.objects.get()
    assert address.split("/")[2] not in browser.get(link.get_absolute_url()).content.decode()

    def act(what: str, **data: Any) -> str:
        answer = browser.post(reverse(f"assets:share_{what}", args=[link.uid]), data, follow=True)
        return str(answer.content.decode())

    assert "can be opened again" in act("revoke") and guest.get(address).status_code == 404
    assert "open again" in act("reopen") and guest.get(address).status_code == 200
    assert "This moment is over" in act("extend", expires_at="2001-01-01T10:00")
    assert "another time now" in act("extend", expires_at=form()["expires_at"])
    told = [(one.event, one.details["action"]) for one in Entry.objects.filter(label="Press").order_by("pk")]
    assert told[0] == ("share_made", "made") and ("share_revoked", "revoke") in told
    assert told[-1] == ("share_made", "extend") and {one[1] for one in told} >= {"reopen"}
    assert "The link</h2>" in act("renew") and guest.get(address).status_code == 404
    assert "Press" in browser.get("/shares/").content.decode()


def test_who_makes_and_sees_links(
    viewer: User, admin: User, browser: Client, two: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    link, _ = shared(admin, two)
    for address in (link.get_absolute_url(), "/shares/new/", "/shares/new/?asset=x"):
        assert browser.get(address).status_code == 404
    assert "catalogue" not in browser.get("/shares/").content.decode()
    assert browser.post(reverse("assets:share_revoke", args=[link.uid])).status_code == 404
    own, _ = shared(viewer, two)
    looks_after = Client()
    looks_after.force_login(admin)
    assert "viewer" in looks_after.get("/shares/").content.decode()
    assert looks_after.post(reverse("assets:share_renew", args=[own.uid])).status_code == 403
    at = f"/shares/new/?collection={two[0].collection.uid}"
    assert "sees 2 pictures" in browser.get(at).content.decode()
    apply(operation("edit", ""), [two[1]], {"access": "restricted"})
    assert "sees 1 picture," in browser.get(at).content.decode()  # nobody is told of hidden ones
    assert "1 more does not show" in looks_after.get(at).content.decode()
    grant(viewer, None, "see")
    for answer in (browser.get(at), browser.post(at, form())):
        assert "You may not share 1 of these pictures" in answer.content.decode()
    assert ShareLink.objects.count() == 2


def test_what_was_done_is_forgotten_in_time(viewer: User, two: list[Asset], settings: Any) -> None:
    link, _ = shared(viewer, two)
    for days in (1, 400):
        links.note(link, "opened", "", at=timezone.now() - timedelta(days=days))
    settings.SHARE_USE_DAYS = 0
    assert links.forget() == 0
    settings.SHARE_USE_DAYS = 365
    assert links.forget() == 1 and ShareUse.objects.count() == 1


def test_its_maker_does_not_open_again_what_an_administrator_has_ended(
    viewer: User, admin: User, browser: Client, two: list[Asset]
) -> None:
    link, address = shared(viewer, two)
    looks_after = Client()
    looks_after.force_login(admin)

    def act(who: Client, what: str) -> int:
        return who.post(reverse(f"assets:share_{what}", args=[link.uid]), follow=True).status_code

    assert act(browser, "revoke") == act(looks_after, "revoke") == act(browser, "revoke") == 200
    assert "Open it again" not in browser.get(link.get_absolute_url()).content.decode()
    assert act(browser, "reopen") == 403 and ShareLink.objects.get().state == "revoked"
    assert act(looks_after, "reopen") == 200 and Client().get(address).status_code == 200
    assert act(browser, "revoke") == act(browser, "reopen") == 200
    assert ShareLink.objects.get().state == "open"
