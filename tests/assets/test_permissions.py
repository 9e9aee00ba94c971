"""Who may do what: the rule itself, the querysets and search rows that follow it, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import User
from assets import changes, purging
from assets.changes import (
    NotAllowed,
    Wanted,
    apply,
    collections,
    depict,
    depict_only,
    grants,
    operation,
    undepict,
    undo,
)
from assets.models import (
    Asset,
    Change,
    Collection,
    Grant,
    LicenceRules,
    Operation,
    Record,
    Term,
    Tombstone,
    Vocabulary,
)
from assets.scopes import WHOLE, Action, Granted, forget, resolve, scope_of, with_implied
from search import offered, sql
from search.models import SearchRow
from tests.factories import asset, picture, take_in
from tests.often import often

Tree = list[tuple[int, int | None, bool]]
PLAIN: Tree = [(1, None, True), (2, 1, True), (3, 2, True), (4, None, True)]
CUT: Tree = [(1, None, True), (2, 1, False), (3, 2, True), (4, None, True)]


@pytest.mark.parametrize(
    "granted, tree, seen",
    [
        ({}, PLAIN, []),
        ({WHOLE: ["see"]}, PLAIN, [1, 2, 3, 4]),
        ({WHOLE: ["see"]}, CUT, [1, 4]),
        ({1: ["see"]}, PLAIN, [1, 2, 3]),
        ({1: ["see"]}, CUT, [1]),
        ({2: ["see"]}, CUT, [2, 3]),
        ({WHOLE: ["see"], 3: ["see"]}, CUT, [1, 3, 4]),
        ({3: ["original"]}, PLAIN, [3]),
    ],
)
def test_grants_count_below_up_to_what_does_not_inherit(
    granted: Granted, tree: Tree, seen: list[int]
) -> None:
    scope = resolve(granted, tree)
    assert [pk for pk, *_ in tree if scope.may("see", pk)] == seen
    assert scope.may("see", None) is (WHOLE in granted)


def test_an_action_brings_what_it_needs() -> None:
    assert with_implied(["original"]) == {"original", "download", "see"}
    assert with_implied(["manage"]) == {"manage", "describe", "see"}
    assert with_implied([]) == set()


@st.composite
def hierarchies(draw: st.DrawFn) -> tuple[Tree, dict[int | None, list[str]]]:
    size = draw(st.integers(0, 9))
    above = [draw(st.sampled_from([None, *range(1, pk)])) for pk in range(1, size + 1)]
    tree: Tree = [(pk, parent, draw(st.booleans())) for pk, parent in enumerate(above, 1)]
    places: list[int | None] = [WHOLE, *range(1, size + 1)]
    actions = st.lists(st.sampled_from([action.value for action in Action]), max_size=3)
    return tree, draw(st.dictionaries(st.sampled_from(places), actions, max_size=4))


def allowed(action: str, pk: int | None, tree: Tree, granted: Granted) -> bool:
    """The rule as people say it: walk up as long as it inherits, and look for a grant."""
    by_id = {one: (parent, inherits) for one, parent, inherits in tree}
    while True:
        if action in with_implied(granted.get(pk, ())):
            return True
        if pk is None or not by_id[pk][1]:
            return False
        pk = by_id[pk][0]


@given(hierarchies())
def test_any_hierarchy_resolves_as_the_rule_says(drawn: tuple[Tree, dict[int | None, list[str]]]) -> None:
    tree, granted = drawn
    scope = resolve(granted, tree)
    for action in Action:
        for pk in (None, *(pk for pk, *_ in tree)):
            assert scope.may(action, pk) is allowed(action, pk, tree, granted)
        homes = scope.of(action)
        assert len(homes.ids) <= max(len(tree) - len(homes.ids), 0) or not homes.homeless
    assert scope.key == resolve(granted, tree[::-1]).key


# --- in the database ------------------------------------------------------------------------------


def grant(user: User, collection: Collection | None, *actions: str) -> None:
    """These actions and no others, by a group of this person's own."""
    group, _ = Group.objects.get_or_create(name=f"of {user}")
    user.groups.set([group])
    Grant.objects.filter(group=group, collection=collection).delete()
    if actions:
        Grant.objects.create(group=group, collection=collection, actions=list(actions))
    forget(user)


@pytest.fixture
def homes(db: None) -> list[Collection]:
    """Prints, Prints / Japan, Drawings; with one picture each."""
    for path in ("Prints", "Prints / Japan", "Drawings"):
        asset(name=f"{path.split()[-1]}.jpg", collection=path)
    return [Collection.objects.get(name=name) for name in ("Prints", "Japan", "Drawings")]


def seen_by(user: User, action: str = "see") -> set[str]:
    found = Asset.objects.allowing(user, action).select_related("collection")
    return {one.collection.name for one in found}


def test_new_accounts_join_the_default_role_and_the_first_three_groups_are_there(
    settings: Any, db: None
) -> None:
    settings.DEFAULT_ROLE = "Viewers"
    viewer = User.objects.create_user("new")
    assert [group.name for group in viewer.groups.all()] == ["Viewers"]
    scope = scope_of(viewer)
    assert [action for action in Action if scope.may(action, None)] == ["see", "download"]
    settings.DEFAULT_ROLE = ""
    assert not User.objects.create_user("none").groups.exists()
    settings.DEFAULT_ROLE = "Viewers"
    assert not User.objects.create_superuser("root").groups.exists()


def test_querysets_follow_grants_inheritance_and_several_groups(
    homes: list[Collection], viewer: User
) -> None:
    prints, japan, drawings = homes
    assert seen_by(viewer) == seen_by(viewer, "manage") == {"Prints", "Japan", "Drawings"}
    assert seen_by(viewer, "restricted") == set()
    grant(viewer, prints, "original")
    assert seen_by(viewer) == seen_by(viewer, "download") == {"Prints", "Japan"}
    assert seen_by(viewer, "describe") == set()
    Collection.objects.filter(pk=japan.pk).update(inherits=False)
    forget(viewer)
    assert seen_by(viewer) == {"Prints"}
    other = Group.objects.create(name="other")
    Grant.objects.create(group=other, collection=japan, actions=["manage"])
    viewer.groups.add(other)
    forget(viewer)
    assert seen_by(viewer) == {"Prints", "Japan"} and seen_by(viewer, "describe") == {"Japan"}
    Asset.objects.filter(collection=drawings).update(access="public")
    assert seen_by(viewer) == {"Prints", "Japan", "Drawings"} and "Drawings" not in seen_by(
        viewer, "download"
    )
    for end in ("rights_expire_at", "consent_ends_at"):  # then it is for staff
        Asset.objects.filter(collection=drawings).update(**{end: timezone.now()})
        assert seen_by(viewer) == {"Prints", "Japan"}
        Asset.objects.filter(collection=drawings).update(**{end: None})


def test_restricted_pictures_are_seen_where_that_is_granted(homes: list[Collection], viewer: User) -> None:
    Asset.objects.update(access="restricted")
    assert seen_by(viewer) == set()
    grant(viewer, homes[1], "restricted")
    assert seen_by(viewer) == {"Japan"}
    grant(viewer, None, "see")
    Asset.objects.update(access="staff", embargo_until=timezone.now() + timedelta(hours=1))
    assert seen_by(viewer) == {"Japan"}


def test_an_account_that_is_switched_off_may_nothing_whatever_it_has_begun(
    homes: list[Collection], admin: User
) -> None:
    begun = op(admin)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    later = User.objects.get(pk=admin.pk)
    assert not Asset.objects.visible_to(later).exists()
    begun.user = later
    with pytest.raises(NotAllowed):
        apply(begun, [Asset.objects.all()[0]], {"title": "x"})


def test_what_is_left_of_a_picture_is_seen_as_it_was(homes: list[Collection], viewer: User) -> None:
    for one, home in zip(Asset.objects.order_by("pk"), [homes[0], None, homes[2]], strict=True):
        Tombstone.objects.create(kind="asset", uid=one.uid, access="staff", collection=home, title=str(home))
    grant(viewer, homes[0], "see")
    assert [stone.title for stone in Tombstone.objects.visible_to(viewer)] == ["Prints"]
    grant(viewer, None, "see")
    Collection.objects.filter(pk=homes[2].pk).update(inherits=False)
    forget(viewer)
    assert {stone.title for stone in Tombstone.objects.visible_to(viewer)} == {"Prints", "None"}


@rules(max_examples=often(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_search_rows_agree_with_querysets_whatever_is_granted(
    data: st.DataObject, homes: list[Collection], viewer: User
) -> None:
    actions = st.lists(st.sampled_from(["see", "download", "manage", "restricted"]), max_size=2, unique=True)
    for place in (None, *homes):
        grant(viewer, place, *data.draw(actions))
    for home in homes:
        Collection.objects.filter(pk=home.pk).update(inherits=data.draw(st.booleans()))
        changed: dict[str, Any] = {"access": data.draw(st.sampled_from(["public", "staff", "restricted"]))}
        hours = data.draw(st.sampled_from([None, -1, 1]))
        changed["rights_expire_at"] = timezone.now() + timedelta(hours=hours) if hours else None
        Asset.objects.filter(collection=home).update(**changed)
        ids = Asset.objects.filter(collection=home).values("pk")
        SearchRow.objects.filter(asset__in=ids).update(**changed)
    forget(viewer)
    by_rows = set(sql.listed(sql.visible_to(sql.Where(), viewer), "added", 100, 0))
    assert by_rows == set(Asset.objects.visible_to(viewer).values_list("pk", flat=True))


def test_a_new_grant_counts_at_once_whatever_is_remembered(homes: list[Collection], viewer: User) -> None:
    grant(viewer, homes[0], "see")
    assert [path for path, _ in offered.collections(viewer).get()] == ["Prints", "Prints / Japan"]
    grant(viewer, homes[2], "see")
    assert "Drawings" in [path for path, _ in offered.collections(viewer).get()]


# --- writing --------------------------------------------------------------------------------------


def allow(user: User, collection: Collection | None, *actions: str) -> Asset:
    """The picture in a collection, where this person may do exactly this."""
    for place in (None, *Collection.objects.all()):
        grant(user, place)
    grant(user, collection, *actions)
    return Asset.objects.get(collection=collection)


def op(user: User, kind: str = "edit") -> Operation:
    return operation(kind, "", user=user)


def test_what_was_public_is_told_of_by_its_end_of_rights_after_it_is_gone(viewer: User) -> None:
    grant(viewer, None)
    one = asset()
    end = timezone.now() + timedelta(days=1)
    Asset.objects.filter(pk=one.pk).update(access="public", rights_expire_at=end, trashed_at=timezone.now())
    purging.purge([one.pk], None)
    assert Tombstone.objects.visible_to(viewer).get().closes_at == end
    Tombstone.objects.update(closes_at=timezone.now())
    assert not Tombstone.objects.visible_to(viewer).exists()


@pytest.mark.parametrize(
    "actions, patch, allowed",
    [
        (["see"], {"title": "x"}, False),
        (["describe"], {"title": "x"}, True),
        (["describe"], {"add_terms": {"tags": ["x"]}}, True),
        (["describe"], {"access": "public"}, False),
        (["describe"], {"trashed_at": timezone.now()}, False),
        (["describe"], {"embargo_until": timezone.now()}, False),
        (["manage"], {"access": "public", "title": "x"}, True),
    ],
)
def test_each_kind_of_write_needs_its_permission(
    homes: list[Collection], viewer: User, actions: list[str], patch: dict[str, Any], allowed: bool
) -> None:
    one = allow(viewer, homes[1], *actions)
    if allowed:
        assert apply(op(viewer), [one], patch) == 1
        return
    with pytest.raises(NotAllowed):
        apply(op(viewer), [one], patch)
    assert not Change.objects.filter(operation__user=viewer).exists()
    assert apply(operation("edit", ""), [one], patch) == 1  # the system may all


def test_an_end_of_rights_is_set_by_who_describes_and_lifted_by_who_manages(
    homes: list[Collection], viewer: User
) -> None:
    one = allow(viewer, homes[1], "describe")
    apply(op(viewer), [one], {"rights_expire_at": timezone.now()})
    with pytest.raises(NotAllowed, match="closes"):
        apply(op(viewer), [one], {"rights_expire_at": None})
    apply(op(allowed_to(viewer, homes[1], "manage")), [one], {"rights_expire_at": None})


@pytest.mark.parametrize(
    "before, after, widens",
    [
        ({"rights": "InC"}, {"rights": "CC0"}, True),
        ({"rights": "InC"}, {"rights": "somebody's"}, True),
        ({"rights": "InC"}, {"rights": "InC-EDU"}, False),
        ({"rights": "CC BY"}, {"rights": "InC"}, False),
        ({"rights": "CNE"}, {"rights": "CC0"}, True),  # of which a purpose is asked
        ({"not_for": ["press", "web"]}, {"not_for": ["press"]}, True),
        ({"not_for": ["press"]}, {"not_for": ["press", "web"]}, False),
    ],
)
def test_rights_are_made_freer_by_who_manages_alone(
    homes: list[Collection], viewer: User, before: dict[str, Any], after: dict[str, Any], widens: bool
) -> None:
    LicenceRules(asks_for=["CNE"]).save()
    one, record = allow(viewer, homes[1], "describe"), Record.objects.create(title="A print", **before)
    depict(operation("edit", ""), one, record)
    apply(operation("edit", ""), [one], before)
    for subject in (one, record):
        subject.refresh_from_db()
        if widens:
            with pytest.raises(NotAllowed, match="more than the rights say"):
                apply(op(viewer), [subject], after)
        else:
            assert apply(op(viewer), [subject], after) == 1
    allowed_to(viewer, homes[1], "manage")
    apply(operation("edit", ""), [one, record], before)
    assert apply(op(viewer), [one, record], after) == 2


def test_a_picture_does_not_lose_its_rights_with_its_object(homes: list[Collection], viewer: User) -> None:
    one = allow(viewer, homes[1], "describe")
    record = Record.objects.create(title="A print", rights="InC")
    other = Record.objects.create(title="Another", accession_number="2", accession_key="2")
    depict(operation("edit", ""), one, record)
    by_mistake = op(viewer)
    apply(by_mistake, [one], {"rights": "InC-EDU"})
    undo(by_mistake, viewer)  # one's own, of which nobody has another
    for act in (
        lambda: undepict(op(viewer), one, record),
        lambda: depict_only(op(viewer), one, other),
        lambda: apply(op(viewer), [record], {"trashed_at": timezone.now()}),
    ):
        with pytest.raises(NotAllowed, match="more than the rights say"):
            act()
    assert undepict(op(allowed_to(viewer, homes[1], "manage")), one, record)


def allowed_to(user: User, collection: Collection, *actions: str) -> User:
    grant(user, collection, *actions)
    return user


def test_a_picture_moves_where_one_may_describe_alone(homes: list[Collection], viewer: User) -> None:
    prints, japan, drawings = homes
    one = allow(viewer, japan, "manage")
    with pytest.raises(NotAllowed, match="Drawings"):
        apply(op(viewer), [one], {"collection": drawings})
    grant_more(viewer, drawings, "describe")
    assert apply(op(viewer), [one], {"collection": drawings}) == 1
    with pytest.raises(NotAllowed):
        apply(op(viewer), [one], {"collection": japan})


def grant_more(user: User, collection: Collection, *actions: str) -> None:
    Grant.objects.create(group=user.groups.get(), collection=collection, actions=list(actions))
    forget(user)


def test_an_undo_needs_what_the_change_needed_but_ones_own_upload_can_go(
    homes: list[Collection], viewer: User, admin: User
) -> None:
    one = allow(viewer, homes[1], "describe")
    hidden = op(admin)
    apply(hidden, [one], {"access": "public"})
    with pytest.raises(NotAllowed):
        undo(hidden, viewer)
    outcome = take_in(picture("blue"), user=viewer, collection="Prints / Japan")
    assert outcome.asset and outcome.outcome == "accepted"
    upload = Operation.objects.get(kind="upload", user=viewer)
    undo(upload, viewer)
    assert Asset.objects.trashed().get().pk == outcome.asset.pk
    refused = take_in(picture("green"), user=viewer, collection="Drawings")
    assert refused.asset is None and "Drawings" in refused.reason
    fresh = take_in(picture("green"), user=viewer, collection="Prints / Japan / New")
    assert fresh.asset is not None and fresh.asset.collection.name == "New"


def test_an_object_is_described_by_who_describes_one_of_its_pictures(
    homes: list[Collection], viewer: User
) -> None:
    record = Record.objects.create(title="A print", accession_number="1", accession_key="1")
    one = allow(viewer, homes[1], "describe")
    assert apply(op(viewer), [record], {"title": "Without a picture"}) == 1
    depict(operation("edit", ""), Asset.objects.get(collection=homes[2]), record)
    with pytest.raises(NotAllowed):
        apply(op(viewer), [record], {"title": "Of a picture elsewhere"})
    depict(operation("edit", ""), one, record)
    assert apply(op(viewer), [record], {"title": "Of one here too"}) == 1


def test_many_are_changed_without_those_that_one_may_not(homes: list[Collection], viewer: User) -> None:
    allow(viewer, homes[1], "describe")
    grant_more(viewer, homes[2], "see")
    wanted = [Wanted(one, {"title": "x"}) for one in changes.lock(Asset.objects.visible_to(viewer))]
    foreseen = changes.foreseen_many(wanted, lambda labels: {}, viewer)
    assert len(foreseen.steps) == 1 and len(foreseen.refused) == 1
    done = changes.apply_many(op(viewer), wanted)
    assert len(done.steps) == 1 and Asset.objects.filter(title="x").get().collection == homes[1]


def test_collections_and_words_of_the_vocabulary(homes: list[Collection], viewer: User) -> None:
    allow(viewer, homes[1], "describe")
    tags = Vocabulary.objects.get(slug="tags")
    term = Term.objects.create(vocabulary=tags, key="x", label="x")
    for refused in (
        lambda: collections.make(op(viewer), "New", homes[1]),
        lambda: collections.change(op(viewer), homes[1], {"name": "New"}),
        lambda: collections.delete(op(viewer), homes[1]),
        lambda: changes.change_terms(op(viewer), {term.pk: {"label": "y"}}),
    ):
        with pytest.raises(NotAllowed):
            refused()
    changes.create_terms(op(viewer), [Term(vocabulary=tags, label="z")])
    grant(viewer, homes[1], "manage")
    assert collections.make(op(viewer), "New", homes[1]).parent == homes[1]
    assert changes.change_terms(op(viewer), {term.pk: {"label": "y"}}) == 1
    with pytest.raises(NotAllowed, match="at the top"):
        collections.make(op(viewer), "New", None)
    with pytest.raises(NotAllowed):
        collections.change(op(viewer), homes[1], {"parent": homes[2]})


def test_grants_have_a_history_and_nobody_gives_what_they_have_not(
    homes: list[Collection], viewer: User
) -> None:
    allow(viewer, homes[0], "manage")
    own, team = viewer.groups.get(), Group.objects.create(name="Team")
    for wanted in (["original"], ["restricted"]):
        with pytest.raises(NotAllowed, match="only what you may"):
            grants.change(op(viewer), homes[0], {own.pk: ["manage"], team.pk: wanted})
    for place in (None, homes[2]):
        with pytest.raises(NotAllowed):
            grants.change(op(viewer), place, {team.pk: ["see"]})
    one = op(viewer)
    assert grants.change(one, homes[0], {own.pk: ["manage"], team.pk: ["see"]}, inherits=False)
    assert grants.granted(homes[0]) == {own.pk: ["manage"], team.pk: ["see"]}
    assert not Collection.objects.get(pk=homes[0].pk).inherits
    undo(one, viewer)
    assert grants.granted(homes[0]) == {own.pk: ["manage"]}
    assert Collection.objects.get(pk=homes[0].pk).inherits


def test_what_counts_above_is_let_in_by_who_may_all_of_it(homes: list[Collection], viewer: User) -> None:
    """Neither by the switch nor by moving the collection."""
    prints, japan, drawings = homes
    Grant.objects.all().delete()
    allow(viewer, japan, "manage", "share")
    Collection.objects.filter(pk=japan.pk).update(inherits=False)
    team = Group.objects.create(name="Team")
    above = Grant.objects.create(group=team, collection=prints, actions=["restricted"])
    own = grants.granted(japan)
    with pytest.raises(NotAllowed, match="what you may not do yourself"):
        grants.change(op(viewer), japan, own, inherits=True)
    assert not Collection.objects.get(pk=japan.pk).inherits
    Grant.objects.filter(pk=above.pk).update(actions=["share"])
    assert grants.change(op(viewer), japan, own, inherits=True)
    grant_more(viewer, prints, "manage")
    grant_more(viewer, drawings, "manage")
    Grant.objects.create(group=team, collection=drawings, actions=["restricted"])
    with pytest.raises(NotAllowed, match="what you may not do yourself"):
        collections.change(op(viewer), japan, {"parent": drawings})
    Collection.objects.filter(pk=japan.pk).update(inherits=False)
    assert collections.change(op(viewer), japan, {"parent": drawings})  # it goes on beginning anew


def test_a_deleted_collection_comes_back_as_closed_as_it_was(admin: User) -> None:
    secret = collections.make(op(admin), "Secret", None)
    team = Group.objects.create(name="Team")
    grants.change(op(admin), secret, {team.pk: ["see"]}, inherits=False)
    deleted = op(admin)
    collections.delete(deleted, secret)
    undo(deleted, admin)
    back = Collection.objects.get(name="Secret")
    assert not back.inherits and grants.granted(back) == {team.pk: ["see"]}


# --- pages ----------------------------------------------------------------------------------------


def test_a_page_offers_what_one_may_do_and_refuses_the_rest(
    homes: list[Collection], browser: Client, viewer: User
) -> None:
    one = allow(viewer, homes[1], "see")
    shown = browser.get(one.get_absolute_url()).content.decode()
    for address in ("assets:download", "assets:trash", "assets:tags", "assets:edit"):
        assert f'"{reverse(address, args=[one.uid])}' not in shown
    for address in ("assets:download", "assets:original", "assets:sidecar"):
        assert browser.get(reverse(address, args=[one.uid])).status_code == 403
    for address, sent in (("assets:trash", {}), ("assets:tags", {"add": "x"})):
        answer = browser.post(reverse(address, args=[one.uid]), sent)
        assert answer.status_code == 403 and "You may not" in answer.content.decode()
    assert browser.get(reverse("assets:upload")).status_code == 403
    assert not Change.objects.filter(operation__user=viewer).exists()
    grant(viewer, homes[1], "original", "manage")
    shown = browser.get(one.get_absolute_url()).content.decode()
    for address in ("assets:download", "assets:trash", "assets:tags", "assets:edit"):
        assert f'"{reverse(address, args=[one.uid])}' in shown


def test_somebody_without_a_role_is_told_whom_to_ask(browser: Client, viewer: User) -> None:
    viewer.groups.clear()
    assert "Ask an administrator" in browser.get("/").content.decode()


def test_who_sees_a_collection_is_said_previewed_changed_and_undone(
    homes: list[Collection], browser: Client, viewer: User, admin: User
) -> None:
    page = homes[0].get_absolute_url()
    said = "2 people can see this: Cataloguers, Curators and Viewers of the whole library; 1 administrator."
    assert said in browser.get(page).content.decode()
    address = reverse("assets:collection_access", args=[homes[0].uid])
    shown = browser.get(address).content.decode()
    assert "from above: see and download copies" in shown and "for 1 collection inside" in shown
    curators = Group.objects.get(name="Curators")
    preview = browser.post(address, {str(curators.pk): ["see"]}).content.decode()
    assert "Curators: from now on also see." in preview and "could not manage it any more" in preview
    assert not Grant.objects.filter(collection=homes[0]).exists()
    sent = {str(curators.pk): ["manage"], "confirmed": "yes"}
    assert browser.post(address, sent).status_code == 302
    managed = browser.get(page).content.decode()
    assert "of this collection" in managed and "Curators: <ins>manage</ins>" in managed
    done = Operation.objects.get(kind="access")
    browser.post(reverse("assets:undo", args=[done.uid]))
    assert said in browser.get(page).content.decode()
    assert browser.get(reverse("assets:library_access")).status_code == 403


def test_a_history_says_from_what_to_what_and_names_no_collection_that_is_not_seen(
    homes: list[Collection], browser: Client, viewer: User, admin: User
) -> None:
    prints, japan, drawings = homes
    shown = Asset.objects.get(collection=prints)
    for home in (drawings, prints):
        label = f"Move to the collection {home.name} (1 picture)"
        apply(operation("bulk", label, user=admin), [shown], {"collection": home})
    collections.change(op(admin), japan, {"name": "Far East", "parent": drawings})
    collections.change(op(admin), japan, {"parent": prints})
    grants.change(op(admin), japan, {Group.objects.get(name="Viewers").pk: ["see", "share"]})
    pages = [shown.get_absolute_url(), f"{shown.get_absolute_url()}history.csv", japan.get_absolute_url()]

    def told() -> list[str]:
        answers = [browser.get(page) for page in pages]
        return [b"".join(one).decode() for one in answers]

    assert all("Drawings" in text for text in told())
    assert (
        "Name: <del>Japan</del> → <ins>Far East</ins>" in told()[2]
        and "Viewers: <ins>see and share" in told()[2]
    )
    grant(viewer, prints, "see")
    picture_page, table, collection_page = told()
    assert not any("Drawings" in text for text in (picture_page, table, collection_page))
    assert "another collection" in picture_page and "Moved to another collection" in table
    assert "Name: <del>Japan" in collection_page and "Viewers: <ins>" not in collection_page
