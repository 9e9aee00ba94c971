from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from accounts.models import User
from dam.security.headers import FILES, policy
from tests.factories import asset

pytestmark = pytest.mark.django_db
MEDIA = "https://media.example.org"


@pytest.mark.parametrize("path", ["/accounts/login/", "/", "/admin/login/", "/no/such/page", "/admin/"])
def test_every_page_allows_nothing_inline_and_nobody_to_frame_it(client: Client, path: str) -> None:
    answer = client.get(path)
    said = dict(rule.split(" ", 1) for rule in answer["Content-Security-Policy"].split("; "))
    assert said["default-src"] == said["base-uri"] == said["frame-ancestors"] == "'none'"
    assert said["script-src"] == said["style-src"] == "'self'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_nothing_is_shown_by_back_after_signing_out(browser: Client) -> None:
    small = f"/assets/{asset(done=True).uid}/v1/small/"
    for path in ("/", "/collections/", "/accounts/", "/no/such/page"):
        assert "no-store" in browser.get(path)["Cache-Control"], path
    assert "immutable" in browser.get(small)["Cache-Control"]  # one that a view has said
    out = browser.post("/accounts/logout/", secure=True, headers={"referer": "https://testserver/"})
    assert out["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in browser.get("/accounts/login/", secure=True)


def test_what_is_no_page_runs_nothing(browser: Client, client: Client) -> None:
    assert client.get("/api/v1/openapi.json")["Content-Security-Policy"] == FILES
    assert client.get("/healthz")["Content-Security-Policy"] == FILES
    found = asset(done=True)
    for path in ("v1/small/", "original/", "original/?show", "download/"):
        answer = browser.get(f"/assets/{found.uid}/{path}")
        assert answer.status_code == 200 and answer["Content-Security-Policy"] == FILES, path


def test_pictures_for_other_viewers_may_be_shown_by_them(browser: Client) -> None:
    answer = browser.get(f"/iiif/3/{asset(done=True).uid}/info.json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_pages_may_show_pictures_of_the_origin_for_media(client: Client, settings: Any) -> None:
    settings.MEDIA_ORIGIN, settings.SIGN_IN_ORIGINS = MEDIA, ["https://id.example.org"]
    assert f"img-src 'self' data: blob: {MEDIA};" in policy()
    assert "form-action 'self' https://id.example.org;" in policy()


def test_that_origin_answers_for_pictures_alone_and_knows_no_cookie(browser: Client, settings: Any) -> None:
    settings.MEDIA_ORIGIN, settings.ALLOWED_HOSTS = MEDIA, ["media.example.org", "testserver"]
    picture = f"/assets/{asset(done=True).uid}/v1/small/"
    assert browser.get(picture).status_code == 200
    there = {"host": "media.example.org"}
    for page in ("/", "/accounts/login/", "/admin/", "/api/v1/search", "/no/such/page"):
        assert browser.get(page, headers=there).status_code == 404, page
    assert browser.get(picture, headers=there).status_code == 404  # a cookie alone opens nothing there
    answer = browser.get("/media/wrong", headers=there)
    assert (
        answer.status_code == 404 and not answer.cookies and "Open the page again" in answer.content.decode()
    )
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_host_that_is_not_ours_is_refused(client: Client) -> None:
    assert client.get("/accounts/login/", headers={"host": "evil.example"}).status_code == 400
    told = client.get("/", headers={"x-forwarded-host": "evil.example"})
    assert "evil" not in told["Location"]


@pytest.mark.parametrize(
    "there", ["//evil.example/", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_signing_in_leads_to_no_other_site(client: Client, viewer: User, there: str) -> None:
    form = {"login": "viewer", "password": "a long pass phrase", "next": there}
    assert client.post("/accounts/login/", form)["Location"] == "/"


def test_the_icon_may_have_its_styles(client: Client) -> None:
    assert finders.find("img/favicon.svg")
    assert client.get("/static/img/favicon.svg")["Content-Security-Policy"] == policy()
