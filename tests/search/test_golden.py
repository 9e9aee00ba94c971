"""What a person expects to find in a small catalogue: tests/search/golden has the objects and the questions.

A line of questions.csv has a question, a rule, and accession numbers. `first`: the first results are these,
in this order. `among`: these are among the first ten. `all`: these are found, and nothing else. `nothing`:
no object has all that was asked. What is `absent` is not found. `did_you_mean` is what a slip was meant for.
"""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from assets.models import Asset
from assets.text import fold
from search.checking import check
from search.hybrid import HybridQuery
from search.query import run

GOLDEN = Path(__file__).parent / "golden"
SEVERAL = "No picture has all of these words"


def catalogue() -> dict[str, Any]:
    output = StringIO()
    call_command("ingest", "--records", str(GOLDEN / "catalogue.csv"), "--json", stdout=output)
    report: dict[str, Any] = json.loads(output.getvalue())
    return report


def numbers(assets: list[Asset]) -> list[str]:
    return [getattr(asset.record, "accession_number", "") for asset in assets]


def found(question: str, user: User, **options: Any) -> list[str]:
    """The accession numbers of what has all that was asked."""
    query = HybridQuery(user=user, text=question, mode="keywords", limit=200, **options)
    results = run(query)
    return [] if any(said.startswith(SEVERAL) for said in results.notices) else numbers(results.assets)


def fits(line: dict[str, str], got: list[str]) -> bool:
    expected, absent = ([n for n in line[name].split(";") if n] for name in ("expect", "absent"))
    if set(absent) & set(got):
        return False
    return {
        "first": got[: len(expected)] == expected,
        "among": set(expected) <= set(got[:10]),
        "all": set(expected) == set(got),
        "nothing": not got and not expected,
    }[line["rule"]]


@pytest.mark.django_db
def test_questions_find_what_a_person_expects(admin: User) -> None:
    report = catalogue()
    assert (report["new"], report["refused"]) == (164, 0)
    with (GOLDEN / "questions.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    wrong = [
        (line["question"], line["rule"], line["expect"], got[:12])
        for line in lines
        if not fits(line, got := found(line["question"], admin))
    ]
    assert not wrong, "\n".join(map(str, wrong))
    assert not any(different for _, different in check(repair=True))  # which also learns all words
    slips = {line["question"]: line["did_you_mean"] for line in lines if line["did_you_mean"]}
    offered = {slip: run(HybridQuery(user=admin, text=slip, mode="keywords")).did_you_mean for slip in slips}
    assert {slip: fold(meant.q) if meant else "" for slip, meant in offered.items()} == slips


@pytest.mark.django_db
def test_accession_numbers_stand_in_their_natural_order(admin: User) -> None:
    catalogue()
    listed = found("accession:1923", admin, sort="accession")
    assert listed == ["1923.1", "1923.2", "1923.9", "1923.10", "1923.11", "1923.12", "1923.100"]
    assert found("accession:ÄBC*", admin, sort="accession") == ["ÄBC-12/3", "ÄBC-12/4", "ÄBC-12/30"]
