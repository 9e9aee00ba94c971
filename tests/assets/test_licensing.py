"""The rule of what may be taken of a picture, and what it is made of: no database is asked here."""

from datetime import UTC, date, datetime

import pytest
from django.conf import settings
from PIL import Image

from assets import copies
from assets.consents import Consent, end_of
from assets.licensing import Facts, Verdict, decide
from assets.marking import marked, written
from assets.metadata.elements import plain
from assets.metadata.present import Statement
from assets.metadata.writing.xmp import update
from assets.metadata.xmp import Packet, parse
from assets.models import LicenceRules
from assets.statements import BY_CODE, STATEMENTS, statement_of

# --- statements -----------------------------------------------------------------------------------------


def test_there_are_twelve_statements_and_eight_of_creative_commons() -> None:
    of_rights = [one for one in STATEMENTS if "rightsstatements.org" in one.uri]
    assert (len(of_rights), len(STATEMENTS), len({one.uri for one in STATEMENTS})) == (12, 20, 20)
    for one in STATEMENTS:
        for written_as in (
            one.uri,
            one.code,
            one.name,
            one.uri.replace("http://", "https://"),
            one.code.upper(),
        ):
            assert statement_of(written_as) == one


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://rightsstatements.org/page/InC-EDU/1.0/?language=en", "InC-EDU"),
        ("http://creativecommons.org/licenses/by-sa/4.0/deed.de", "CC BY-SA 4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/legalcode", "CC0"),
        ("cc by", "CC BY 4.0"),
        ("in copyright", "InC"),
        ("https://creativecommons.org/licenses/by/3.0/", None),
        ("http://example.org/vocab/InC/1.0/", None),
        ("In copyright until 2030", None),
        ("© Somebody", None),
        ("", None),
    ],
)
def test_a_statement_is_known_however_it_is_written_and_other_words_stay_words(text: str, code: str) -> None:
    known = statement_of(text)
    assert (known.code if known else None) == code


# --- the rule -------------------------------------------------------------------------------------------

NOBODY: frozenset[str] = frozenset()
ROLES = {
    "may look": NOBODY,
    "copies": frozenset({"download"}),
    "originals": frozenset({"download", "original"}),
    "manager": frozenset({"download", "original", "manage"}),
}
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
FULL = copies.FULL
TABLE = {  # of each statement: pixels for who may take copies, and whether they are marked
    **dict.fromkeys(("InC", "InC-OW-EU", "InC-EDU", "InC-NC", "InC-RUU"), (1600, True)),
    **{one.code: (2048, False) for one in STATEMENTS if not one.protected},
}


@pytest.mark.parametrize("code", [one.code for one in STATEMENTS])
def test_statement_by_role_by_size(code: str) -> None:
    facts = Facts((BY_CODE[code],), credit="Gift of A. Bloem")
    said = {name: decide(facts, may, LicenceRules(), NOBODY, NOW) for name, may in ROLES.items()}
    pixels, mark = TABLE[code]
    assert {name: (v.longest, v.original) for name, v in said.items()} == {
        "may look": (0, False),
        "copies": (pixels, False),
        "originals": (FULL, True),
        "manager": (FULL, True),
    }
    assert said["copies"].mark == ("Gift of A. Bloem" if mark else "")
    assert not any(said[name].mark for name in ("may look", "originals", "manager"))
    assert all(said[name].reasons for name in ("may look", "copies")) and not said["originals"].reasons
    closed = Facts((BY_CODE[code],), closes_at=NOW)
    assert [decide(closed, may, LicenceRules(), NOBODY, NOW).longest for may in ROLES.values()] == [
        0,
        0,
        0,
        FULL,
    ]


def test_a_purpose_is_asked_for_by_statement_and_by_restriction_and_not_of_managers() -> None:
    rules = LicenceRules(asks_for=["CNE"])
    for facts, asked in (
        (Facts((BY_CODE["CNE"],)), True),
        (Facts((BY_CODE["CC0"],)), False),
        (Facts(not_for=frozenset({"press"})), True),
        (Facts(not_for=frozenset({"web"})), False),
    ):
        found = {
            name: decide(facts, may, rules, frozenset({"press"}), NOW).asks for name, may in ROLES.items()
        }
        assert found == {"may look": False, "copies": asked, "originals": asked, "manager": False}


# --- watermark ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ground", "size"), [("black", (1600, 1000)), ("white", (300, 200)), ("gray", (240, 900))]
)
def test_a_mark_is_light_and_dark_at_the_lower_edge_alone(ground: str, size: tuple[int, int]) -> None:
    plain = Image.new("RGB", size, ground)
    drawn = marked(plain, "Käthe Öl, Musée d’Orsay")
    assert drawn.size == size and plain.getextrema() != drawn.getextrema()
    low, high = drawn.convert("L").getextrema()
    assert low < 60 and high > 200  # type: ignore[operator]
    above = drawn.crop((0, 0, size[0], size[1] - max(min(size) // 6, 30)))
    assert above.tobytes() == plain.crop((0, 0, *above.size)).tobytes()


def test_letters_that_the_font_has_not_are_written_bare() -> None:
    assert written("Łódź\n Köln 日") == "Lódz Köln ?".encode("cp1252")


# --- consents -------------------------------------------------------------------------------------------


def test_a_consent_ends_with_its_last_day_in_the_time_of_the_museum() -> None:
    one = Consent("k", "Ada", until="2026-03-31")
    assert one.ends_at is not None and one.ends_at.isoformat().startswith("2026-04-01T00:00:00")
    early = Consent("j", "Bo", until="2026-03-31", withdrawn_at="2026-01-02T03:04:05+00:00")
    assert end_of([one, early]) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert end_of([Consent("k", "Ada")]) is None and settings.TIME_ZONE
    assert one.last_day == date(2026, 3, 31)


def test_a_verdict_without_a_file_offers_nothing() -> None:
    assert Verdict(1600).offered(None) == [] and Verdict(0).refusal(None) == ""


# --- words in files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rights", "address", "licence", "copyrighted"),
    [
        ("CC BY 4.0", BY_CODE["CC BY 4.0"].uri, True, "True"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", BY_CODE["CC0"].uri, True, "False"),
        ("http://rightsstatements.org/vocab/InC/1.0/", BY_CODE["InC"].uri, False, "True"),
        ("CNE", BY_CODE["CNE"].uri, False, ""),
        ("© me", "http://example.org/before", False, ""),
    ],
)
def test_files_keep_credit_and_rights(rights: str, address: str, licence: bool, copyrighted: str) -> None:
    packet = Packet()
    packet.put("xmpRights:WebStatement", plain("http://example.org/before"))
    packet.put("cc:license", plain("http://example.org/before"))
    update(packet, Statement(rights=rights, credit_line="Gift", rights_holder="A. Bloem"))
    again = parse(packet.serialised())
    names = ("xmpRights:WebStatement", "cc:license", "xmpRights:Marked", "dc:rights", "photoshop:Credit")
    assert [again.text(name) for name in names] == [
        address,
        address if licence else "",
        copyrighted,
        rights,
        "Gift",
    ]
    assert again.texts("xmpRights:Owner") == ["A. Bloem"]
