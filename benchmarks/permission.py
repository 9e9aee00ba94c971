"""What permission costs a search: the same questions by people who see all, most and little of a library.

    python -m benchmarks permission [--rows 20000] [--rounds 40] [--only WORD] [--json]

60 collections, two deep; 85 % of the pictures are for the staff, 10 % public, 5 % restricted, 2 % under an
embargo, 1 % in the trash. Three people ask: an administrator; *most*, who is granted 54 collections by two
groups, and sees neither restricted nor embargoed pictures; *few*, who is granted five. The administrator asks
a second time with a filter, a tag on exactly the pictures that *few* sees: *narrowed*.

*Statements* are what the search asks of the database, one by one. *Searches* are everything from a question
to the pictures of its first page, the grants read anew each time; the vector of a sentence is given. All
take turns, question by question, and who comes first changes. Milliseconds are processor time, of the
database's backend and of this process together, the medians of all rounds; the ratio is that of the medians.
Parallel query is off, and a few rounds before are not counted. Recall is that of the first 20 against the
same question by comparing every vector.

Who sees less has other rows to rank: a ratio below 1 is no merit of the rule, nor is all above 1 its fault.
What *few* takes times as long as *narrowed*, with the same pictures, is the cost of the rule alone; but not$
of suggestions, which no filter narrows.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

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


class Person(NamedTuple):
    user: Any
    tag: Any = None
    """The term by which they filter, whatever they ask."""


Work = Callable[[Person, int], Any]
RATIOS = (
    ("most", "most", "administrator"),
    ("few", "few", "administrator"),
    ("rule", "few", "narrowed"),
)
"""Names of ratios, and who is compared with whom."""


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

    def _people(self) -> dict[str, Person]:
        from django.contrib.auth.models import Group

        from accounts.models import User
        from assets.models import Collection, Grant

        homes = list(Collection.objects.order_by("pk"))
        Collection.objects.filter(pk=homes[CLOSED].pk).update(inherits=False)
        tops = [n for n in range(0, COLLECTIONS, 5) if n != CLOSED_TOP]
        granted = {"first half": tops[:6], "second half": tops[6:], "few": FEW}
        administrator = User.objects.create_superuser("administrator")
        people = {name: User.objects.create_user(name) for name in ("most", "few")}
        for user in people.values():
            user.groups.clear()
        for name, numbers in granted.items():
            group = Group.objects.create(name=name)
            for number in numbers:
                Grant.objects.create(group=group, collection=homes[number], actions=["see", "download"])
            people["few" if name == "few" else "most"].groups.add(group)
        narrowed = Person(administrator, _tagged(people["few"]))
        return {
            "administrator": Person(administrator),
            **{name: Person(user) for name, user in people.items()},
            "narrowed": narrowed,
        }

    # --- questions --------------------------------------------------------------------------------

    def statements(self) -> dict[str, Work]:
        from search import facet_sql, labels, likeness, sql
        from search.word_sql import matching_words

        def where(who: Person, share: float | None = None) -> Any:
            seen = sql.visible_to(sql.Where(), who.user)
            for tag in filter(None, (who.tag and who.tag.pk, share and self.tags[share])):
                seen = seen.add("r.term_ids && %s::bigint[]", [tag])
            return seen

        def near(who: Person, n: int, share: float | None, depth: int) -> Any:
            vectors = {"visual": self.library.questions[n % QUESTIONS]}
            found = likeness.by_kind(who.user, self.space, vectors, where(who, share), depth)
            return [ranked.asset_id for ranked in found["visual"]]

        def words(who: Person, text: str) -> Any:
            return matching_words(sql.Fragment("plainto_tsquery('museum', %s)", (text,)), where(who), 1000)

        return {
            "count of everything": lambda who, n: sql.count_both(where(who)),
            "newest 60": lambda who, n: sql.listed(where(who), "added", 60, 0),
            "oldest object 60": lambda who, n: sql.listed(where(who), "date", 60, 0),
            "frequent word": lambda who, n: words(who, COMMON_WORD),
            "rare word": lambda who, n: words(who, f"rarity{n}"),
            "tag on a tenth, counted": lambda who, n: sql.count_both(where(who, 0.1)),
            "tag on a tenth, newest 60": lambda who, n: sql.listed(where(who, 0.1), "added", 60, 0),
            "likeness, 20": lambda who, n: near(who, n, None, 20),
            "likeness, 100": lambda who, n: near(who, n, None, 100),
            "likeness, tag on a tenth, 20": lambda who, n: near(who, n, 0.1, 20),
            "facets of everything": lambda who, n: facet_sql.counted(where(who)),
            "facets of a tenth": lambda who, n: facet_sql.counted(where(who, 0.1)),
            "names that begin so": lambda who, n: labels.terms_begun(
                ["tags"], [BEGINNINGS[n % len(BEGINNINGS)]], where(who), 5
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

            def work(who: Person, n: int) -> Any:
                forget(who.user)
                self.vector = self.library.questions[n % QUESTIONS]
                given = {name: value(n) if callable(value) else value for name, value in asked.items()}
                given["tags"] = given.get("tags", ()) + ((who.tag.label,) if who.tag else ())
                return run(HybridQuery(user=who.user, limit=PAGE_ROWS, **given), self.space)

            return work

        def anew(who: Person, n: int) -> Any:
            cache.clear()
            return search(text=COMMON_WORD, mode="keywords")(who, n)

        def suggested(who: Person, n: int) -> Any:
            forget(who.user)
            return suggest(BEGINNINGS[n % len(BEGINNINGS)], who.user)

        tenth, hundredth = (f"Term {self.tags[share]}" for share in (0.1, 0.01))
        shown = sql.listed(sql.visible_to(sql.Where(), self.people["few"].user), "date", 2 * QUESTIONS, 0)
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

        seen = {name: sql.count(sql.visible_to(sql.Where(), who.user)) for name, who in self.people.items()}
        self.say(machine(), f"\n{len(self.library.vectors):,} rows; seen:", seen)
        found: dict[str, Any] = {"rows": len(self.library.vectors), "seen": seen}
        with self.given_vectors():
            for kind, questions in (("statements", self.statements()), ("searches", self.searches())):
                heads = "".join(f" {f'{head}, database':>21}" for head in ("most", "few", "few/narrowed"))
                self.say(f"\n{kind:34} {'ms':>8} {heads}   recall")
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
            first = n % len(people)
            for person, who in people[first:] + people[:first]:
                before = [clock.read() for clock in self.clocks]
                work(who, n)
                spent[person].append(
                    [clock.read() - then for clock, then in zip(self.clocks, before, strict=True)]
                )
        both = {person: float(np.median(np.sum(times[WARMING:], axis=1))) for person, times in spent.items()}
        alone = {person: float(np.median(np.array(times)[WARMING:, 0])) for person, times in spent.items()}
        found: dict[str, Any] = {"ms": round(both["administrator"], 2)}
        for name_of, person, other in RATIOS:
            found[name_of] = round(both[person] / both[other], 2)
            found[f"{name_of}_database"] = round(alone[person] / alone[other], 2)
        found["recall"] = self.recall(work) if "likeness" in name or "similar" in name else {}
        ratios = "".join(f"{found[who]:12.2f} {found[f'{who}_database']:9.2f}" for who, *_ in RATIOS)
        self.say(f"{name:34} {found['ms']:8.2f} {ratios}   ", *found["recall"].values())
        return found

    def recall(self, work: Work) -> dict[str, float]:
        """By person."""
        from unittest.mock import patch

        from search import planner

        shares: dict[str, list[float]] = defaultdict(list)
        for n in range(RECALLED):
            for person, who in self.people.items():
                found = first(work(who, n))
                with patch.object(planner, "choose", lambda *numbers: planner.Plan(planner.EXACT)):
                    right = first(work(who, n))
                shares[person].append(len(set(found) & set(right)) / len(right) if right else 1.0)
        return {person: round(float(np.mean(of)), 3) for person, of in shares.items()}


def _tagged(user: Any) -> Any:
    """A new tag on exactly the pictures that this person sees; the rows lie in their order again."""
    from django.db import connection

    from assets.models import Term, Vocabulary
    from search import sql

    last, tags = Term.objects.order_by("pk").last(), Vocabulary.objects.get(slug="tags")
    tag = Term.objects.create(
        pk=last.pk + 1 if last else 1, vocabulary=tags, label="Seen by few", key="seen by few"
    )
    where = sql.visible_to(sql.Where(), user)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE search_searchrow r SET term_ids = term_ids || %s::bigint WHERE {where.sql}",  # noqa: S608
            [tag.pk, *where.params],
        )
        cursor.execute("CLUSTER search_searchrow USING search_searchrow_pkey")
    loading.vacuum()
    return tag


def first(answer: Any) -> list[int]:
    """The first PAGE assets of Results, or of a list of ids."""
    ids = answer if isinstance(answer, list) else [hit.asset_id for hit in answer.hits]
    return list(ids[:PAGE])


if __name__ == "__main__":
    main()
