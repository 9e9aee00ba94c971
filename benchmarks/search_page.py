"""Server time of the search page, the query's vector not counted, beside the naive way to filter.

    python -m benchmarks.search_page [--assets 10000] [--home] [--json]

Page: the whole request through Django's handler and middleware, without the network; the vector of each
sentence is in the cache, as it is for a question that was asked before. Queries and bytes: the most that a
page of each kind asked of the database before its answer was sent (a question is counted after that), and the
size of its HTML, compressed. Naive: the index first, the
filter after it, as a plain `ORDER BY … LIMIT` with a join does. Recall is against an exact scan by numpy.
With --home only the home page: as it is first asked for, when all is counted, and within the same minute.
"""

import argparse
import gc
import gzip
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.library import WORDS, database, fill

PAGE, BUDGET_MS, WARMING = 48, 150, 12
KINDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "searched": lambda text: {"q": text, "view": "grid"},
    "next_page": lambda text: {"q": text, "page": 2, "view": "grid"},
    "as_list": lambda text: {"q": text, "view": "list"},
    "listed": lambda text: {"view": "grid"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--home", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with database():
        began = time.monotonic()
        vectors = fill(options.assets, with_vectors=not options.home)
        print(f"{options.assets} assets made in {time.monotonic() - began:.0f} s")
        measured: dict[str, Any] = {"assets": options.assets}
        if options.home:
            measured |= home(options.queries)
        else:
            measured |= {**pages(options.queries, vectors), **rankings(options.queries)}
    if not options.json:
        for name, value in measured.items():
            print(f"{name:28} {value}")
        print(f"(budget of the page: {BUDGET_MS} ms)")
    print(json.dumps(measured))


def questions(number: int) -> list[tuple[str, dict[str, Any]]]:
    """Sentences, half of them with a filter by a common or a rare tag, or by a collection."""
    draw = np.random.default_rng(3)
    found = []
    for n in range(number):
        text = " ".join(draw.choice(WORDS, 3))
        filters: list[dict[str, Any]] = [
            {},
            {"tag": f"{WORDS[0]} {WORDS[20]}"},
            {"tag": f"{WORDS[15]} {WORDS[25]}"},
            {"collection": str(draw.choice(WORDS[:6]))},
        ]
        found.append((text, filters[n % 4]))
    return found


def pages(number: int, vectors: np.ndarray) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User
    from search import cached, spaces

    space = spaces.active()
    assert space is not None
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("bench"))
    spent: dict[str, list[float]] = {kind: [] for kind in KINDS}
    queries, sizes = Counter[str](), Counter[str]()
    draw = np.random.default_rng(5)
    for text, filters in questions(number + WARMING)[number:]:  # the server is warm: templates, buffers
        client.get("/", {**filters, "q": text})
    gc.collect()
    gc.freeze()  # a server does not look through what was made to fill the library
    gc.set_threshold(10_000, 20, 20)  # as dam.wsgi
    for text, filters in questions(number):
        cached.keep_vector(space.slug, text, vectors[draw.integers(len(vectors))])
        addresses = {kind: {**filters, **extra(text)} for kind, extra in KINDS.items()}
        for kind, address in addresses.items():
            began = time.perf_counter()
            response = client.get("/", address)
            spent[kind].append((time.perf_counter() - began) * 1000)
            assert response.status_code == 200, response.content[:500]
            sizes[kind] = max(sizes[kind], len(gzip.compress(response.content)))
        for kind, address in addresses.items():  # counted apart, since counting takes time
            with CaptureQueriesContext(connection) as captured:
                client.get("/", address)
            name = f"{kind}_narrowed" if filters else kind
            asked = [q for q in captured.captured_queries if "INTO search_searchlog" not in str(q["sql"])]
            queries[name] = max(queries[name], len(asked))
    times = {
        f"page_{kind}_ms_{name}": round(value, 1)
        for kind, values in spent.items()
        for name, value in (("p50", statistics.median(values)), ("p95", np.quantile(values, 0.95)))
    }
    times |= {f"queries_{name}": most for name, most in sorted(queries.items())}
    return times | {f"page_{kind}_kb_gzipped": round(size / 1000, 1) for kind, size in sizes.items()}


def home(number: int) -> dict[str, Any]:
    """The home page of an administrator and of somebody else, beside 20,000 counted questions."""
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from accounts.models import User
    from search import question_log
    from search.models import SearchLog

    day = timezone.now().date()
    SearchLog.objects.bulk_create(
        SearchLog(day=day, key=f"question {n}", mode="best", question=f"Question {n}", total=n % 3, times=n)
        for n in range(20_000)
    )
    found: dict[str, Any] = {}
    people = {"all": User.objects.create_superuser("bench"), "most": User.objects.create_user("reader")}
    for kind, user in people.items():
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
        client.get("/home/")  # templates are compiled once
        spent: dict[str, list[float]] = {"counted": [], "kept": []}
        for _ in range(number):
            cache.clear()
            for times in spent.values():
                began = time.perf_counter()
                assert client.get("/home/").status_code == 200
                times.append((time.perf_counter() - began) * 1000)
        for name, times in spent.items():
            found[f"home_{kind}_{name}_ms_p50"] = round(statistics.median(times), 1)
            found[f"home_{kind}_{name}_ms_p95"] = round(float(np.quantile(times, 0.95)), 1)
        cache.clear()
        for name in spent:
            with CaptureQueriesContext(connection) as captured:
                client.get("/home/")
            found[f"home_{kind}_{name}_queries"] = len(captured)
    began = time.perf_counter()
    for n in range(200):
        question_log.note(f"question {n % 20}", "best", 3, None)
    found["counting_a_question_ms"] = round((time.perf_counter() - began) * 5, 2)
    return found


def rankings(number: int) -> dict[str, Any]:
    """Recall@48 and full pages of the filtered vector search, ours and naive, and their times as a ratio."""
    from accounts.models import User
    from assets.models import Term
    from search import spaces, sql

    space, user = spaces.active(), User.objects.get(username="bench")
    assert space is not None
    known = dict(sql.rows("SELECT asset_id, vector::text FROM search_embedding", []))
    ids = np.array(list(known))
    matrix = np.array([json.loads(text) for text in known.values()], dtype=np.float32)
    tags = list(Term.objects.in_vocabulary("tags").order_by("pk"))
    draw = np.random.default_rng(9)
    ours: list[tuple[float, float, bool]] = []
    naive: list[tuple[float, float, bool]] = []
    for n in range(number):
        question = matrix[draw.integers(len(matrix))]
        where = sql.visible_to(sql.Where(), user).add("r.term_ids && %s::bigint[]", [tags[n % 40].pk])
        passing = np.isin(ids, sql.listed(where, "added", len(ids), 0))
        best = ids[passing][np.argsort(-(matrix[passing] @ question), kind="stable")][:PAGE]
        for rows, search in ((ours, _ours), (naive, _naive)):
            began = time.perf_counter()
            found = [r.asset_id for r in search(space, question, where)][:PAGE]
            took = time.perf_counter() - began
            rows.append((took, len(set(found) & set(best.tolist())) / len(best), len(found) == len(best)))
    return {
        "recall_ours": round(float(np.mean([r for _, r, _ in ours])), 4),
        "recall_naive": round(float(np.mean([r for _, r, _ in naive])), 4),
        "full_pages_ours": round(float(np.mean([f for _, _, f in ours])), 4),
        "full_pages_naive": round(float(np.mean([f for _, _, f in naive])), 4),
        "time_vs_naive_p50": round(
            statistics.median(t for t, _, _ in ours) / statistics.median(t for t, _, _ in naive), 2
        ),
    }


def _ours(space: Any, question: np.ndarray, where: Any) -> list[Any]:
    from search import nearest, sql

    passing = sql.estimate(where)
    plans = {"visual": nearest.scale_of(space).plan("visual", passing, PAGE)}
    found, _ = nearest.nearest(space, {"visual": question}, where, PAGE, plans, passing=passing)
    return found["visual"]


def _naive(space: Any, question: np.ndarray, where: Any) -> list[Any]:
    """The nearest 200 by the index, then the filter."""
    from search import sql

    d = space.dimensions
    statement = f"""
        SELECT n.asset_id, n.distance FROM (
            SELECT e.asset_id, e.vector::halfvec({d}) <#> %s::halfvec({d}) AS distance FROM search_embedding e
            WHERE e.space_id = {space.pk} AND e.kind = 'visual' ORDER BY distance LIMIT 200) n
        JOIN search_searchrow r USING (asset_id) WHERE {where.sql} ORDER BY n.distance LIMIT {PAGE}"""
    return [sql.Ranked(*row) for row in sql.rows(statement, [sql._text(question), *where.params])]


if __name__ == "__main__":
    main()
