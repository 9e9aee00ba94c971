"""The other languages: complete, current, and shown to those who read them."""

import html
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format, number_format

import assets.urls
import search.urls
from accounts.models import User
from assets.models import Batch, Import
from assets.views import script_words
from dam import translations
from search.models import EmbeddingSpace
from tests.factories import asset
from tests.services_fixture import ROOT

TEXT = re.compile(r'"([^"]+)"')


def test_every_marked_text_is_translated_with_its_placeholders_and_forms() -> None:
    assert list(translations.problems()) == []


def test_what_is_marked_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '{% load i18n %}\n    {% translate "It\'s here" %}\n  {% translate "May" context "month" %}\n'
        "{% blocktranslate count n=n trimmed %}\n one {{ n }}\n{% plural %}\n many {{ n }}\n"
        "{% endblocktranslate %}"
    )
    module = tmp_path / "module.py"
    module.write_text('from x import gettext as _\nprint(_("one " "text"), ngettext("a", "b", 2), _(name))\n')
    assert list(translations._marked_in(page, "page.html")) == [
        ("It's here", None),
        ("May", "month"),
        (("one %(n)s", "many %(n)s"), None),
    ]
    assert [message for message, _ in translations._marked_in(module, "module.py")] == [
        "one text",
        ("a", "b"),
    ]


def test_what_the_scripts_of_the_upload_say_is_listed() -> None:
    scripts = "".join(path.read_text() for path in (ROOT / "static" / "js").glob("upload*.js"))
    said = re.findall(r"(?:words|counted)\((.*?)\)[;,}.)\s]", scripts, re.DOTALL)
    texts = {text for arguments in said for text in re.findall(r'"([^"]+)"', arguments)}
    assert len(texts) > 30 and texts <= set(script_words.UPLOAD)


def test_what_other_scripts_say_is_listed() -> None:
    names = {"zoom": script_words.PICTURE, "region": script_words.PICTURE}
    names |= {"why": script_words.LIBRARY, "suggest": script_words.LIBRARY}
    for name, listed in names.items():
        script = (ROOT / "static" / "js" / f"{name}.js").read_text()
        said = {
            text for call in re.findall(r"(?:words|counted)\(([^)]*)", script) for text in TEXT.findall(call)
        }
        assert said and said <= set(listed), name


@pytest.mark.parametrize(
    "said, problem",
    [
        (("", ""), "has no translation"),
        (("%(n)s Bild",), "has 1 forms"),
        (("%(n)s Bild", "Bilder"), "has other placeholders"),
        (("<b>%(n)s</b> Bild", "%(n)s Bilder"), "has other placeholders"),
        (("ein Bild", "%(n)s Bilder"), "has other placeholders"),
    ],
)
def test_what_is_wrong_is_said(said: tuple[str, ...], problem: str) -> None:
    template, catalog = Catalog(), Catalog(locale="de")
    message = template.add(("%(n)s picture", "%(n)s pictures"))
    found = catalog.add(message.id, said)
    (line,) = translations._problems_of("de", catalog, message, found)
    assert problem in line


# --- pages ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_browser_is_answered_in_its_language(client: Client) -> None:
    page = client.get("/accounts/login/", headers={"accept-language": "de-CH, en;q=0.5"})
    text = page.content.decode()
    assert '<html lang="de">' in text and "<h1>Anmelden</h1>" in text and "Passwort" in text
    assert page["Content-Language"] == "de" and "Accept-Language" in page["Vary"]
    other = client.get("/accounts/login/", headers={"accept-language": "ja"}).content.decode()
    assert '<html lang="en">' in other and "Sign in" in other


@pytest.mark.django_db
def test_the_page_for_signing_in_offers_the_languages(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert all(f">{name}</button>" in page for name in ("Deutsch", "Français", "Nederlands", "English"))
    client.post("/i18n/setlang/", {"language": "nl", "next": "/accounts/login/"})
    assert "Aanmelden" in client.get("/accounts/login/").content.decode()


def test_the_language_of_an_account_goes_before_that_of_the_browser(browser: Client, viewer: User) -> None:
    german = {"accept-language": "de"}
    assert "Sprache und Zeit" in browser.get("/accounts/preferences/", headers=german).content.decode()
    data = {"language": "fr", "time_zone": "Europe/Paris"}
    page = browser.post("/accounts/preferences/", data, headers=german, follow=True)
    text = page.content.decode()
    assert '<html lang="fr">' in text and "Vos préférences ont été enregistrées." in text
    assert "La photothèque en un coup d’œil" in browser.get("/home/", headers=german).content.decode()
    assert User.objects.get(pk=viewer.pk).time_zone == "Europe/Paris"
    browser.post("/accounts/logout/")
    assert "Se connecter" in browser.get("/accounts/login/", headers=german).content.decode()


def test_a_wrong_time_zone_is_refused_where_it_stands(browser: Client, viewer: User) -> None:
    page = browser.post("/accounts/preferences/", {"language": "nl", "time_zone": "Moon"})
    assert "not the name of a time zone" in page.content.decode()
    assert User.objects.get(pk=viewer.pk).language == ""


def test_plots_are_drawn_in_every_language(browser: Client, space: EmbeddingSpace, viewer: User) -> None:
    """What was counted for one language within the minute is said in the next one."""
    asset("red", done=True, title="Red")
    said = {"de": "nicht verarbeitet", "fr": "être traitées", "nl": "worden verwerkt", "en": "be processed"}
    for code, words in said.items():
        User.objects.filter(pk=viewer.pk).update(language=code)
        assert words in browser.get("/home/").content.decode()
        for address in ("/home/", "/jobs/") if code == "de" else ("/home/",):
            page = browser.get(address)
            drawn = re.findall(r'<rect x="(\S+)" y="(\S+)" .*?height="(\S+)"', page.content.decode())
            assert drawn and not any("," in value for bar in drawn for value in bar)


def test_dates_and_numbers_are_those_of_the_language() -> None:
    day = date(2026, 3, 1)
    written = {
        "en": ("1 March 2026", "1,234.5"),
        "de": ("1. März 2026", "1.234,5"),
        "fr": ("1 mars 2026", "1\xa0234,5"),
        "nl": ("1 maart 2026", "1.234,5"),
    }
    for code, (said, number) in written.items():
        with translation.override(code):
            assert (date_format(day), number_format(1234.5, force_grouping=True)) == (said, number)


def english() -> list[str]:
    """The longer pieces of all marked texts, between what is put into them, that no German text has."""
    catalog = translations.read("de")
    forms = [(translations._forms(m.id), translations._forms(m.string)) for m in catalog if m.id]
    german = "\n".join(text for _ids, said in forms for text in said)
    pieces = {p.strip() for ids, _said in forms for text in ids for p in translations.PLACEHOLDER.split(text)}
    return sorted(piece for piece in pieces if len(piece) > 12 and piece not in german)


def read_aloud(page: str) -> str:
    """A page without its scripts, whose lists of words are English on one side, and without the names of
    tables in the administration, which are English."""
    return html.unescape(
        re.sub(r"<script.*?</script>|<nav[^>]*nav-sidebar.*?</nav>", "", page, flags=re.DOTALL)
    )


def test_main_pages_in_german_say_nothing_in_english(
    client: Client, space: EmbeddingSpace, admin: User, settings: Any
) -> None:
    """All pages without arguments, those of a picture and an import, and our own of the administration."""
    User.objects.filter(pk=admin.pk).update(language="de")
    client.force_login(admin)
    one = asset("red", done=True, title="Rot", rights="CC0", date="1880", accession="7.1")
    asset("blue", done=True, title="Blau")
    batch = Batch.objects.create(source="Lieferung", user=admin)
    delivery = Import.objects.create(batch=batch, state=Import.State.PLANNED, laid_out=True)
    delivery.rows.create(number=1, file="a.jpg", plan="refused", words={"title": "Tag", "accession": "8"})
    plain = [
        f"/{p.pattern}"
        for p in (*assets.urls.urlpatterns, *search.urls.urlpatterns)
        if "<" not in str(p.pattern)
    ]
    asked = [
        f"/?{q}"
        for q in ("q=rot&why=1", "q=taag:x+(", "q=qqqq&mode=keywords", "view=list", f"like={one.uid}")
    ]
    desk = ["/admin/health/", "/admin/storage/", "/admin/encoders/", "/admin/audit/"]
    desk += [reverse(f"admin:search_embeddingspace_{name}") for name in ("changelist", "add")]
    desk += [reverse("admin:search_embeddingspace_change", args=[space.pk])]
    desk += [reverse(f"admin:search_comparison_{name}") for name in ("add", "side")]
    of_one = [one.get_absolute_url(), f"{one.get_absolute_url()}edit/"]
    of_import = [delivery.get_absolute_url(), reverse("assets:import_row", args=[delivery.uid, 1])]
    texts, found, looked_at = english(), {}, 0
    for address in [*plain, *asked, *desk, *of_one, *of_import]:
        page = client.get(address)
        if page.status_code == 200 and page["Content-Type"].startswith("text/html"):
            looked_at += 1
            said = read_aloud(page.content.decode())
            if left := [text for text in texts if text in said]:
                found[address] = left
    assert len(texts) > 1000 and looked_at > 20
    assert found == {}
