"""The number beside a value is what one gets by choosing it, for everybody and every question."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import ApiToken, User
from assets.models import Asset, AssetTerm, AssetVersion, Blob, Collection, Term
from assets.scopes import scope_of
from search import facet_sql, rows, sql
from search.facets import MOST_DATES, Choice, dates, facets, span_name
from search.hybrid import HybridQuery
from search.language.nodes import Span
from search.query import passing, run
from tests.factories import asset
from tests.often import often

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
YEARS = (
    st.none() | st.sampled_from([-3000, -1, 0, 9, 1500, 1882, 1889, 1890, 2020]) | st.integers(-9990, 9989)
)
LABELS = ["oil", "tempera", "still life", 'a "fine" oil', "a, b OR (c)", "por*", "-x", "Öl", '"', "50 %_"]
PATHS = ["Prints", "Prints / Japan", "Japan", "Drawings / Japan", 'A/B "c"', "Prints / Japan / Late"]
STATEMENTS = ["", "CC BY 4.0", "CC BY", "cc-by", "In copyright, 2020", 'The "Museum"', "©", "expired"]


@dataclass(frozen=True)
class Fact:
    """One picture of a library that is drawn by lot."""

    tags: tuple[str, ...]
    creators: tuple[str, ...]
    path: str
    years: tuple[int | None, int | None]
    rights: str
    holder: str
    format: str
    colors: tuple[str, ...]
    title: str
    hidden: str
    expired: bool


def some(values: list[str], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True).map(tuple)


FACTS = st.builds(
    Fact,
    tags=some(LABELS, 3),
    creators=some(["Hopper, Edward", "Hopper", 'Jan "the Elder" Brueghel', "oil"]),
    path=st.sampled_from(PATHS),
    years=st.tuples(YEARS, YEARS),
    rights=st.sampled_from(STATEMENTS),
    holder=st.sampled_from(["", "Museum", "CC"]),
    format=st.sampled_from(["JPEG", "PNG", "JPEG2000", "MPO"]),
    colors=some(["red", "blue", "grey"]),
    title=st.sampled_from(["", "boat", "red boat", "the sea"]),
    hidden=st.sampled_from(["", "", "", "", "", "restricted", "embargo", "trashed"]),
    expired=st.booleans(),
)
QUESTIONS: list[dict[str, Any]] = [
    {},
    {"text": "boat"},
    {"text": "boat", "mode": "keywords"},
    {"text": "red boat", "mode": "keywords"},
    {"text": "boat OR sea", "mode": "keywords"},
    {"text": "the", "mode": "keywords"},
    {"text": "boat", "mode": "visual"},
    {"text": "collection:Prints"},
    {"text": "-tag:oil"},
    {"text": "boat tag:oil", "mode": "keywords"},
    {"tags": ("oil",)},
    {"tags": ("technique",)},
    {"collections": ("japan",)},
    {"collections": ("Prints", "Prints / Japan")},
    {"filters": ("date:1800..1899",)},
    {"filters": ("date:1000..",)},
    {"filters": ("date:..1900", "-rights:none")},
    {"filters": ("colour:red,blue",)},
]


@contextmanager
def library(facts: list[Fact]) -> Iterator[None]:
    """These pictures, for as long as it lasts."""
    cache.clear()
    with transaction.atomic():
        Term.objects.labelled("tags", "oil").parents.add(Term.objects.labelled("tags", "technique"))
        made = [_made(number, fact) for number, fact in enumerate(facts)]
        rows.refresh([one.pk for one in made])
        yield
        transaction.set_rollback(True)


def _made(number: int, fact: Fact) -> Asset:
    later = timezone.now() + timedelta(days=1)
    one = Asset.objects.create(
        title=fact.title,
        collection=Collection.objects.named(fact.path),
        year_earliest=fact.years[0],
        year_latest=fact.years[1],
        rights=fact.rights,
        rights_holder=fact.holder,
        rights_expire_at=timezone.now() - timedelta(days=1) if fact.expired else None,
        access="restricted" if fact.hidden == "restricted" else "public",
        embargo_until=later if fact.hidden == "embargo" else None,
        trashed_at=later if fact.hidden == "trashed" else None,
    )
    blob = Blob.objects.create(sha256=f"{number:064}", size=1, media_type="image/jpeg", state="stored")
    one.current_version = AssetVersion.objects.create(
        asset=one, blob=blob, format=fact.format, width=4, height=3, colors=list(fact.colors)
    )
    one.save()
    for slug, labels in (("tags", fact.tags), ("creators", fact.creators)):
        terms = [Term.objects.labelled(slug, label) for label in labels]
        AssetTerm.objects.bulk_create(AssetTerm(asset=one, term=term) for term in terms)
    return one


def counts(query: HybridQuery, name: str) -> dict[str, int]:
    return {choice.label: choice.count for choice in facets(query).choices[name]}


def narrowed(query: HybridQuery, choice: Choice) -> HybridQuery:
    return replace(query, filters=(*query.filters, choice.filter))


# --- the contract ---------------------------------------------------------------------------------


@rules(deadline=None, max_examples=often(5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=st.lists(FACTS, min_size=4, max_size=10), lot=st.randoms(use_true_random=True))
def test_a_number_is_the_total_of_the_narrowed_question(
    facts: list[Fact], lot: Any, viewer: User, admin: User
) -> None:
    with library(facts):
        for user in (viewer, admin):
            for asked in lot.sample(QUESTIONS, 3):
                _holds(HybridQuery(user=user, limit=10, **asked), lot)
        assert facets(HybridQuery(user=AnonymousUser())).total == 0


def _holds(query: HybridQuery, lot: Any) -> None:
    found = facets(query)
    assert found.total == run(query).total
    choices = [choice for listed in found.choices.values() for choice in listed]
    for choice in choices:
        assert choice.count == sql.count(passing(narrowed(query, choice))) > 0, (query, choice)
    for choice in lot.sample(choices, min(1, len(choices))):
        results = run(narrowed(query, choice))
        assert (results.total, results.mistakes) == (choice.count, []), (query, choice)
    used = Term.objects.filter(asset_uses__asset__in=sql.listed(passing(query), "added", 10, 0))
    for name in ("tags", "creators"):
        labels = set(used.in_vocabulary(name).values_list("label", flat=True))
        labels |= {"technique"} if name == "tags" and "oil" in labels else set()
        assert {choice.value for choice in found.choices[name]} == labels


def test_what_is_hidden_leaves_no_trace(viewer: User, admin: User) -> None:
    shown = Fact(
        ("oil",), ("Hopper",), "Prints", (1882, 1882), "CC0", "", "JPEG", ("red",), "boat", "", False
    )
    secret = replace(
        shown,
        tags=("secret",),
        creators=("Nobody",),
        path="Prints / Vault",
        years=(1500, 1500),
        rights="Private",
        format="PNG",
        colors=("blue",),
    )
    for hidden in ("restricted", "embargo", "trashed"):
        with library([shown, replace(secret, hidden=hidden)]):
            alone = facets(HybridQuery(user=viewer))
            said = repr(alone.choices)
            for word in ("secret", "Nobody", "Vault", "1500", "Private", "PNG", "blue"):
                assert word not in said, hidden
            assert all(c.count == 1 for listed in alone.choices.values() for c in listed)
            seen = facets(HybridQuery(user=admin))
            assert seen.total == (1 if hidden == "trashed" else 2)
            assert ("secret" in repr(seen.choices)) == (hidden != "trashed")


def test_a_chosen_collection_is_narrowed_by_those_below_it(viewer: User) -> None:
    fact = Fact((), (), "Prints", (None, None), "", "", "JPEG", (), "", "", False)
    with library([replace(fact, path=path) for path in PATHS]):
        whole = {"Prints": 3, "Prints / Japan": 2, "Japan": 4, "Drawings / Japan": 1, "Drawings": 1}
        whole |= {'A/B "c"': 1, "Prints / Japan / Late": 1}
        assert counts(HybridQuery(user=viewer), "collections") == whole
        within = {"Prints / Japan": 2, "Prints / Japan / Late": 1}
        for chosen in ({"collections": ("Prints",)}, {"text": "collection:prints"}):
            assert counts(HybridQuery(user=viewer, **chosen), "collections") == within  # type: ignore[arg-type]
        both = HybridQuery(user=viewer, collections=("Prints", "Prints / Japan"))
        assert counts(both, "collections") == {"Prints / Japan / Late": 1}


def test_rights_are_said_as_somebody_wrote_them(viewer: User) -> None:
    fact = Fact((), (), "Prints", (None, None), "CC BY 4.0", "", "JPEG", (), "", "", False)
    others = [
        replace(fact, rights="cc-by"),
        replace(fact, rights="", expired=True),
        replace(fact, holder="M"),
    ]
    with library([fact, *others]):
        found = counts(HybridQuery(user=viewer), "rights")
        assert found == {"CC BY 4.0": 2, "cc-by": 3, "M": 1, "Nothing written down": 1, "Expired": 1}


# --- dates ----------------------------------------------------------------------------------------

DECADES = st.none() | st.integers(-1500, 1500) | st.integers(150, 205)
BOUNDS = st.none() | st.integers(-9999, 9999)


@given(
    groups=st.dictionaries(st.tuples(DECADES, DECADES), st.integers(1, 5), max_size=30),
    within=st.tuples(BOUNDS, BOUNDS).filter(lambda two: None in two or two[0] <= two[1]),  # type: ignore[operator]
)
def test_spans_of_time_count_what_overlaps_them(
    groups: dict[tuple[int | None, int | None], int], within: tuple[int | None, int | None]
) -> None:
    found = dates(groups, Span(*within))
    starts = []
    for choice in found:
        low, high = map(int, choice.value.split(".."))
        starts.append(low)
        right = sum(
            number
            for (first, last), number in groups.items()
            if (first, last) != (None, None)
            and (first is None or first <= high // 10)
            and (last is None or last >= low // 10)
        )
        assert choice.count == right > 0
        assert not (low <= (within[0] or low - 1) and high >= (within[1] or high + 1))
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("spans", "within", "labels"),
    [
        ([], (None, None), []),
        ([(None, None)], (None, None), []),
        ([(188, 188), (190, 190)], (None, None), ["1880–1889", "1900–1909"]),
        ([(188, None)], (None, None), ["1880–1889"]),
        ([(None, 150), (152, 152)], (None, None), ["1500–1509", "1520–1529"]),
        ([(150, 199)], (None, None), ["1500–1599", "1600–1699", "1700–1799", "1800–1899", "1900–1999"]),
        ([(150, 199)], (1880, 1899), ["1880–1889", "1890–1899"]),
        ([(150, 199)], (1880, 1889), []),
        ([(150, 199)], (1882, 1882), []),
        ([(-30, -30), (0, 0)], (None, None), ["300–291 BCE", "1–9"]),
        ([(-300, 202)], (None, None), ["3000–2001 BCE", "2000–1001 BCE", "1000–1 BCE", "1–999"]),
    ],
)
def test_dates_fold_until_they_can_be_read(
    spans: list[tuple[int | None, int | None]], within: tuple[int | None, int | None], labels: list[str]
) -> None:
    found = dates(dict.fromkeys(spans, 1), Span(*within))
    assert [choice.label for choice in found][: len(labels) or None] == labels
    assert len(found) - len(labels) <= 2 and len(found) <= MOST_DATES


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (1880, 1889, "1880–1889"),
        (0, 99, "1–99"),
        (-300, -201, "300–201 BCE"),
        (1882, 1882, "1882"),
        (None, 1500, "up to 1500"),
        (1850, None, "from 1850"),
        (None, -3, "up to 3 BCE"),
        (-10, 14, "10 BCE–14"),
    ],
)
def test_spans_have_names_for_people(low: int | None, high: int | None, name: str) -> None:
    assert span_name(low, high) == name


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [1, 2, 3, 7])
def test_labels_are_looked_for_among_the_most_frequent_first(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever part of the terms that is: the same labels, ties by their names."""
    numbers = {"tags": [5, 3, 3, 3, 1, 1], "creators": [3, 2]}
    terms, right = Counter[int](), dict[str, list[tuple[str, int]]]()
    for vocabulary, counts in numbers.items():
        labels = [f"{vocabulary} {n}" for n in range(len(counts))]
        ids = [Term.objects.labelled(vocabulary, label).pk for label in labels]
        terms.update(dict(zip(ids, counts, strict=True)))
        right[vocabulary] = list(zip(labels, counts, strict=True))[:3]
    monkeypatch.setattr(facet_sql, "FIRST", first)
    monkeypatch.setattr(facet_sql, "MOST", 3)
    assert facet_sql._labels(terms, ["tags", "creators"]) == right


def test_queries_do_not_grow_with_the_library_and_are_saved_for_a_minute(
    viewer: User, django_assert_num_queries: Any
) -> None:
    fact = Fact(("oil",), ("Hopper",), "Prints", (1882, 1882), "CC0", "", "JPEG", ("red",), "boat", "", False)
    scope_of(viewer)  # known from here on, as it is on every page
    for size in (1, 6):
        facts = [replace(fact, tags=(f"tag {n}",), path=f"Home {n}", rights=f"R {n}") for n in range(size)]
        with library(facts):
            with django_assert_num_queries(
                5
            ):  # facets; names of terms, of collections; rights: pictures, objects
                first = facets(HybridQuery(user=viewer))
            assert len(first.choices["tags"]) == size
            with django_assert_num_queries(0):
                assert facets(HybridQuery(user=viewer)) == first


# --- the page -------------------------------------------------------------------------------------


def elements() -> None:
    asset("red", title="Fire", date="1880", tags='hot; a "fine" one', creator='Jan "the Elder"', rights="CC0")
    asset(
        "blue", title="Sea", date="1950", tags="wet", collection="Elements / Cold", creator="Hopper, Edward"
    )


def test_every_link_leads_to_as_many_pictures_as_it_says(browser: Client) -> None:
    elements()
    for address in ("/search/facets/", "/search/facets/?q=fire&mode=keywords", "/search/facets/?tag=wet"):
        context = browser.get(address).context
        options = [o for f in context["narrowing"].facets for o in (*f.first, *f.more)]
        assert len(options) >= 5
        for option in options:
            answer = browser.get(option.address)
            assert str(answer.context["results"].total) == option.count, option
            assert answer.context["results"].mistakes == []


def test_the_panel_is_loaded_behind_the_results_and_is_a_page_without_a_script(browser: Client) -> None:
    elements()
    page = browser.get("/", {"q": "sea", "tag": "wet"}).content.decode()
    assert 'href="/search/facets/?q=sea&amp;tag=wet"' in page and "Hopper" not in page
    whole = browser.get("/search/facets/?q=sea&tag=wet").content.decode()
    part = browser.get("/search/facets/?q=sea&tag=wet", headers={"HX-Request": "true"}).content.decode()
    assert "<html" in whole and 'href="/?q=sea&amp;tag=wet"' in whole and "<html" not in part
    for text in (whole, part):
        assert "Hopper, Edward</span>" in text and "1<span" in text and " picture</span>" in text
        assert "numbers count all" in text and "fine" not in text
    assert "tag=wet" in part and ">wet<" not in part  # what was chosen is not offered again


def test_a_chosen_filter_is_a_chip_and_stays(browser: Client) -> None:
    elements()
    chosen = {"filter": ["date:1880..1889", 'creator:"Jan ""the Elder"""', "rights:none", "-tag:wet"]}
    answer = browser.get("/", chosen)
    chips = dict(answer.context["filters"])
    assert list(chips) == ["1880–1889", 'By Jan "the Elder"', "Rights: Nothing written down", "-tag:wet"]
    for gone, address in zip(chosen["filter"], chips.values(), strict=True):
        kept = browser.get(address).context["wish"].filters
        assert kept == tuple(text for text in chosen["filter"] if text != gone)
    page = answer.content.decode()
    assert page.count('name="filter" value="date:1880..1889"') == 2  # in both forms
    assert "Search without the filters" in page and "filter=" in answer.context["facets"]
    assert "filter" not in answer.context["clear"] + answer.context["without_filters"]


def test_a_mistake_in_a_filter_is_marked_as_in_the_question(browser: Client) -> None:
    elements()
    page = browser.get("/", {"q": "sea", "filter": ["tag:wet", "date:18x8"]}).content.decode()
    assert "date:<mark>18x8</mark>" in page and "is no date" in page and "<mark>sea" not in page
    assert 'class="asked">tag' not in page


def test_nothing_to_narrow_is_said(browser: Client) -> None:
    assert "no picture passes" in browser.get("/search/facets/").content.decode()
    elements()
    assert "no picture passes" in browser.get("/search/facets/?filter=date:1066").content.decode()
    assert 'id="facets"' not in browser.get("/?filter=date:1066").content.decode()


def test_large_numbers_are_not_told_exactly(browser: Client) -> None:
    from search.narrowing import shown

    assert [shown(n) for n in (1, 999, 1000, 123_456)] == ["1", "999", "1,000+", "1,000+"]


# --- programs -------------------------------------------------------------------------------------


def test_the_api_and_the_command_tell_the_same(viewer: User, capsys: Any) -> None:
    elements()
    api = Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})
    found = api.get("/api/v1/search/facets", {"filter": ["date:1800..", "size:huge"]}).json()
    assert found["total"] == 2 and [m["where"] for m in found["mistakes"]] == ["filter[1]"]
    tag = {"value": 'a "fine" one', "label": 'a "fine" one', "count": 1, "filter": 'tag:"a ""fine"" one"'}
    assert found["facets"]["tags"][0] == tag
    narrower = api.get("/api/v1/search", {"filter": [tag["filter"]]}).json()
    assert [r["title"] for r in narrower["results"]] == ["Fire"]
    assert (
        api.get("/api/v1/search/facets", {"like": "00000000-0000-0000-0000-000000000000"}).status_code == 404
    )
    call_command("search", "--facets", "--json", "--filter", "date:1800..")
    assert json.loads(capsys.readouterr().out) == {k: found[k] for k in ("total", "facets")}
    call_command("search", "--facets", "--filter", "tag:wet")
    assert '        1  creator:"Hopper, Edward"' in capsys.readouterr().out
