import json
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from assets.models import Asset, AssetTerm
from search import checking, rows, tasks
from search.models import SearchRow
from tests.factories import asset

pytestmark = pytest.mark.django_db


def run(capsys: Any, *options: str) -> str:
    call_command("check_search_rows", *options)
    return str(capsys.readouterr().out)


def tamper(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_rows_as_they_are_written_agree(capsys: Any) -> None:
    asset("red", done=True, title="Édouard’s", tags="a; b", accession="1.2", collection="A / B", date="1880")
    asset()
    assert "2 assets looked at; 0 rows differ" in run(capsys)


TAMPERED = {
    "term_ids": "'{1}'",
    "collection_ids": "'{}'",
    "home_collection_id": "0",
    "access": "'public'",
    "embargo_until": "now()",
    "rights_expire_at": "now()",
    "trashed": "TRUE",
    "year_earliest": "NULL",
    "year_latest": "1",
    "added_at": "now()",
    "accession_keys": "'{x}'",
    "title_key": "'x'",
    "title_sort": "'x'",
    "accession_sort": "'x'",
    "format": "''",
    "width": "1",
    "height": "1",
    "bytes": "1",
    "colors": "'{pink}'",
    "has": "'{}'",
    "rights_words": "'x'",
    "words": "''",
}


def test_every_column_that_says_something_else_is_named_and_put_right(capsys: Any) -> None:
    one = asset("red", done=True, title="Boat", tags="a", accession="1.2", date="1880")
    other = asset("blue", done=True, title="Other")
    assert set(TAMPERED) == set(checking.FACTS)
    for column, value in TAMPERED.items():
        tamper(f"UPDATE search_searchrow SET {column} = {value} WHERE asset_id = %s", one.pk)  # noqa: S608
        with pytest.raises(CommandError, match="--repair"):
            call_command("check_search_rows")
        said = capsys.readouterr().out
        assert f"{one.uid}: {column}\n" in said and str(other.uid) not in said
        assert "1 rows were put right" in run(capsys, "--repair")
        assert "0 rows differ" in run(capsys)


def test_missing_rows_are_made(capsys: Any) -> None:
    one = asset(title="Boat")
    SearchRow.objects.all().delete()
    with pytest.raises(CommandError):
        call_command("check_search_rows", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["differences"] == [{"asset_id": one.pk, "kind": "missing", "columns": []}]
    assert "has no row" in run(capsys, "--repair") and SearchRow.objects.get().title_key == "boat"


def test_rows_without_an_asset_are_deleted(capsys: Any) -> None:
    one = asset()
    tamper("SET CONSTRAINTS ALL IMMEDIATE")
    tamper("ALTER TABLE search_searchrow DISABLE TRIGGER ALL")
    copied = f"SELECT 999999, {', '.join(checking.FACTS)} FROM search_searchrow"  # noqa: S608
    tamper(f"INSERT INTO search_searchrow ({rows.NAMES}) {copied}")
    tamper("ALTER TABLE search_searchrow ENABLE TRIGGER ALL")
    with pytest.raises(CommandError):
        call_command("check_search_rows")
    assert "asset 999999: a row without an asset" in capsys.readouterr().out
    run(capsys, "--repair")
    assert SearchRow.objects.get().asset == one


def test_a_write_past_the_changes_is_found(capsys: Any) -> None:
    """What check_search_rows is for: somebody wrote to the catalogue by another way."""
    one, other = asset(tags="harbour"), asset(title="x")
    AssetTerm.objects.all().delete()
    Asset.objects.filter(pk=other.pk).update(title="Something else")
    said = json.loads(run(capsys, "--repair", "--json"))
    assert (said["checked"], said["different"], said["repaired"]) == (2, 2, True)
    assert said["differences"][0] == {
        "asset_id": one.pk,
        "kind": "differs",
        "columns": ["term_ids", "has", "words"],
    }
    assert "0 rows differ" in run(capsys)


def test_the_number_of_queries_is_that_of_chunks_not_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert [found for _, found in checking.check(repair=False) if found] == []
        return len(captured)

    for _ in range(3):
        asset(title="Boat", tags="a", accession=str(_))
    before = queries()
    for _ in range(3, 9):
        asset(title="Boat", tags="a", accession=str(_))
    assert queries() == before
    monkeypatch.setattr(checking, "AT_ONCE", 3)
    assert queries() > before


def test_on_the_schedule_a_round_goes_on_in_portions_and_rests_for_a_day(
    monkeypatch: pytest.MonkeyPatch, admin: User, client: Client
) -> None:
    pictures = [asset(title=str(n)) for n in range(5)]
    monkeypatch.setattr(checking, "AT_ONCE", 2)
    monkeypatch.setattr(checking, "PORTION_SECONDS", 0.0)
    tamper("UPDATE search_searchrow SET width = 1 WHERE asset_id = %s", pictures[-1].pk)
    client.force_login(admin)
    for portion in range(3):
        assert checking.last() is None, portion
        tasks.check_rows()
    tasks.check_rows()
    last = checking.last()
    assert last and (last.checked, last.different) == (5, 1) and last.ended
    assert SearchRow.objects.filter(width=1).count() == 0
    page = " ".join(client.get("/admin/health/").content.decode().split())
    assert "Search rows: 5 compared" in page and "1 differed and was put right" in page
    tamper("UPDATE search_searchrow SET width = 1")
    tasks.check_rows()
    assert SearchRow.objects.filter(width=1).count() == 5
    last.ended -= checking.EVERY
    cache.set(checking.RESULT, last)
    for _ in range(4):
        tasks.check_rows()
    assert SearchRow.objects.filter(width=1).count() == 0
