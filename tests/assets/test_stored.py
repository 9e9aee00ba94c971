"""What was stored is said in the language of who reads it."""

import ast
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import User
from assets import changes, stored
from tests.factories import asset
from tests.services_fixture import ROOT

FOR_PEOPLE = {"PermanentFailure", "Undecodable", "Killed", "Refused", "NotAPicture", "FetchRefused"}
"""Exceptions whose message is stored as a reason."""
VERBS = {"", "7 7", "7 the 7 7", "7 the collection 7"}
"""Labels that are put together of a verb, or written later."""


@pytest.mark.parametrize(
    "text, german",
    [
        ("Uploaded a.jpg", "a.jpg hochgeladen"),
        ("Added the tags oil; blue", "Schlagwörter oil; blue hinzugefügt"),
        ("Mots-clés oil; blue ajoutés", "Schlagwörter oil; blue hinzugefügt"),
        ("Add the tag oil (1,234 pictures)", "Schlagwort oil hinzufügen (1.234 Bilder)"),
        ("Undone: Edited Boat", "Rückgängig gemacht: Boat bearbeitet"),
        ("Set Title to “Boat” (1 picture)", "Titel auf „Boat“ setzen (1 Bild)"),
        ("Deleted for good: Three pictures", "Endgültig gelöscht: Three pictures"),
        ("Already here. Nobody knows this.", "Schon hier. Nobody knows this."),
        ("Nobody knows this. Already here.", "Nobody knows this. Schon hier."),
        (
            "The picture is here, its description was not applied: You may not change the vocabulary.",
            "Das Bild ist hier, seine Beschreibung wurde nicht übernommen: "
            "Sie dürfen das Vokabular nicht ändern.",
        ),
        ("OSError: [Errno 5]", "OSError: [Errno 5]"),
        ("", ""),
    ],
)
def test_a_stored_text_is_said_in_another_language(text: str, german: str) -> None:
    with translation.override("de"):
        assert stored.shown(text) == german
    with translation.override("en"):
        assert stored.shown(text) == text or not text.isascii()


def test_every_reason_and_label_in_the_code_is_known() -> None:
    samples = {
        sample for path in sorted((ROOT / "assets").rglob("*.py")) for sample in _samples(path.read_text())
    }
    assert len(samples) > 40
    assert [sample for sample in sorted(samples - VERBS) if stored._said(sample) is None] == []


def _samples(source: str) -> Iterator[str]:
    """The sentences of such exceptions and labels, with a 7 wherever something is put in."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        arguments = node.args[:1] if name in FOR_PEOPLE else node.args[1:2] if name == "operation" else []
        for argument in arguments:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value
            elif isinstance(argument, ast.JoinedStr):
                pieces = (
                    piece.value if isinstance(piece, ast.Constant) else "7" for piece in argument.values
                )
                yield "".join(map(str, pieces))


def test_the_history_is_in_the_language_of_its_reader(browser: Client, viewer: User) -> None:
    one = asset("red", done=True, title="Boat")
    changes.apply(changes.operation("edit", "Edited Boat"), [one], {"title": "Ship"})
    User.objects.filter(pk=viewer.pk).update(language="nl")
    page = browser.get(one.get_absolute_url()).content.decode()
    assert "Boat bewerkt" in page and "Edited" not in page
