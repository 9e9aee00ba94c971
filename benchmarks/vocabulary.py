"""Importing a large vocabulary, and renaming a term that many pictures have.

    python -m benchmarks vocabulary [--concepts 50000] [--pictures 20000] [--formats nt,ttl,rdf,csv] [--json]

Concepts are made by code: labels in three languages, two synonyms, one or two broader terms, a note, as in
the published vocabularies that museums use. Seconds by the clock and of processors, this process and the
database together, for reading and comparing, and for writing; the most memory that the process had; a second
import of the same file, which must change nothing; and taking all back. Then pictures with one tag, and the
seconds until a request that renames it is answered, and until all follow.
"""

import argparse
import csv
import json
import random
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.library import ROOT, database, fill
from benchmarks.measuring import Clock, machine

BASE = "http://example.org/concept/"
SKOS = "http://www.w3.org/2004/02/skos/core#"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--concepts", type=int, default=5_000)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--formats", default="nt,ttl,rdf,csv")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with database():
        found: dict[str, Any] = {"machine": machine(), "concepts": options.concepts}
        for format in options.formats.split(","):
            found[format] = imported(options.concepts, format)
            print(format, found[format], flush=True)
        if options.pictures:
            found["renaming"] = renamed(options.pictures)
            print("renaming", found["renaming"])
    if options.json:
        print(json.dumps(found))


def concepts(number: int) -> Iterator[tuple[str, list[tuple[str, str, str]], list[str], str]]:
    """(address, [(kind, label, language)], addresses of broader ones, note)"""
    draw = random.Random(1)
    for n in range(number):
        labels = [("prefLabel", f"{kind} {n} of {word(draw)}", language) for kind, language in KINDS]
        labels += [("altLabel", f"{word(draw)} {word(draw)} {n}", "en") for _ in range(2)]
        above = {BASE + str(draw.randrange(max(1, n // 4), n)) for _ in range(1 + (n % 5 == 0)) if n > 10}
        yield BASE + str(n), labels, sorted(above), " ".join(word(draw) for _ in range(25))


KINDS = (("Thing", "en"), ("Ding", "de"), ("Chose", "fr"))


def word(draw: random.Random) -> str:
    return "".join(draw.choice("aeioubdfgklmnprst") for _ in range(7))


def written(number: int, format: str) -> Path:
    path = ROOT / "var" / "bench" / f"concepts.{format}"
    with path.open("w", encoding="utf-8", newline="") as file:
        {"nt": write_nt, "ttl": write_ttl, "rdf": write_rdf, "csv": write_csv}[format](file, number)
    return path


def write_nt(file: Any, number: int) -> None:
    for uri, labels, above, note in concepts(number):
        file.writelines(
            f'<{uri}> <{SKOS}{kind}> "{label}"@{language} .\n' for kind, label, language in labels
        )
        file.writelines(f"<{uri}> <{SKOS}broader> <{one}> .\n" for one in above)
        file.write(f'<{uri}> <{SKOS}scopeNote> "{note}"@en .\n')


def write_ttl(file: Any, number: int) -> None:
    file.write(f"@prefix skos: <{SKOS}> .\n")
    for uri, labels, above, note in concepts(number):
        parts = [f'skos:{kind} "{label}"@{language}' for kind, label, language in labels]
        parts += [f"skos:broader <{one}>" for one in above] + [f'skos:scopeNote "{note}"@en']
        file.write(f"<{uri}> a skos:Concept ;\n  " + " ;\n  ".join(parts) + " .\n")


def write_rdf(file: Any, number: int) -> None:
    file.write(f'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:s="{SKOS}">\n')
    for uri, labels, above, note in concepts(number):
        file.write(f'<s:Concept r:about="{uri}">')
        file.writelines(f'<s:{k} xml:lang="{language}">{label}</s:{k}>' for k, label, language in labels)
        file.writelines(f'<s:broader r:resource="{one}"/>' for one in above)
        file.write(f'<s:scopeNote xml:lang="en">{note}</s:scopeNote></s:Concept>\n')
    file.write("</r:RDF>\n")


def write_csv(file: Any, number: int) -> None:
    target = csv.writer(file)
    target.writerow(["uri", "label", "label:de", "label:fr", "synonyms", "broader", "note"])
    for uri, labels, above, note in concepts(number):
        names = [label for kind, label, _ in labels if kind == "prefLabel"]
        others = "; ".join(label for kind, label, _ in labels if kind == "altLabel")
        target.writerow([uri, *names, others, "; ".join(above), note])


def imported(number: int, format: str) -> dict[str, Any]:
    from assets.models import Term, Vocabulary
    from assets.terms import importing, work

    vocabulary = Vocabulary.objects.get(slug="subjects")
    path = written(number, format)
    found: dict[str, Any] = {"megabytes": round(path.stat().st_size / 1e6, 1)}
    with Memory() as memory:
        for name in ("", "again_"):
            copy = path.with_name(f"copy.{format}")
            shutil.copyfile(path, copy)
            delivery = importing.begin(vocabulary, copy, path.name, ["en", "de", "fr"], None)
            found[f"{name}reading_s"] = timed(delivery)
            assert delivery.state == "planned", delivery.problem
            type(delivery).objects.filter(pk=delivery.pk).update(state="working")
            found[f"{name}writing_s"] = timed(delivery)
            assert delivery.state == "done", delivery.problem
            found[f"{name}report"] = {k: delivery.report[k] for k in ("new", "changed", "unchanged")}
            found["most_mb"] = memory.most
            if not name:
                first = delivery
    assert Term.objects.filter(vocabulary=vocabulary).count() == number
    found["undoing_s"] = timed(work.undo(first, None))
    assert not Term.objects.filter(vocabulary=vocabulary).exists()
    return found


def timed(delivery: Any) -> str:
    """All that is left of it; seconds by the clock, and of processors."""
    from assets.terms import work
    from search.sql import rows

    database = Clock(rows("SELECT pg_backend_pid()", [])[0][0])
    began, before = time.perf_counter(), time.process_time() * 1000 + database.read()
    while work.step(delivery.pk, 3600):
        pass
    took, spent = time.perf_counter() - began, time.process_time() * 1000 + database.read() - before
    delivery.refresh_from_db()
    return f"{took:.1f} (processors {spent / 1000:.1f})"


class Memory:
    """The most megabytes that this process had beyond those at the beginning, ten times a second."""

    def __enter__(self) -> "Memory":
        self.before, self.most, self.going = resident(), 0, True
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.going = False
        self.thread.join()

    def _look(self) -> None:
        while self.going:
            self.most = max(self.most, round(resident() - self.before))
            time.sleep(0.1)


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def renamed(pictures: int) -> dict[str, Any]:
    from assets.models import Asset, AssetTerm, Term
    from assets.terms import editing, merging, work
    from search import rows

    fill(pictures, with_vectors=False)
    everywhere, other = (Term.objects.labelled("tags", label) for label in ("everywhere", "elsewhere"))
    ids = list(Asset.objects.values_list("pk", flat=True))
    AssetTerm.objects.bulk_create(AssetTerm(asset_id=pk, term=everywhere, position=9) for pk in ids)
    for start in range(0, len(ids), 1000):
        rows.refresh(ids[start : start + 1000])
    found: dict[str, Any] = {"pictures": pictures}
    began = time.perf_counter()
    edited = editing.edit(everywhere, {"label": "all over"}, [], None)
    found["request_s"] = round(time.perf_counter() - began, 2)
    assert edited
    found["rest_s"] = timed(edited)
    began = time.perf_counter()
    joined = merging.merge(other, [everywhere], None)
    found["merge_request_s"] = round(time.perf_counter() - began, 2)
    found["merge_rest_s"] = timed(joined)
    assert joined.state == "done", joined.problem
    found["merge_undone_s"] = timed(work.undo(joined, None))
    return found


if __name__ == "__main__":
    main()
