import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from search.models import EmbeddingSpace
from tests.factories import asset

pytestmark = pytest.mark.django_db


def evaluate(path: Path, *arguments: str) -> dict[str, float]:
    output = StringIO()
    call_command("evaluate", str(path), *arguments, "--json", stdout=output)
    measured: dict[str, float] = json.loads(output.getvalue())
    return measured


@pytest.fixture
def golden(tmp_path: Path, space: EmbeddingSpace) -> Path:
    for number, color in enumerate(["red", "green", "blue", "yellow"]):
        asset(color, f"{color}.jpg", done=True, tags="cold" if number in (1, 2) else "warm")
    path = tmp_path / "golden.csv"
    path.write_text("query,filename\nred,red.jpg\ngreen,green.jpg\nblue,yellow.jpg\nred,missing.jpg\n")
    return path


def test_recall_and_rank(golden: Path) -> None:
    measured = evaluate(golden, "--mode", "visual")
    assert (measured["queries"], measured["recall@1"]) == (4, 0.5)
    assert measured["recall@10"] == 0.75  # the missing file is never found, however small the library
    assert measured["median_rank"] == pytest.approx(2.0, abs=1.0)


def test_only_what_passes_the_filters_competes(golden: Path) -> None:
    measured = evaluate(golden, "--filter", "tag:cold", "--mode", "visual")
    assert (measured["recall@1"], measured["recall@10"]) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ("name,file\na,b\n", [], "needs the columns"),
        ("query,filename\n", [], "at least one line"),
        ("query,filename\nred,red.jpg\n", ["--filter", "tag:nothing"], "No picture passes"),
        ("query,filename\nred,red.jpg\n", ["--filter", "colour:octarine"], "not understood"),
    ],
)
def test_what_cannot_be_measured_says_why(
    tmp_path: Path, space: EmbeddingSpace, content: str, arguments: list[str], said: str
) -> None:
    path = tmp_path / "golden.csv"
    path.write_text(content)
    with pytest.raises(CommandError, match=said):
        evaluate(path, *arguments)
