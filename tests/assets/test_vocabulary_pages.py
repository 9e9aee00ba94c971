"""The pages of a vocabulary: who is told what, and changing it on them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from assets import changes
from assets.models import Term, TermWork, Vocabulary
from assets.terms import editing, merging
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_a_clock")]


def term(label: str, above: str = "", **values: Any) -> Term:
    tags = Vocabulary.objects.get(slug="tags")
    broader = editing.named(tags, [above]) if above else []
    return editing.create(tags, {"label": label, **values}, broader, None)


def page(browser: Client, path: str) -> str:
    answer = browser.get(path, follow=True)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_a_tree_by_levels_with_what_this_person_may_see(browser: Client) -> None:
    animal, _ = term("animal"), term("dog", "animal")
    term("secret")
    hidden = asset(tags="dog; secret")
    asset(tags="dog")
    changes.apply(changes.operation("edit", ""), [hidden], {"access": "restricted"})
    assert "Tags" in page(browser, "/vocabulary/") or "tags" in page(browser, "/vocabulary/")
    level = page(browser, "/vocabulary/tags/")
    assert "animal" in level and "1 picture" in level and "secret" not in level
    assert f"/terms/{animal.uid}/below/" in level
    below = page(browser, f"/terms/{animal.uid}/below/")
    assert ">dog</a>" in below and "1 picture<" in below
    assert browser.get(Term.objects.get(label="secret").get_absolute_url()).status_code == 404
    assert "secret" not in page(browser, "/vocabulary/tags/labels/?with=sec")
    assert "animal" not in page(browser, "/vocabulary/tags/?q=zebra")


def test_a_term_is_looked_for_in_any_language_and_unused_ones_are_listed(browser: Client) -> None:
    term("dog", labels={"de": ["Hund", "Köter"]})
    term("cat")
    asset(tags="cat")
    found = page(browser, "/vocabulary/?q=koter")
    assert ">dog</a>" in found and ">cat</a>" not in found
    unused = page(browser, "/vocabulary/tags/?unused")
    assert ">dog</a>" in unused and ">cat</a>" not in unused
    shown = page(browser, Term.objects.get(label="dog").get_absolute_url())
    assert "Köter" in shown and "Edit" not in shown


def test_changing_is_for_those_who_look_after_the_vocabulary(browser: Client) -> None:
    dog = term("dog")
    for path in ("edit/", "merge/", "delete/"):
        assert browser.get(f"/terms/{dog.uid}/{path}").status_code == 403
    for path in ("new/", "import/", "export.csv", "export.ttl"):
        assert browser.get(f"/vocabulary/tags/{path}").status_code == 403
    assert browser.get("/terms/changes/").status_code == 403


def test_editing_on_the_page_and_undo_by_its_message(editor: Client) -> None:
    term("animal")
    dog = term("hund", labels={"fr": ["chien"]})
    asset(tags="hund")
    form = page(editor, f"/terms/{dog.uid}/edit/")
    assert 'value="chien"' in form
    sent = {
        "label": "dog",
        "others": "hound; doggy",
        "language": ["fr", "", ""],
        "preferred": ["chien", "", ""],
        "also": ["toutou", "", ""],
        "broader": ["Animal", ""],
        "note": "",
        "uri": "",
    }
    done = editor.post(f"/terms/{dog.uid}/edit/", sent, follow=True).content.decode()
    assert "Saved." in done and "toutou" in done and "hound; doggy" in done and "animal" in done
    for line in (
        "Name: <del>hund</del> → <ins>dog</ins>",
        "Broader terms: <ins>animal</ins>",
        "Other names (Français): <del>chien</del> → <ins>chien; toutou</ins>",
    ):
        assert line in done
    wrong = editor.post(f"/terms/{dog.uid}/edit/", sent | {"broader": ["nothing"]}).content.decode()
    assert "There is no term “nothing”" in wrong
    wrong = editor.post(f"/terms/{dog.uid}/edit/", sent | {"language": ["!", "", ""]}).content.decode()
    assert "as a code" in wrong
    operation = TermWork.objects.first().operations[0]  # type: ignore[union-attr]
    uid = changes.Change.objects.filter(operation=operation).first().operation.uid  # type: ignore[union-attr]
    assert "Undone" in editor.post(f"/operations/{uid}/undo/", follow=True).content.decode()
    dog.refresh_from_db()
    assert (dog.label, dog.labels) == ("hund", {"fr": ["chien"]}) and not dog.parents.exists()


def test_merging_is_previewed_and_old_addresses_lead_on(editor: Client) -> None:
    dog, hound = term("dog"), term("hound", labels={"de": ["Hund"]})
    picture = asset(tags="hound")
    preview = page(editor, f"/terms/{dog.uid}/merge/?with=hound&with=")
    assert "1 picture gets “dog” instead" in preview and "Hund" in preview
    assert "into itself" in page(editor, f"/terms/{dog.uid}/merge/?with=dog")
    done = editor.post(f"/terms/{dog.uid}/merge/", {"with": "hound"}, follow=True).content.decode()
    assert "Merged hound into dog" in done and "Undo all of it" in done
    assert "<del>hound</del>" in page(editor, picture.get_absolute_url())  # in its history
    answer = editor.get(hound.get_absolute_url())
    assert (answer.status_code, answer["Location"]) == (301, dog.get_absolute_url())
    found = TermWork.objects.get(kind="merge")
    assert "Done." in editor.post(f"/terms/changes/{found.uid}/undo/", follow=True).content.decode()
    assert editor.get(hound.get_absolute_url()).status_code == 200


def test_only_unused_terms_can_be_deleted_and_it_is_asked_first(editor: Client) -> None:
    dog = term("dog")
    assert "Delete “dog”?" in page(editor, f"/terms/{dog.uid}/delete/") and Term.objects.filter(pk=dog.pk)
    assert "Deleted the term dog" in editor.post(f"/terms/{dog.uid}/delete/", follow=True).content.decode()
    used = term("cat")
    asset(tags="cat")
    assert "in use" in editor.post(f"/terms/{used.uid}/delete/", follow=True).content.decode()


def test_a_file_is_compared_then_imported_then_taken_back(editor: Client) -> None:
    table = "label,broader,synonyms:de\nbeagle,dog,\ndog,,Hund;Köter\n"
    sent = {"file": SimpleUploadedFile("list.csv", table.encode()), "languages": ""}
    shown = editor.post("/vocabulary/tags/import/", sent, follow=True).content.decode()
    assert "Nothing has been changed so far" in shown and not Term.objects.exists()
    found = TermWork.objects.get()
    editor.post(reverse("assets:term_work_go", args=[found.uid]))
    found.refresh_from_db()
    assert found.state == "done", found.problem
    assert [t.label for t in Term.objects.get(label="beagle").parents.all()] == ["dog"]
    assert "Köter" in b"".join(editor.get("/vocabulary/tags/export.csv")).decode()  # type: ignore[arg-type]
    assert '"Köter"@de' in b"".join(editor.get("/vocabulary/tags/export.ttl")).decode()  # type: ignore[arg-type]
    editor.post(reverse("assets:term_work_undo", args=[found.uid]))
    assert not Term.objects.exists()
    wrong = editor.post("/vocabulary/tags/import/", {"file": SimpleUploadedFile("list.doc", b"x")})
    assert "These endings are known" in wrong.content.decode()


def test_the_changes_are_listed(editor: Client) -> None:
    merging.merge(term("dog"), [term("hound")], None)
    assert "Merged hound into dog" in page(editor, "/terms/changes/")
