"""Walks along every link that a page has, as somebody who is not signed in and as a viewer: GET alone."""

import os
from collections import Counter, deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.http import Http404
from django.test import Client
from django.urls import resolve

from accounts.models import User
from assets.models.permissions import VIEWERS
from tests.security.access import ACCESS, NOBODY
from tests.security.addresses import Library, addresses

pytestmark = pytest.mark.django_db
STARTS = ("/", "/admin/", "/api/v1/docs", "/api/v1/openapi.json", "/robots.txt", "/static/", "/media/")
EACH = int(os.environ.get("CRAWL_EACH", "1"))  # pages of one view; `make soak` looks at more
LINKS = {"href", "src", "action", "hx-get", "data-src", "poster"}


class Page(HTMLParser):
    """Its links, and what a strict Content Security Policy would stop."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str] = []
        self._without = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self._without += tag == "noscript"
        runs = said.get("type", "module") in ("module", "text/javascript", "importmap")
        if (tag == "script" and "src" not in said and runs) or (tag == "style" and not self._without):
            self.inline.append(f"<{tag}>")
        self.inline += [f"{tag} {name}" for name in said if name == "style" or name.startswith("on")]
        if said.get("href", "").lower().startswith("javascript:"):
            self.inline.append(f"{tag} href")
        if tag != "form" or said.get("method", "get").lower() == "get":
            self.links += [value for name, value in said.items() if name in LINKS and value]

    def handle_endtag(self, tag: str) -> None:
        self._without -= tag == "noscript"


def crawled(client: Client, starts: list[str]) -> Iterator[tuple[str, str, Any]]:
    """(path, name of the view, answer) of everything that can be reached."""
    ahead, known, visits = deque(starts), set(starts), Counter[str]()
    while ahead:
        path = ahead.popleft()
        name = named(path)
        visits[name] += 1
        if name == "static" or (visits[name] > EACH and path not in starts):
            continue
        answer = client.get(path)
        yield path, name, answer
        found = [answer["Location"]] if "Location" in answer else []
        if answer.get("Content-Type", "").startswith("text/html"):
            found += Page(answer.content.decode()).links
        for link in found:
            whole = urlsplit(urljoin(f"http://testserver{path}", link))
            target = f"{whole.path}?{whole.query}" if whole.query else whole.path
            if whole.netloc == "testserver" and target not in known:
                known.add(target)
                ahead.append(target)


def named(path: str) -> str:
    route = urlsplit(path).path
    if route.startswith("/static/"):
        return "static"
    try:
        found = resolve(route)
    except Http404:
        return "nothing"
    return ":".join((*found.namespaces, found.url_name)) if found.url_name else found.route


def test_who_is_not_signed_in_reaches_only_what_is_for_everybody(client: Client, library: Library) -> None:
    starts = [*STARTS, *(library.path(one) for one in addresses())]
    reached = {name for _, name, answer in crawled(client, starts) if answer.status_code == 200}
    public = {name for name, (get, _) in ACCESS.items() if get == NOBODY}
    assert reached <= public and {"login", "healthz"} <= reached


def test_a_viewer_reaches_no_error_no_administration_and_nothing_hidden(
    client: Client, library: Library
) -> None:
    """Nor anything that is refused: what may not be done is not offered."""
    library.owner.groups.set(Group.objects.filter(name=VIEWERS))
    client.force_login(library.owner)
    seen, wrong, inline = Counter[str](), [], set()
    for path, name, answer in crawled(client, list(STARTS)):
        seen[name] += 1
        text = b"" if answer.streaming else answer.content
        refused = answer.status_code == 403 and not path.startswith("/admin/")
        if refused or answer.status_code >= 500 or (answer.status_code == 200 and is_staff_only(path)):
            wrong.append((path, answer.status_code))
        if b"unseen heron" in text or str(library.hidden.uid).encode() in text:
            wrong.append((path, "hidden"))
        if answer.get("Content-Type", "").startswith("text/html"):
            inline |= {(name, found) for found in Page(text.decode()).inline}
    assert not wrong
    assert not inline, "The Content Security Policy stops these."
    assert len(seen) > 50 and {"assets:asset", "search:library"} <= {*seen}


def test_the_administration_has_nothing_inline_either(client: Client, library: Library) -> None:
    client.force_login(User.objects.get(is_superuser=True))
    inline = set()
    for one in addresses():
        if one.is_of_administration and one.route.endswith(("/", "add/")) and "<" not in one.route:
            answer = client.get(f"/{one.route}")
            assert answer.status_code in (200, 302, 403, 405), one
            if answer.get("Content-Type", "").startswith("text/html"):
                inline |= {(one.name, found) for found in Page(answer.content.decode()).inline}
    assert not inline


def is_staff_only(path: str) -> bool:
    return path.startswith("/admin/") and not path.startswith(("/admin/login/", "/admin/logout/"))
