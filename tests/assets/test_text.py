import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("2nd half of the 19th century", (1851, 1900)),
        ("1st quarter 18th century", (1701, 1725)),
        ("first half of the 17th century", (1601, 1650)),
        ("last quarter 18th century", (1776, 1800)),
        ("second third of the 18th century", (1734, 1766)),
        ("3rd quarter of the 15th century", (1451, 1475)),
        ("1. Hälfte 19. Jh.", (1801, 1850)),
        ("letztes Viertel des 16. Jahrhunderts", (1576, 1600)),
        ("2e helft 17e eeuw", (1651, 1700)),
        ("début du 18e siècle", (1701, 1734)),
        ("mid-19th century", (1834, 1867)),
        ("mid- to late 19th century", (1834, 1900)),
        ("late 18th - early 19th century", (1767, 1834)),
        ("late 2nd century BC", (-134, -101)),
        ("1st century BC - 2nd century AD", (-100, 200)),
        ("3rd millennium BC", (-3000, -2001)),
        ("5th half 19th century", (1801, 1900)),
        ("500 BC - 100 AD", (-500, 100)),
        ("27 BC–14 AD", (-27, 14)),
        ("c. 30 BC - AD 14", (-35, 19)),
        ("before 500 BC", (None, -500)),
        ("before 500-400 v. Chr.", (None, -400)),
        ("300 or 250 BC", (-300, -250)),
        ("12 March 44 BC", (-44, -44)),
        ("79 C.E.", (79, 79)),
        ("AD 79", (79, 79)),
        ("300 C.E.", (300, 300)),
        ("1850 c.", (1845, 1855)),
        ("1750c.", (1745, 1755)),
        ("c1710", (1705, 1715)),
        ("1889-1890 c.", (1884, 1895)),
        ("1889-1890, c. 1900", (1889, 1905)),
        ("c. 1880 - c. 1890", (1875, 1895)),
        ("118 century", (118, 118)),
        ("18th c.", (1701, 1800)),
        ("printed by Smith 1642", (1642, 1642)),
        ("by 1642", (None, 1642)),
        ("by about 1642", (None, 1647)),
        ("vor dem 12. Mai 1850", (None, 1850)),
        ("not before 1850", (1850, None)),
        ("before the 16th century", (None, 1600)),
        ("19th century, after 1850", (1850, 1900)),
        ("after 1850, before 1860", (1850, 1860)),
        ("before 1850, after 1860", (None, None)),
        ("1889, reprinted after 1900", (1889, None)),
        ("between 1850 and 1860", (1850, 1860)),
        ("10 June 1901 - 12 June 1901", (1901, 1901)),
        ("1889-05", (1889, 1889)),
        ("1889-05-04 to 1890-06-01", (1889, 1890)),
        ("1889:05:04 10:00:00", (1889, 1889)),
        ("12.06.1917", (1917, 1917)),
        ("1880s-90s", (1880, 1899)),
        ("1890-1880", (1880, 1890)),
    ],
)
def test_dates(text: str, years: tuple[int | None, int | None]) -> None:
    assert parse_years(text) == Years(*years)


PIECES = [
    "c.",
    "ca.",
    "C.E.",
    "b.c.",
    "AD",
    "v. Chr.",
    "century",
    "cent.",
    "Jh.",
    "millennium",
    "half",
    "1st",
    "2.",
]
PIECES += [
    "quarter of the",
    "last",
    "early",
    "mid",
    "before",
    "not after",
    "by",
    "May",
    "and",
    "-",
    "–",
    "/",
    ",",
    "s",
]
PIECES += [
    "0",
    "7",
    "79",
    "118",
    "500",
    "1642",
    "1889",
    "1890-05-04",
    "1923-25",
    "99999",
    "½",
    "１９",
    "²",
    " ",
    ". ",
]


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
        st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
    )
)
def test_any_text_has_years_in_order_or_none(text: str) -> None:
    earliest, latest = parse_years(text)
    assert earliest is None or latest is None or earliest <= latest
    assert all(year is None or -100_000 < year < 100_000 for year in (earliest, latest))


def test_a_long_text_without_dates_is_read_at_once() -> None:
    for piece in ("1-", "12 ", "early ", "before the ", "1 or 2 ", "19th/"):
        parse_years(piece * 20_000)
