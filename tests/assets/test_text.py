import pytest

from assets.dates import Years, parse_years
from assets.text import accession_key, fold, label_key, sort_key


def test_sort_keys_put_numbers_and_accents_where_people_expect_them() -> None:
    names = ["1923.10", "zebra", "Äpfel", "1923.9", "apfelbaum", "Zebra 2", "zebra 10"]
    expected = ["1923.9", "1923.10", "Äpfel", "apfelbaum", "zebra", "Zebra 2", "zebra 10"]
    assert sorted(names, key=sort_key) == expected


@pytest.mark.parametrize("written", ["ÄBC-12/3", "äbc 12/3", "ÄBC.12/3", " ÄBC  12 3. "])
def test_an_accession_number_is_one_however_it_is_separated(written: str) -> None:
    assert accession_key(written) == "äbc.12.3"


def test_different_accession_numbers_stay_different() -> None:
    assert len({accession_key(n) for n in ["1923.9", "1923.90", "19239", "192.39", "A 1", "B 1", "Ä 1"]}) == 7


def test_folding() -> None:
    assert fold("  Édouard  MANET ") == "edouard manet"
    assert label_key("Öl  auf\nHolz") == "öl auf holz"
    assert label_key("Öl") != label_key("Ol")


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("1889", (1889, 1889)),
        ("c. 1710", (1705, 1715)),
        ("1880s", (1880, 1889)),
        ("1923-25", (1923, 1925)),
        ("1880–1900", (1880, 1900)),
        ("c. 1630/35", (1625, 1640)),
        ("18th century", (1701, 1800)),
        ("17th/18th century", (1601, 1800)),
        ("early 19th century", (1801, 1834)),
        ("19. Jahrhundert", (1801, 1900)),
        ("before 1500", (None, 1500)),
        ("after 1600", (1600, None)),
        ("300 BC", (-300, -300)),
        ("120-80 BCE", (-120, -80)),
        ("2nd century BC", (-200, -101)),
        ("1889-05-04", (1889, 1889)),
        ("Date unknown", (None, None)),
        ("", (None, None)),
        ("99999999999999999", (None, None)),
    ],
)
def test_dates(text: str, years: tuple[int | None, int | None]) -> None:
    assert parse_years(text) == Years(*years)
