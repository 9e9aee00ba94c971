"""The pictures whose description would teach the most, for one person: chosen by a worker, kept for a day."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from celery import current_app
from django.conf import settings
from django.core.cache import cache

from accounts.models import User
from assets.models import Asset
from assets.scopes import Action, scope_of
from search import encoders, kept, spaces, sql
from search.learning import next as choice
from search.learning.encoder import LearnedEncoder
from search.models import Lesson

TASK = "search.choose_to_describe"
COUNT, MOST, CHUNK = 20, 100_000, 2000
SPARE = 20  # chosen beside them, for when some have been described since
SECONDS, AT_WORK_SECONDS = 86_400, 600
KNOWN = {"alt_text": "alt", "tags": "tag", "creators": "creator", "places": "place", "subjects": "subject"}
"""What SearchRow.has calls the fields of settings.LEARN_FIELDS that it calls otherwise."""


@dataclass(frozen=True)
class ToDescribe:
    asset: Asset
    alike: int
    described: int


def chosen(user: User) -> list[ToDescribe] | None:
    """Those of the choice that this person may see and describe and that still have no words; None while
    it is being made, which asking for it begins.
    """
    found = _kept(user)
    if found is None:
        return None
    where = _may_describe(user).add("r.asset_id = ANY(%s)", [pk for pk, *_ in found])
    still = sql.listed(where.add("NOT r.has && %s::varchar[]", fields()), "added", len(found), 0)
    assets = Asset.objects.for_grid().in_bulk(still)
    return [ToDescribe(assets[pk], *counts) for pk, *counts in found if pk in assets][:COUNT]


def is_chosen(user: User) -> bool:
    """Whether there is a choice for this person; else asking begins it."""
    return _kept(user) is not None


def _kept(user: User) -> list[tuple[int, int, int]] | None:
    """(asset, alike, described) of each."""
    key = _key(user)
    found: list[tuple[int, int, int]] | None = cache.get(key)
    if found is None and cache.add(f"{key}:at-work", True, AT_WORK_SECONDS):
        current_app.send_task(TASK, kwargs={"user_id": user.pk})
    return found


def choose(user_id: int) -> None:
    """Make the choice for a person, and keep it. Raises EncoderError."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    space = spaces.active()
    if user is None or space is None:
        return
    encoder = spaces.encoder_of(space)
    base = encoder.base if isinstance(encoder, LearnedEncoder) else encoder
    model, where = encoders.looking(base).features_name, _may_describe(user)
    asked = (fields(), settings.LEARN_FROM_RESTRICTED, MOST)
    pool = kept.to_describe(model, where, *asked)
    told = kept.described(model, sql.visible_to(sql.Where(), user), *asked)
    found = choice.choose(lambda: _chunks(model, pool), lambda: _chunks(model, told), COUNT + SPARE)
    key = _key(user)
    cache.set(key, [(one.id, one.alike, one.described) for one in found], SECONDS)
    cache.delete(f"{key}:at-work")


def _may_describe(user: User) -> sql.Where:
    homes = scope_of(user).of(Action.DESCRIBE)
    return sql.visible_to(sql.Where(), user).add(homes.sql("r.home_collection_id"))


def fields() -> list[str]:
    """Those of settings.LEARN_FIELDS, as SearchRow.has calls them."""
    return [KNOWN.get(field, field) for field in settings.LEARN_FIELDS]


def _chunks(model: str, pictures: kept.Ids) -> Iterator[tuple[choice.Ids, choice.Rows]]:
    for start in range(0, len(pictures), CHUNK):
        some = dict(pictures[start : start + CHUNK])
        features = kept.features(model, list(some.values()))
        here = [asset for asset, version in some.items() if version in features]
        if here:
            yield np.array(here, np.int64), np.stack([features[some[pk]] for pk in here])


def _key(user: User) -> str:
    """Another one as soon as something was learned, or the person may do other things."""
    newest = Lesson.objects.values_list("pk", flat=True).first()
    return f"to-describe:{user.pk}:{scope_of(user).key}:{newest}:{'-'.join(settings.LEARN_FIELDS)}"
