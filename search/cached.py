"""What Redis remembers for searches. Every key has a time to live; without Redis all still works, slower."""

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from django.core.cache import cache
from django.db.models import QuerySet
from redis.exceptions import RedisError

from search import sql, together
from search.ranking import Hit, Ranking
from search.sql import Vector

T = TypeVar("T")
log = logging.getLogger(__name__)
RANKING_SECONDS, VECTOR_SECONDS, PICTURE_SECONDS, WORDS_SECONDS = 600, 86_400, 3600, 86_400
MAX_PICTURE_BYTES = 30 * 1024**2


def ranking(key: str) -> Ranking | None:
    stored = _get(f"ranked:{key}")
    return None if stored is None else Ranking([Hit(*values) for values in stored[0]], *stored[1:])


def keep_ranking(key: str, ranking: Ranking) -> None:
    hits = [(hit.asset_id, hit.score, hit.signals, hit.strong) for hit in ranking.hits]
    told = (ranking.matched, ranking.strong, ranking.whole, ranking.more_strong)
    _set(f"ranked:{key}", (hits, *told), RANKING_SECONDS)


def vector(space: str, text: str, of: str = "text") -> Vector | None:
    """What `text` says, or the detail that it names, where it is `of` a region."""
    stored = _get(_vector_key(space, text, of))
    return None if stored is None else np.frombuffer(stored, dtype=np.float32)


def keep_vector(space: str, text: str, value: Vector, of: str = "text") -> None:
    _set(_vector_key(space, text, of), value.astype(np.float32).tobytes(), VECTOR_SECONDS)


def words(key: str) -> tuple[Any, ...] | None:
    """The values of a search.frequent.List."""
    found: tuple[Any, ...] | None = _get(f"words:{key}")
    return found


def keep_words(key: str, values: tuple[Any, ...]) -> None:
    _set(f"words:{key}", values, WORDS_SECONDS)


def keep_picture(content: bytes) -> str:
    """Keep an uploaded picture to search by; the token that comes back goes into the address."""
    token = secrets.token_urlsafe(16)
    _set(f"picture:{token}", content, PICTURE_SECONDS)
    return token


def picture(token: str) -> bytes | None:
    found: bytes | None = _get(f"picture:{token}")
    return found


def for_a_minute(
    name: str, compute: Callable[[], T], seconds: int = 60, worth: Callable[[T], bool] = lambda value: True
) -> T:
    """A value that is the same for everybody, computed at most once a minute, or once in so many seconds.

    One that is not `worth` it is computed each time.
    """
    found: T | None = within_a_minute(name)
    if found is None:
        found = compute()
        if worth(found):
            keep_for_a_minute(name, found, seconds)
    return found


def within_a_minute(name: str) -> Any:
    """What `for_a_minute` remembers, or None."""
    return _get(f"minute:{name}")


def keep_for_a_minute(name: str, value: Any, seconds: int = 60) -> None:
    _set(f"minute:{name}", value, seconds)


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value that is asked of the database once in so many seconds, for all to whom it is the same."""

    name: str
    asked: Callable[[], sql.Fragment | None]
    """Makes the statement, which takes a while too; None where it is known that there are no rows."""
    read: Callable[[list[tuple[Any, ...]]], T]
    """The value, of the rows that were asked for: as JSON has them."""
    seconds: int = 60
    """0: it is asked each time."""

    @classmethod
    def number(cls, name: str, found: Callable[[], QuerySet[Any]], seconds: int) -> "Kept[int]":
        """How many there are."""

        def asked() -> sql.Fragment | None:
            every = together.of(found(), "pk")
            return every and sql.Fragment(f"SELECT count(*) FROM ({every.sql}) AS found", every.params)  # noqa: S608

        return Kept(name, asked, lambda rows: int(rows[0][0]) if rows else 0, seconds)

    def get(self) -> T:
        """As it is remembered, else by a statement of its own."""
        found: T | None = within_a_minute(self.name) if self.seconds else None
        return self.told(together.ask([self.asked()])[0]) if found is None else found

    def told(self, rows: list[tuple[Any, ...]]) -> T:
        """The value of these rows, remembered."""
        found = self.read(rows)
        if self.seconds:
            keep_for_a_minute(self.name, found, self.seconds)
        return found


def remembered(values: Mapping[str, Kept[Any]]) -> dict[str, Any]:
    """Those of these that are, by one look into the cache."""
    names = {f"minute:{one.name}": key for key, one in values.items() if one.seconds}
    try:
        return {names[name]: value for name, value in cache.get_many(names).items() if value is not None}
    except (RedisError, OSError) as error:
        log.warning("The cache cannot be read: %s", error)
        return {}


def _vector_key(space: str, text: str, of: str) -> str:
    return f"vector:{of}:{space}:{hashlib.sha256(text.encode()).hexdigest()}"


def _get(key: str) -> Any:
    try:
        return cache.get(key)
    except (RedisError, OSError) as error:
        log.warning("The cache cannot be read: %s", error)
        return None


def _set(key: str, value: Any, seconds: int) -> None:
    try:
        cache.set(key, value, seconds)
    except (RedisError, OSError) as error:
        log.warning("The cache cannot be written: %s", error)
