"""The search in a large library: recall, full pages and processor time, beside other ways to do it.

    python -m benchmarks search [--rows 20000] [--vectors FILE.npy] [--json]

Times are processor milliseconds of the database's backend (/proc/PID/schedstat), planning and the
estimate of the size included, or of this process for the engines in it. Parallel query is off, everything
is warm, the vector of a question is given, and each question is put to all in turn. Statements are
prepared in every arm, as in ours.

`mixed`: equal shares of filters that 50, 10, 1, 0.1 and 0.01 % of the pictures pass, half of them
*random* (tags on pictures drawn by lot), half *popular* (the topic that lies nearest to the question, as
people filter by what they look for). `far`: the topic of the same size that lies farthest from the
question. Recall is of the first 20 against an exact answer by numpy; a page is full when it holds 20, or
all that match. Everybody may see all but the restricted, embargoed and trashed pictures, in every arm.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from benchmarks import loading, rivals, synthetic
from benchmarks.library import database
from benchmarks.measuring import Clock, Measured, Truth, figures, machine
from benchmarks.rivals import PAGE
from benchmarks.synthetic import SHARES, Library, Tag

WARMING = 10
Asked = tuple[np.ndarray, Tag | None]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--vectors", type=Path, help="float32, n x d, instead of generated ones")
    parser.add_argument("--shared-buffers", default="2GB", help="of the database, for all arms in it")
    parser.add_argument("--without-engines", action="store_true", help="neither hnswlib nor Qdrant")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.vectors:
        drawn = np.load(options.vectors).astype(np.float32)[: options.rows + options.questions]
    else:
        drawn = synthetic.draw_vectors(options.rows + options.questions, options.dimensions)
    library = synthetic.make(drawn, options.questions)
    say = (lambda *words: None) if options.json else print
    with database({"shared_buffers": options.shared_buffers}):
        found = Bench(library, say, rivals.are_installed() and not options.without_engines).run()
    print(json.dumps(found, indent=None if options.json else 1))


class Bench:
    def __init__(self, library: Library, say: Callable[..., Any], engines: bool) -> None:
        from accounts.models import User
        from search import sql

        self.library, self.say, self.engines = library, say, engines
        self.space = self._fill()
        self.viewer = User.objects.create_user("bench")
        self.seen = sql.visible_to(sql.Where(), self.viewer)
        visible = np.zeros(len(library.vectors), dtype=bool)
        visible[[pk - 1 for pk in sql.listed(self.seen, "added", len(visible), 0)]] = True
        self.visible, self.truth = visible, Truth(library, visible)
        sql.rows("SELECT set_config('max_parallel_workers_per_gather', '0', false)", [])
        self.backend = Clock(sql.rows("SELECT pg_backend_pid()", [])[0][0])
        self.here = Clock(None)

    def _fill(self) -> Any:
        from django.conf import settings

        from search import partitions
        from search.models import EmbeddingSpace

        space = EmbeddingSpace.objects.create(
            slug="bench",
            encoder="builtin",
            identity={},
            dimensions=self.library.vectors.shape[1],
            state=EmbeddingSpace.State.ACTIVE,
        )
        partitions.create(space)
        loading.load(self.library, space)
        settings.INDEX_MEMORY_MB = max(settings.INDEX_MEMORY_MB, 4000)
        partitions.build_indexes(space)
        loading.vacuum()
        return space

    def run(self) -> dict[str, Any]:
        self.say(machine(), f"\n{len(self.library.vectors):,} rows, {self.space.dimensions} dimensions")
        near = {"ours": self.ours(PAGE), "naive": rivals.naive(self.space, self.where)}
        exact = rivals.exact(self.space, self.where)
        near_in: dict[str, rivals.Search] = {}
        if self.engines:
            near_in["hnswlib"], ef = rivals.hnswlib(self.library, self.visible, self._recall)
            self.say(f"hnswlib needs ef {ef} for a recall of 0.99")
        plain = rivals.plain_exact(self.space)
        alone = self.ask("unfiltered", self.unfiltered(), near | near_in)
        few = self.ask("unfiltered, exact", self.unfiltered()[:60], {"exact, plain": plain, "exact": exact})
        if self.engines:
            near_in = {"qdrant": rivals.qdrant(self.library, self.visible)}
        mixed = self.ask("mixed", self.mixed(), near | near_in | {"exact": exact})
        far = self.ask("far", self.far(), near | near_in)
        for search in near_in.values():
            search.close()  # type: ignore[attr-defined]
        found = figures(len(self.library.vectors), alone, few, mixed, far)
        return found | self.words() | self.deep()

    def ours(self, limit: int) -> rivals.Search:
        """As the page searches, down to `limit` ranks."""
        from search import likeness

        def search(question: np.ndarray, tag: Tag | None) -> list[int]:
            where = self.where(tag)
            found = likeness.by_kind(self.viewer, self.space, {"visual": question}, where, limit)
            return [ranked.asset_id - 1 for ranked in found["visual"]]

        return search

    def where(self, tag: Tag | None) -> Any:
        return self.seen.add("r.term_ids && %s::bigint[]", [tag.pk]) if tag else self.seen

    def _recall(self, search: rivals.Search) -> float:
        asked = self.unfiltered()[:100]
        return float(np.mean([self.truth.recall(search(*a), self.truth.best(*a)) for a in asked]))

    # --- questions --------------------------------------------------------------------------------

    def unfiltered(self) -> list[Asked]:
        return [(question, None) for question in self.library.questions]

    def mixed(self) -> list[Asked]:
        asked: list[Asked] = []
        for n, question in enumerate(self.library.questions):
            share = SHARES[n % len(SHARES)]
            if n // len(SHARES) % 2:
                asked.append((question, self._topic(question, share, max)))
            else:
                tags = [tag for tag in self.library.loose if tag.share == share]
                asked.append((question, tags[n % len(tags)]))
        return asked

    def far(self) -> list[Asked]:
        return [
            (question, self._topic(question, SHARES[n % len(SHARES)], min))
            for n, question in enumerate(self.library.questions)
        ]

    def _topic(self, question: np.ndarray, share: float, choose: Callable[..., Tag]) -> Tag:
        tags = [tag for tag in self.library.topics if tag.share == share]
        return choose(tags, key=lambda tag: float(tag.centre @ question))

    # --- measuring --------------------------------------------------------------------------------

    def ask(self, name: str, asked: Sequence[Asked], arms: dict[str, rivals.Search]) -> dict[str, Any]:
        """{arm: Measured}, and {(arm, share): Measured} where there are filters.

        Everything was asked once before: the pages that a question touches are in memory, and known to the
        backend. Which arm comes first changes, since each finds the caches as the one before left them.
        """
        right = [self.truth.best(*one) for one in asked]
        for arm, search in arms.items():
            for one in asked[:WARMING] if "exact" in arm else asked:
                search(*one)
        found: dict[Any, Measured] = defaultdict(Measured)
        for number, ((question, tag), best) in enumerate(zip(asked, right, strict=True)):
            for arm, search in sorted(arms.items(), key=lambda item: crc32(f"{item[0]} {number}".encode())):
                clock = self.here if arm in ("hnswlib", "qdrant") else self.backend
                before = clock.read()
                rows = search(question, tag)
                spent = clock.read() - before
                recall = self.truth.recall(rows, best)
                for key in (arm, (arm, tag.share)) if tag else (arm,):
                    found[key].ms.append(spent)
                    found[key].recall.append(recall)
                    found[key].full.append(len(rows) >= len(best))
        self.say(f"\n{name}, {len(asked)} questions")
        for key, measured in sorted(found.items(), key=lambda item: str(item[0])):
            self.say(measured.row(key if isinstance(key, str) else f"{key[0]}, {key[1]:.2%} pass"))
        return found

    def spent(self, name: str, work: Callable[[int], Any], times: int = 40) -> float:
        """The median of the backend's milliseconds."""
        for n in range(5):
            work(n)
        found = []
        for n in range(times):
            before = self.backend.read()
            work(n)
            found.append(self.backend.read() - before)
        self.say(f"  {name:32} p50 {np.median(found):8.2f}  p95 {np.quantile(found, 0.95):8.2f} ms")
        return round(float(np.median(found)), 2)

    def words(self) -> dict[str, Any]:
        """Words and likeness together, as a first page ranks them; and all facets of a 10 % filter."""
        from django.core.cache import cache

        from search import by_words, counting, facet_sql, likeness, query
        from search.hybrid import HybridQuery

        def hybrid(text: str, n: int) -> None:
            asked = HybridQuery(user=self.viewer, text=text)
            understood, depth = query._understood(asked), query.FIRST_DEPTH["best"]
            counted = counting.known(understood.where)  # as the page does: how many pass is remembered
            words = by_words.find(understood, "best", [], query.DEPTH, counting=counted is None)
            if words.total:
                counting.keep(understood.where, words.total, words.seconds)
            question = self.library.questions[n]
            near = likeness.by_kind(self.viewer, self.space, {"visual": question}, understood.where, depth)
            query.fuse(
                words.rankings | {kind: [r.asset_id for r in rows] for kind, rows in near.items()}, depth
            )

        self.say("\nwords and likeness")
        selective = self.spent("selective words", lambda n: hybrid(f"rarity{n} word{n + 300}", n))
        common = self.spent("a word of a tenth of all", lambda n: hybrid(synthetic.COMMON_WORD, n))
        self.spent(
            "the same, nothing remembered", lambda n: (cache.clear(), hybrid(synthetic.COMMON_WORD, n))
        )
        tenth = next(tag for tag in self.library.loose if tag.share == 0.1)
        where = self.where(tenth)
        facets = self.spent("all facets of a tenth", lambda n: facet_sql.counted(where))
        self.spent("all facets of everything", lambda n: facet_sql.counted(self.seen), times=5)
        return {"hybrid": {"selective_ms": selective, "common_ms": common}, "facets_ms": facets}

    def deep(self) -> dict[str, Any]:
        self.say("\nranks asked for")
        found = {}
        half = next(tag for tag in self.library.loose if tag.share == 0.5)
        for limit in (20, 100, 200, 1000):
            search, asked = self.ours(limit), self.library.questions
            for name, tag in (("", None), (", half pass", half)):
                key = f"{limit}{name}"
                found[key] = self.spent(key, lambda n, s=search, a=asked, t=tag: s(a[n], t), times=20)
        return {"deep_ms": found}


if __name__ == "__main__":
    main()
