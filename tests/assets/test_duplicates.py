"""Copies of a picture: their fingerprints, how they are found, and what is said of them."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from accounts.models import User
from assets import changes, duplicates, looking, purging
from assets.fingerprints import BITS, fingerprint
from assets.models import Asset, DuplicateCandidate, Fingerprint, Relation, StageRun
from assets.relations import keep_one
from tests.factories import encoded, process, scene, take_in

Kind = Relation.Kind
Change = Callable[[Image.Image], Image.Image]


def again(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(encoded(image, quality=quality)))


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((5, 4, image.width - 5, image.height - 3))


CHANGES: dict[str, Change] = {
    "quality 90": lambda image: again(image, 90),
    "quality 30": lambda image: again(image, 30),
    "a quarter of the size": lambda image: image.resize((image.width // 4, image.height // 4)),
    "a little less of it": cropped,
    "grey": lambda image: ImageOps.grayscale(image),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
}


def apart(one: str | None, two: str | None) -> int:
    assert one is not None and two is not None
    return sum(a != b for a, b in zip(one, two, strict=True))


@pytest.fixture(scope="module")
def scenes() -> list[Image.Image]:
    return [scene(seed) for seed in range(12)]


@pytest.mark.parametrize("name", CHANGES)
def test_a_copy_is_near(scenes: list[Image.Image], name: str) -> None:
    for image in scenes:
        assert apart(fingerprint(image), fingerprint(CHANGES[name](image))) <= duplicates.SURE


def test_another_picture_is_far(scenes: list[Image.Image]) -> None:
    prints = [fingerprint(image) for image in scenes]
    assert all(apart(a, b) > duplicates.WIDE for n, a in enumerate(prints) for b in prints[:n])
    assert all(print is not None and len(print) == BITS for print in prints)


def test_what_is_uniform_has_none() -> None:
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.normal(250, 3, (200, 256)).clip(0, 255).astype(np.uint8))
    page = Image.new("L", (256, 350), 250)
    ImageDraw.Draw(page).text((120, 170), "17", fill=30)
    edge = Image.new("L", (256, 350), 255)
    ImageDraw.Draw(edge).rectangle((0, 330, 256, 350), fill=20)
    plain = [Image.new("RGB", (30, 20), "black"), noise, page, edge, Image.linear_gradient("L")]
    assert [fingerprint(image) for image in plain] == [None] * len(plain)


def taken(image: Image.Image, name: str, **options: Any) -> Asset:
    outcome = take_in(encoded(image), name, **options)
    assert outcome.asset is not None and outcome.outcome == "accepted", outcome.reason
    return outcome.asset


def pairs() -> set[tuple[int, int]]:
    return set(DuplicateCandidate.objects.values_list("first_id", "second_id"))


@pytest.fixture
def twins(db: None, scenes: list[Image.Image]) -> tuple[Asset, Asset]:
    """Two files of one picture, found to be alike."""
    made = taken(scenes[0], "one.jpg"), taken(again(scenes[0], 40), "two.jpg")
    process(*made)
    return made


@pytest.mark.django_db
def test_copies_are_found_when_they_have_been_taken_in(scenes: list[Image.Image]) -> None:
    one, other = taken(scenes[0], "one.jpg"), taken(scenes[1], "other.jpg")
    plain = taken(Image.new("RGB", (80, 60), "white"), "blank.jpg")
    process(one, other, plain)
    assert not pairs()
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by 90 degrees to the right
    lying = scenes[0].transpose(Image.Transpose.ROTATE_90)
    copy = take_in(encoded(lying, quality=60, exif=turned), "copy.jpg").asset
    blank = taken(Image.new("RGB", (82, 60), "white"), "blank too.jpg")
    assert copy is not None
    assert looking.work() == 0, "nothing is looked at before its renditions are there"
    process(copy, blank)
    assert pairs() == {(one.pk, copy.pk)}
    found = DuplicateCandidate.objects.get()
    assert found.state == "alike" and found.distance <= duplicates.SURE and found.likeness is None
    assert Fingerprint.objects.get(version=blank.current_version_id).bits is None


@pytest.mark.django_db
def test_workers_come_for_what_waits_and_for_what_is_old(twins: tuple[Asset, Asset]) -> None:
    expected = pairs()
    assert expected == {(twins[0].pk, twins[1].pk)}
    runs = StageRun.objects.filter(stage="find_duplicates")
    assert {run.priority for run in runs} == {StageRun.BACKGROUND}, "they never crowd the queue"
    runs.delete()
    Fingerprint.objects.all().delete()
    DuplicateCandidate.objects.all().delete()
    assert (looking.plan(), looking.work(), looking.plan(), looking.work()) == (2, 2, 0, 0)
    assert pairs() == expected


@pytest.mark.django_db
def test_a_lost_preview_is_a_blemish_that_is_said(scenes: list[Image.Image]) -> None:
    one = taken(scenes[0], "one.jpg")
    process(one)
    assert one.current_version is not None
    one.current_version.renditions.update(storage_name="gone.webp")
    Fingerprint.objects.all().delete()
    StageRun.objects.filter(stage="find_duplicates").update(state="waiting")
    process(one)
    run = StageRun.objects.get(stage="find_duplicates")
    assert run.state == "failed" and run.reason == duplicates.UNREADABLE


@pytest.mark.django_db
def test_one_picture_has_few_candidates_and_they_are_replaced(scenes: list[Image.Image]) -> None:
    one = taken(scenes[0], "one.jpg")
    process(one)
    copies = [taken(again(scenes[0], 30 + n), f"{n}.jpg") for n in range(duplicates.MOST + 3)]
    process(*copies)
    process_again(one)
    mine = DuplicateCandidate.objects.of(one)
    assert mine.count() == duplicates.MOST
    assert one.current_version is not None
    other = fingerprint(scenes[5])
    Fingerprint.objects.filter(version=one.current_version).update(bits=other)
    process_again(one)
    assert not mine.exists()


def process_again(asset: Asset) -> None:
    StageRun.objects.filter(stage="find_duplicates", version=asset.current_version).update(state="waiting")
    process(asset)


@pytest.mark.django_db
def test_both_ways_find_what_is_near() -> None:
    """Among 1,000 made fingerprints; by pieces, what lies within 15 bits is found with certainty."""
    rng = np.random.default_rng(7)
    shown = taken(scene(3), "shown.jpg")
    bits = rng.random((1000, BITS)) < 0.5
    rows = [(-1 - n, text(row)) for n, row in enumerate(bits)]
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO assets_fingerprint (version_id, bits) VALUES (%s, %s)", rows)
        Fingerprint.objects.create(version=shown.current_version, bits=text(bits[0] ^ True))
        cursor.execute("SET LOCAL enable_seqscan = off")
        statement = duplicates.NEAR.format(pieces=duplicates.BY_PIECES)
        cursor.execute(f"EXPLAIN {statement}", ["0" * BITS, 0])
        assert "fingerprint_near" in str(cursor.fetchall())
        for far in (0, 7, 15, 40, duplicates.WIDE, duplicates.WIDE + 1):
            row = bits[0] ^ True
            row[rng.permutation(BITS)[:far]] ^= True
            expected = [(shown.pk, far)] if far <= duplicates.WIDE else []
            assert duplicates.near(0, text(row), by_pieces=False) == expected
            assert duplicates.near(0, text(row), by_pieces=True) == expected or far > 15
        cursor.execute("DELETE FROM assets_fingerprint WHERE version_id < 0")


def text(bits: Any) -> str:
    return "".join("01"[bit] for bit in bits.tolist())


# --- what people say ------------------------------------------------------------------------------------


def said() -> list[tuple[str, int, int]]:
    return list(Relation.objects.values_list("kind", "asset", "other"))


def test_what_is_said_replaces_what_was_said_and_is_undone(twins: tuple[Asset, Asset], admin: User) -> None:
    one, two = twins
    first = changes.relate(two, one, Kind.DUPLICATE, admin)
    assert said() == [("duplicate_of", two.pk, one.pk)]
    assert not DuplicateCandidate.objects.open().exists(), "what has an answer is not asked again"
    second = changes.relate(one, two, Kind.DETAIL, admin)
    assert said() == [("detail_of", one.pk, two.pk)]
    kept = changes.undo(first, admin)
    assert said() == [("detail_of", one.pk, two.pk)] and "1 later changes kept" in kept.label
    back = changes.undo(second, admin)
    assert said() == [("duplicate_of", two.pk, one.pk)]
    changes.undo(back, admin)
    assert said() == [("detail_of", one.pk, two.pk)]
    for picture in twins:
        assert {second, back} <= set(changes.history_of(picture)), "it stands in the history of both"
    assert Relation.objects.get().user == admin


def test_of_two_who_keep_one_each_the_second_is_refused(twins: tuple[Asset, Asset], admin: User) -> None:
    one, two = twins
    changes.relate(one, two, Kind.DUPLICATE, admin)
    keep_one(one, two, admin, take_over=False)
    with pytest.raises(changes.ChangeRefused):
        keep_one(two, one, admin, take_over=False)
    assert list(Asset.objects.live()) == [one]


def test_a_relation_to_what_is_gone_does_not_come_back(twins: tuple[Asset, Asset], admin: User) -> None:
    one, two = twins
    undone = changes.undo(changes.relate(one, two, Kind.DETAIL, admin), admin)
    changes.trash([two], admin)
    purging.purge([two.pk], admin)
    changes.undo(undone, admin)
    assert not Relation.objects.exists()


def test_a_picture_is_nothing_to_itself(twins: tuple[Asset, Asset], admin: User) -> None:
    with pytest.raises(changes.ChangeRefused):
        changes.relate(twins[0], twins[0], Kind.VERSION, admin)


def test_unrelated_pictures_are_never_asked_about_again(twins: tuple[Asset, Asset], admin: User) -> None:
    op = changes.relate(twins[0], twins[1], Kind.UNRELATED, admin)
    process_again(twins[0])
    assert pairs() and not DuplicateCandidate.objects.open().exists()
    changes.undo(op, admin)
    assert DuplicateCandidate.objects.open().count() == 1
