"""From words to a space that finds more: learned, proved, filled without a picture, used and left again."""

import json
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone
from PIL import Image

from accounts.models import User
from assets import changes, pipeline, purging, versions
from assets.models import Asset, AssetVersion, Depiction, Record
from search import encoders, features, filling, kept, rows, spaces, sql
from search.hybrid import HybridQuery
from search.learning import lessons, library, schedule, trial
from search.learning.encoder import LearnedEncoder
from search.models import Embedding, EmbeddingSpace, Features, Lesson, TextVector
from search.query import run
from tests.encoder import ColourEncoder
from tests.factories import asset, picture, process
from tests.search.learning import museum
from tests.search.test_spaces import fill

State = EmbeddingSpace.State


@pytest.fixture
def catalogue(space: EmbeddingSpace) -> list[Asset]:
    return museum.pictures(space, museum.titles(), museum.features())


def found(user: User, text: str) -> list[int]:
    return [one.pk for one in run(HybridQuery(user=user, text=text, mode="visual")).assets]


def edited(one: Asset, user: User, title: str) -> None:
    changes.apply(
        changes.operation("edit", "Edited", user=user), [Asset.objects.get(pk=one.pk)], {"title": title}
    )


def purged(*these: Asset) -> None:
    ids = [one.pk for one in these]
    Asset.objects.filter(pk__in=ids).update(trashed_at=timezone.now())
    assert purging.purge(ids, None) == len(ids)


def test_what_was_learned_finds_more_and_going_back_finds_the_same(
    catalogue: list[Asset], space: EmbeddingSpace, encoder: ColourEncoder, admin: User
) -> None:
    report = lessons.learn()
    assert (report.assets, report.described, report.refused) == (56, 56, "")
    figures = report.printed
    assert figures["after"]["recall@10"] > 0.8 > figures["before"]["recall@10"] + 0.2
    assert figures["interval"][0] > 0 and figures["why"].startswith("Better: ")
    made = fill(spaces.get(report.space or ""))
    assert made.state == State.READY and spaces.active() == space
    vectors = sql.vectors_of(made, [one.pk for one in catalogue])
    learned = spaces.encoder_of(made)
    assert isinstance(learned, LearnedEncoder) and len(vectors) == 56
    assert np.allclose(list(vectors.values()), learned.project(museum.features()), atol=2e-3)
    asked = "green and white"
    right = {one.pk for one in catalogue if one.title.startswith("white and green")}
    before = found(admin, asked)
    spaces.activate(made)
    assert set(found(admin, asked)[:2]) == right and not right & set(before[:2])
    assert spaces.rollback() == space and found(admin, asked) == before


def test_shuffled_words_are_refused_and_it_is_said_why(space: EmbeddingSpace) -> None:
    titles = museum.titles(4)
    shuffled = [titles[n] for n in np.random.default_rng(4).permutation(len(titles))]
    museum.pictures(space, shuffled, museum.features(4))
    out = StringIO()
    call_command("learn", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["refused"] == "nonsense" and "do not seem to go with the pictures" in said["why"]
    assert said["space"] is None and EmbeddingSpace.objects.count() == 1
    assert Lesson.objects.get().arrays is None


def test_a_dry_run_makes_nothing(catalogue: list[Asset]) -> None:
    out = StringIO()
    call_command("learn", "--dry-run", stdout=out)
    assert "56 of 56 pictures" in out.getvalue() and "Better: " in out.getvalue()
    assert EmbeddingSpace.objects.count() == 1 and not Lesson.objects.exists()


def test_a_few_words_are_too_few(space: EmbeddingSpace) -> None:
    museum.pictures(space, museum.titles()[:5] + [""] * 51, museum.features())
    report = lessons.learn()
    assert (
        report.refused == "few" and report.why.startswith("5 pictures with words") and report.described == 5
    )


def test_a_second_lesson_has_to_better_the_first(catalogue: list[Asset]) -> None:
    first = fill(spaces.get(lessons.learn().space or ""))
    spaces.activate(first)
    report = lessons.learn()
    assert report.refused == "unsure" and report.figures["before"] == report.figures["after"]
    assert Lesson.objects.first().against == first.slug  # type: ignore[union-attr]


def test_only_new_words_are_encoded_again(
    catalogue: list[Asset], encoder: ColourEncoder, admin: User
) -> None:
    library.of(encoder)
    asked = encoder.asked
    library.of(encoder)
    assert encoder.asked == asked and TextVector.objects.count() == 56
    edited(catalogue[0], admin, "yellow and blue, anew")
    library.of(encoder)
    assert encoder.asked == asked + 1 and TextVector.objects.count() == 56


def test_who_takes_part(catalogue: list[Asset], encoder: ColourEncoder, settings: Any) -> None:
    restricted, trashed = catalogue[:2]
    Asset.objects.filter(pk=restricted.pk).update(access="restricted")
    Asset.objects.filter(pk=trashed.pk).update(trashed_at=timezone.now())
    rows.refresh([restricted.pk, trashed.pk])
    assert set(library.of(encoder).assets) == {one.pk for one in catalogue[2:]}
    settings.LEARN_FROM_RESTRICTED = True
    assert set(library.of(encoder).assets) == {restricted.pk, *(one.pk for one in catalogue[2:])}


def test_a_new_picture_gets_its_vector_by_what_was_learned(
    catalogue: list[Asset], space: EmbeddingSpace, encoder: ColourEncoder
) -> None:
    spaces.activate(fill(spaces.get(lessons.learn().space or "")))
    made = spaces.active()
    assert made
    new = asset("red", "new.jpg", done=True, title="red and white")
    seen = Features.objects.get(version=new.current_version)
    assert seen.model == space.slug
    learned = spaces.encoder_of(made)
    assert isinstance(learned, LearnedEncoder)
    numbers = np.array(seen.numbers, np.float32)[None]
    assert np.allclose(sql.vectors_of(made, [new.pk])[new.pk], learned.project(numbers)[0], atol=2e-3)
    fill(made)
    words = sql.vectors_of(made, [new.pk], "words")[new.pk]
    assert np.allclose(words, learned.encode_texts(["red and white"])[0], atol=2e-3)
    assert spaces.ensure() == (made, False)  # its encoder is still that of the settings


def test_words_move_from_the_space_below(
    space: EmbeddingSpace, catalogue: list[Asset], encoder: ColourEncoder
) -> None:
    fill(space)
    made = spaces.get(lessons.learn().space or "")
    asked = encoder.asked
    fill(made)
    assert encoder.asked == asked
    pk = catalogue[0].pk
    expected = spaces.encoder_of(made).encode_texts([catalogue[0].title])[0]
    assert np.allclose(sql.vectors_of(made, [pk], "words")[pk], expected, atol=2e-3)


def test_features_of_pictures_from_before_are_filled_in(
    space: EmbeddingSpace, encoder: ColourEncoder
) -> None:
    old = museum.pictures(space, museum.titles(1), museum.features(1), known=False)
    assert features.share(space) == 0
    assert features.keep_missing(60) == len(old) and features.share(space) == 1
    version = old[0].current_version
    assert version and np.allclose(
        kept.features(space.slug, [version.pk])[version.pk], museum.features(1)[0], atol=1e-3
    )
    assert features.keep_missing(60) == 0


def test_it_is_used_by_itself_where_that_is_allowed(
    catalogue: list[Asset], space: EmbeddingSpace, settings: Any
) -> None:
    settings.LEARN_ACTIVATE = True
    assert fill(spaces.get(lessons.learn().space or "")).state == State.ACTIVE


def test_learning_begins_when_enough_words_have_come_in(
    catalogue: list[Asset], settings: Any, admin: User
) -> None:
    settings.LEARN_AFTER = 2
    assert not schedule.is_due()
    for one, title in zip(catalogue[:2], ("red and cyan", "blue and white"), strict=True):
        edited(one, admin, title)
    assert schedule.is_due()
    lessons.learn()
    assert not schedule.is_due()
    settings.LEARN_AFTER = 0
    assert not schedule.is_due()


def test_what_changes_while_a_space_is_filled_ends_up_right(
    catalogue: list[Asset], space: EmbeddingSpace, encoder: ColourEncoder, admin: User
) -> None:
    made = spaces.get(lessons.learn().space or "")
    filling.tend()
    assert pipeline.work_off("vectorise_picture", made.pk, 20) == 20
    gone, thrown, edit, other, *_ = catalogue
    purged(gone)
    Asset.objects.filter(pk=thrown.pk).update(trashed_at=timezone.now())
    rows.refresh([thrown.pk])
    edited(edit, admin, "magenta alone")
    versions.put(Asset.objects.get(pk=other.pk), BytesIO(picture("blue")), "blue.jpg", admin)
    new = asset("red", "new.jpg", title="red and white")
    process(Asset.objects.get(pk=other.pk), new)
    fill(made)
    learned = spaces.encoder_of(made)
    assert isinstance(learned, LearnedEncoder)
    there = {one.pk for one in catalogue[1:]} | {new.pk}
    assert (
        set(Embedding.objects.filter(space=made, kind="visual").values_list("asset_id", flat=True)) == there
    )
    blue, red = learned.encode_images([Image.new("RGB", (32, 32), "blue"), Image.new("RGB", (32, 32), "red")])
    seen = sql.vectors_of(made, [other.pk, new.pk])
    assert np.allclose(seen[other.pk], blue, atol=0.03) and np.allclose(seen[new.pk], red, atol=0.03)
    said = sql.vectors_of(made, [edit.pk], "words")[edit.pk]
    assert np.allclose(said, learned.encode_texts(["magenta alone"])[0], atol=2e-3)


def test_pictures_that_go_while_it_is_learned_are_left_out(
    catalogue: list[Asset], encoder: ColourEncoder
) -> None:
    read = library.of(encoder)
    purged(*catalogue[:9])
    made = trial.run(read)
    assert made.fit.head.learned_from == 47 == len(made.after)


def test_the_same_lesson_twice_can_be_built_upon(catalogue: list[Asset]) -> None:
    first, second = lessons.learn(), lessons.learn()
    assert first.space == second.space
    spaces.activate(fill(spaces.get(first.space or "")))
    assert lessons.learn().refused == "unsure"


def test_words_that_come_while_it_is_learned_count_for_the_next(
    catalogue: list[Asset], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = trial.run

    def meanwhile(*args: Any, **kwargs: Any) -> trial.Trial:
        edited(catalogue[0], admin, "red and cyan")
        return real(*args, **kwargs)

    monkeypatch.setattr(trial, "run", meanwhile)
    lessons.learn()
    assert schedule.new_words(9) == 1


def test_words_that_are_refused_are_left_out(
    catalogue: list[Asset], encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, bad = encoder.encode_texts, catalogue[3].title

    def refusing(texts: Sequence[str], role: encoders.Role = "query") -> Any:
        if bad in texts:
            raise encoders.EncoderError("Not this one.")
        return real(texts, role)

    monkeypatch.setattr(encoder, "encode_texts", refusing)
    found = library.of(encoder)
    assert found.described == 55 and found.assets[-1] == catalogue[3].pk
    encoder.away = True
    TextVector.objects.all().delete()
    with pytest.raises(encoders.EncoderError):
        library.of(encoder)


def test_of_a_large_catalogue_a_sample_that_stays(
    catalogue: list[Asset], encoder: ColourEncoder, settings: Any, space: EmbeddingSpace
) -> None:
    settings.LEARN_MOST = 40
    first = library.of(encoder)
    museum.pictures(space, museum.titles(1)[:9], museum.features(1)[:9])
    second = library.of(encoder)
    assert (first.described, len(first.assets), len(second.assets)) == (40, 56, 65)
    assert len(set(first.assets[:40]) & set(second.assets[: second.described])) >= 31


def test_a_preview_that_could_not_be_read_and_then_can(catalogue: list[Asset], space: EmbeddingSpace) -> None:
    pk = catalogue[0].current_version_id
    Features.objects.filter(version=pk).update(numbers=None)
    assert pk and not kept.features(space.slug, [pk])
    kept.keep_features(space.slug, pk, museum.features()[0])
    kept.keep_features(space.slug, pk, None)
    assert np.allclose(kept.features(space.slug, [pk])[pk], museum.features()[0], atol=1e-3)


def test_what_shows_the_same_is_joined(catalogue: list[Asset], encoder: ColourEncoder) -> None:
    one, other, third, apart = (a.pk for a in catalogue[:4])
    record = Record.objects.create(accession_number="1")
    Depiction.objects.bulk_create(Depiction(record=record, asset_id=pk) for pk in (one, other))
    blob = catalogue[0].current_version.blob_id  # type: ignore[union-attr]
    AssetVersion.objects.filter(asset_id=third).update(blob_id=blob)
    found = library.of(encoder)
    group = dict(zip(found.assets.tolist(), found.groups.tolist(), strict=True))
    assert group[one] == group[other] == group[third] != group[apart]


def test_a_head_that_is_gone_says_so(space: EmbeddingSpace) -> None:
    with pytest.raises(encoders.UnknownEncoder, match="manage.py learn"):
        spaces.create("learned")
