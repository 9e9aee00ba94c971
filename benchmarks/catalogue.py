"""A museum's whole catalogue, imported as objects that wait for their pictures, and questions about it.

    python -m benchmarks catalogue --records FILE.jsonl.gz [FILE …] [--repeat 3] [--json]

Reads the collection as the Carnegie Museum of Art publishes it (github.com/cmoa/collection, CC0): one JSON
object in each line. It becomes a CSV, and that is imported by the command that people use. The judge of what
is found is plain Python over the same file; the plain way that times are compared with is `icontains`, which
looks for the words in title, medium and maker. Nothing is encoded: the vector of each question is in the
cache. Times are of whole requests through Django's handler and middleware, without the network; of each
question the shortest of --repeat times counts, so that what else the machine does is left out.
"""

import argparse
import csv
import gzip
import io
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.library import ROOT, database

BOUND_MS, FIRST, MOST = 100, 10, 1000
QUESTIONS = Path(__file__).parent / "catalogue_questions.csv"
COLUMNS = (
    "accession",
    "title",
    "creator",
    "date",
    "medium",
    "description",
    "credit_line",
    "collection",
    "tags",
)
LONGEST = {"title": 500, "medium": 500, "credit_line": 500, "date": 200}
Line = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, nargs="+", required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="the figures alone, as one JSON object")
    options = parser.parse_args()
    lines = [line for path in options.records for line in read(path)]
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        questions = list(csv.DictReader(file))
    with database():
        measured = {**imported(lines), **recall(lines, questions), **times(questions, options.repeat)}
    for name, value in [] if options.json else measured.items():
        print(f"{name:44} {value}")
    print(json.dumps(measured))


# --- the list ---------------------------------------------------------------------------------------


def read(path: Path) -> Iterator[Line]:
    """One line of our CSV for each object."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for text in file:
            found = json.loads(text)
            plain = {
                name: " ".join((found[name] or "").split()) for name in ("title", "medium", "credit_line")
            }
            line = {
                **plain,
                "accession": found["accession_number"],
                "creator": "; ".join(one["full_name"].replace(";", ",") for one in found["creator"] or []),
                "date": found["creation_date"] or "",
                "description": plain["title"] if len(plain["title"]) > LONGEST["title"] else "",
                "collection": found["department"] or "",
                "tags": (found["classification"] or "").replace(";", ","),
            }
            yield {name: line[name][: LONGEST.get(name)] for name in COLUMNS}


def imported(lines: Sequence[Line]) -> dict[str, Any]:
    """By the command, twice: the second time nothing differs."""
    from django.core.management import call_command
    from django.db import connection

    path = ROOT / "var" / "bench" / "catalogue.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    reports = []
    for _ in range(2):
        output = io.StringIO()
        call_command("ingest", "--records", str(path), "--json", stdout=output)
        reports.append(json.loads(output.getvalue()))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    first, second = reports
    assert second["unchanged"] == first["new"], second
    return {
        "lines": first["lines"],
        "objects": first["new"],
        "refused": [f"{bad['file']}: {bad['reason']}" for bad in first["rejected"]],
        "import_lines_a_second": round(first["lines"] / first["seconds"]),
        "repeated_lines_a_second": round(second["lines"] / second["seconds"]),
    }


# --- what is found ------------------------------------------------------------------------------------


def folded(text: str) -> list[str]:
    from assets.text import fold

    return re.findall(r"\w+", fold(text))


def same(word: str, other: str) -> bool:
    """One word, in the singular or the plural."""
    return word == other or word in (f"{other}s", f"{other}es") or other in (f"{word}s", f"{word}es")


def judge(question: Line, words: dict[str, dict[str, list[str]]]) -> set[str]:
    """The accession numbers of all right answers; `words` has those of title and maker for each number."""
    if question["kind"] == "accession":
        return {question["expect"]}
    asked = folded(question["question"])
    if question["kind"] == "title":
        return {number for number, has in words.items() if has["title"] == asked}
    if question["kind"] == "maker":  # or in a title, as in `after Dürer`
        both = {number: has["creator"] + has["title"] for number, has in words.items()}
        return {n for n, has in both.items() if all(any(same(w, o) for o in has) for w in asked)}
    *whole, last = asked  # which may also be the beginning of a word
    return {
        number
        for number, has in words.items()
        if any(same(last, o) or o.startswith(last) for o in has["title"])
        and all(any(same(w, o) for o in has["title"]) for w in whole)
    }


def recall(lines: Sequence[Line], questions: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Of the right answers, the share among the first ten, and among all that is ranked."""
    words = {
        line["accession"]: {where: folded(line[where]) for where in ("title", "creator")} for line in lines
    }
    found: dict[str, list[tuple[float, float]]] = {}
    for question in questions:
        if question["kind"] == "common":
            continue
        right = judge(question, words)
        assert right, question
        got = numbers(question["question"])
        first = len(right & set(got[:FIRST])) / min(len(right), FIRST)
        every = len(right & set(got)) / min(len(right), MOST)
        found.setdefault(question["kind"], []).append((first, every))
        if first < 1 or every < 1:
            print(f"{question['question']}: {len(right)} right, {first:.0%} of ten, {every:.0%} of all")
    return {
        f"{name} {kind} ({len(pairs)})": round(statistics.mean(pair[n] for pair in pairs), 4)
        for kind, pairs in found.items()
        for n, name in enumerate((f"recall@{FIRST}", f"recall@{MOST}"))
    }


def numbers(question: str) -> list[str]:
    from accounts.models import User
    from assets.models import Record
    from search.hybrid import HybridQuery
    from search.query import rank

    user = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("bench")
    ids = [hit.asset_id for hit in rank(HybridQuery(user=user, text=question, mode="keywords"))]
    shown = Record.objects.filter(depictions__asset__in=ids).values_list(
        "depictions__asset", "accession_number"
    )
    by_id = dict(shown)
    return [by_id[pk] for pk in ids]


# --- how long it takes --------------------------------------------------------------------------------


def times(questions: Sequence[dict[str, str]], repeat: int) -> dict[str, Any]:
    from django.test import Client

    from accounts.models import User
    from search import cached, spaces

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="bench"))
    space = spaces.ensure()[0]
    vector = np.random.default_rng(1).normal(size=space.dimensions).astype(np.float32)
    ways: dict[str, Callable[[str], object]] = {
        "keywords": lambda text: client.get("/", {"q": text, "mode": "keywords"}),
        "best": lambda text: client.get("/", {"q": text}),
        "icontains": naive,
        **others(client),
    }
    for question in questions:
        cached.keep_vector(
            space.slug, " ".join(question["question"].split()), vector / np.linalg.norm(vector)
        )
    client.get("/")  # templates are compiled once
    spent: dict[tuple[str, str], dict[str, float]] = {}
    for _ in range(repeat):
        for question in questions:
            group, text = "common" if question["kind"] == "common" else "others", question["question"]
            for way, ask in ways.items():
                began = time.perf_counter()
                ask(text)
                took = (time.perf_counter() - began) * 1000
                least = spent.setdefault((way, group), {})
                least[text] = min(took, least.get(text, took))
    return summary(spent, list(ways))


def summary(spent: dict[tuple[str, str], dict[str, float]], ways: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for way in ways:
        for group in ("others", "common"):
            least = spent[way, group]
            p50, p95 = (float(np.quantile(list(least.values()), share)) for share in (0.5, 0.95))
            within = "" if way == "icontains" else f" (bound {BOUND_MS})"
            found[f"{way}, {group}: ms p50 / p95{within}"] = f"{p50:.0f} / {p95:.0f}"
            plain = float(np.quantile(list(spent["icontains", group].values()), 0.5))
            found[f"{way}, {group}: p50 against icontains"] = round(p50 / plain, 2)
            slowest = sorted(least, key=least.__getitem__, reverse=True)[:3]
            found[f"{way}, {group}: slowest"] = [f"{text}: {least[text]:.0f} ms" for text in slowest]
    return found


def others(client: Any) -> dict[str, Callable[[str], object]]:
    """Facets and suggestions, where the application has them."""
    from django.urls import NoReverseMatch, reverse

    found: dict[str, Callable[[str], object]] = {}
    for name in ("facets", "suggest"):
        with suppress(NoReverseMatch):
            address = reverse(f"search:{name}")
            found[name] = lambda text, address=address: client.get(address, {"q": text, "mode": "keywords"})
    return found


def naive(text: str) -> object:
    """A page and a count of the objects whose title, medium or maker contains each word somewhere."""
    from django.db.models import Q

    from assets.models import Record

    found = Record.objects.live()
    for word in folded(text):
        by_maker = Record.objects.filter(terms__label__icontains=word).values("pk")
        found = found.filter(Q(title__icontains=word) | Q(medium__icontains=word) | Q(pk__in=by_maker))
    return found.count(), list(found.order_by("pk")[:48])


if __name__ == "__main__":
    main()
