"""The language against a library: every expression finds what a plain look at each picture finds."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import User
from assets import changes
from assets.changes import apply, operation
from assets.models import Asset, Term
from assets.text import fold
from search import sql
from search.asked import understand
from search.hybrid import HybridQuery
from search.language import parse
from search.language.nodes import (
    And,
    Days,
    Field,
    Name,
    Node,
    Not,
    Or,
    Phrase,
    Sides,
    Size,
    Span,
    Value,
    Word,
)
from search.models import EmbeddingSpace, SearchRow
from search.query import run
from tests.conftest import Kept
from tests.factories import asset, picture, process, take_in
from tests.often import often

pytestmark = pytest.mark.django_db
FORMATS = {"jpeg": "JPEG", "png": "PNG", "tiff": "TIFF"}
BROADER = {"oil": "technique", "tempera": "technique"}


@dataclass
class Fact:
    """One picture as the test made it, and all that the evaluation below looks at."""

    title: str = ""
    tags: tuple[str, ...] = ()
    creator: str = ""
    collection: tuple[str, ...] = ("Unsorted",)
    date: str = ""
    years: tuple[int | None, int | None] = (None, None)
    accession: str = ""
    description: str = ""
    rights: str = ""
    color: str = "red"
    size: tuple[int, int] = (40, 30)
    format: str = "jpeg"
    expired: bool = False
    alt: str = ""
    hidden: str = ""
    pk: int = 0
    uid: UUID = field(default_factory=lambda: UUID(int=0))
    bytes: int = 0

    @property
    def words(self) -> str:
        said = [self.title, self.date, *self.tags, self.creator, self.description, self.accession]
        return " ".join(re.findall(r"\w+", fold(" | ".join([*said, self.collection[-1], self.alt]))))


LIBRARY = [
    Fact(
        "Red boat", ("oil", "harbour"), "Hopper, Edward", ("Prints", "Japan"), "1882", (1882, 1882), "1942.51"
    ),
    Fact("A blue river", ("tempera",), "Édouard Manet", ("Prints",), "c. 1890", (1885, 1895), color="blue"),
    Fact("Ship", ("still life",), "", ("Drawings",), "before 1500", (None, 1500), "1942.51.a", format="png"),
    Fact(
        "River and ship",
        (),
        "Manet, Julie",
        ("Drawings", "Japan"),
        rights="CC0",
        size=(30, 60),
        color="green",
    ),
    Fact("", ("Oil",), "", ("Prints", "Japan"), "after 1850", (1850, None), "1942.510", size=(30, 30)),
    Fact("Boat red", (), "Rembrandt", description="a still life", rights="In copyright", size=(80, 30)),
    Fact("Nothing", (), "", color="black", format="tiff", expired=True, alt="a boat"),
    Fact("Secret boat", ("oil",), "Hopper", ("Prints",), "1882", (1882, 1882), hidden="restricted"),
    Fact("Later boat", ("oil",), "", ("Prints",), hidden="embargo"),
    Fact("Gone boat", ("oil",), "Hopper", ("Prints",), "1882", (1882, 1882), "7", hidden="trashed"),
]


@pytest.fixture(scope="module")
def kept_library(kept: Kept) -> list[Fact]:
    return kept(make_library)


@pytest.fixture
def library(kept_library: list[Fact], space: EmbeddingSpace) -> list[Fact]:
    return kept_library


def make_library() -> list[Fact]:
    for label, above in BROADER.items():
        Term.objects.labelled("tags", label).parents.add(Term.objects.labelled("tags", above))
    for number, fact in enumerate(LIBRARY):
        _make(number, fact)
    return LIBRARY


def _make(number: int, fact: Fact) -> None:
    words = {"title": fact.title, "date": fact.date, "creator": fact.creator, "accession": fact.accession}
    words |= {"description": fact.description, "rights": fact.rights, "tags": "; ".join(fact.tags)}
    content = picture(fact.color, fact.size, FORMATS[fact.format])
    one = take_in(content, f"{number}.bin", words=words, collection=" / ".join(fact.collection)).asset
    assert one is not None
    process(one)
    fact.pk, fact.uid, fact.bytes = one.pk, one.uid, len(content)
    patch: dict[str, Any] = {"alt_text": fact.alt} if fact.alt else {}
    if fact.expired:
        patch["rights_expire_at"] = timezone.now() - timedelta(days=1)
    patch |= {
        "restricted": {"access": "restricted"},
        "embargo": {"embargo_until": timezone.now() + timedelta(days=1)},
    }.get(fact.hidden, {})
    apply(operation("edit", ""), [one], patch)
    if fact.hidden == "trashed":
        changes.trash([one], None)


# --- a plain look at each picture -----------------------------------------------------------------


def holds(node: Node, fact: Fact) -> bool:
    match node:
        case Word(text):
            return fold(text) in fact.words.split()
        case Phrase(text):
            return f" {fold(text)} " in f" {fact.words} "
        case Not(part):
            return not holds(part, fact)
        case And(parts):
            return all(holds(part, fact) for part in parts)
        case Or(parts):
            return any(holds(part, fact) for part in parts)
        case Field(name, values):
            return any(LOOK[name](fact, value.meaning, value) for value in values)


def _tag(fact: Fact, name: Name, value: Value) -> bool:
    tags = {fold(tag) for tag in fact.tags}
    tags |= {above for tag, above in BROADER.items() if tag in tags}
    return any(tag.startswith(fold(name.text)) if name.beginning else tag == fold(name.text) for tag in tags)


def _collection(fact: Fact, name: Name, value: Value) -> bool:
    path = [fold(part) for part in name.text.split(" / ")]
    whole = [fold(part) for part in fact.collection]
    return any(whole[:end][-len(path) :] == path for end in range(1, len(whole) + 1))


def _creator(fact: Fact, name: Name, value: Value) -> bool:
    words = re.findall(r"\w+", fold(fact.creator))
    *whole, last = fold(name.text).split()
    ends = any(word.startswith(last) if name.beginning else word == last for word in words)
    return ends and all(word in words for word in whole)


def _title(fact: Fact, name: Name, value: Value) -> bool:
    words = re.findall(r"\w+", fold(fact.title))
    if value.quoted:
        return f" {fold(name.text)} " in f" {' '.join(words)} "
    return any(w.startswith(fold(name.text)) if name.beginning else w == fold(name.text) for w in words)


def _accession(fact: Fact, name: Name, value: Value) -> bool:
    if name.beginning:
        return fact.accession.startswith(name.text)
    return fact.accession == name.text or fact.accession.startswith(f"{name.text}.")


def _date(fact: Fact, span: Span, value: Value) -> bool:
    low, high = fact.years
    if low is None and high is None:
        return False
    begins = span.high is None or low is None or low <= span.high
    return begins and (span.low is None or high is None or high >= span.low)


def _size(fact: Fact, size: Size | Sides, value: Value) -> bool:
    if isinstance(size, Sides):
        return sorted(fact.size) == sorted((size.one, size.other))
    width, height = fact.size
    measure = {"px": max(fact.size), "pixels": width * height, "bytes": fact.bytes}[size.measure]
    low, high = size.span.low, size.span.high
    return (low is None or measure >= low) and (high is None or measure <= high)


def _orientation(fact: Fact, kind: str, value: Value) -> bool:
    ratio = fact.size[0] / fact.size[1]
    return {
        "landscape": ratio > 1.05,
        "portrait": 1 / ratio > 1.05,
        "square": 1 / 1.05 <= ratio <= 1.05,
        "panorama": ratio >= 2,
    }[kind]


def _rights(fact: Fact, name: Name, value: Value) -> bool:
    if name.text in ("expired", "none"):
        return fact.expired if name.text == "expired" else not fact.rights
    return set(fold(name.text).split()) <= set(fold(fact.rights).split())


def _has(fact: Fact, name: str, value: Value) -> bool:
    known = {"title": fact.title, "tag": fact.tags, "creator": fact.creator, "date": fact.date}
    known |= {"accession": fact.accession, "record": fact.accession, "rights": fact.rights, "alt": fact.alt}
    return bool((known | {"description": fact.description, "vector": True, "place": False})[name])


LOOK: dict[str, Any] = {
    "tag": _tag,
    "collection": _collection,
    "creator": _creator,
    "title": _title,
    "accession": _accession,
    "date": _date,
    "added": lambda fact, days, value: _today(days),
    "rights": _rights,
    "type": lambda fact, kind, value: fact.format == kind,
    "orientation": _orientation,
    "size": _size,
    "colour": lambda fact, name, value: fact.color == name,
    "has": _has,
    "missing": lambda fact, name, value: not _has(fact, name, value),
    "id": lambda fact, uid, value: fact.uid == uid,
}


def _today(days: Days) -> bool:
    now = timezone.localdate()
    return (days.first is None or days.first <= now) and (days.last is None or now <= days.last)


# --- expressions ----------------------------------------------------------------------------------

LEAVES = st.sampled_from(
    [
        "boat",
        "red",
        "river",
        "hopper",
        "japan",
        '"red boat"',
        '"still life"',
        "tag:oil",
        "tag:OIL",
        "tag:technique",
    ]
    + ["tag:o*", 'tag:"still life"', "tag:oil,tempera", "tag:none", "collection:prints", "collection:Japan"]
    + ['collection:"Prints / Japan"', "collection:nowhere", "creator:manet", 'creator:"edouard manet"']
    + ["creator:rem*", "creator:Édouard", "title:boat", "title:riv*", 'title:"red boat"', "accession:1942.51"]
    + [
        "accession:1942*",
        "accession:7",
        "date:1882",
        "date:1890..1900",
        "date:..1600",
        "date:1900..",
        "added:today",
    ]
    + [
        "added:..2020",
        "rights:cc0",
        "rights:copyright",
        "rights:none",
        "rights:expired",
        "type:png",
        "type:jpg,tiff",
    ]
    + [
        "orientation:portrait",
        "orientation:landscape",
        "orientation:square",
        "orientation:panorama",
        "size:>50px",
    ]
    + [
        "size:40x30",
        "size:<1KB",
        "size:0..0.001MP",
        "colour:blue",
        "colour:black,green",
        "has:date",
        "missing:tag",
    ]
    + ["has:accession,alt", "missing:description", "has:vector", "missing:place"]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} OR {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} {two[1]})"),
        inner.map(lambda one: f"-({one})"),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@rules(deadline=None, max_examples=often(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EXPRESSIONS)
def test_any_expression_finds_what_a_plain_look_finds(
    text: str, library: list[Fact], viewer: User, admin: User
) -> None:
    tree = parse(text).tree
    assert tree is not None
    right = {fact.pk for fact in library if fact.hidden != "trashed" and holds(tree, fact)}
    hidden = {fact.pk for fact in library if fact.hidden}
    by_rows = f"({text})"  # in parentheses, words must hold too
    for user, expected in ((admin, right), (viewer, right - hidden), (AnonymousUser(), set[int]())):
        where = understand("", user, filters=[by_rows]).where
        assert set(sql.listed(where, "added", 100, 0)) == expected
    for mode in ("best", "keywords", "visual"):
        found = {hit.asset_id for hit in run(HybridQuery(user=viewer, text=by_rows, mode=mode)).hits}
        assert found <= right - hidden
        if mode == "best" or mode == "keywords" and not parse(by_rows).sentence:
            assert found == right - hidden


def test_each_leaf_alone(library: list[Fact], viewer: User) -> None:
    for text in LEAVES.elements:  # type: ignore[attr-defined]
        tree = parse(text).tree
        assert tree is not None
        right = {fact.pk for fact in library if not fact.hidden and holds(tree, fact)}
        assert set(sql.listed(understand("", viewer, filters=[text]).where, "added", 100, 0)) == right, text


# --- single things --------------------------------------------------------------------------------


def titles(user: Any, text: str, **more: Any) -> list[str]:
    return [a.display_title for a in run(HybridQuery(user=user, text=text, **more)).assets]


def test_plain_words_are_wishes_and_everything_else_must_hold(library: list[Fact], viewer: User) -> None:
    assert len(titles(viewer, "boat")) == 7  # all that have a vector, by likeness
    assert titles(viewer, "boat -tag:oil title:boat") == ["Boat red"]
    assert titles(viewer, '"red boat"') == ["Red boat"]
    assert len(titles(viewer, "boat -red")) == 5
    assert sorted(titles(viewer, "boat", mode="keywords")) == ["Boat red", "Nothing", "Red boat"]


def test_the_exact_number_comes_first(library: list[Fact], viewer: User) -> None:
    assert titles(viewer, "accession:1942.51") == ["Red boat", "Ship"]
    asset(title="Newer part", accession="1942.51.b")
    assert titles(viewer, "accession:1942-51")[0] == "Red boat"
    assert titles(viewer, "ship accession:1942.51")[0] == "Red boat"
    assert titles(viewer, "1942.51")[0] == "Red boat"


def test_what_does_not_exist_is_said_where_it_stands(library: list[Fact], viewer: User) -> None:
    results = run(HybridQuery(user=viewer, text="boat tag:nosuch"))
    (where, mistake), *_ = results.mistakes
    assert (where, mistake.start, mistake.end) == (
        "q",
        9,
        15,
    ) and "There is no tag “nosuch”" in mistake.message
    assert results.assets == []
    assert len(titles(viewer, "tag:nosuch OR title:boat")) == 2
    assert len(titles(viewer, "-tag:nosuch", mode="keywords")) == 7


def test_other_languages_of_a_term_are_found(viewer: User, space: EmbeddingSpace) -> None:
    term = Term.objects.labelled("tags", "dog")
    term.labels = {"de": ["Hund", "Köter"]}
    term.save()
    one = asset(tags="dog")
    for text in ("tag:hund", "tag:koter", "tag:dog", "tag:hu*"):
        assert run(HybridQuery(user=viewer, text=text)).assets == [one], text
    assert run(HybridQuery(user=viewer, text="tag:hun")).assets == []


def test_signs_of_patterns_mean_themselves(viewer: User, space: EmbeddingSpace) -> None:
    one = asset(tags="100%", creator="A_B", title="x")
    asset(tags="1000", creator="AxB", title="y")
    for text in ("tag:100%", "tag:100%*", "creator:A_B"):
        assert run(HybridQuery(user=viewer, text=text)).assets == [one], text
    assert run(HybridQuery(user=viewer, text="accession:%* OR accession:_")).assets == []


def test_days_are_those_of_the_person_who_asks(viewer: User, space: EmbeddingSpace) -> None:
    one = asset()
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    Asset.objects.filter(pk=one.pk).update(created_at=late)
    SearchRow.objects.filter(asset=one).update(added_at=late)
    for zone, month, other in (("UTC", "2026-03", "2026-04"), ("Asia/Tokyo", "2026-04-01", "2026-03")):
        with timezone.override(ZoneInfo(zone)):
            assert run(HybridQuery(user=viewer, text=f"added:{month}")).assets == [one]
            assert run(HybridQuery(user=viewer, text=f"added:{other}")).assets == []


def test_filters_and_facets_mean_the_same(library: list[Fact], viewer: User) -> None:
    ways: list[dict[str, Any]] = [
        {"text": "collection:prints tag:oil"},
        {"filters": ("collection:prints", "tag:oil")},
        {"filters": ("collection:prints tag:OIL",)},
        {"tags": ("oil",), "collections": ("Prints",)},
    ]
    found = [[a.pk for a in run(HybridQuery(user=viewer, **way)).assets] for way in ways]
    assert len(found[0]) == 2 and all(ids == found[0] for ids in found)


def test_a_filter_with_a_mistake_is_said_and_left_out(library: list[Fact], viewer: User) -> None:
    results = run(HybridQuery(user=viewer, filters=("tag:oil", "date:19th zentury")))
    assert [(w, m.start, m.end) for w, m in results.mistakes] == [("filter[1]", 5, 17)]
    assert len(results.assets) == 2


def test_words_that_mean_nothing_ask_for_nothing(library: list[Fact], viewer: User) -> None:
    everything = len(titles(viewer, ""))
    for text in ("(the)", "-the", "(the OR of)", "(-the)", "title:boat OR the"):
        assert len(titles(viewer, text)) == (2 if "title" in text else everything), text
    assert len(titles(viewer, "(the boat)", mode="keywords")) == 3


def test_a_word_with_an_asterisk_is_a_beginning(library: list[Fact], viewer: User) -> None:
    assert sorted(titles(viewer, "(riv*)")) == ["A blue river", "River and ship"]


def test_a_question_takes_a_number_of_queries_that_does_not_grow(
    library: list[Fact], viewer: User, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(24):
        titles(
            viewer, 'boat tag:oil creator:"edouard manet" -collection:drawings date:1882 (tag:x OR has:alt)'
        )
