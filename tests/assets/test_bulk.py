"""Bulk changes: who may change what, previews that come true, killed workers, undo; finding and replacing."""

import csv
import io
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from assets import changes
from assets.bulk import portions, running, selecting
from assets.bulk.replacing import finder, replaced
from assets.bulk.showing import shown
from assets.models import Asset, AssetSet, BulkJob, Change, Collection, Depiction, Operation, Record, Term
from search.models import SearchRow
from tests.often import often

State = BulkJob.State


def few(number: int, **words: Any) -> list[Asset]:
    """Assets without files, with search rows."""
    home = Collection.objects.named("Prints")
    made = Asset.objects.bulk_create(Asset(collection=home, title=f"No {n}", **words) for n in range(number))
    changes.notify([asset.pk for asset in made])
    return made


def show(record: Record, *assets: Asset) -> None:
    Depiction.objects.bulk_create(Depiction(record=record, asset=asset) for asset in assets)


def begun(user: User, assets: list[Asset], **action: Any) -> BulkJob:
    """Planned, and looked at to the end."""
    job = selecting.select(user, [asset.pk for asset in assets])
    assert running.plan(job, action)
    work(job)
    return job


def work(job: BulkJob) -> None:
    while running.step(job.pk):
        pass
    job.refresh_from_db()


def done(user: User, assets: list[Asset], **action: Any) -> BulkJob:
    job = begun(user, assets, **action)
    assert job.state == State.PLANNED, job.problem
    assert running.start(job)
    work(job)
    return job


def counts(job: BulkJob) -> tuple[int, int, int]:
    return job.changed, job.same, job.refused


def again(asset: Asset) -> Asset:
    return Asset.objects.get(pk=asset.pk)


# --- who may change what --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_hidden_trashed_or_deleted_meanwhile_is_refused_and_not_touched(viewer: User) -> None:
    assets = few(5)
    job = begun(viewer, assets, name="add_tags", labels=["river"])
    assert counts(job) == (5, 0, 0) and not Term.objects.filter(label="river").exists()
    changes.apply(changes.operation("edit", ""), [assets[0]], {"access": "restricted"})
    changes.trash([assets[1]], None)
    Asset.objects.filter(pk=assets[2].pk).delete()
    assert running.start(job)
    work(job)
    assert counts(job) == (2, 0, 3) and job.state == State.DONE
    assert [again(asset).tags for asset in (assets[0], assets[1], assets[3])] == [[], [], ["river"]]
    assert set(job.refusals.values_list("reason", flat=True)) == {str(portions.GONE)}
    assert SearchRow.objects.get(asset=assets[4]).term_ids == [Term.objects.get(label="river").pk]


@pytest.mark.django_db
def test_whoever_may_not_sign_in_any_more_changes_nothing(viewer: User) -> None:
    job = begun(viewer, few(2), name="add_tags", labels=["river"])
    User.objects.update(is_active=False)
    running.start(job)
    work(job)
    assert counts(job) == (0, 0, 2) and not Change.objects.exists()


# --- the preview comes true -----------------------------------------------------------------------------


ACTIONS: list[dict[str, Any]] = [
    {"name": "add_tags", "labels": ["river", "Boat"]},
    {"name": "remove_tags", "labels": ["boat"]},
    {"name": "collection", "path": "Prints / Japan"},
    {"name": "creators", "labels": ["Hokusai"], "mode": "replace"},
    {"name": "creators", "labels": ["Hokusai"], "mode": "fill"},
    {"name": "text", "field": "date", "value": "1880s", "mode": "replace"},
    {"name": "text", "field": "rights", "value": "CC0", "mode": "fill"},
    {"name": "text", "field": "credit_line", "value": "", "mode": "clear"},
    {"name": "access", "access": "restricted"},
    {"name": "embargo", "until": "2999-01-01T00:00:00+01:00"},
    {"name": "licence", "until": "2999-01-01T00:00:00+01:00"},
    {"name": "not_for", "uses": ["press"]},
    {"name": "replace", "field": "title", "find": "o", "put": "oo", "whole_words": False, "match_case": True},
    {"name": "trash"},
]


@pytest.mark.django_db
@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: "-".join(map(str, list(a.values())[:2])))
def test_what_is_foreseen_happens_and_undoing_it_restores_all(
    action: dict[str, Any], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PORTION", 2)
    assets = few(4)
    record = Record.objects.create(title="Two books", rights="All", credit_line="Gift")
    show(record, assets[0], assets[3])  # in different portions: the object is changed once
    op = changes.operation("edit", "before")
    changes.apply(op, [record], {"add_terms": {"creators": ["Utamaro"]}})
    changes.apply(
        op, [assets[1]], {"add_terms": {"tags": ["boat", "sea"]}, "date": "1900", "credit_line": "Loan"}
    )
    before = state_of(assets, record)
    job = begun(admin, assets, **action)
    foreseen, examples = counts(job), dict(job.examples)
    assert state_of(assets, record) == before and Operation.objects.count() == 1
    assert not Collection.objects.filter(name="Japan").exists()
    running.start(job)
    work(job)
    assert counts(job) == foreseen and job.state == State.DONE and job.position == 4
    touched = set(
        Change.objects.filter(operation__bulk=job, object_kind="asset").values_list("object_id", flat=True)
    )
    assert touched <= set(examples) or not touched
    assert foreseen[0] == 0 or state_of(assets, record) != before
    running.undo(job, admin)
    work(job)
    assert (job.state, job.kept) == (State.UNDONE, 0) and state_of(assets, record) == before


def state_of(assets: list[Asset], record: Record) -> list[Any]:
    """All that the actions can change, and what the search knows of it."""
    columns = ("title", "date", "year_earliest", "rights", "credit_line", "not_for")
    ids, terms = [asset.pk for asset in assets], "term_uses__term__vocabulary"
    rows = SearchRow.objects.filter(asset__in=ids).order_by("asset")
    found: list[Any] = [
        (sorted(row.term_ids), row.home_collection_id, row.title_sort, row.trashed) for row in rows
    ]
    stored: list[Any] = list(Asset.objects.filter(pk__in=ids).order_by("pk").prefetch_related(terms))
    found += [
        (a.collection_id, a.access, a.embargo_until, a.rights_expire_at, a.trashed_at is None) for a in stored
    ]
    stored.append(Record.objects.prefetch_related(terms).get(pk=record.pk))
    return [*found, *(([getattr(one, n) for n in columns], one.tags, one.creators) for one in stored)]


@pytest.mark.django_db
def test_what_cannot_be_stored_is_refused_alone(viewer: User) -> None:
    long, short = few(2)
    Asset.objects.filter(pk=long.pk).update(title="a" * 300)
    values = {"field": "title", "find": "a", "put": "aa", "whole_words": False, "match_case": False}
    Asset.objects.filter(pk=short.pk).update(title="a")
    job = done(viewer, [long, short], name="replace", **values)
    assert counts(job) == (1, 0, 1) and again(short).title == "aa" and len(again(long).title) == 300
    assert "500" in job.refusals.get().reason


@pytest.mark.django_db
def test_a_tag_of_the_object_is_taken_away_too(viewer: User) -> None:
    (one,) = few(1)
    record = Record.objects.create(title="Book")
    show(record, one)
    changes.apply(changes.operation("edit", ""), [record], {"add_terms": {"tags": ["boat"]}})
    job = done(viewer, [one], name="remove_tags", labels=["BOAT"])
    assert counts(job) == (1, 0, 0) and not SearchRow.objects.get(asset=one).term_ids


# --- steps ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_killed_worker_loses_nothing_and_does_nothing_twice(
    viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PORTION", 2)
    assets = few(5, description="a")
    values = {"field": "description", "find": "a", "put": "aa", "whole_words": False, "match_case": False}
    job = begun(viewer, assets, name="replace", **values)
    running.start(job)
    real: Callable[..., Any] = portions.change
    calls = 0

    def dies(job: BulkJob, ids: list[int]) -> Any:
        nonlocal calls
        calls += 1
        found = real(job, ids)
        if calls == 2:
            raise KeyboardInterrupt  # as a process that ends in the middle of a transaction
        return found

    monkeypatch.setattr(portions, "change", dies)
    with pytest.raises(KeyboardInterrupt):
        running.step(job.pk)
    monkeypatch.setattr(portions, "change", real)
    job.refresh_from_db()
    assert (job.state, job.position, job.changed) == (State.RUNNING, 2, 2)
    assert not running.step(job.pk)  # the lease still holds
    BulkJob.objects.update(lease_until=timezone.now())
    work(job)
    assert counts(job) == (5, 0, 0) and {again(a).description for a in assets} == {"aa"}


@pytest.mark.django_db
def test_what_was_cancelled_stops_and_can_be_undone(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PORTION", 2)
    assets = few(5)
    job = begun(viewer, assets, name="add_tags", labels=["river"])
    running.start(job)
    assert running.step(job.pk, 0) and running.cancel(job)
    assert not running.step(job.pk) and not running.go_on(job) and not running.start(job)
    assert sorted(len(again(asset).tags) for asset in assets) == [0, 0, 0, 1, 1]
    assert running.undo(job, viewer) and not running.undo(job, viewer)
    work(job)
    assert job.state == State.UNDONE and not any(again(asset).tags for asset in assets)


@pytest.mark.django_db
def test_undoing_leaves_what_somebody_has_changed_since(viewer: User) -> None:
    one, two = few(2)
    job = done(viewer, [one, two], name="text", field="rights", value="CC0", mode="replace")
    changes.apply(changes.operation("edit", ""), [one], {"rights": "Mine"})
    running.undo(job, viewer)
    work(job)
    assert (again(one).rights, again(two).rights, job.kept) == ("Mine", "", 1)


@pytest.mark.django_db
def test_what_kills_every_worker_stops_in_the_end(viewer: User) -> None:
    job = begun(viewer, few(1), name="add_tags", labels=["river"])
    running.start(job)
    BulkJob.objects.update(attempts=running.MOST_ATTEMPTS)
    work(job)
    assert job.state == State.PAUSED and "three times" in job.problem
    assert running.go_on(job)
    work(job)
    assert job.state == State.DONE


@pytest.mark.django_db
def test_a_portion_takes_as_many_statements_for_many_as_for_few(
    viewer: User, django_assert_max_num_queries: Any
) -> None:
    assets = few(60)
    changes.apply(changes.operation("edit", ""), assets[:30], {"add_terms": {"tags": ["old"]}})
    job = begun(viewer, assets, name="collection", path="Elsewhere")
    running.start(job)
    with django_assert_max_num_queries(60):
        running.step(job.pk)
    running.undo(job, viewer)
    with django_assert_max_num_queries(60):
        work(job)
    assert job.state == State.UNDONE


# --- finding and replacing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "find", "put", "options", "found"),
    [
        ("Rhein, rhein, Rheinland", "rhein", "Rhine", {}, "Rhine, Rhine, Rhineland"),
        ("Rhein, Rheinland", "Rhein", "Rhine", {"whole_words": True}, "Rhine, Rheinland"),
        ("Rhein, rhein", "rhein", "R", {"match_case": True}, "Rhein, R"),
        ("a.b axb", "a.b", r"\1\g<0>", {}, r"\1\g<0> axb"),
        ("aaa", "aa", "a", {}, "aa"),
        ("(c) 1900 (c)", "(c)", "©", {"whole_words": True}, "© 1900 ©"),
        (unicodedata.normalize("NFD", "Café"), "café", "Bar", {"whole_words": True}, "Bar"),
        (unicodedata.normalize("NFD", "Café"), "cafe", "Bar", {}, unicodedata.normalize("NFD", "Café")),
        ("x  y", "  ", " ", {}, "x y"),
    ],
)
def test_find_and_replace(text: str, find: str, put: str, options: dict[str, bool], found: str) -> None:
    assert replaced(text, finder(find, **options), put) == found


@hypothesis_settings(max_examples=often(15))
@given(st.text(max_size=40), st.text(min_size=1, max_size=5), st.text(max_size=5))
def test_a_plain_replacement_is_that_of_python(text: str, find: str, put: str) -> None:
    plain = finder(find, match_case=True)
    if text.isascii() and find.isascii():
        assert replaced(text, plain, put) == text.replace(find, put)
    assert replaced(text, plain, find) == text or not find.isascii()


def test_the_difference_is_marked_among_what_stays() -> None:
    pieces = shown(("title", "The old river at night", "The new river at night")).pieces
    assert [(p.kind, p.text) for p in pieces] == [
        ("same", "The "),
        ("old", "old"),
        ("new", "new"),
        ("same", " river at night"),
    ]
    assert [p.kind for p in shown(("date", "", "1880s")).pieces] == ["new"]
    pieces = shown(("tags", "x" * 90 + "; b", "x" * 90 + "; b; c")).pieces
    assert "".join(p.text for p in pieces) == "…" + "x" * 37 + "; b; c"


# --- pages ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_from_a_selection_to_the_report_and_back(browser: Client, viewer: User) -> None:
    one, two, hidden = few(3)
    changes.apply(changes.operation("edit", ""), [hidden], {"access": "restricted"})
    answer = browser.post("/bulk/", {"asset": [str(one.uid), str(hidden.uid), "nonsense", str(two.uid)]})
    job = BulkJob.objects.get()
    assert answer["Location"] == job.get_absolute_url() and job.asset_ids == [one.pk, two.pk]
    page = browser.get(job.get_absolute_url()).content.decode()
    assert "2 pictures selected" in page and "Find and replace" in page
    address = f"{job.get_absolute_url()}?do=add-tags"
    assert "Show what would change" in browser.get(address).content.decode()
    page = browser.post(address, {"labels": ""}).content.decode()
    assert "This field is required" in page
    page = browser.post(address, {"labels": "river; boat"}, follow=True).content.decode()
    assert "Nothing is changed yet" in page and "river; boat</ins>" in page and "Change 2 pictures" in page
    assert not again(one).tags
    job.refresh_from_db()
    browser.post(f"{job.get_absolute_url()}start/", {"mark": job.mark})
    part = browser.get(f"{job.get_absolute_url()}progress/", headers={"HX-Request": "true"})
    assert "htmx:responseError delay:5s" in part.content.decode()  # it goes on after an answer that failed
    work(job)
    part = browser.get(f"{job.get_absolute_url()}progress/", headers={"HX-Request": "true"})
    assert part["HX-Refresh"] == "true" and again(two).tags == ["river", "boat"]
    assert "Add the tags river; boat" in browser.get("/bulk/").content.decode()
    answer = browser.get(f"{job.get_absolute_url()}report.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [(line["title"], line["result"]) for line in lines] == [("No 0", "changed"), ("No 1", "changed")]
    operation = job.operations.get()
    answer = browser.post(f"/operations/{operation.uid}/undo/")
    assert answer["Location"] == job.get_absolute_url() and again(one).tags
    browser.post(f"{job.get_absolute_url()}undo/")
    work(job)
    assert not again(one).tags and "Undone." in browser.get(job.get_absolute_url()).content.decode()
    browser.post(f"{job.get_absolute_url()}again/")
    assert BulkJob.objects.latest("pk").asset_ids == [one.pk, two.pk]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("do", "values", "said"),
    [
        ("maker", {"labels": "", "mode": "replace"}, "Write what it shall be"),
        ("rights", {"field": "rights_holder", "value": "x" * 301, "mode": "fill"}, "at most 300"),
        ("replace", {"field": "title", "find": "", "put": "x"}, "This field is required"),
        ("access", {"access": "everybody"}, "Select a valid choice"),
        ("embargo", {"until": "0001-01-01T00:00"}, "Choose a year from 1900 on"),
        ("embargo", {"until": "9999-12-31T23:59"}, "Choose a year before 9000"),
    ],
)
def test_what_is_not_understood_is_said(
    browser: Client, viewer: User, do: str, values: Any, said: str
) -> None:
    job = selecting.select(viewer, [few(1)[0].pk])
    page = browser.post(f"{job.get_absolute_url()}?do={do}", values).content.decode()
    job.refresh_from_db()
    assert said in page and job.state == State.SELECTED


@pytest.mark.django_db
def test_a_selection_is_that_of_its_owner(browser: Client, admin: User) -> None:
    job = done(admin, few(1), name="add_tags", labels=["river"])
    other = selecting.select(admin, job.asset_ids)
    for path in ("", "progress/", "report.csv", "download/", "pictures.zip?size=0"):
        assert browser.get(f"{job.get_absolute_url()}{path}").status_code == 404
    for path in ("start/", "undo/", "cancel/", "again/", "?do=trash"):
        assert browser.post(f"{other.get_absolute_url()}{path}").status_code == 404
        assert browser.get(f"{other.get_absolute_url()}{path}").status_code == 404
    operation = job.operations.get()
    answer = browser.post(f"/operations/{operation.uid}/undo/", follow=True)
    assert "Whoever did it can undo it" in answer.content.decode() and again(Asset.objects.get()).tags


@pytest.mark.django_db
def test_what_is_confirmed_is_what_was_looked_at(browser: Client, viewer: User) -> None:
    (one,) = few(1)
    job = begun(viewer, [one], name="add_tags", labels=["river"])
    shown, address = job.mark, job.get_absolute_url()
    assert f'value="{shown}"' in browser.get(address).content.decode()
    browser.post(f"{address}?do=trash", {"in": "another tab"})
    answer = browser.post(f"{address}start/", {"mark": shown}, follow=True)
    assert "another change to these pictures" in answer.content.decode()
    assert not running.start(job)  # nor where it is planned in the moment between
    job.refresh_from_db()
    assert job.state == State.PLANNED and job.action == {"name": "trash"}
    assert running.start(job)


@pytest.mark.django_db
def test_whoever_signed_in_for_a_button_sees_the_page_again(
    client: Client, viewer: User, admin: User
) -> None:
    job = begun(viewer, few(1), name="add_tags", labels=["river"])
    address = job.get_absolute_url()
    answer = client.post(f"{address}start/", {"mark": job.mark})
    client.force_login(viewer)
    answer = client.get(answer["Location"].partition("next=")[2], follow=True)
    assert answer.status_code == 200 and "Nothing is changed yet" in answer.content.decode()
    running.start(job)
    BulkJob.objects.update(state=State.PAUSED)
    assert "Go on" in client.get(address).content.decode()
    client.force_login(admin)
    assert "Go on" not in client.get(address).content.decode()  # it would be in the name of another


@pytest.mark.django_db
def test_nothing_selected_is_said(browser: Client) -> None:
    assert "Nothing is selected" in browser.post("/bulk/", follow=True).content.decode()
    assert "Nothing has been changed in bulk" in browser.get("/bulk/").content.decode()


@pytest.mark.django_db
def test_a_selection_is_put_on_a_light_table_and_taken_off_again(browser: Client, viewer: User) -> None:
    job = selecting.select(viewer, [asset.pk for asset in few(2)])
    address = f"{job.get_absolute_url()}table/"
    assert "name a new one" in browser.post(address, {}).content.decode()
    answer = browser.post(address, {"name": "Exhibition"})
    table = AssetSet.objects.get()
    assert answer["Location"] == table.get_absolute_url() and table.owner == viewer
    assert list(table.items.values_list("asset", flat=True)) == job.asset_ids
    assert (
        "lie here already" in browser.post(address, {"table": str(table.uid)}, follow=True).content.decode()
    )
    browser.post(f"/operations/{Operation.objects.latest('pk').uid}/undo/")
    assert not table.items.exists()
    BulkJob.objects.update(total=1001)
    page = browser.post(address, {"name": "Too large"}).content.decode()
    assert "at most 1000" in page and AssetSet.objects.count() == 1
