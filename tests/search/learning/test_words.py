"""What counts of what people wrote, and which pictures are one."""

import pytest
from django.utils import timezone

from assets.models import Asset, AssetTerm, Collection, Depiction, Record, RecordTerm, Term
from search.learning import library, reading, words
from search.learning.words import Part


def test_a_sentence_that_many_have_is_left_out_and_a_tag_of_all_counts_nothing() -> None:
    gift = "Gift of the Smith family, 1923."
    every = [
        [
            Part(f"A boat on lake {n}.\n{gift}", 1.0, prose=True),
            Part("photograph", 0.5),
            Part(f"lake {n}", 0.5),
        ]
        for n in range(20)
    ]
    told = words.count(every).told(every[3])
    assert told == {"A boat on lake 3.": 1.0, "lake 3": 0.5}


def test_the_rarer_the_more_it_counts() -> None:
    every = [[Part(f"title {n}", 1.0), Part("harbour" if n % 2 else f"quay {n}", 0.5)] for n in range(100)]
    told = words.count(every).told(every[1])
    assert told["title 1"] == 1.0 and 0 < told["harbour"] < 0.1


def test_pictures_that_pairs_join_are_one_group() -> None:
    found = library.groups([1, 2, 3, 4, 5], [(1, 9), (9, 3), (4, 5)])
    assert found[0] == found[2] and found[3] == found[4] and len(set(found.tolist())) == 3


def test_a_digest_fits_the_database() -> None:
    assert -(2**63) <= words.digest("Äpfel") < 2**63 and words.digest("a") != words.digest("b")


def test_a_dash_says_nothing_and_a_long_description_is_taken_apart() -> None:
    fields = ("title", "description")
    assert words.parts_of([{"title": [" — "], "description": ["?"]}], fields) == []
    (part,) = words.parts_of([{"description": ["A word. " * 50_000]}], fields)
    assert part.prose and len(words.sentences(part.text)) == 50_000


@pytest.mark.django_db
@pytest.mark.usefixtures("vocabularies")
def test_all_that_is_said_of_a_picture_is_read_its_objects_first_each_text_once() -> None:
    home = Collection.objects.named("Harbour")
    plain = Asset.objects.create(collection=home, title="A quay")
    shown = Asset.objects.create(collection=home, title="boat", alt_text="A sail")
    records = [Record.objects.create(title=title) for title in ("A tub", "Boat", "Gone")]
    records[2].trashed_at = timezone.now()
    records[2].save()
    for position, record in zip((1, 0, 2), records, strict=True):
        Depiction.objects.create(record=record, asset=shown, position=position)
    tag, maker = Term.objects.labelled("tags", "sea"), Term.objects.labelled("creators", "Anna")
    AssetTerm.objects.create(asset=shown, term=tag)
    RecordTerm.objects.create(record=records[0], term=maker)
    found = dict(reading.parts([shown.pk, 0, plain.pk], ("title", "alt_text", "tags", "creators")))
    assert [part.text for part in found[shown.pk]] == ["Boat", "A tub", "Anna", "A sail", "sea"]
    assert [part.text for part in found[plain.pk]] == ["A quay"] and len(found) == 2
    assert [part.text for part in dict(reading.parts([shown.pk], ("tags",)))[shown.pk]] == ["sea"]
