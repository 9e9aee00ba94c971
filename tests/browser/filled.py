"""Something of everything, so that no page is empty: run inside a system of its own, by `manage.py shell`."""

import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.views.defaults import server_error

from accounts.models import ApiToken
from assets import changes, licensing, light_tables, purging, records, versions
from assets.bulk import running as bulk_running
from assets.bulk import selecting
from assets.changes import collections, grants
from assets.consents import Consent
from assets.imports import running, starting
from assets.imports.mapping import Columns
from assets.models import (
    Asset,
    BulkJob,
    Change,
    Collection,
    Depiction,
    DuplicateCandidate,
    Import,
    ShareLink,
    Term,
    TermWork,
    Vocabulary,
)
from assets.sharing import links
from assets.terms import editing, importing
from assets.terms import work as term_work
from assets.views import collection_history, term_history
from search import saved
from search.forms import Wish
from search.models import TagGuess, TagLesson
from tests.factories import encoded, scene

TABLE = "File;Number;Title\nmissing.jpg;A 1;Sea\n;A 2;Town\n"


def fill() -> dict[str, dict[str, str]]:
    """`pages`: the address of each page by the name of its view, with what distinguishes it behind a space
    where a view has several; `answers`: what is not reached by a link, such as errors, as HTML by a name."""
    user = get_user_model().objects.get(is_superuser=True)
    shown = list(Asset.objects.live().exclude(current_version=None).order_by("pk")[:8])
    pages = {
        **of_library(user, shown),
        **of_pictures(user, shown),
        **of_collections(user, shown),
        **of_bulk(user, shown),
        **of_imports(user),
        **of_vocabulary(user, shown),
        **of_shares(user, shown),
    }
    return {"pages": pages, "answers": answers(user)}


def of_library(user: Any, shown: list[Asset]) -> dict[str, str]:
    changes.apply(
        changes.operation("edit", "Place", user=user), shown[:1], {"latitude": 48.9, "longitude": 2.3}
    )
    kept = saved.keep(user, "Everything with a cat", Wish(q="cat"), shared=True, alert=True)
    library = reverse("search:library")
    return {
        "search:library": f"{library}?q=astronaut&why=1",
        "search:library list": f"{library}?view=list&collection=Demonstration",
        "search:library timeline": f"{library}?view=timeline&q=-tag:unheard-of",
        "search:library map": f"{library}?view=map",
        "search:library nothing": f"{library}?q=title:unheard-of",
        "search:library like": f"{library}?like={shown[0].uid}",
        "search:home": reverse("search:home"),
        "search:facets": reverse("search:facets"),
        "search:models": reverse("search:models"),
        "search:suggested": reverse("search:suggested"),
        "search:learning": reverse("search:learning"),
        "search:tag_queue": guessed(user, shown),
        "search:suggested_tags": reverse("search:suggested_tags", args=[shown[4].uid]),
        "search:saved": reverse("search:saved"),
        "search:saved_one": reverse("search:saved_one", args=[kept.uid]),
        "search:saved_delete": reverse("search:saved_delete", args=[kept.uid]),
        "account": reverse("account"),
        "account_reauthenticate": reverse("account_reauthenticate"),
        "new_token": reverse("new_token"),
        "revoke_token": reverse("revoke_token", args=[token_of(user).pk]),
        "preferences": reverse("preferences"),
        "password_change": reverse("password_change"),
        "password_change_done": reverse("password_change_done"),
    }


def guessed(user: Any, shown: list[Asset]) -> str:
    """The page of learned tags, with something on it."""
    labels = ["harbours", "ships"]
    tagged = changes.operation("edit", "Tagged", user=user)
    changes.apply(tagged, [shown[0]], {"add_terms": {"tags": labels}})
    lesson = TagLesson.objects.create(model="none", pictures=20, tags=2, sha256="0" * 64)
    for n, asset in enumerate(shown[1:6]):
        term = Term.objects.labelled("tags", labels[n % 2])
        TagGuess.objects.create(asset=asset, term=term, probability=0.95 - n / 20, lesson=lesson)
    return reverse("search:tag_queue")


def token_of(user: Any) -> ApiToken:
    ApiToken.objects.issue(user, "The website", expires_at=timezone.now())
    return user.api_tokens.get(name="The website")


def of_pictures(user: Any, shown: list[Asset]) -> dict[str, str]:
    named = {"creators": ["Anna Ancher"], "tags": ["boats"]}
    words = {"title": "Harbour", "accession_number": "1901-1", "terms": named}
    record, _ = records.make(words, user, shown[0], None)
    Depiction.objects.create(record=record, asset=shown[1], view=Depiction.View.VERSO, position=1)
    records.make({"title": "Awaited", "accession_number": "1901-2"}, user, None, shown[0].collection)
    trashed, gone = records.make({"title": "Old"}, user, None, None)[0], shown[6]
    changes.apply(changes.operation("trash", "Old", user=user), [trashed], {"trashed_at": timezone.now()})
    changes.trash([gone, shown[7]], user)
    versions.put(shown[2], ContentFile(encoded(scene(1))), "again.jpg", user)
    pair = sorted(shown[3:5], key=lambda one: one.pk)
    DuplicateCandidate.objects.get_or_create(
        first=pair[0], second=pair[1], defaults={"distance": 3, "state": DuplicateCandidate.State.ALIKE}
    )
    two = [one.uid for one in pair]
    same = [shown[2].uid, shown[5].uid]
    changes.relate(shown[2], shown[5], "duplicate_of", user)
    edited = _operation(record.pk, "record")
    return {
        "assets:asset": shown[0].get_absolute_url(),
        "assets:asset versions": shown[2].get_absolute_url(),
        "assets:asset trashed": gone.get_absolute_url(),
        "assets:edit": reverse("assets:edit", args=[shown[0].uid]),
        "assets:delete": reverse("assets:delete", args=[gone.uid]),
        "assets:version": reverse("assets:version", args=[shown[2].uid, 1]),
        "assets:record": reverse("assets:record", args=[record.uid]),
        "assets:edit_record": reverse("assets:edit_record", args=[record.uid]),
        "assets:find_pictures": f"{reverse('assets:find_pictures', args=[record.uid])}?find=a",
        "assets:record_new": reverse("assets:record_new"),
        "assets:record_state_then": reverse("assets:record_state_then", args=[record.uid, edited]),
        "assets:upload": reverse("assets:upload"),
        "assets:trashed": reverse("assets:trashed"),
        "assets:jobs": reverse("assets:jobs"),
        "assets:duplicates": reverse("assets:duplicates"),
        "assets:pair": reverse("assets:pair", args=two),
        "assets:keep_one": reverse("assets:keep_one", args=same),
        "assets:demo_remove": reverse("assets:demo_remove"),
        **of_rights(user, shown),
    }


def of_rights(user: Any, shown: list[Asset]) -> dict[str, str]:
    ada = Consent("a", "Ada", "Catalogue", "2020-01-02", "2021-01-01", note="In the archive")
    said = {"rights": "InC", "not_for": ["press"], "consents": [ada.plain()]}
    changes.apply(changes.operation("edit", "Rights", user=user), [shown[4]], said)
    licensing.record(shown[4], user, "original", licensing.Purpose("web", "A page"))
    return {
        "assets:asset closed": shown[4].get_absolute_url(),
        "assets:state_then": f"{shown[4].get_absolute_url()}history/{_operation(shown[4].pk, 'asset')}/",
        "assets:consents": reverse("assets:consents", args=[shown[4].uid]),
        "assets:rights": reverse("assets:rights"),
        "assets:purpose": f"{reverse('assets:purpose')}?next={shown[4].get_absolute_url()}",
        "assets:downloads": reverse("assets:downloads"),
    }


def _operation(pk: int, kind: str) -> UUID:
    """The first thing that was done to it by a person."""
    found = Change.objects.filter(object_kind=kind, object_id=pk).exclude(operation__user=None)
    return found.order_by("pk").values_list("operation__uid", flat=True)[0]


def of_collections(user: Any, shown: list[Asset]) -> dict[str, str]:
    op = changes.operation("collection", "Made", user=user)
    above = collections.make(op, "Prints", None, "Everything on paper")
    inner = collections.make(op, "Etchings", above, "")
    described = changes.operation("collection", "Edited the collection Etchings", user=user)
    collections.change(described, inner, {"description": "From plates of copper"})
    volunteers, _made = Group.objects.get_or_create(name="Volunteers")
    for actions in (["see"], ["see", "download"]):
        granted = changes.operation("access", "Changed who may do what in the library")
        grants.change(granted, None, grants.granted(None) | {volunteers.pk: actions})
    table = light_tables.make(user, "Autumn exhibition", "A first choice", shared=True)
    light_tables.add(user, table, [asset.pk for asset in shown[:6]])
    pages = {"assets:collections": reverse("assets:collections")}
    pages |= {"assets:collection": shown[0].collection.get_absolute_url()}
    pages |= {"assets:collection inner": inner.get_absolute_url()}
    pages |= {"assets:library_access": reverse("assets:library_access")}
    for name in ("collection_edit", "collection_delete", "collection_access"):
        pages[f"assets:{name}"] = reverse(f"assets:{name}", args=[shown[0].collection.uid])
    pages["assets:collection_state_then"] = f"{inner.get_absolute_url()}history/{op.uid}/"
    first = collection_history.entries(grants.LIBRARY, user, permissions=True)[-1].of.uid
    pages["assets:library_state_then"] = reverse("assets:library_state_then", args=[first])
    pages |= {"assets:light_tables": reverse("assets:light_tables")}
    for name in ("light_table", "table_edit", "table_print"):
        pages[f"assets:{name}"] = reverse(f"assets:{name}", args=[table.uid])
    return pages


def of_bulk(user: Any, shown: list[Asset]) -> dict[str, str]:
    ids = [asset.pk for asset in shown[:6]]
    chosen, planned, done = (selecting.select(user, ids) for _ in range(3))
    for job, tag in ((planned, "planned together"), (done, "done together")):
        bulk_running.plan(job, {"name": "add_tags", "labels": [tag]})
    bulk_running.start(done)
    until(lambda: bulk_running.step(done.pk), done, BulkJob.State.DONE)
    address = chosen.get_absolute_url()
    return {
        "assets:bulk_jobs": reverse("assets:bulk_jobs"),
        "assets:bulk_job": done.get_absolute_url(),
        "assets:bulk_job chosen": address,
        "assets:bulk_job form": f"{address}?do=replace",
        "assets:bulk_job preview": planned.get_absolute_url(),
        "assets:bulk_download": reverse("assets:bulk_download", args=[chosen.uid]),
        "assets:bulk_table": reverse("assets:bulk_table", args=[chosen.uid]),
    }


def of_imports(user: Any) -> dict[str, str]:
    folder = settings.IMPORTS_DIR / str(uuid4())
    folder.mkdir(parents=True)
    (folder / "list.csv").write_text(TABLE)
    asked, planned, done = (
        starting.begin(user, "list.csv", table=str(folder / "list.csv")) for _ in range(3)
    )
    for delivery in (planned, done):
        starting.choose(delivery, Columns.of(delivery.mapping), {})
        until(lambda one=delivery: running.step(one.pk), delivery, Import.State.PLANNED)
    running.begin(done, Import.State.RUNNING, [Import.State.PLANNED])
    until(lambda: running.step(done.pk), done, Import.State.DONE)
    return {
        "assets:imports": reverse("assets:imports"),
        "assets:import_new": reverse("assets:import_new"),
        "assets:import_columns": reverse("assets:import_columns", args=[asked.uid]),
        "assets:import": done.get_absolute_url(),
        "assets:import planned": planned.get_absolute_url(),
        "assets:import_row": reverse("assets:import_row", args=[done.uid, 2]),
        "assets:import_undo": reverse("assets:import_undo", args=[done.uid]),
    }


def of_vocabulary(user: Any, shown: list[Asset]) -> dict[str, str]:
    tags = Vocabulary.objects.get(slug="tags")
    boats = Term.objects.get(vocabulary=tags, label="boats")
    ship = editing.create(tags, {"label": "sailing ships", "labels": {"de": ["Segelschiffe"]}}, [boats], user)
    editing.edit(ship, {"note": "With masts and sails"}, [boats], user)
    editing.create(tags, {"label": "ketches"}, [ship], user)
    op = changes.operation("edit", "Tagged", user=user)
    changes.apply(op, shown[:3], {"add_terms": {"tags": [ship.label]}})
    changes.apply(op, shown[4:5], {"terms": {"tags": []}})
    path = settings.INCOMING_DIR / f"{uuid4()}.csv"
    path.write_text("term,broader\nbarges,boats\nlighters,nothing known\n")
    work = importing.begin(tags, path, "terms.csv", ["en"], user)
    until(lambda: term_work.step(work.pk), work, TermWork.State.PLANNED)
    pages = {name: reverse(f"assets:{name}") for name in ("vocabularies", "term_works")}
    pages |= {"term_work": work.get_absolute_url(), "vocabularies called": f"{pages['vocabularies']}?q=ships"}
    for name in ("vocabulary", "term_new", "term_import"):
        pages[name] = reverse(f"assets:{name}", args=[tags.slug])
    for name in ("term", "term_uses", "term_edit", "term_merge", "term_delete"):
        pages[name] = reverse(f"assets:{name}", args=[ship.uid])
    pages |= {"term_merge preview": f"{pages['term_merge']}?with=boats"}
    earlier = term_history.entries(ship)[-1].of.uid
    pages |= {"term_state_then": reverse("assets:term_state_then", args=[ship.uid, earlier])}
    maker = Term.objects.get(label="Anna Ancher")
    pages |= {"term_uses maker": reverse("assets:term_uses", args=[maker.uid])}
    return {f"assets:{name}": address for name, address in pages.items()}


def of_shares(user: Any, shown: list[Asset]) -> dict[str, str]:
    def share(password: str = "", **values: Any) -> tuple[ShareLink, str]:
        ends = timezone.now() + timedelta(days=30)
        made = ShareLink(maker=user, kind="selection", label="For you", expires_at=ends, **values)
        made.asset_ids = [asset.pk for asset in shown[:6]]
        return made, reverse("assets:shared", args=[links.make(made, password)])

    link, address = share(message="With best wishes", sizes=ShareLink.Sizes.ORIGINAL)
    links.seen(link, "192.0.2.0/24")
    _, closed = share("behind a door", uses_allowed=3)
    return {
        "assets:shares": reverse("assets:shares"),
        "assets:share_new": f"{reverse('assets:share_new')}?asset={shown[0].uid}",
        "assets:share": link.get_absolute_url(),
        "assets:shared": address,
        "assets:shared door": closed,
        "assets:shared_picture": f"{address}{shown[1].uid}/",
    }


def until(step: Any, job: Any, state: str) -> None:
    """The workers of the system do the same beside it."""
    late = time.monotonic() + 30
    while job.state != state:
        if time.monotonic() > late:
            raise TimeoutError(f"{job!r} is {job.state}, never {state}.")
        if not step():
            time.sleep(0.02)
        job.refresh_from_db()


def answers(user: Any) -> dict[str, str]:
    """The pages that say what went wrong, by their real views, and that of signing in."""
    asset = Asset.objects.create(title="Deleted", collection=Collection.objects.first(), uploaded_by=user)
    changes.trash([asset], user)
    purging.purge([asset.pk], user)
    viewer = get_user_model().objects.create_user("viewer")
    found = {
        "login": got(None, reverse("login")),
        "403": got(viewer, reverse("assets:term_works")),
        "403_csrf": Client(enforce_csrf_checks=True, SERVER_NAME="localhost").post(reverse("login")),
        "404": got(user, "/nowhere/"),
        "404_link": got(None, reverse("assets:shared", args=["ended"])),
        "410": got(user, asset.get_absolute_url()),
        "500": server_error(RequestFactory().get("/")),
        **second_factors(),
    }
    for name, answer in found.items():
        assert answer.status_code == (int(name[:3]) if name[:3].isdigit() else 200), name
    return {name: answer.content.decode() for name, answer in found.items()}


def second_factors() -> dict[str, Any]:
    """The pages that ask first whether it is you, and the step between password and library."""
    person = get_user_model().objects.create_user("keeper", password="a long pass phrase")
    client = Client(SERVER_NAME="localhost")
    step = {"login": "keeper", "password": "a long pass phrase"}
    client.post(reverse("login"), step)
    client.post(reverse("account_reauthenticate"), step)
    found = {name: client.get(reverse(f"mfa_{name}")) for name in ("activate_totp", "add_webauthn")}
    TOTP.activate(person, generate_totp_secret())
    found["mfa_authenticate"] = Client(SERVER_NAME="localhost").post(reverse("login"), step, follow=True)
    return found


def got(user: Any, address: str) -> Any:
    client = Client(SERVER_NAME="localhost")
    if user is not None:
        client.force_login(user)
    return client.get(address)


def main() -> None:
    print(json.dumps(fill()))  # noqa: T201  (it is what the test reads)
