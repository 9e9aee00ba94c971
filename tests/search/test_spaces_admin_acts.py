"""Embedding spaces in the administration: making, using, leaving and dropping them."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from assets.models import Asset
from search import partitions, spaces
from search.models import EmbeddingSpace
from tests.encoder import ColourEncoder
from tests.factories import asset
from tests.search.pages import at, text

# --- making and using -------------------------------------------------------------------------------


def test_the_page_of_new_ones_says_what_can_be_made(
    desk: Client, space: EmbeddingSpace, next_encoder: ColourEncoder, settings: Any
) -> None:
    settings.ENCODERS = {**settings.ENCODERS, "azure": {"kind": "azure", "prefix": "ENCODER_AZURE"}}
    said = text(desk.get(at("add")))
    assert f"It has its space already: {space.slug}" in said
    assert "Make a space for next" in said and "Make a space for azure" not in said
    assert "Set ENCODER_AZURE_KEY" in said and "Then restart the library." in said


def test_a_space_is_made_and_what_cannot_be_made_is_said(
    desk: Client, three: list[Asset], next_encoder: ColourEncoder
) -> None:
    next_encoder.away = True
    said = text(desk.post(at("add"), {"encoder": "next"}, follow=True))
    assert "The test encoder is away." in said and "New embedding space" in said
    next_encoder.away = False
    said = text(desk.post(at("add"), {"encoder": "next"}, follow=True))
    assert "is being filled in the background" in said and "being filled" in said
    assert "has its space already" in text(desk.post(at("add"), {"encoder": "next"}, follow=True))
    assert "There is no encoder" in text(desk.post(at("add"), {"encoder": "nonesuch"}, follow=True))
    assert EmbeddingSpace.objects.count() == 2


def test_activating_is_asked_first_and_taken_back(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    asset("cyan", "late.jpg")
    said = text(desk.get(at("activate", filled.pk)))
    assert f"instead of {space.slug}" in said and "Pictures with a vector 3" in said
    assert "Missing 1; the workers see to them" in said and "Have you compared them?" in said
    assert spaces.active() == space
    assert "is in use from now on" in text(desk.post(at("activate", filled.pk), follow=True))
    assert spaces.active() == filled
    assert "is in use already" in text(desk.post(at("activate", filled.pk), follow=True))
    assert "This space is in use already." in text(desk.get(at("activate", filled.pk)))
    assert f"Roll back to {space.slug}" in text(desk.get(at("changelist")))
    assert f"Go back to {space.slug}" in text(desk.get(at("rollback")))
    desk.post(at("rollback"))
    assert spaces.active() == space
    assert "Activated." in text(desk.get(at("history", space.pk)))


def test_what_is_not_ready_cannot_be_activated(
    desk: Client, three: list[Asset], space: EmbeddingSpace, next_encoder: ColourEncoder
) -> None:
    made = spaces.create("next")
    page = desk.get(at("activate", made.pk))
    assert "It can be activated when it is ready." in text(page) and '<button class="desk' not in str(
        page.content
    )
    assert "still being filled" in text(desk.post(at("activate", made.pk), follow=True))
    assert "no earlier space" in text(desk.get(at("rollback"), follow=True))
    assert "no earlier space" in text(desk.post(at("rollback"), follow=True))
    assert spaces.active() == space


def test_who_activates_hears_that_the_encoder_is_away(
    desk: Client, filled: EmbeddingSpace, next_encoder: ColourEncoder
) -> None:
    next_encoder.version = "3"
    assert "The encoder next was changed" in text(desk.get(at("activate", filled.pk)))


# --- dropping ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_dropping_asks_for_the_name(desk: Client, space: EmbeddingSpace, next_encoder: ColourEncoder) -> None:
    made = spaces.create("next")
    said = text(desk.get(at("delete", made.pk)))
    assert "cannot be undone" in said and "of pictures: 0" in said and "KB" in said
    said = text(desk.post(at("delete", made.pk), {"slug": "something"}))
    assert "nothing was dropped" in said and EmbeddingSpace.objects.filter(pk=made.pk).exists()
    said = text(desk.post(at("delete", made.pk), {"slug": made.slug}, follow=True))
    assert f"The space {made.slug} was dropped" in said and partitions.size(made) == 0
    assert not EmbeddingSpace.objects.filter(pk=made.pk).exists()
    assert desk.get(at("delete", made.pk)).status_code == 404
    said = text(desk.get(at("delete", space.pk)))
    assert "This space is in use." in said and "Type" not in said
    said = text(desk.post(at("delete", space.pk), {"slug": space.slug}, follow=True))
    assert "Activate another space first" in said and spaces.active() == space


def test_who_drops_what_the_settings_still_name_is_told(
    desk: Client, space: EmbeddingSpace, filled: EmbeddingSpace
) -> None:
    assert "still names" not in text(desk.get(at("delete", filled.pk)))
    spaces.activate(filled)
    assert "ENCODER in the settings still names test" in text(desk.get(at("delete", space.pk)))


def test_a_table_that_is_in_use_for_long_is_said(
    desk: Client, filled: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(space: EmbeddingSpace) -> int:
        raise OperationalError("lock timeout")

    monkeypatch.setattr(spaces, "drop", locked)
    said = text(desk.post(at("delete", filled.pk), {"slug": filled.slug}, follow=True))
    assert "Try again in a minute." in said
