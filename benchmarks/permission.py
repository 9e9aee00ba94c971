"""What permission costs a search: the same questions by people who see all, most and little of a library.

    python -m benchmarks permission [--rows 20000] [--rounds 40] [--only WORD] [--json]

60 collections, two deep; 85 % of the pictures are for the staff, 10 % public, 5 % restricted, 2 % under an
embargo, 1 % in the trash. Three people ask: an administrator; *most*, who is granted 54 collections by two
groups, and sees neither restricted nor embargoed pictures; *few*, who is granted five.

*Statements* are what the search asks of the database, one by one. *Searches* are everything from a question
to the pictures of its first page, the grants read anew each time; the vector of a sentence is given. All
take turns, question by question, and who comes first changes. Milliseconds are processor time, of the
database's backend and of this process together, the medians of all rounds; the ratio is that of the medians.
Parallel query is off, and a few rounds before are not counted. Recall is that of the first 20 against the
same question by comparing every vector.

Who sees less has other rows to rank: a ratio below 1 is no merit of the rule, nor is all above 1 its fault.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks import loading, synthetic
from benchmarks.library import database
from benchmarks.measuring import Clock, machine
from benchmarks.rivals import PAGE
from benchmarks.synthetic import COLLECTIONS, COMMON_WORD, Library

PATHS = [f"Collection {n - n % 5}" + (f" / Collection {n}" if n % 5 else "") for n in range(COLLECTIONS)]
ACCESS = (0.10, 0.85, 0.05)
CLOSED_TOP, CLOSED = 10, 2
"""*Most* sees neither this one with the four below it, nor this other one."""
FEW = (2, 11, 23, 34, 46)
QUESTIONS, WARMING, RECALLED, PAGE_ROWS = 60, 6, 15, 48
BEGINNINGS = ("ter", "term 1", "pic", "col", "collection 3", "picture 1234", "term 100", "te")
Work = Callable[[Any, int], Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="", help="questions whose name has this in it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    drawn = synthetic.draw_vectors(options.rows + QUESTIONS, options.dimensions)
    library = synthetic.make(drawn, QUESTIONS)
    say = (lambda *words: None) if options.json else print
    with database({"shared_buffers": "2GB"}):
        found = Bench(library, options.rounds, say).run(options.only)
    print(json.dumps(found, indent=None if options.json else 1))


class Bench:
    def __init__(self, library: Library, rounds: int, say: Callable[..., Any]) -> None:
        from search import sql

        self.library, self.rounds, self.say = library, rounds, say
        self.space = self._fill()
        self.people = self._people()
        sql.rows("SELECT set_config('max_parallel_workers_per_gather', '0', false)", [])
        self.clocks = [Clock(sql.rows("SELECT pg_backend_pid()", [])[0][0]), Clock(None)]
        self.tags = {tag.share: tag.pk for tag in library.loose}

    def _fill(self) -> Any:
        from django.conf import settings
        from django.db import connection

        from search import labels, partitions, sql
        from search.models import EmbeddingSpace

        space = EmbeddingSpace.objects.create(
            slug="bench",
            encoder="builtin",
            identity={},
            dimensions=self.library.vectors.shape[1],
            state=EmbeddingSpace.State.ACTIVE,
        )
        partitions.create(space)
        loading.load(self.library, space, PATHS, ACCESS)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO assets_assetterm (asset_id, term_id, position)"
                " SELECT asset_id, unnest(term_ids), 0 FROM search_searchrow"
            )
        labels.count_pictures(sql.Where().add(sql.OPEN))
        settings.INDEX_MEMORY_MB = max(settings.INDEX_MEMORY_MB, 4000)
        partitions.build_indexes(space)
        loading.vacuum()
        return space

    def _people(self) -> dict[str, Any]:
        from django.contrib.auth.models import Group

        from accounts.models import User
        from assets.models import Collection, Grant

        homes = list(Collection.objects.order_by("pk"))
        Collection.objects.filter(pk=homes[CLOSED].pk).update(inherits=False)
        tops = [n for n in range(0, COLLECTIONS, 5) if n != CLOSED_TOP]
        granted = {"first half": tops[:6], "second half": tops[6:], "few": FEW}
        people = {"administrator": User.objects.create_superuser("administrator")}
        for name in ("most", "few"):
            people[name] = User.objects.create_user(name)
            people[name].groups.clear()
        for name, numbers in granted.items():
            group = Group.objects.create(name=name)
            for number in numbers:
                Grant.objects.create(group=group, collection=homes[number], actions=["see", "download"])
            people["few" if name == "few" else "most"].groups.add(group)
        return people

    # --- questions --------------------------------------------------------------------------------

    def statements(self) -> dict[str, Work]:
        from search import facet_sql, labels, likeness, sql
        from search.word_sql import matching_words

        def where(user: Any, share: float | None = None) -> Any:
            seen = sql.visible_to(sql.Where(), user)
            return seen.add("r.term_ids && %s::bigint[]", [self.tags[share]]) if share else seen

        def near(user: Any, n: int, share: float | None, depth: int) -> Any:
            vectors = {"visual": self.library.questions[n % QUESTIONS]}
            found = likeness.by_kind(user, self.space, vectors, where(user, share), depth)
            return [ranked.asset_id for ranked in found["visual"]]

        def words(user: Any, text: str) -> Any:
            return matching_words(sql.Fragment("plainto_tsquery('museum', %s)", (text,)), where(user), 1000)

        return {
            "count of everything": lambda user, n: sql.count_both(where(user)),
            "newest 60": lambda user, n: sql.listed(where(user), "added", 60, 0),
            "oldest object 60": lambda user, n: sql.listed(where(user), "date", 60, 0),
            "frequent word": lambda user, n: words(user, COMMON_WORD),
            "rare word": lambda user, n: words(user, f"rarity{n}"),
            "tag on a tenth, counted": lambda user, n: sql.count_both(where(user, 0.1)),
            "tag on a tenth, newest 60": lambda user, n: sql.listed(where(user, 0.1), "added", 60, 0),
            "likeness, 20": lambda user, n: near(user, n, None, 20),
            "likeness, 100": lambda user, n: near(user, n, None, 100),
            "likeness, tag on a tenth, 20": lambda user, n: near(user, n, 0.1, 20),
            "facets of everything": lambda user, n: facet_sql.counted(where(user)),
            "facets of a tenth": lambda user, n: facet_sql.counted(where(user, 0.1)),
            "names that begin so": lambda user, n: labels.terms_begun(
                ["tags"], [BEGINNINGS[n % len(BEGINNINGS)]], where(user), 5
            ),
        }

    def searches(self) -> dict[str, Work]:
        from django.core.cache import cache

        from assets.scopes import forget
        from search import sql
        from search.hybrid import HybridQuery
        from search.query import run
        from search.suggestions import suggest

        def search(**asked: Any) -> Work:
            """Values that are functions are called with the number of the question."""

            def work(user: Any, n: int) -> Any:
                forget(user)
                self.vector = self.library.questions[n % QUESTIONS]
                given = {name: value(n) if callable(value) else value for name, value in asked.items()}
                return run(HybridQuery(user=user, limit=PAGE_ROWS, **given), self.space)

            return work

        def anew(user: Any, n: int) -> Any:
            cache.clear()
            return search(text=COMMON_WORD, mode="keywords")(user, n)

        def suggested(user: Any, n: int) -> Any:
            forget(user)
            return suggest(BEGINNINGS[n % len(BEGINNINGS)], user)

        tenth, hundredth = (f"Term {self.tags[share]}" for share in (0.1, 0.01))
        shown = sql.listed(sql.visible_to(sql.Where(), self.people["few"]), "date", 2 * QUESTIONS, 0)
        words = lambda n: f"rarity{n} word{n + 300}"  # noqa: E731
        return {
            "newest pictures": search(),
            "frequent word": search(text=COMMON_WORD, mode="keywords"),
            "frequent word, nothing remembered": anew,
            "rare word": search(text=lambda n: f"rarity{n}", mode="keywords"),
            "tag on a tenth": search(tags=(tenth,)),
            "filter by date and type": search(filters=("date:1800..1820", "type:tiff")),
            "likeness": search(text="something", mode="visual"),
            "likeness, tag on a tenth": search(text="something", mode="visual", tags=(tenth,)),
            "likeness, tag on a hundredth": search(text="something", mode="visual", tags=(hundredth,)),
            "likeness and rare words": search(text=words),
            "likeness and a frequent word": search(text=COMMON_WORD),
            "similar pictures": search(liked=lambda n: (shown[n % len(shown)],)),
            "suggestions": suggested,
        }

    # --- measuring --------------------------------------------------------------------------------

    def run(self, only: str) -> dict[str, Any]:
        from search import sql

        seen = {name: sql.count(sql.visible_to(sql.Where(), user)) for name, user in self.people.items()}
        self.say(machine(), f"\n{len(self.library.vectors):,} rows; seen:", seen)
        found: dict[str, Any] = {"rows": len(self.library.vectors), "seen": seen}
        with self.given_vectors():
            for kind, questions in (("statements", self.statements()), ("searches", self.searches())):
                self.say(f"\n{kind:34} {'ms':>8}  most: ratio, database  few: ratio, database   recall")
                found[kind] = {
                    name: self.measured(name, work) for name, work in questions.items() if only in name
                }
        return found

    @contextmanager
    def given_vectors(self) -> Iterator[None]:
        """The vector of a sentence, in place of an encoder's."""
        from unittest.mock import patch

        from search.question import Question

        def encoded(question: Question, *_: Any) -> tuple[list[Any], list[Any]]:
            return ([self.vector] if question.text.strip() else []), []

        with patch.object(Question, "_encoded", encoded):
            yield

    def measured(self, name: str, work: Work) -> dict[str, Any]:
        spent: dict[str, list[list[float]]] = defaultdict(list)
        people = list(self.people.items())
        for n in range(WARMING + self.rounds):
            for person, user in people[n % 3 :] + people[: n % 3]:
                before = [clock.read() for clock in self.clocks]
                work(user, n)
                spent[person].append(
                    [clock.read() - then for clock, then in zip(self.clocks, before, strict=True)]
                )
        both = {person: float(np.median(np.sum(times[WARMING:], axis=1))) for person, times in spent.items()}
        alone = {person: float(np.median(np.array(times)[WARMING:, 0])) for person, times in spent.items()}
        found: dict[str, Any] = {"ms": round(both["administrator"], 2)}
        for person in ("most", "few"):
            found[person] = round(both[person] / both["administrator"], 2)
            found[f"{person}_database"] = round(alone[person] / alone["administrator"], 2)
        found["recall"] = self.recall(work) if "likeness" in name or "similar" in name else {}
        ratios = "".join(f"{found[who]:12.2f} {found[f'{who}_database']:9.2f}" for who in ("most", "few"))
        self.say(f"{name:34} {found['ms']:8.2f} {ratios}   ", *found["recall"].values())
        return found

    def recall(self, work: Work) -> dict[str, float]:
        """By person."""
        from unittest.mock import patch

        from search import nearest

        def exact(*asked: Any, passing: int, total: int, having: int) -> Any:
            return nearest.exact(*asked)

        shares: dict[str, list[float]] = defaultdict(list)
        for n in range(RECALLED):
            for person, user in self.people.items():
                found = first(work(user, n))
                with patch.object(nearest, "nearest", exact):
                    right = first(work(user, n))
                shares[person].append(len(set(found) & set(right)) / len(right) if right else 1.0)
        return {person: round(float(np.mean(of)), 3) for person, of in shares.items()}


def first(answer: Any) -> list[int]:
    """The first PAGE assets of Results, or of a list of ids."""
    ids = answer if isinstance(answer, list) else [hit.asset_id for hit in answer.hits]
    return list(ids[:PAGE])


if __name__ == "__main__":
    main()
