"""Whether each answer is a ranking of the one space that it names, by comparison with an exact one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from assets.models import Asset, Term
from assets.text import label_key
from benchmarks import loopback
from search import sql
from search.models import EmbeddingSpace

DEEP = 20  # ranks that are looked at
ENOUGH, MIXED = 0.9, 2


class Judge:
    """Takes the vectors of all spaces as they are now."""

    def __init__(self) -> None:
        uids = dict(Asset.objects.values_list("pk", "uid"))
        self._place = {pk: n for n, pk in enumerate(sorted(uids))}
        self._of_uid = {str(uid): self._place[pk] for pk, uid in uids.items()}
        self._seeds = {s.slug: int(s.identity["model"][-1]) for s in EmbeddingSpace.objects.all()}
        self._vectors = {
            (space.slug, kind): self._matrix(space, kind)
            for space in EmbeddingSpace.objects.all()
            for kind in ("visual", "words")
        }
        self._tagged: dict[str, np.ndarray] = {}

    def _matrix(self, space: EmbeddingSpace, kind: str) -> np.ndarray:
        made = np.zeros((len(self._place), space.dimensions), np.float32)
        statement = (
            "SELECT asset_id, halfvec_send(vector) FROM search_embedding WHERE space_id = %s AND kind = %s"
        )
        for pk, vector in sql.rows(statement, [space.pk, kind]):
            made[self._place[pk]] = np.frombuffer(vector, ">f2", offset=4)  # after its length
        return made

    def _passing(self, tag: str) -> np.ndarray:
        """True for the assets that a filter by this tag lets through."""
        if tag not in self._tagged:
            passing = np.full(len(self._place), not tag)
            if tag:
                terms = Term.objects.in_vocabulary("tags").filter(key=label_key(tag))
                where = sql.Where().add(
                    "r.term_ids && %s::bigint[]", list(terms.values_list("pk", flat=True))
                )
                found = sql.listed(where, "added", len(self._place), 0)
                passing[[self._place[pk] for pk in found]] = True
            self._tagged[tag] = passing
        return self._tagged[tag]

    def verdict(self, answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """`mixed`: lists in which the other space has put at least MIXED results.

        `fit`, `other_fit`: the shares of results that stand where the named space, or the other one, ranks
        them; `inexact`: lists of which less than ENOUGH fit, since the index is approximate.
        """
        found = [judged for answer in answers if (judged := self._judged(answer)).size]
        shares = [float(judged[:, 0].mean()) for judged in found]
        strange = [int((~judged[:, 0] & judged[:, 1]).sum()) for judged in found]
        everything = np.concatenate(found)
        return {
            "answers_by_space": dict(Counter(answer["space"] for answer in answers)),
            "judged": len(found),
            "mixed": sum(number >= MIXED for number in strange),
            "fit": round(float(everything[:, 0].mean()), 4),
            "other_fit": round(float(everything[:, 1].mean()), 4),
            "inexact": sum(share < ENOUGH for share in shares),
        }

    def _judged(self, answer: dict[str, Any]) -> np.ndarray:
        """Of each result that a vector found early: whether it is near its exact rank in (named, other)."""
        named = answer["space"]
        (other,) = self._seeds.keys() - {named}
        pairs = [[self._near(answer, slug, kind) for slug in (named, other)] for kind in ("visual", "words")]
        return np.concatenate([np.array(pair, dtype=bool).T.reshape(-1, 2) for pair in pairs])

    def _near(self, answer: dict[str, Any], slug: str, kind: str) -> list[bool]:
        return [exact <= 1.5 * rank + 5 for rank, exact in self._ranks(answer, slug, kind)]

    def _ranks(self, answer: dict[str, Any], slug: str, kind: str) -> list[tuple[int, int]]:
        """(rank as answered, exact rank) of the results that this kind of vector found early."""
        found = [(self._of_uid[uid], signals[kind]) for uid, signals in answer["results"] if kind in signals]
        found = [(place, rank) for place, rank in found if rank <= DEEP]
        if not found:
            return []
        scores = self._vectors[slug, kind] @ loopback.text_vector(self._seeds[slug], answer["q"])
        passing = scores[self._passing(answer["tag"])]
        return [(rank, 1 + int((passing > scores[place]).sum())) for place, rank in found]
