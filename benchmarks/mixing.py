"""Whether each answer is a ranking of the one space that it names, by comparison with an exact one."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from assets.models import Asset, Term
from assets.text import label_key
from benchmarks import loopback
from search import sql
from search.models import EmbeddingSpace

DEEP = 20  # ranks that are looked at
ENOUGH = 0.9  # of them must be near where the exact ranking has them: the index is approximate


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
        """`mixed`: lists that are not of the space they name.

        `fit`, `other_fit`: the share of results that stand where the named space, or the other one, ranks
        them; the second one over the answers without a tag.
        """
        named, other = defaultdict(list), []
        for answer in answers:
            assert answer["space"] in self._seeds, answer["space"]
            for slug in self._seeds:
                share = self._share(answer, slug)
                if slug == answer["space"]:
                    named[slug].append(share)
                elif not answer["tag"]:
                    other.append(share)
        shares = [share for found in named.values() for share in found]
        return {
            "answers_by_space": {slug: len(found) for slug, found in named.items()},
            "mixed": sum(share < ENOUGH for share in shares),
            "fit": round(float(np.mean(shares)), 4),
            "least_fit": round(min(shares), 2),
            "other_fit": round(float(np.mean(other)), 4),
        }

    def _share(self, answer: dict[str, Any], slug: str) -> float:
        """The share of its ranks that are near the exact ones of this space."""
        near = [
            exact <= 1.5 * rank + 5
            for kind in ("visual", "words")
            for rank, exact in self._ranks(answer, slug, kind)
        ]
        return float(np.mean(near)) if near else 0.0

    def _ranks(self, answer: dict[str, Any], slug: str, kind: str) -> list[tuple[int, int]]:
        """(rank as answered, exact rank) of the results that this kind of vector found early."""
        found = [(self._of_uid[uid], signals[kind]) for uid, signals in answer["results"] if kind in signals]
        found = [(place, rank) for place, rank in found if rank <= DEEP]
        if not found:
            return []
        scores = self._vectors[slug, kind] @ loopback.text_vector(self._seeds[slug], answer["q"])
        passing = scores[self._passing(answer["tag"])]
        return [(rank, 1 + int((passing > scores[place]).sum())) for place, rank in found]
