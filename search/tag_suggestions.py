"""Tags that a picture may want: of the pictures most like it, that this person may see, and learned ones.

Of each kind of vector, the nearest pictures that have tags vote, the nearer the more. The share of the votes
and how rare a tag is make its score, which is calibrated: of tags that are offered with 80 %, about 80 of 100
are right (`python -m benchmarks suggest_tags`, docs/decisions/0028). Where a tag was learned as well
(search.learned_tags), its score is the mean of both: of two that are true, that says too little rather than
too much (Ranjan and Gneiting 2010).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, median
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from assets.models import TAGS, TagAnswer, Term
from search import background, labels, learned_tags, likeness, spaces, sql, told
from search.counting import counted
from search.models import EmbeddingSpace
from search.strength import MAD_TO_SPREAD

NEIGHBOURS = 25
"""Of each kind of vector."""
SHOWN, MOST = 0.5, 6
"""The lowest score that is offered, and how many are."""
FEWEST, NEAREST = 2, 3
"""Neighbours that have a tag, since what one alone has says too little; and how many are the nearest."""
FURTHEST_OUT = 10.0
"""Spreads, beyond which it makes no difference."""
ENOUGH = 50
"""Pictures, of those drawn by lot, below which nothing is concluded."""
# The tags of these pictures, of their own or by an object; ancestors are not tags of anybody.
TAGS_OF = """
    SELECT r.asset_id, t.id, t.uid, t.label, greatest({pictures}, 1)
    FROM search_searchrow r, LATERAL (
        SELECT u.term_id FROM assets_assetterm u WHERE u.asset_id = r.asset_id
        UNION SELECT u.term_id FROM assets_depiction d
            JOIN assets_recordterm u ON u.record_id = d.record_id WHERE d.asset_id = r.asset_id) AS own
    JOIN assets_term t ON t.id = own.term_id
    JOIN assets_vocabulary v ON v.id = t.vocabulary_id AND v.slug = %s
    WHERE r.asset_id = ANY(%s) AND {where}
"""
HAS = "SELECT unnest(r.term_ids) FROM search_searchrow r WHERE r.asset_id = %s"


@dataclass(frozen=True)
class Suggestion:
    term_id: int
    uid: UUID
    label: str
    score: float
    """How likely it is right, 0 to 1."""
    head: str = ""
    """The sha256 of what had learned this tag; empty: similar pictures alone."""

    @property
    def words(self) -> str:
        """How likely that is, for people."""
        if self.percent >= 90:
            return _("very likely")
        return _("likely") if self.percent >= 75 else _("perhaps")

    @property
    def percent(self) -> int:
        return round(100 * self.score)


class Tag(NamedTuple):
    term_id: int
    uid: UUID
    label: str
    pictures: int
    """How many have it, as last counted; at least 1."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for one tag; for words None where the picture has none."""

    visual: float
    """The share of the votes of those that look alike."""
    words: float | None
    share: float
    """Of all pictures, those that have the tag."""
    near: float
    """How much nearer the nearest look than just any picture, in spreads of what anything scores."""

    @property
    def features(self) -> tuple[float, ...]:
        said = 0.0 if self.words is None else _logit(self.words)
        rare = -math.log(min(max(self.share, 1e-5), 1.0))
        return 1.0, _logit(self.visual), said, rare, math.log1p(min(max(self.near, 0.0), FURTHEST_OUT))


WITHOUT_WORDS = (0.0, 1.05, 0.0, -0.2, 0.25)
WITH_WORDS = (0.3, 0.3, 1.1, 0.15, 0.0)
"""Weights of Evidence.features; `python -m benchmarks suggest_tags --fit` finds them."""


def suggest(asset_id: int, user: Any, space: EmbeddingSpace | None = None) -> list[Suggestion]:
    """At most MOST tags, the most likely first, without those that it has or that somebody has refused.

    Empty where there is no vector of it yet, where nothing alike has tags, and in a library that is too small
    to tell what is alike.
    """
    space = space or spaces.active()
    if space is None:
        return []
    known = {pk for (pk,) in sql.rows(HAS, [asset_id])} | answered(asset_id)
    near = [one for one in candidates(asset_id, user, space) if one.term_id not in known]
    head, said = learned_tags.probabilities(asset_id, space)
    both = [
        replace(one, score=(one.score + said[one.term_id]) / 2, head=head) if one.term_id in said else one
        for one in near
    ]
    others = {
        pk: p for pk, p in said.items() if p >= SHOWN and pk not in known | {one.term_id for one in near}
    }
    found = [one for one in both if one.score >= SHOWN] + _learned(others, head, user)
    return sorted(found, key=lambda one: (-one.score, one.label))[:MOST]


def _learned(said: Mapping[int, float], head: str, user: Any) -> list[Suggestion]:
    """Of these tags, those that this person may be told."""
    may_know = told.terms(list(said), user)
    terms = Term.objects.in_vocabulary(TAGS).filter(pk__in=may_know)
    return [Suggestion(one.pk, one.uid, one.label, said[one.pk], head) for one in terms]


def answered(asset_id: int) -> set[int]:
    """The terms that somebody has said something of, unless that was taken back since."""
    answers = TagAnswer.objects.filter(asset=asset_id)
    return set(answers.filter(operation__undone_by=None).values_list("term_id", flat=True))


def candidates(asset_id: int, user: Any, space: EmbeddingSpace) -> list[Suggestion]:
    """All tags of the neighbours with their scores, the most likely first; its own may be among them."""
    where = sql.visible_to(sql.Where(), user)
    vectors = {}
    for kind in ("visual", "words"):
        if (vector := sql.vectors_of(space, [asset_id], kind, where).get(asset_id)) is not None:
            vectors[kind] = vector
    if "visual" not in vectors:
        return []
    others = where.add("r.asset_id <> %s", asset_id).add("r.has @> ARRAY['tag']::varchar[]")
    drawn = dict(zip(vectors, background.drawn(space, [*vectors.items()], where), strict=True))
    if len(drawn["visual"]) < ENOUGH:
        return []
    known = counted(where)
    total = max(known.total - known.awaited, len(drawn["visual"]))
    near = likeness.by_kind(user, space, vectors, others, neighbours(total))
    tags = tags_of({pk for ranked in near.values() for pk, _ in ranked}, where)
    weighed = evidence(near, tags, total, nearness(near["visual"], drawn["visual"]))
    found = [Suggestion(tag.term_id, tag.uid, tag.label, likely(one)) for tag, one in weighed.items()]
    return sorted(found, key=lambda one: (-one.score, one.label))


def neighbours(total: int) -> int:
    """Of a small library, no more than a tenth is alike."""
    return min(NEIGHBOURS, max(NEAREST, total // 10))


def tags_of(ids: Iterable[int], where: sql.Where) -> dict[int, list[Tag]]:
    """By asset, of those that pass."""
    pictures = labels.pictures_of("term", "t.id", where)
    found: dict[int, list[Tag]] = defaultdict(list)
    for pk, *tag in sql.rows(
        TAGS_OF.format(where=where.sql, pictures=pictures), [TAGS, list(ids), *where.params]
    ):
        found[pk].append(Tag(*tag))
    return found


def evidence(
    near: Mapping[str, Sequence[sql.Ranked]],
    tags: Mapping[int, Sequence[Tag]],
    total: int,
    nearest: float,
) -> dict[Tag, Evidence]:
    """For every tag that enough neighbours have. `total` counts the pictures, `nearest` is their nearness."""
    votes = {kind: shares(ranked, tags) for kind, ranked in near.items()}
    holders = Counter(tag for own in tags.values() for tag in own)
    found = {}
    for tag, number in holders.items():
        if number >= FEWEST:
            visual = votes["visual"].get(tag.term_id, 0.0)
            words = votes["words"].get(tag.term_id, 0.0) if "words" in votes else None
            found[tag] = Evidence(visual, words, tag.pictures / total, nearest)
    return found


def nearness(ranked: Sequence[sql.Ranked], drawn: Sequence[float]) -> float:
    """How far the nearest stand out of what pictures drawn by lot score, in spreads of the latter."""
    if not ranked or not drawn:
        return 0.0
    middle = median(drawn)
    spread = MAD_TO_SPREAD * median(abs(score - middle) for score in drawn)
    return float(mean(score for _, score in ranked[:NEAREST]) - middle) / max(spread, 1e-6)


def shares(ranked: Sequence[sql.Ranked], tags: Mapping[int, Sequence[Tag]]) -> dict[int, float]:
    """By term, its share of the votes, 0 to 1: the nearest has most, the last of them next to nothing.

    Only differences of scores count, so that it does not matter on which scale an encoder has them.
    """
    if not ranked:
        return {}
    best, last = ranked[0].score, ranked[-1].score
    width = max(best - last, 1e-6)
    found: dict[int, float] = defaultdict(float)
    total = 0.0
    for pk, score in ranked:
        vote = 0.1 + (score - last) / width
        total += vote
        for tag in tags.get(pk, ()):
            found[tag.term_id] += vote
    return {term: votes / total for term, votes in found.items()}


def likely(one: Evidence) -> float:
    weights = WITHOUT_WORDS if one.words is None else WITH_WORDS
    x = sum(weight * value for weight, value in zip(weights, one.features, strict=True))
    return 1 / (1 + math.exp(-x))


def _logit(share: float) -> float:
    kept = min(max(share, 0.02), 0.98)
    return math.log(kept / (1 - kept))
