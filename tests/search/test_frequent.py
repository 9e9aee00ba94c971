"""What is remembered of frequent words, against a reading of all rows, while others write."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from assets.models import Asset, Collection, Grant
from search import cached, frequent, rows, sql
from search.word_sql import Matched, matching_words

pytestmark = pytest.mark.django_db(transaction=True)
BOAT, LIMIT = sql.Fragment("to_tsquery('museum', %s)", ("'boat':*",)), 8
SAYS = ("boat", "boat boat", "boathouse by a boat", "river", "red boat on a long and winding river")


@pytest.fixture
def forty(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(frequent, "LONG", 10)
    monkeypatch.setattr(frequent, "KEPT", 15)
    monkeypatch.setattr(frequent, "WRITTEN", 6)
    cache.clear()
    homes = [Collection.objects.named(name) for name in ("Somewhere", "Elsewhere", "Nowhere")]
    made = Asset.objects.bulk_create(
        Asset(collection=homes[n % 3], title=SAYS[n % len(SAYS)], access="public" if n % 7 == 0 else "staff")
        for n in range(40)
    )
    with transaction.atomic():
        rows.refresh([one.pk for one in made])
    return [one.pk for one in made]


@pytest.fixture
def guest(forty: list[int]) -> User:
    """Who is granted one of the three collections."""
    user = User.objects.create_user("guest")
    user.groups.set([Group.objects.create(name="Guests")])
    Grant.objects.create(
        group=user.groups.get(), collection=Collection.objects.get(name="Elsewhere"), actions=["see"]
    )
    return user


@pytest.fixture
def somebody() -> Iterator[psycopg.Connection]:
    """Who works at the same time, with a transaction of their own."""
    known = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**{k: v for k, v in known.items() if k != "context"}) as other:
        yield other
        other.rollback()


def ask(where: sql.Where, counted: bool = True) -> Matched:
    return frequent.ranked(BOAT, where, LIMIT, near=False, counted=counted)


def is_remembered() -> bool:
    return cached.words(frequent._key(BOAT, near=False)) is not None


def write(other: psycopg.Connection, draw: random.Random, pk: int, homes: list[int]) -> None:
    says, later = draw.choice(SAYS), timezone.now() + timedelta(seconds=draw.choice([0, 3600]))
    changes = {
        "words = to_tsvector('museum', %s)": says,
        "trashed = %s": draw.random() < 0.5,
        "access = %s": draw.choice(["staff", "public", "restricted"]),
        "embargo_until = %s": draw.choice([later, None]),
        "rights_expire_at = %s": draw.choice([later, None]),
        "home_collection_id = %s": draw.choice(homes),
    }
    change, value = draw.choice([*changes.items()])
    if draw.random() < 0.1:
        other.execute("DELETE FROM search_searchrow WHERE asset_id = %s", [pk])
    else:
        other.execute(f"UPDATE search_searchrow SET {change} WHERE asset_id = %s", [value, pk])  # noqa: S608


@pytest.mark.parametrize("seed", range(3))
def test_the_answer_is_that_of_a_reading_of_all(
    forty: list[int], somebody: psycopg.Connection, viewer: User, guest: User, admin: User, seed: int
) -> None:
    draw, looked_up = random.Random(seed), 0  # noqa: S311
    homes = list(Collection.objects.values_list("pk", flat=True))
    for _ in range(150):
        if draw.random() < 0.4:
            write(somebody, draw, draw.choice(forty), homes)
        if draw.random() < 0.2:
            somebody.rollback() if draw.random() < 0.3 else somebody.commit()
        if draw.random() < 0.1:
            somebody.commit()  # else this would wait for it
            rows.refresh([draw.choice(forty)])
        where = sql.visible_to(sql.Where(), draw.choice([viewer, guest, guest, admin]))
        known = cached.words(frequent._key(BOAT, near=False))
        looked_up += known is not None
        assert ask(where) == matching_words(BOAT, where, LIMIT, near=False)
    assert looked_up > 50


def test_it_is_not_read_again_until_much_was_written(
    forty: list[int], somebody: psycopg.Connection, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, read = sql.visible_to(sql.Where(), admin), []
    survey = frequent._survey

    def counted(*asked: Any) -> Matched:
        read.append(asked)
        return survey(*asked)

    monkeypatch.setattr(frequent, "_survey", counted)
    assert ask(where).best and is_remembered() and len(read) == 1
    for written in range(1, 9):
        somebody.execute(
            "UPDATE search_searchrow SET width = 7 WHERE asset_id = ANY(%s)", [forty[written : written + 1]]
        )
        somebody.commit()
        ask(where, counted=False)
        assert len(read) == 1 + written // 7  # the seventh is one too many, and all is remembered anew


def test_what_a_guest_may_see_is_counted_without_reading_the_rows(
    forty: list[int], guest: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frequent, "KEPT", 40)
    where = sql.visible_to(sql.Where(), guest)
    right = ask(where)
    assert 0 < right.counted.total < 32 and right == matching_words(BOAT, where, LIMIT, near=False)
    monkeypatch.setattr(frequent, "count_both", None)
    monkeypatch.setattr(frequent, "matching_words", None)
    monkeypatch.setattr(frequent, "_survey", None)
    assert ask(where) == right


def test_an_index_has_all_that_the_rule_of_permission_asks_for(guest: User) -> None:
    where = sql.visible_to(sql.Where(), guest)
    assert where.scoped
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN SELECT count(*) FROM search_searchrow r WHERE {where.sql}", where.params)  # noqa: S608
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using row_seen" in plan


def test_what_is_narrowed_is_read(forty: list[int], admin: User) -> None:
    where = sql.visible_to(sql.Where(), admin).add("r.width >= %s", 0)
    assert ask(where).counted.total == 32 and not is_remembered()


def test_what_a_transaction_wrote_and_may_take_back_is_not_remembered(forty: list[int], admin: User) -> None:
    where = sql.visible_to(sql.Where(), admin)
    with transaction.atomic():
        rows.refresh(forty[:1])
        ask(where)
        assert not is_remembered()
    ask(where)
    assert is_remembered()


def test_a_list_of_another_database_is_not_used(forty: list[int], admin: User) -> None:
    where = sql.visible_to(sql.Where(), admin)
    right = ask(where)
    table, xmin, assets, scores, *others = cached.words(frequent._key(BOAT, near=False)) or ()
    cached.keep_words(frequent._key(BOAT, near=False), (table, xmin + 10**9, assets[::-1], scores, *others))
    assert ask(where) == right


def test_a_list_from_before_a_backup_was_restored_is_not_used(forty: list[int], admin: User) -> None:
    where = sql.visible_to(sql.Where(), admin)
    ask(where)
    with transaction.atomic(), connection.cursor() as cursor:  # the same rows as they were, in a new table
        cursor.execute("CREATE TABLE restored (LIKE search_searchrow INCLUDING DEFAULTS)")
        cursor.execute("INSERT INTO restored SELECT * FROM search_searchrow")
        cursor.execute("UPDATE restored SET words = to_tsvector('museum', 'river')")
        cursor.execute("ALTER TABLE search_searchrow RENAME TO before")
        cursor.execute("ALTER TABLE restored RENAME TO search_searchrow")
        found = ask(where)
        transaction.set_rollback(True)
    assert found.best == []


def test_rows_from_another_server_are_not_newer_than_all_that_happens_here(
    forty: list[int], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE search_searchrow DISABLE TRIGGER row_written")
        cursor.execute("UPDATE search_searchrow SET written = 10::bigint ^ 15")
        cursor.execute("ALTER TABLE search_searchrow ENABLE TRIGGER row_written")
    frequent.settle()
    where = sql.visible_to(sql.Where(), admin)
    right = ask(where)
    monkeypatch.setattr(frequent, "_survey", None)
    assert ask(where) == right
