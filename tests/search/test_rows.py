import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.changes import apply, operation
from assets.models import Collection, Record, Term
from search import word_sql
from search.language import parse
from search.language.conditions import condition
from search.language.words import all_of, any_of
from search.models import SearchRow
from search.sql import Ranked, Where
from search.word_sql import matching_words as by_tsquery
from tests.factories import asset

pytestmark = pytest.mark.django_db


def matching_words(asked: str, where: Where, limit: int, any_word: bool = False) -> list[Ranked]:
    """The rows that a question finds by its words."""
    parsed = parse(asked)
    if parsed.condition:
        found = condition(parsed.condition, {})
        where = where.add(found.sql, *found.params)
    if parsed.ranked is None:
        return []
    wanted = any_of(parsed.ranked) if any_word else all_of(parsed.ranked, parsed.beginning)
    found = by_tsquery(wanted, where, limit)
    assert found.counted.total == len(found.best) or len(found.best) == limit
    return found.best


def test_a_row_holds_terms_with_ancestors_and_nested_collections() -> None:
    animal = Term.objects.labelled("tags", "animal")
    cat = Term.objects.labelled("tags", "cat")
    tabby = Term.objects.labelled("tags", "tabby")
    cat.parents.add(animal)
    tabby.parents.add(cat)
    one = asset(tags="tabby", collection="Prints / Japan / Edo")
    row = SearchRow.objects.get(asset=one)
    assert set(row.term_ids) == {animal.pk, cat.pk, tabby.pk}
    names = Collection.objects.filter(pk__in=row.collection_ids).values_list("name", flat=True)
    assert set(names) == {"Prints", "Japan", "Edo"} and row.home_collection_id == one.collection_id


def test_terms_that_contain_each_other_do_not_hang() -> None:
    one, two = Term.objects.labelled("tags", "a"), Term.objects.labelled("tags", "b")
    one.parents.add(two)
    two.parents.add(one)
    assert set(SearchRow.objects.get(asset=asset(tags="a")).term_ids) == {one.pk, two.pk}


def test_the_facts_of_the_record_count() -> None:
    one = asset(accession="1942.51", title="Nighthawks", date="1942", creator="Hopper, Edward", tags="night")
    row = SearchRow.objects.get(asset=one)
    assert (row.accession_keys, row.title_key, row.year_earliest) == (["1942.51"], "nighthawks", 1942)
    assert len(row.term_ids) == 2 and row.title_sort == "nighthawks"


def test_sort_keys_are_stored_so_that_postgresql_needs_no_icu() -> None:
    for title in ("zebra", "Äpfel", "Plate 10", "Plate 9"):
        asset(title=title)
    ordered = SearchRow.objects.order_by("title_sort").values_list("asset__title", flat=True)
    assert list(ordered) == ["Äpfel", "Plate 9", "Plate 10", "zebra"]


@pytest.mark.parametrize(
    "asked", ["édouard", "Edouard", "EDOUARD manet", '"edouard manet"', "picnics", "manet -dog"]
)
def test_words_are_found_without_accents_case_and_endings(asked: str) -> None:
    one = asset(title="The Picnic", creator="Édouard Manet")
    asset(title="Something else")
    assert [r.asset_id for r in matching_words(asked, Where(), 10)] == [one.pk]


@pytest.mark.parametrize(
    "asked", ["saint fran", "saint fran ", "10034", "Portrait_5", "portrait 5", "夕焼け", "francis saint"]
)
def test_beginnings_of_words_and_parts_of_file_names_are_found(asked: str) -> None:
    one = asset("red", "Portrait_5 夕焼け.jpg", title="Saint Francis", accession="100342")
    asset("red", "other.jpg", title="The Courtyard", accession="200100")
    assert [r.asset_id for r in matching_words(asked, Where(), 10)] == [one.pk]


def test_a_date_weighs_more_than_the_years_of_a_life() -> None:
    asset(title="Landscape", creator="Rousseau, Théodore (1812–1867)", date="c. 1860")
    dated = asset(title="Landscape", creator="Anon.", date="1867")
    assert matching_words("1867", Where(), 10)[0].asset_id == dated.pk


@pytest.mark.parametrize(
    "asked", ["", "the", "\x00", "'; DROP TABLE", "((((", '"', "a & | b", "\\", "🎨", "x" * 5000]
)
def test_any_text_is_a_harmless_question(asked: str) -> None:
    asset(title="The Picnic")
    assert matching_words(asked, Where(), 10) == []
    assert matching_words(asked, Where(), 10, any_word=True) == []


def test_a_very_long_description_is_indexed() -> None:
    one = asset(title="Long")
    words = " ".join(f"word{n}" for n in range(60_000))
    apply(operation("edit", ""), [one], {"description": words})
    assert [r.asset_id for r in matching_words("word5", Where(), 10)] == [one.pk]


def test_a_trashed_record_lends_nothing_to_its_picture() -> None:
    from django.utils import timezone

    one = asset(accession="9", title="Gone")
    apply(operation("trash", ""), [Record.objects.get()], {"trashed_at": timezone.now()})
    assert SearchRow.objects.get(asset=one).accession_keys == []


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 1.0]), max_size=30), st.integers(1, 12))
def test_the_best_are_picked_as_a_sort_would(scores: list[float], limit: int) -> None:
    ids = np.array([10 * len(scores) - n for n in range(len(scores))], dtype=np.int64)
    found = word_sql.best_of(ids, np.array(scores, dtype=np.float32), limit)
    right = sorted(range(len(scores)), key=lambda n: (-scores[n], ids[n]))
    assert found.tolist() == right[:limit]
