"""Whatever is hidden from somebody: all answers are as in a library from which it was really deleted.

Random libraries and permissions. The same questions are put by somebody with grants, and, after the hidden
assets have been deleted, by an administrator. On the exact ways all must be equal; the walk along the index
is approximate, so that there the totals and facets must be, and nothing hidden may show.
"""

import os
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from accounts.models import User
from assets.models import (
    Asset,
    AssetTerm,
    AssetVersion,
    Collection,
    DuplicateCandidate,
    Grant,
    StageRun,
    Term,
)
from assets.querysets import AssetQuerySet
from assets.scopes import forget
from search import alerts, home, labels, lexicon, offered, rows, sql, strength, tag_suggestions
from search.facets import facets
from search.hybrid import SORTS, HybridQuery
from search.models import EmbeddingSpace, SavedMatch, SavedSearch, SearchRow
from search.planner import EXACT, WALK
from search.query import run
from search.saved import numbers_of_news
from search.suggestions import suggest
from tests.search.test_ways import WAYS, go

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("forced")]
EXAMPLES = int(os.environ.get("AS_IF_EXAMPLES", "5"))
SAYS = ("red", "boat", "boats", "boot", "coat", "river", "rover")
TAGS = ("oil", "oak", "oar", "old")
PATHS = ("Prints", "Prints / Japan", "Prints / Japan / Old", "Drawings", "Drawings / Small")
TEXTS = ("", "red", "red boat", "boat -river", "baot", "rivr", "tag:oli", "collection:Drawing", "bout red")
FILTERS = ("tag:oil", "-tag:oak", "date:1800..1850", "collection:Prints", "rights:expired")
BEGINNINGS = ("o", "tag:o", "bo", "r", "collection:d", "p")
ACTIONS = st.sets(st.sampled_from(["see", "see", "download", "restricted", "manage"]), max_size=2)
FACT: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "home": st.integers(0, len(PATHS) - 1),
        "access": st.sampled_from(["staff", "staff", "staff", "public", "restricted"]),
        "embargo": st.sampled_from([False, False, False, True]),
        "trashed": st.sampled_from([False, False, False, False, True]),
        "title": st.lists(st.sampled_from(SAYS), max_size=2).map(" ".join),
        "text": st.lists(st.sampled_from(SAYS), max_size=3).map(" ".join),
        "tags": st.sets(st.sampled_from(TAGS), max_size=3),
        "year": st.sampled_from([None, 1799, 1800, 1850, 1900]),
        "waits": st.sampled_from([False, True]),
        "fails": st.sampled_from([False, False, True]),
    }
)


@pytest.fixture
def homes(thirty: list[int], monkeypatch: pytest.MonkeyPatch) -> list[Collection]:
    """Nested collections. Of a small library too, something is concluded from its likenesses."""
    monkeypatch.setattr(strength, "FEWEST", 5)
    monkeypatch.setattr(tag_suggestions, "ENOUGH", 5)
    monkeypatch.setattr(tag_suggestions, "SHOWN", 0.0)
    for label in TAGS:
        Term.objects.labelled("tags", label)
    return [Collection.objects.named(path) for path in PATHS]


def store(
    data: st.DataObject, ids: list[int], homes: list[Collection], space: EmbeddingSpace
) -> dict[int, dict[str, Any]]:
    """Draw what the pictures are and where they live, and write it where the application would."""
    facts = {pk: data.draw(FACT) for pk in ids}
    later = timezone.now() + timedelta(days=1)
    assets = list(Asset.objects.filter(pk__in=ids).order_by("pk"))
    for one in assets:
        fact = facts[one.pk]
        one.collection, one.access = homes[fact["home"]], fact["access"]
        one.embargo_until = later if fact["embargo"] else None
        one.trashed_at = timezone.now() if fact["trashed"] else None
        one.title, one.description, one.year_earliest = fact["title"], fact["text"], fact["year"]
    written = ("collection", "access", "embargo_until", "trashed_at", "title", "description", "year_earliest")
    Asset.objects.bulk_update(assets, written)
    terms = {label: Term.objects.labelled("tags", label) for label in TAGS}
    AssetTerm.objects.all().delete()
    AssetTerm.objects.bulk_create(
        AssetTerm(asset_id=pk, term=terms[tag]) for pk, fact in facts.items() for tag in fact["tags"]
    )
    rows.refresh(ids)
    versions = {one.pk: one.current_version_id or 0 for one in assets}
    StageRun.every.all().delete()
    StageRun.every.bulk_create(
        StageRun(version_id=versions[pk], stage=stage, variant=0, state=state)
        for pk, fact in facts.items()
        for stage, state, wanted in (
            ("vectorise_picture", "waiting", fact["waits"]),
            ("extract_metadata", "failed", fact["fails"]),
        )
        if wanted
    )
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    for kind in ("visual", "words"):
        vectors = draw.normal(size=(len(ids), space.dimensions)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for pk, vector in zip(ids, vectors, strict=True):
            sql.write_vector(space, versions[pk], pk, kind, vector)
    DuplicateCandidate.objects.all().delete()
    pairs = {tuple(sorted(draw.choice(ids, 2, replace=False).tolist())) for _ in range(12)}
    DuplicateCandidate.objects.bulk_create(
        DuplicateCandidate(first_id=a, second_id=b, distance=3, state="alike") for a, b in pairs
    )
    return facts


def permit(data: st.DataObject, homes: list[Collection], viewer: User) -> None:
    """Two groups with grants drawn by lot; some collections begin anew."""
    viewer.groups.clear()
    for name in ("one", "other"):
        group, _ = Group.objects.get_or_create(name=name)
        Grant.objects.filter(group=group).delete()
        for place in data.draw(st.sets(st.sampled_from([None, *homes]), min_size=1, max_size=3)):
            if actions := data.draw(ACTIONS):
                Grant.objects.create(group=group, collection=place, actions=sorted(actions))
        viewer.groups.add(group)
    for one in homes:
        one.inherits = data.draw(st.sampled_from([True, True, False]))
    Collection.objects.bulk_update(homes, ["inherits"])
    forget(viewer)


def delete(hidden: AssetQuerySet) -> None:
    """For good: the rows of these assets and all that hangs on them."""
    ids = list(hidden.values_list("pk", flat=True))
    Asset.objects.filter(pk__in=ids).update(current_version=None)
    AssetVersion.objects.filter(asset__in=ids).delete()
    Asset.objects.filter(pk__in=ids).delete()
    assert not SearchRow.objects.filter(pk__in=ids).exists()


def count_again() -> None:
    """What is counted in the background, of the library as it is."""
    labels.count_pictures(sql.Where().add(sql.OPEN))
    texts = Asset.objects.values_list("title", "description")
    lexicon.forget(timezone.now().date() + timedelta(days=1))
    lexicon.note(lexicon.words_of(text for pair in texts for text in pair))


def searched(query: HybridQuery, way: str) -> dict[str, Any]:
    """All that an answer says, with nothing remembered."""
    cache.clear()
    with pytest.MonkeyPatch.context() as patch:
        go(way, patch)
        found = run(query)
        counted = facets(query)
    hits = [(hit.asset_id, hit.signals, hit.strong, round(hit.score, 9)) for hit in found.hits]
    numbers = {name: getattr(found, name) for name in ("matched", "strong", "ranked", "reachable")}
    return {
        "totals": (found.total, found.awaited),
        "facets": counted,
        "hits": hits,
        **numbers,
        **{"notices": found.notices, "mistakes": found.mistakes, "meant": found.did_you_mean},
    }


def around(user: User, seen: list[int], query: HybridQuery) -> dict[str, Any]:
    """Everything beside the results that says something of the library."""
    cache.clear()
    glance, work = home.glance(user), home.work(user)
    holding = {path for pk in seen for path in above(Asset.objects.get(pk=pk).collection)}
    question = "&".join([f"q={query.text}", *(f"filter={one}" for one in query.filters)])
    saved = SavedSearch.objects.create(
        owner=user, name="kept", question=question, alert_since=timezone.now() - timedelta(days=1)
    )
    SavedMatch.objects.bulk_create(
        SavedMatch(search=saved, asset_id=pk, found_at=timezone.now() + timedelta(seconds=9))
        for pk in Asset.objects.values_list("pk", flat=True)
    )
    return {
        "suggestions": [suggest(text, user) for text in BEGINNINGS],
        "glance": glance,
        "work": {name: work.get(name, 0) for name in ("failed", "alike")},
        "recent": [card.asset.pk for card in home.recent(user)],
        "tags offered": offered.tags(user).get(),
        "collections": [path for path, _ in offered.collections(user).get() if path in holding],
        "attention": {"failed": offered.failed(user).get(), "demo": offered.demo(user).get()},
        "alerts": alerts.matching(saved, seen),
        "news": list(numbers_of_news(user).values()),
        "tags": [tag_suggestions.suggest(pk, user) for pk in seen[:3]],
    }


def above(collection: Collection | None) -> list[str]:
    """The paths of a collection and of those that contain it."""
    names: list[str] = []
    while collection is not None:
        names.insert(0, collection.name)
        collection = collection.parent
    return [" / ".join(names[:depth]) for depth in range(1, len(names) + 1)]


def questions(data: st.DataObject, user: User, ids: list[int]) -> HybridQuery:
    return HybridQuery(
        user=user,
        text=data.draw(st.sampled_from(TEXTS)),
        filters=tuple(sorted(data.draw(st.sets(st.sampled_from(FILTERS), max_size=1)))),
        tags=tuple(sorted(data.draw(st.sets(st.sampled_from(TAGS), max_size=1)))),
        liked=tuple(sorted(data.draw(st.sets(st.sampled_from(ids), max_size=1)))),
        unliked=tuple(sorted(data.draw(st.sets(st.sampled_from(ids), max_size=1)))),
        mode=data.draw(st.sampled_from(["best", "keywords", "visual"])),
        sort=data.draw(st.sampled_from(["relevance", *SORTS])),
        weak=data.draw(st.booleans()),
    )


# Making a library smaller would take longer than reading it.
@pytest.mark.slow
@rules(
    max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_what_is_hidden_might_as_well_not_be_there(
    data: st.DataObject,
    thirty: list[int],
    homes: list[Collection],
    space: EmbeddingSpace,
    viewer: User,
    admin: User,
) -> None:
    store(data, thirty, homes, space)
    permit(data, homes, viewer)
    asked = [questions(data, viewer, thirty) for _ in range(3)]
    seen = list(Asset.objects.live().visible_to(viewer).order_by("pk").values_list("pk", flat=True))
    ask = partial(answers, asked, seen)
    count_again()
    with transaction.atomic():
        given = ask(viewer)
        transaction.set_rollback(True)
    with transaction.atomic():
        delete(Asset.objects.exclude(pk__in=seen))
        count_again()
        wanted = ask(admin)
        transaction.set_rollback(True)
    for name, value in wanted.items():
        assert given[name] == value, name
    for query in asked:
        walked = searched(query, WALK)
        assert {pk for pk, *_ in walked["hits"]} <= {*seen}
        exact = searched(query, EXACT)
        assert (walked["totals"], walked["facets"]) == (exact["totals"], exact["facets"])


def answers(asked: list[HybridQuery], seen: list[int], user: User) -> dict[str, Any]:
    """All that this person is told, by what it is."""
    found = around(user, seen, asked[0])
    for number, query in enumerate(asked):
        for way in WAYS:
            if way != WALK:
                told = searched(replace(query, user=user), way)
                found |= {f"{name} of question {number}, {way}": value for name, value in told.items()}
    return found
