"""The fields that a museum adds itself: defined, written in place, found, imported, used by programs."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from assets import changes, checks, own
from assets.imports import targets
from assets.imports.rehearsal import rehearse
from assets.models import Asset, FieldDefinition, Operation, Record, Term, Vocabulary
from assets.words import Words, new_words
from search.hybrid import HybridQuery
from search.query import run
from tests.assets.test_in_place import in_place
from tests.assets.test_views import HTMX, address, edited
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
Type = FieldDefinition.Type


def field(slug: str = "provenance", **options: Any) -> FieldDefinition:
    return FieldDefinition.objects.create(**{"slug": slug, "name": slug.capitalize()} | options)


def fill(subject: Asset | Record, **values: Any) -> Operation:
    op = changes.operation("edit", "Filled in")
    changes.apply(op, [subject], {"field_values": {slug: {"": value} for slug, value in values.items()}})
    return op


# --- values ---------------------------------------------------------------------------------------------


READ: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, "  From the\n artist ", "From the artist"),
    ({"type": Type.LONG_TEXT}, "One\r\n\r\ntwo", "One\n\ntwo"),
    ({"type": Type.NUMBER}, "1 234,50", 1234.5),
    ({"type": Type.NUMBER}, "12.0", 12),
    ({"type": Type.NUMBER}, "12 345 678 901 234 567 891", 12345678901234567891),
    ({"type": Type.DATE}, "c. 1710", "c. 1710"),
    ({"repeatable": True}, ["a", "", "b", "a"], ["a", "b"]),
    ({"repeatable": True}, "", None),
    ({"type": Type.NUMBER}, " ", None),
    ({}, "null \x00 character", "null character"),
]
REFUSED = [
    (Type.NUMBER, "many", "“many” is no number"),
    (Type.NUMBER, "nan", "is no number"),
    (Type.DATE, "unknown", "no date is found"),
    (Type.TERM, "Oslo", "“Oslo” is no term of"),
    (Type.TEXT, "x" * 2001, "too long"),
    (Type.TEXT, ["a", "b"], "one value alone"),
]


def test_values_are_read_by_their_type_or_refused_with_a_reason() -> None:
    for options, said, value in READ:
        assert own.read(FieldDefinition(**options), said) == value, said
    for type_, said, reason in REFUSED:
        with pytest.raises(own.FieldRefused, match=reason):
            own.read(FieldDefinition(type=type_, vocabulary=Vocabulary.objects.get(slug="places")), said)


def test_languages_are_codes(settings: Any) -> None:
    for codes, wrong in ((["en", "pt-br"], False), (["German"], True), ([], True)):
        settings.CONTENT_LANGUAGES = codes
        assert bool(checks.content_languages()) == wrong, codes


# --- on the page ----------------------------------------------------------------------------------------


def test_an_own_field_is_edited_where_it_stands_and_undone_by_itself(browser: Client) -> None:
    field("height", name="Height in cm", type=Type.NUMBER)
    field("note", applies_to="asset", required=True)
    found = asset(accession="7", title="Night")
    page = browser.get(address(found)).content.decode()
    assert f'hx-get="{address(found, "edit/own_height/")}"' in page and "Note (required)" in page
    wrong = in_place(browser, found, "own_height", "tall")().content.decode()
    assert "Height in cm: “tall” is no number." in wrong and 'value="tall"' in wrong
    saved = in_place(browser, found, "own_height", "12,5")().content.decode()
    assert "<dt>Height in cm</dt>" in saved and "12.5" in saved
    in_place(browser, found, "own_note", "Look")()
    record = Record.objects.get()
    assert (record.fields, Asset.objects.get().fields) == ({"height": {"": 12.5}}, {"note": {"": "Look"}})
    fill(record, origin="Delft")
    browser.post(f"/operations/{Operation.objects.filter(kind='edit').order_by('pk')[0].uid}/undo/")
    assert Record.objects.get().fields == {"origin": {"": "Delft"}}
    history = browser.get(address(found)).content.decode()
    assert "Height in cm: <ins>12.5</ins>" in history and "{&#x27;" not in history


def test_what_was_wrong_before_keeps_nobody_from_saving_something_else(browser: Client) -> None:
    field("height", type=Type.NUMBER, required=True)
    found = asset(accession="7", title="Nite")
    Record.objects.update(fields={"height": {"": "tall"}})
    browser.post(address(found, "edit/"), edited(browser, found, title="Night"))
    record = Record.objects.get()
    assert (record.title, record.fields) == ("Night", {"height": {"": "tall"}})


def test_several_values_and_somebody_elses_change(browser: Client) -> None:
    field("owner", repeatable=True)
    found = asset(accession="7")
    mine, theirs = (in_place(browser, found, "own_owner", text) for text in ("Anna\nBo", "Carl"))
    theirs()
    assert "It says now: “Carl”." in mine().content.decode()
    in_place(browser, found, "own_owner", "Anna\r\nBo\r\n")()
    assert Record.objects.get().fields == {"owner": {"": ["Anna", "Bo"]}}


def test_what_is_said_in_several_languages(browser: Client, settings: Any) -> None:
    settings.CONTENT_LANGUAGES = ["en", "de"]
    field("note", multilingual=True)
    found = asset(accession="7", title="Night", description="A river")
    for name, text in (("own_note__de", "Schau"), ("own_note", "Look"), ("description__de", "Ein Fluss")):
        assert "Saved." in in_place(browser, found, name, text)().content.decode()
    in_place(browser, found, "title__de", "Nacht")()
    in_place(browser, found, "alt_text__de", "Ein dunkler Fluss")()
    record = Record.objects.get()
    assert record.fields == {"note": {"de": "Schau", "en": "Look"}}
    assert record.translations == {"description": {"de": "Ein Fluss"}, "title": {"de": "Nacht"}}
    page = browser.get(address(found)).content.decode()
    assert '<p class="title" lang="de">Nacht</p>' in page and '<div class="description" lang="de">' in page
    assert "Note (Deutsch)" in page and Asset.objects.get().translated("alt_text", "de")
    for word in ("Nacht", "Fluss", "Schau", "dunkler"):
        assert run(HybridQuery(user=User.objects.get(), text=word, mode="keywords")).total == 1, word


def test_names_of_a_vocabulary_are_offered_and_new_ones_said(browser: Client) -> None:
    asset(creator="Vincent van Gogh; Utagawa Hiroshige")
    hidden = asset("blue", creator="Van Hidden")
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")

    def offered(text: str, **asked: str) -> str:
        htmx = HTMX | {"HX-Trigger": "id_creators", "HX-Trigger-Name": "creators"}
        data = {"creators": text} | asked
        return browser.get("/terms/known/creators/", data, headers=htmx).content.decode()

    assert '<option value="Hiroshige; Vincent van Gogh">' in offered("Hiroshige; gogh")
    assert "Van Hidden" not in offered("van")
    assert "Rembrandt: new" in " ".join(offered("Vincent van Gogh; Rembrandt").split())
    assert "new" not in offered("vincent VAN gogh") and "Utag: new" in " ".join(offered("Utag").split())
    assert "Oslo: not in the list" in " ".join(offered("Oslo", closed="", one="").split())
    assert browser.get("/terms/known/nothing/", headers=HTMX).status_code == 404


def test_makers_lead_to_their_pages(browser: Client) -> None:
    found = asset(creator="Hiroshige", accession="7", title="Night", done=True)
    term = Term.objects.get(vocabulary__slug="creators")
    assert f'href="/terms/{term.uid}/"' in browser.get(address(found)).content.decode()
    page = browser.get(f"/terms/{term.uid}/uses/").content.decode()
    assert "1 object" in page and "1 picture" in page and "7 Night" in page
    assert "/?filter=creator%3A%22Hiroshige%22" in page
    Asset.objects.update(access="restricted")
    assert browser.get(f"/terms/{term.uid}/uses/").status_code == 404


# --- definitions ----------------------------------------------------------------------------------------


def test_a_definition_keeps_what_is_said_readable(client: Client, admin: User) -> None:
    client.force_login(admin)
    height = field("height")
    for number, said in (("1", "12"), ("2", "tall")):
        asset(accession=number)
        fill(Record.objects.get(accession_number=number), height=said)
    at = f"/admin/assets/fielddefinition/{height.pk}/change/"
    data = {"slug": "height", "name": "Height", "type": "number", "applies_to": "record", "weight": "C"}
    data["position"] = "0"
    page = client.post(at, data).content.decode()
    assert "1 object has a value that would not fit." in page and "“tall”" in page
    assert "2 objects have a value in it." in client.post(at, data | {"slug": "tall"}).content.decode()
    assert "Choose the vocabulary" in client.post(at, data | {"type": "term"}).content.decode()
    assert "2 objects have a value" in client.get(at.replace("change", "delete")).content.decode()
    fill(Record.objects.get(accession_number="2"), height="170")
    assert client.post(at, data).status_code == 302
    assert FieldDefinition.objects.get().type == "number"


# --- finding, importing, programs -----------------------------------------------------------------------


def test_own_fields_are_searched_with_their_weight_and_by_what_is_missing(viewer: User) -> None:
    field("provenance", weight="A")
    found, other = asset(accession="7"), asset("blue", title="Other")
    fill(Record.objects.get(), provenance="Gift of Anna")
    asked = HybridQuery(user=viewer, text="gift", mode="keywords")
    assert [one.pk for one in run(asked).assets] == [found.pk]
    with connection.cursor() as cursor:
        cursor.execute("SELECT words::text FROM search_searchrow WHERE asset_id = %s", [found.pk])
        assert "'gift':" in (words := cursor.fetchone()[0]) and "A" in words.split("'gift':")[1].split()[0]

    def by(text: str) -> list[int]:
        return [one.pk for one in run(HybridQuery(user=viewer, text=text)).assets]

    assert by("has:field.provenance") == [found.pk] and by("missing:field.provenance") == [other.pk]
    assert by("has:field.nothing") == []


def test_columns_of_a_table_may_be_own_fields_in_any_language(settings: Any) -> None:
    settings.CONTENT_LANGUAGES = ["en", "de"]
    field("note", name="Note", multilingual=True)
    assert targets.guessed(["Note (English)", "Note (Deutsch)", "note"], targets.targets())[:2] == [
        "field:note",
        "field:note__de",
    ]
    said = Words.of({"accession": "7", "fields": {"record": {"note": {"de": "Schau"}}}})
    before = {"terms": set(), "fields": {"note": {"en": "Look", "de": "Schau"}}}
    assert new_words(said.of_object(), before) == {}
    assert new_words(said.of_object(), before | {"fields": {"note": {"en": "Look"}}}) == said.of_object()


def test_an_import_of_one_language_leaves_the_others(tmp_path: Any, settings: Any) -> None:
    settings.CONTENT_LANGUAGES = ["en", "de"]
    field("note", name="Note", multilingual=True)
    asset(accession="7")
    changes.apply(
        changes.operation("edit", ""), [Record.objects.get()], {"field_values": {"note": {"en": "Look"}}}
    )
    text = io.StringIO()
    csv.writer(text).writerows([["accession", "Note (Deutsch)"], ["7", "Schau"]])
    (tmp_path / "list.csv").write_text(text.getvalue())
    lines, _ = rehearse(None, table=tmp_path / "list.csv", options={"objects": True})
    assert any("Schau" in cell for _, cells in lines for cell in cells), lines


def test_programs_read_and_write_own_fields(token: Client) -> None:
    field("provenance", repeatable=True)
    field("height", applies_to="asset", type=Type.NUMBER)
    found = asset(accession="7", title="Night")
    record = Record.objects.get()

    def send(path: str, **fields: Any) -> Any:
        return token.patch(f"/api/v1/{path}/fields", {"fields": fields}, content_type="application/json")

    said = send(f"records/{record.uid}", provenance=["Anna", "Bo"])
    assert said.json() == {"fields": {"provenance": {"": ["Anna", "Bo"]}}}
    assert send(f"assets/{found.uid}", height="12,5").json() == {"fields": {"height": {"": 12.5}}}
    one = token.get(f"/api/v1/records/{record.uid}").json()
    assert (one["accession"], one["title"]) == ("7", "Night")
    assert one["pictures"] == [{"asset": str(found.uid), "view": "recto"}]
    whole = token.get(f"/api/v1/assets/{found.uid}").json()
    assert whole["fields"] == {"provenance": {"": ["Anna", "Bo"]}, "height": {"": 12.5}}
    assert whole["record"] == str(record.uid)
    halved = send(f"records/{record.uid}", provenance="\ud83dAnna\0")  # half of a pair, as JSON may have it
    assert halved.json() == {"fields": {"provenance": {"": ["Anna"]}}}
    assert send(f"records/{record.uid}", provenance=None).json() == {"fields": {}}
    for wrong in ({"nothing": "x"}, {"provenance": {"xx": "x"}}):
        assert send(f"records/{record.uid}", **wrong).status_code == 422
    assert send(f"assets/{found.uid}", height="tall").status_code == 422
    Asset.objects.update(access="restricted")
    assert token.get(f"/api/v1/records/{record.uid}").status_code == 404
    assert send(f"records/{record.uid}", provenance="x").status_code == 404
