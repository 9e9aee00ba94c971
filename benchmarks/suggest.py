"""Suggestions while typing, and typing mistakes put right, in a large catalogue.

    python -m benchmarks suggest [--rows 20000] [--json]

So many pictures, each with a record, a maker, tags and a title, all made of rows: syllables become words with
Zipf frequencies, a twentieth is restricted, a fiftieth under embargo. What is typed is the beginning of a
word of a name that is there, two to seven letters of it, every third time behind other words; what is
mistyped is a word of the library with one slip. Milliseconds of processor time, of the database and of this
process together, from the text to the groups; and of a correction, all that a question takes more.

`naive`: `icontains` on labels and titles with EXISTS for permission; of mistakes, the likeness of every word.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from benchmarks.library import WORDS, database
from benchmarks.loading import _copy, vacuum
from benchmarks.measuring import Clock, machine

TAGS, MAKERS, COLLECTIONS, VOCABULARY = 6000, 15_000, 400, 30_000
SYLLABLES = [
    a + b + c
    for a in ["b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "br"]
    for b in "aeiou"
    for c in ["", "n", "r", "l"]
]
STAGED = """
CREATE TEMPORARY TABLE staged (id bigint, title text, body text, home bigint, access text,
    embargo timestamptz, tags bigint[], makers bigint[])
"""
DESCRIBED = """uid, title, description, date, medium, rights, rights_holder, credit_line, fields, created_at,
    changed_at"""
NOTHING = "'', '', '', '', '', '', '{}', now(), now()"
FILLED = f"""
INSERT INTO assets_asset (id, {DESCRIBED}, collection_id, access, embargo_until, alt_text, is_demo)
    SELECT id, gen_random_uuid(), '', {NOTHING}, home, access, embargo, '', false FROM staged;
INSERT INTO assets_record (id, {DESCRIBED}, accession_number, accession_key)
    SELECT id, gen_random_uuid(), title, {NOTHING}, '19.' || id, '19.' || id FROM staged;
INSERT INTO assets_depiction (record_id, asset_id, view, position) SELECT id, id, 'recto', 0 FROM staged;
INSERT INTO assets_assetterm (asset_id, term_id, position) SELECT id, unnest(tags), 0 FROM staged;
INSERT INTO assets_recordterm (record_id, term_id, position) SELECT id, unnest(makers), 0 FROM staged;
INSERT INTO search_searchrow (asset_id, term_ids, collection_ids, home_collection_id, access, embargo_until,
    trashed, added_at, accession_keys, title_key, title_sort, accession_sort, words)
    SELECT id, tags || makers, ARRAY[home, (SELECT parent_id FROM assets_collection c WHERE c.id = home)],
    home, access, embargo, false, now(), '{{}}', lower(title), title, '',
    setweight(to_tsvector('museum', title), 'A') || setweight(to_tsvector('museum', body), 'C') FROM staged;
INSERT INTO search_word (word, seen) SELECT DISTINCT word, CURRENT_DATE FROM (
    SELECT regexp_split_to_table(lower(title || ' ' || body), '[^a-z]+') AS word FROM staged) AS w
    WHERE length(word) > 2;
"""
FOUND = "r.words @@ plainto_tsquery('museum', %s)"
NAIVE_MISTAKES = "SELECT word FROM search_word ORDER BY similarity(word, %s) DESC LIMIT 12"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    say = (lambda *words: None) if options.json else print
    with database({"shared_buffers": "1GB"}):
        found = Bench(options.rows, options.questions, say).run()
    print(json.dumps(found, indent=None if options.json else 1))


class Drawn:
    """Words, names and titles, from one seed."""

    def __init__(self) -> None:
        self.draw = random.Random(1)
        made = {self._word() for _ in range(VOCABULARY)}
        self.words = [*WORDS, *sorted(made - set(WORDS), key=lambda word: self.draw.random())]
        self.weights = list(accumulate(1 / n**0.9 for n in range(1, len(self.words) + 1)))

    def _word(self) -> str:
        return "".join(self.draw.choices(SYLLABLES, k=self.draw.choice([2, 2, 3, 3, 4])))

    def some(self, least: int, most: int) -> str:
        return " ".join(
            self.draw.choices(self.words, cum_weights=self.weights, k=self.draw.randint(least, most))
        )

    def tags(self) -> list[str]:
        return list(dict.fromkeys(self.some(1, 3) for _ in range(3 * TAGS)))[:TAGS]

    def makers(self) -> list[str]:
        def name() -> str:
            between = self.draw.choice(["", "", "", "", "van ", "de ", "von "])
            return f"{self._word().title()} {between}{self._word().title()}"

        return list(dict.fromkeys(name() for _ in range(2 * MAKERS)))[:MAKERS]


class Bench:
    def __init__(self, rows: int, questions: int, say: Callable[..., Any]) -> None:
        from accounts.models import User
        from search import sql

        self.rows, self.say, self.drawn = rows, say, Drawn()
        self.labels = self._fill()
        self.viewer = User.objects.create_user("bench")
        sql.rows("SELECT set_config('max_parallel_workers_per_gather', '0', false)", [])
        self.clocks = [Clock(sql.rows("SELECT pg_backend_pid()", [])[0][0]), Clock(None)]
        self.questions = questions

    def _fill(self) -> list[str]:
        from django.db import connection, transaction

        from assets.models import Collection, Term, Vocabulary
        from search import labels, sql

        names = {"tags": self.drawn.tags(), "creators": self.drawn.makers()}
        ids = {}
        for slug, called in names.items():
            vocabulary = Vocabulary.objects.get(slug=slug)
            made = Term.objects.bulk_create(
                Term(vocabulary=vocabulary, label=label, key=label.casefold()) for label in called
            )
            ids[slug] = [term.pk for term in made]
        tops = [Collection.objects.named(self.drawn.some(1, 2).title()) for _ in range(20)]
        homes = Collection.objects.bulk_create(
            Collection(name=f"{self.drawn.some(2, 3).title()} {n}", key=f"{n}", parent=tops[n % 20])
            for n in range(COLLECTIONS)
        )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(STAGED)
            _copy(cursor, "staged", self._facts(ids["tags"], ids["creators"], [home.pk for home in homes]))
            cursor.execute(FILLED.replace("%", "%%"))
            cursor.execute("DROP TABLE staged")
        labels.count_pictures(sql.Where())
        vacuum()
        return [label for called in names.values() for label in called]

    def _facts(self, tags: list[int], makers: list[int], homes: list[int]) -> Iterator[Sequence[Any]]:
        draw = random.Random(2)
        weights = {
            len(of): list(accumulate(1 / n for n in range(1, len(of) + 1))) for of in (tags, makers, homes)
        }

        def some(of: list[int], k: int) -> list[int]:
            return sorted(set(draw.choices(of, cum_weights=weights[len(of)], k=k)))

        for n in range(1, self.rows + 1):
            access = "restricted" if draw.random() < 0.05 else "public"
            embargo = "infinity" if draw.random() < 0.02 else None
            title = self.drawn.some(2, 7).capitalize()
            home = some(homes, 1)[0]
            yield n, title, self.drawn.some(20, 40), home, access, embargo, some(tags, 5), some(makers, 1)

    # --- measuring --------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        from search.suggestions import suggest

        self.say(machine(), f"\n{self.rows:,} pictures with records")
        typed = self.beginnings()
        found = {
            "rows": self.rows,
            "suggest": self.spent("suggestions", typed, lambda text: suggest(text, self.viewer)),
            "suggest_naive": self.spent("suggestions, icontains", typed[:30], self.naive),
        }
        for letters in (2, 3, 5):
            short = [text for text in typed if len(text) == letters]
            found[f"suggest_{letters}"] = self.spent(
                f"  {letters} letters", short, lambda t: suggest(t, self.viewer)
            )
        slips = self.mistyped()
        found["correct"] = self.spent("corrections", slips, self.correct)
        found["correct_3"] = self.spent(
            "  among common words", [f"portrait {w} woman" for w in slips], self.correct
        )
        found["right"] = sum(self.meant(wrong) == right for wrong, right in slips.items()) / len(slips)
        found["offered"] = sum(self.meant(wrong) is not None for wrong in slips) / len(slips)
        found["correct_naive"] = self.spent("corrections, every word", list(slips)[:30], self.naive_correct)
        found["lexicon"] = self.count("search_word")
        said = f"{found['offered']:.0%} put right, {found['right']:.0%} to the very word"
        self.say(f"  {said}; {found['lexicon']:,} words")
        return found

    def beginnings(self) -> list[str]:
        draw, titles = random.Random(3), [self.drawn.some(2, 5) for _ in range(2000)]
        found = []
        for n in range(self.questions):
            name = draw.choice(self.labels if n % 2 else titles)
            word = draw.choice([w for w in name.lower().split() if len(w) > 1])
            start = word[: draw.randint(2, 7)]
            found.append(f"{self.drawn.some(1, 3)} {start}" if n % 3 == 2 else start)
        return found

    def mistyped(self) -> dict[str, str]:
        """{mistyped: right}; not what the search finds as another form of a word, such as a plural."""
        from search import sql
        from search.models import Word
        from search.spelling import slips

        draw, known = random.Random(4), set(Word.objects.values_list("word", flat=True))
        words = [self.drawn.some(1, 1) for _ in range(20 * self.questions)]
        wanted = [word for word in words if len(word) > 4 and word in known][: self.questions // 2]
        made = {wrong: word for word in wanted if (wrong := draw.choice(slips(word))) not in known}
        found = sql.passing([sql.Fragment(FOUND, (wrong,)) for wrong in made], sql.Where(), 1)
        return {wrong: word for (wrong, word), count in zip(made.items(), found, strict=True) if not count}

    def spent(
        self, name: str, texts: Sequence[str] | dict[str, str], work: Callable[[str], Any]
    ) -> dict[str, float]:
        """p50, p95 and the longest of the milliseconds; everything was asked once before."""
        for text in texts:
            work(text)
        found = []
        for text in texts:
            before = sum(clock.read() for clock in self.clocks)
            work(text)
            found.append(sum(clock.read() for clock in self.clocks) - before)
        p50, p95 = np.quantile(found, [0.5, 0.95])
        self.say(f"  {name:32} p50 {p50:8.2f}  p95 {p95:8.2f}  longest {max(found):8.2f} ms  ({len(found)})")
        return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "longest": round(max(found), 2)}

    def naive(self, text: str) -> None:
        from django.db.models import Exists, OuterRef

        from assets.models import Asset, AssetTerm, Collection, Record, RecordTerm, Term

        seen = Asset.objects.live().visible_to(self.viewer)
        on_pictures = Exists(AssetTerm.objects.filter(term=OuterRef("pk"), asset__in=seen))
        on_records = Exists(
            RecordTerm.objects.filter(term=OuterRef("pk"), record__depictions__asset__in=seen)
        )
        word = text.split()[-1]
        for slug in ("tags", "creators"):
            terms = Term.objects.in_vocabulary(slug).filter(label__icontains=word)
            list(terms.filter(on_pictures | on_records)[:5])
        titles = Record.objects.filter(title__icontains=word, depictions__asset__in=seen)
        list(titles.values_list("title", flat=True).distinct()[:5])
        homes = Collection.objects.filter(name__icontains=word)
        list(homes.filter(Exists(seen.filter(collection=OuterRef("pk"))))[:5])

    def correct(self, text: str) -> Any:
        """What the search adds to a question of which no picture has all words."""
        from dataclasses import replace

        from search import corrections, hybrid, query

        asked = hybrid.HybridQuery(user=self.viewer, text=text)
        again = lambda other: query._understood(replace(asked, text=other))  # noqa: E731
        return corrections.of_words(again(text), again)

    def meant(self, text: str) -> str | None:
        found = self.correct(text)
        return found.q if found else None

    def naive_correct(self, text: str) -> Any:
        from search import sql

        return sql.rows(NAIVE_MISTAKES, [text])

    def count(self, table: str) -> int:
        from search import sql

        return int(sql.rows(f"SELECT count(*) FROM {table}", [])[0][0])


if __name__ == "__main__":
    main()
