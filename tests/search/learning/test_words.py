"""What counts of what people wrote, and which pictures are one."""

from assets.models import Asset
from search.learning import library, words
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
    one = Asset(title=" — ", description="?")
    assert words._parts(one, "title") == words._parts(one, "description") == []
    one.description = "A word. " * 50_000
    (part,) = words._parts(one, "description")
    assert len(words.sentences(part.text)) == 50_000
