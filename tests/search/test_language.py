"""The language of questions by itself: what a text means, and where it is wrong. No database."""

import time
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as rules
from hypothesis import strategies as st

from search.language import Parsed, parse, parse_filter
from search.language.fields import FIELDS
from search.language.nodes import (
    And,
    Days,
    Field,
    Name,
    Not,
    Or,
    Phrase,
    Sides,
    Size,
    Span,
    Value,
    Word,
    written,
)
from search.language.parser import MOST_MISTAKES
from tests.often import often

TODAY = date(2026, 11, 22)  # a Sunday


def understood(text: str) -> Parsed:
    return parse(text, TODAY)


def field(name: str, *texts: str) -> Field:
    """A field of names, as the parser gives it."""
    return Field(name, tuple(Value(text, Name(text.rstrip("*"), text.endswith("*"))) for text in texts))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("boat", Word("boat")),
        ("a red boat", And((Word("a"), Word("red"), Word("boat")))),
        ('"still  life"', Phrase("still life")),
        ("“still life”", Phrase("still life")),
        ("-boat", Not(Word("boat"))),
        ("NOT boat", Not(Word("boat"))),
        ('-"still life"', Not(Phrase("still life"))),
        ("NOT -boat", Word("boat")),
        ("--boat", Word("--boat")),
        ("well-known", Word("well-known")),
        ("1942-51", Word("1942-51")),
        ("boat OR ship", Or((Word("boat"), Word("ship")))),
        ("boat or ship", And((Word("boat"), Word("or"), Word("ship")))),
        ("red boat OR ship", Or((And((Word("red"), Word("boat"))), Word("ship")))),
        ("red (boat OR ship)", And((Word("red"), Or((Word("boat"), Word("ship")))))),
        ("red AND boat", And((Word("red"), Word("boat")))),
        ("((boat))", Word("boat")),
        ("-(boat ship)", Not(And((Word("boat"), Word("ship"))))),
        ("()", None),
        ("photo(s)", Word("photo(s)")),
        ("(photo(s))", Word("photo(s)")),
        ("tag:oil", field("tag", "oil")),
        ("TAG:oil", field("tag", "oil")),
        ("tags:oil", field("tag", "oil")),
        ("tag: oil", field("tag", "oil")),
        ('tag:"still life"', field("tag", "still life")),
        ("tag:oil,tempera", field("tag", "oil", "tempera")),
        ('tag:"a ""fine"" oil"', field("tag", 'a "fine" oil')),
        ('tag:"""" boat', And((field("tag", '"'), Word("boat")))),
        ('tag:oil,"still life" boat', And((field("tag", "oil", "still life"), Word("boat")))),
        ("tag:oil, boat", And((field("tag", "oil"), Word("boat")))),
        ("-tag:oil", Not(field("tag", "oil"))),
        ("(tag:oil)", field("tag", "oil")),
        ("creator:rem*", field("creator", "rem*")),
        ('creator:"rem*"', Field("creator", (Value("rem*", Name("rem*")),))),
        ("artist:hopper", field("creator", "hopper")),
        ("accession:1942.51(a)", field("accession", "1942.51(a)")),
        (
            "16:9 12:30 http://a.b Madonna: x",
            And(tuple(map(Word, ["16:9", "12:30", "http://a.b", "Madonna:", "x"]))),
        ),
        ('5" frame', And((Word('5"'), Word("frame")))),
    ],
)
def test_what_a_text_means(text: str, tree: object) -> None:
    parsed = understood(text)
    assert parsed.tree == tree and parsed.mistakes == ()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("date:1880", Span(1880, 1880)),
        ("date:1880..1900", Span(1880, 1900)),
        ("date:1880…1900", Span(1880, 1900)),
        ("date:..1850", Span(None, 1850)),
        ("date:1850..", Span(1850, None)),
        ("date:>1850", Span(1851, None)),
        ("date:<=1850", Span(None, 1850)),
        ("date:79", Span(79, 79)),
        ("date:-300..-200", Span(-300, -200)),
        ("date:1880s", Span(1880, 1889)),
        ('date:"19th century"', Span(1801, 1900)),
        ('date:"300 BC"', Span(-300, -300)),
        ('date:"17th century..1750"', Span(1601, 1750)),
        ("dated:1923-25", Span(1923, 1925)),
        ("added:today", Days(TODAY, TODAY)),
        ("added:yesterday", Days(date(2026, 11, 21), date(2026, 11, 21))),
        ("added:week", Days(date(2026, 11, 16), TODAY)),
        ("added:2026-11", Days(date(2026, 11, 1), date(2026, 11, 30))),
        ("added:2024-02", Days(date(2024, 2, 1), date(2024, 2, 29))),
        ("added:2026", Days(date(2026, 1, 1), date(2026, 12, 31))),
        ("added:2026-01-01..", Days(date(2026, 1, 1), None)),
        ("added:2025..2026-02", Days(date(2025, 1, 1), date(2026, 2, 28))),
        ("added:>2026-03", Days(date(2026, 4, 1), None)),
        ("added:<today", Days(None, date(2026, 11, 21))),
        ("type:JPG", "jpeg"),
        ("type:tif", "tiff"),
        ("type:HEIF", "heic"),
        ("type:video", "video"),
        ('type:"camera raw"', "raw"),
        ("orientation:portrait", "portrait"),
        ("colour:gray", "grey"),
        ("color:teal", "cyan"),
        ("size:>4000px", Size("px", Span(4001, None))),
        ("size:>=4000", Size("px", Span(4000, None))),
        ("size:20MP", Size("pixels", Span(19_500_000, 20_500_000))),
        ("size:2.5mp", Size("pixels", Span(2_450_000, 2_550_000))),
        ("size:<10MB", Size("bytes", Span(None, 10 * 1024**2 - 1))),
        ("size:10..20MP", Size("pixels", Span(10_000_000, 20_000_000))),
        ("size:2000px..", Size("px", Span(2000, None))),
        ("size:4000x3000", Sides(4000, 3000)),
        ("has:location", "place"),
        ('missing:"alt text"', "alt"),
        ("id:6F1C6C8C-38B5-4D7C-9C1B-0B4F0E4C2D11", UUID("6f1c6c8c-38b5-4d7c-9c1b-0b4f0e4c2d11")),
    ],
)
def test_what_a_value_means(text: str, meaning: object) -> None:
    parsed = understood(text)
    assert parsed.mistakes == () and isinstance(parsed.tree, Field)
    assert [value.meaning for value in parsed.tree.values] == [meaning]


@pytest.mark.parametrize(
    ("text", "wrong", "said", "rest"),
    [
        ("boat dat:1880", "dat:1880", "Did you mean date:?", "boat dat:1880"),
        ("zzz:1", "zzz:1", "no field “zzz”", "zzz:1"),
        ("tgs:x boat", "tgs:x", "Did you mean tag:?", "tgs:x boat"),
        ("boat date:xyz", "xyz", "is no date", "boat"),
        ("date:1900..1880 boat", "1900..1880", "ends before it begins", "boat"),
        ("date:.. boat", "..", "no beginning and no end", "boat"),
        ("date:1900..x,1850", "1900..x", "is no date", "date:1850"),
        ("added:2026-02-30", "2026-02-30", "no day “2026-02-30” in the calendar", None),
        ("added:soon boat", "soon", "is no day", "boat"),
        ("colour:rde boat", "rde", "Did you mean red?", "boat"),
        ("type:docx,png", "docx", "is no type of file", "type:png"),
        ("orientation:diagonal", "diagonal", "There are: landscape", None),
        ("has:soul", "soul", "There are: title", None),
        ("size:large boat", "large", "is no size", "boat"),
        ("size:10MB..20MP", "10MB..20MP", "different units", None),
        ("id:123 boat", "123", "is no id", "boat"),
        ("tag:* boat", "*", "before the asterisk", "boat"),
        ("tag: OR boat", "tag:", "Nothing stands behind “tag:”", "boat"),
        ("boat tag:", "tag:", "Nothing stands behind “tag:”", "boat"),
        ('tag:"" boat', '""', "Nothing stands between", "boat"),
        ("tag:(oil)", "tag:", "Write for example tag:oil", "oil"),
        ('boat "still life', '"', "not closed", "boat still life"),
        ('tag:"oil boat', '"', "not closed", "tag:oil boat"),
        ("(boat ship", "(", "not closed", "boat ship"),
        ("boat ) ship", ")", "never opened", "boat ship"),
        ("boat OR", "OR", "between two parts", "boat"),
        ("OR boat", "OR", "between two parts", "boat"),
        ("boat OR OR ship", "OR", "between two parts", "boat OR ship"),
        ("boat OR date:x", "x", "is no date", "boat"),
        ("boat NOT", "NOT", "before what is left out", "boat"),
    ],
)
def test_a_mistake_is_said_where_it_stands_and_the_rest_counts(
    text: str, wrong: str, said: str, rest: str | None
) -> None:
    parsed = understood(text)
    mistake = parsed.mistakes[0]
    assert text[mistake.start : mistake.end] == wrong and said in mistake.message
    assert parsed.tree == (parse(rest, TODAY).tree if rest else None)


@pytest.mark.parametrize(
    ("text", "sentence", "ranked", "condition"),
    [
        ("red boat", "red boat", "red boat", None),
        ("boat OR ship", "boat ship", "boat OR ship", None),
        ("boat -ship tag:oil", "boat", "boat", "-ship tag:oil"),
        ('a "still life"', "a still life", 'a "still life"', '"still life"'),
        ('boat OR "still life"', "boat still life", 'boat OR "still life"', 'boat OR "still life"'),
        ("red (boat OR ship)", "red boat ship", "red (boat OR ship)", "boat OR ship"),
        ("red (boat OR tag:x)", "red boat", "red", "boat OR tag:x"),
        ("boat OR tag:x", "boat", None, "boat OR tag:x"),
        ("(boat -ship)", "boat", None, "boat -ship"),
        ("-(boat ship)", "", None, "-(boat ship)"),
        ("tag:oil", "", None, "tag:oil"),
    ],
)
def test_what_is_ranked_and_what_must_hold(
    text: str, sentence: str, ranked: str | None, condition: str | None
) -> None:
    parsed = understood(text)
    assert parsed.sentence == sentence
    assert parsed.ranked == (parse(ranked, TODAY).tree if ranked else None)
    assert parsed.condition == (parse(condition, TODAY).tree if condition else None)


def test_the_last_plain_word_may_be_a_beginning() -> None:
    assert understood("saint fran ").beginning == "fran"
    for text in ('saint "fran"', "saint fran.", "-fran", "saint OR fran", "fran tag:x", "tag:fran", "(fran)"):
        assert understood(text).beginning == ""


def test_parts_are_where_they_stand() -> None:
    text = 'boat -ship  tag:"still life" (a OR b)'
    parts = [text[start:end] for start, end in understood(text).parts]
    assert parts == ["-ship", 'tag:"still life"', "(a OR b)"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("tag:still life", 'tag:"still life"'),
        ("collection:Prints / Late", 'collection:"Prints / Late"'),
        ("date:19th century", 'date:"19th century"'),
        ("date:1880 .. 1900", "date:1880..1900"),
        ("tag:a OR tag:b", "tag:a OR tag:b"),
        ("tag:a -ship", "tag:a -ship"),
        ("-tag:oil", "-tag:oil"),
        ("creator:rem*", "creator:rem*"),
    ],
)
def test_a_filter_of_one_field_needs_no_quotation_marks(text: str, same: str) -> None:
    condition, wanted = parse_filter(text, TODAY).condition, parse(same, TODAY).condition
    meant = [[v.meaning for v in f.values] for f in (condition, wanted) if isinstance(f, Field)]
    assert meant[0] == meant[1] if meant else condition == wanted


def test_in_a_filter_words_must_hold_too() -> None:
    parsed = parse_filter("boat")
    assert parsed.condition == Word("boat") and parsed.ranked is None and parsed.sentence == ""


def test_exact_numbers_are_known_to_come_first() -> None:
    assert understood("accession:1942.51,7 boat").accessions == ["1942.51", "7"]
    assert understood("-accession:1 accession:2*").accessions == []


# --- any text at all ------------------------------------------------------------------------------

BITS = st.sampled_from(
    ["(", ")", '"', "“", "-", "--", " ", "  ", ",", ":", "*", "OR", " OR ", "AND", " NOT ", "\x00", "\ud800"]
    + [
        "tag:",
        "date:",
        "added:",
        "size:",
        "has:",
        "id:",
        "colour:",
        "title:",
        "zzz:",
        "1880",
        "..",
        ">",
        "10MB",
    ]
    + [
        "boat",
        "ship",
        "the",
        "é",
        "夕焼け",
        "‏עברית",
        "🎨",
        "\n",
        "\u2028",
        "x" * 50,
        "%s",
        "\\",
        "'",
        "2026-11",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(BITS, max_size=40).map("".join))


@rules(max_examples=often(300))
@given(TEXTS)
def test_any_text_means_something(text: str) -> None:
    parsed = understood(text)
    for mistake in parsed.mistakes:
        assert 0 <= mistake.start < mistake.end <= len(text) and mistake.message.endswith((".", "?"))
    assert len(parsed.mistakes) <= MOST_MISTAKES
    parse_filter(text, TODAY)


@rules(max_examples=often(300))
@given(TEXTS)
def test_what_is_understood_can_be_written_down_again(text: str) -> None:
    tree = understood(text).tree
    if tree is not None:
        assert understood(written(tree)).tree == tree


@pytest.mark.parametrize(
    "text",
    ["(" * 10_000, ")" * 10_000, "(a " * 5000, '"' * 10_001, "-" * 10_000, "NOT " * 3000, "OR " * 3000]
    + ["tag:" * 3000, "tag:a," * 2000, "a " * 5000, "-(" * 5000, 'x:"' * 3000, "size:" + "9" * 9000]
    + ["date:" + "1." * 5000, "added:" + ">" * 5000, "date:" + ".." * 5000, "creator:" + "*" * 9000],
)
def test_long_and_deep_texts_take_little_time(text: str) -> None:
    begun = time.process_time()
    understood(text)
    parse_filter(text, TODAY)
    assert time.process_time() - begun < 5  # hundredths in truth; this only tells apart what never ends


def test_every_field_has_an_example_that_is_understood() -> None:
    for name, kind in FIELDS.items():
        if not kind.example.endswith("…"):
            parsed = understood(f"{name}:{kind.example}")
            assert parsed.mistakes == () and isinstance(parsed.tree, Field) and parsed.tree.name == name
