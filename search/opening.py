"""What a page of the library needs before it is known what is found, in one statement.

The space in use, the names that the question has, the examples in it, and whatever stands around the results
and is not remembered.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from accounts.models import User
from assets.models import Asset
from search import asked, cached, likeness, nearest, offered, spaces, sql, together
from search.forms import Wish
from search.language.names import Known
from search.models import EmbeddingSpace
from search.query import filling

Kept = dict[str, cached.Kept[Any]]
SPACE = "search_embeddingspace.id"  # of the one in use, beside which all this is asked


@dataclass(frozen=True)
class Opening:
    space: EmbeddingSpace | None
    known: Known
    examples: dict[UUID, int]
    """By the id in their address, the pictures in the question that this person may see."""
    vectors: dict[int, sql.Vector]
    """Their vectors, as far as they have one."""
    around: dict[str, Any] = field(default_factory=dict)
    """By the name of the value in search.offered."""


def opened(wish: Wish, user: User, *, whole: bool) -> Opening:
    """For the whole page, or for the cards of one more."""
    names = asked.wanted(wish.q, wish.filters, wish.tags, (wish.collection,) if wish.collection else ())
    kept = _kept(wish, user, whole)
    known = cached.remembered(kept | {"scale": SCALE})
    lacking = [name for name in kept if name not in known]
    every = [names.asked, _examples(wish, user), _vectors(wish, user)]
    first = len(every)
    every += [kept[name].asked() for name in lacking]
    if "scale" not in known and wish.asks:
        every.append(sql.Fragment(nearest.SCALE.format(space=SPACE)))
    space, answers = _active_and(every)
    rest = answers[first:]
    known |= {name: kept[name].told(rows) for name, rows in zip(lacking, rest, strict=False)}
    for row in rest[len(lacking) :]:
        likeness.keep_scale(nearest.Scale(*map(int, row[0])))
    examples = {UUID(uid): pk for pk, uid in answers[1]}
    vectors = {pk: sql.read_vector(text) for pk, text in answers[2]}
    around = {name: known[name] for name in kept}
    return Opening(space, names.read(answers[0]), examples, vectors, around)


SCALE: cached.Kept[Any] = cached.Kept(likeness.SCALE, lambda: None, tuple)


def _kept(wish: Wish, user: User, whole: bool) -> Kept:
    """What is remembered for some seconds."""
    found: Kept = {}
    if wish.asks and wish.mode != "keywords":
        found["filling"] = filling(user)
    if whole:
        found |= {"tags": offered.tags(user), "collections": offered.collections(user)}
    if whole and not wish.narrowed and wish.begin == 1:
        found |= {"failed": offered.failed(user), "demo": offered.demo(user)}
    return found


def _examples(wish: Wish, user: User) -> sql.Fragment | None:
    uids = [*wish.like, *wish.unlike, *([wish.region.uid] if wish.region else [])]
    if not uids:
        return None
    return together.of(Asset.objects.live().visible_to(user).filter(uid__in=uids), "pk", "uid")


def _vectors(wish: Wish, user: User) -> sql.Fragment | None:
    uids = [*wish.like, *wish.unlike]
    return sql.vectors_in(SPACE, uids, sql.visible_to(sql.Where(), user)) if uids else None


def _active_and(parts: list[sql.Fragment | None]) -> tuple[EmbeddingSpace | None, list[Any]]:
    """The space, and the rows of these. Where there is no space they are asked for alone, but for its own."""
    if not any(parts):
        return spaces.active(), [[] for _ in parts]
    space, told = spaces.active_and(together.as_one(parts))
    if space:
        return space, together.told(told)
    return None, together.ask([part if part and SPACE not in part.sql else None for part in parts])
