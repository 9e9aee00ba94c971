from typing import Any

import pytest
from django.contrib import admin as site
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localtime

from accounts.models import User
from assets import changes, light_tables
from assets.models import Asset, AssetSet, Change, Collection, Operation, Record, StageRun, Term
from assets.progress import progress_of
from assets.stages import pipeline
from search.models import SearchRow
from tests.factories import asset, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
SECRETIVE = (Record, Collection, AssetSet, Operation, Change, Term)
OURS = [model for model in site.site._registry if model._meta.app_label in ("assets", "search")]


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def changelist(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def change(found: Any) -> str:
    return reverse(f"admin:assets_{found._meta.model_name}_change", args=[found.pk])


def fill() -> Asset:
    """A picture with all that it can have, and a file that was not taken in."""
    found = asset("red", done=True, accession="7", title="Night", creator="Hiroshige", tags="river")
    take_in(b"words", "letter.jpg")
    Term.objects.labelled("tags", "water")
    return found


def test_every_list_opens_searches_and_shows_a_row(desk: Client) -> None:
    fill()
    for model in OURS:
        assert desk.get(changelist(model)).status_code == 200, model
        assert desk.get(changelist(model), {"q": "night"}).status_code == 200, model
        row = model.objects.first()
        if row is not None:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            assert desk.get(reverse(name, args=[row.pk])).status_code == 200, model


def test_lists_ask_a_fixed_number_of_queries(desk: Client) -> None:
    def count(model: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(changelist(model)).status_code == 200, model
        return len(captured)

    fill()
    before = {model: count(model) for model in OURS}
    for color in ("blue", "green"):
        asset(color, done=True, accession=color, title=color, creator=color, tags=color)
        take_in(b"words", f"{color}.jpg")
    for model in OURS:  # a list of one page or of several ids: pagination may ask once more
        assert count(model) <= before[model] + 1, model


def test_lists_show_thumbnails_and_states(desk: Client) -> None:
    found = fill()
    page = desk.get(changelist(Asset)).content.decode()
    assert f"/assets/{found.uid}/v1/small/" in page and "searchable" in page


def test_pictures_are_filtered_by_what_became_of_them(desk: Client) -> None:
    good, bad, waiting, stuck, blemished, going_on = (
        asset(color, done=color in ("red", "blue", "cyan"))
        for color in ("red", "blue", "green", "black", "cyan", "white")
    )
    for failed, stage in (
        (bad, "make_renditions"),
        (stuck, "make_renditions"),
        (blemished, "extract_metadata"),
        (going_on, "make_renditions"),
    ):
        StageRun.objects.filter(version=failed.current_version, stage=stage).update(state="failed")
    StageRun.objects.filter(version=stuck.current_version, stage="extract_metadata").update(state="done")
    names = {"failed": "failed", "processing": "processing", "done": "searchable"}
    found = {
        state: set(desk.get(changelist(Asset), {"state": state}).context["cl"].queryset) for state in names
    }
    assert found == {
        "failed": {bad, stuck},
        "processing": {waiting, going_on},
        "done": {good, blemished},
    }
    for state, assets in found.items():
        assert {progress_of(one).state for one in assets} == {names[state]}
    assert not desk.get(changelist(Asset), {"trash": "trashed"}).context["cl"].queryset.exists()


def act(desk: Client, model: Any, action: str, *rows: Any) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return desk.post(changelist(model), data, follow=True).content.decode()


def test_actions_do_work_again(desk: Client) -> None:
    found = asset(done=True)
    StageRun.objects.filter(stage="make_renditions").update(state="failed")
    assert "Trying again: 1 step." in act(desk, Asset, "retry_failed", found)
    StageRun.objects.update(state="done")
    act(desk, Asset, "vectorise_again", found)
    assert StageRun.objects.get(stage="vectorise_picture").state in ("waiting", "queued")
    assert StageRun.objects.get(stage="make_renditions").state == "done"
    act(desk, Asset, "render_again", found)
    assert StageRun.objects.get(stage="make_renditions").state in ("waiting", "queued")
    StageRun.objects.update(state="failed")
    act(desk, StageRun, "retry", *StageRun.objects.filter(stage="extract_metadata"))
    assert set(StageRun.objects.exclude(state="failed").values_list("stage", flat=True)) == {
        "extract_metadata"
    }
    assert "extract_metadata" in pipeline()


def test_the_trash_is_an_action_and_can_be_undone(desk: Client) -> None:
    found = asset(title="Night")
    assert "Moved to the trash: Night." in act(desk, Asset, "to_trash", found)
    assert Asset.objects.get().trashed_at is not None
    act(desk, Operation, "undo", Operation.objects.get(kind="trash"))
    assert Asset.objects.get().trashed_at is None
    assert "undone already" in act(desk, Operation, "undo", Operation.objects.get(kind="trash"))


def shown(desk: Client, address: str, **new: str) -> dict[str, Any]:
    """What the form of this page sends, with some fields typed anew."""
    page = desk.get(address)
    data: dict[str, Any] = {}
    forms = [
        page.context["adminform"].form,
        *(f.formset.management_form for f in page.context["inline_admin_formsets"]),
    ]
    for field in (bound for form in forms for bound in form):
        value = field.field.prepare_value(field.value())
        data[field.html_name] = data[field.html_initial_name] = "" if value is None else value
    return data | new


def test_an_edit_of_a_picture_has_a_history_and_reaches_the_search(desk: Client, admin: User) -> None:
    found = asset(title="Nite", tags="river")
    answer = desk.post(change(found), shown(desk, change(found), title="Night", tags="moon", date="c. 1840"))
    assert answer.status_code == 302, answer.context["errors"]
    found = Asset.objects.get()
    assert (found.title, found.tags, found.year_earliest) == ("Night", ["moon"], 1835)
    op = Operation.objects.get(kind="edit")
    assert op.user == admin and set(op.changes.values_list("field", flat=True)) >= {"title", "date", "terms"}
    assert SearchRow.objects.get().title_key == "night"
    act(desk, Operation, "undo", op)
    assert (Asset.objects.get().title, Asset.objects.get().tags) == ("Nite", ["river"])


def test_saving_a_picture_unchanged_leaves_no_trace(desk: Client) -> None:
    found = asset(title="Night", tags="river; moon", creator="Hiroshige (Utagawa, 1797-1858); Eisen")
    assert desk.post(change(found), shown(desk, change(found))).status_code == 302
    assert Operation.objects.count() == 1 and Asset.objects.get().tags == ["river", "moon"]


def test_an_edit_keeps_what_others_changed_meanwhile(desk: Client) -> None:
    found = asset(title="Nite", tags="river", creator="Eisen")
    typed = shown(desk, change(found), medium="Silk", tags="river; moon")
    op = changes.operation("edit", "")
    changes.apply(op, [found], {"title": "Night", "add_terms": {"tags": ["boat"], "creators": ["Hiroshige"]}})
    assert desk.post(change(found), typed).status_code == 302
    found = Asset.objects.get()
    assert (found.title, found.medium, found.creators) == ("Night", "Silk", ["Eisen", "Hiroshige"])
    assert found.tags == ["river", "boat", "moon"]
    desk.post(change(found), typed | {"initial-tags": "river; boat; moon", "tags": "boat"})
    assert Asset.objects.get().tags == ["boat"]


def test_the_order_of_creators_can_be_changed(desk: Client) -> None:
    found = asset(creator="Eisen; Hiroshige")
    desk.post(change(found), shown(desk, change(found), creators="Hiroshige; Eisen"))
    assert Asset.objects.get().creators == ["Hiroshige", "Eisen"]


def test_a_tag_with_a_comma_or_a_semicolon_stays_one(desk: Client) -> None:
    found = asset(tags="Paris, France")
    changes.apply(changes.operation("edit", ""), [found], {"add_terms": {"tags": ["a; b"]}})
    desk.post(change(found), shown(desk, change(found), tags="Paris, France; a; b; river"))
    assert Asset.objects.get().tags == ["Paris, France", "a; b", "river"]


def test_times_and_places_are_edited_by_what_was_typed(desk: Client) -> None:
    found, home = asset(title="Night"), Collection.objects.named("Prints")
    new = shown(desk, change(found), collection=str(home.pk))
    new |= {"embargo_until_0": "2031-01-01", "embargo_until_1": "09:00:00"}
    assert desk.post(change(found), new).status_code == 302
    found = Asset.objects.get()
    assert found.collection == home and found.embargo_until is not None
    desk.post(change(found), shown(desk, change(found)) | hidden_times(found))
    assert Operation.objects.filter(kind="edit").count() == 1


def hidden_times(found: Asset) -> dict[str, str]:
    """A time is two fields in the administration."""
    until = localtime(found.embargo_until)
    day, hour = until.strftime("%Y-%m-%d"), until.strftime("%H:%M:%S")
    return {
        "embargo_until_0": day,
        "embargo_until_1": hour,
        "initial-embargo_until_0": day,
        "initial-embargo_until_1": hour,
    }


def test_a_record_is_made_edited_and_refused(desk: Client) -> None:
    add = reverse("admin:assets_record_add")
    new = shown(desk, add, accession_number="1942.51", title="Night", creators="Hiroshige")
    assert desk.post(add, new).status_code == 302
    record = Record.objects.get()
    assert (record.accession_key, record.title, record.creators) == ("1942.51", "Night", ["Hiroshige"])
    assert set(Operation.objects.get().changes.values_list("field", flat=True)) >= {"created", "title"}
    again = desk.post(add, new | {"accession_number": "1942-51"}, follow=True)
    assert "accession number" in again.content.decode() and Record.objects.count() == 1


def test_renaming_a_collection_reaches_the_search(desk: Client) -> None:
    found = asset(tags="river", collection="Prints / Night")
    home = found.collection
    desk.post(change(home), shown(desk, change(home), name="Nocturnes"))
    assert "nocturn" in str(SearchRow.objects.get().words)


def test_terms_are_changed_on_their_own_pages(desk: Client) -> None:
    fill()
    river = Term.objects.get(key="river")
    assert desk.post(change(river), {"label": "stream"}).status_code == 403
    for row in (river, river.vocabulary):
        assert desk.post(change(row).replace("change/", "delete/"), {"post": "yes"}).status_code == 403


def test_nothing_lies_inside_itself(desk: Client) -> None:
    outer, inner = Collection.objects.named("Prints"), Collection.objects.named("Prints / Night")
    page = desk.post(change(outer), shown(desk, change(outer), parent=str(inner.pk)))
    assert "cannot lie inside itself" in page.content.decode()


def test_nobody_deletes_pictures_or_history_here(desk: Client) -> None:
    found = fill()
    for row in (found, Record.objects.get(), Operation.objects.get(kind="upload")):
        assert desk.post(change(row).replace("change/", "delete/"), {"post": "yes"}).status_code == 403
    assert desk.get(reverse("admin:assets_asset_add")).status_code == 403


def test_who_may_only_look_may_not_act(client: Client, viewer: User) -> None:
    viewer.is_staff = True
    viewer.save()
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    found = asset(title="Night")
    act(client, Asset, "to_trash", found)
    act(client, Operation, "undo", Operation.objects.get())
    assert Asset.objects.get().trashed_at is None
    Asset.objects.update(access="restricted")
    assert "Night" not in client.get(changelist(Asset)).content.decode()


def test_who_is_no_superuser_reads_nothing_of_what_is_hidden(
    client: Client, admin: User, viewer: User
) -> None:
    secret = asset("red", accession="7", title="Secret", creator="Secret maker", collection="Secret home")
    shown = asset("green", accession="8", title="Night")
    light_tables.add(admin, light_tables.make(admin, "Secret table"), [shown.pk])
    Asset.objects.filter(pk=secret.pk).update(access="restricted")
    viewer.is_staff = True
    viewer.save()
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    for user, seen in ((admin, True), (viewer, False)):
        client.force_login(user)
        pages = {model: client.get(changelist(model)).content.decode() for model in SECRETIVE}
        assert {model for model in SECRETIVE if ("Secret" in pages[model]) is not seen} == set()
        assert seen or "Night" in pages[Record] and "Night" in pages[Change]
