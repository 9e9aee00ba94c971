import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from assets import sources
from assets.importing import Delivered, ImportRefused, read_table
from assets.importing import deliveries as deliveries_of
from assets.models import Asset, BatchItem, Operation, Record, StageRun
from search.models import EmbeddingSpace
from tests.factories import asset, picture


def folder(tmp_path: Path, *names: str) -> Path:
    root = tmp_path / "delivery"
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture())
    return root


def deliveries(paths: list[Path], csv: Path | None) -> list[Delivered]:
    return deliveries_of([sources.opened(str(path)) for path in paths], csv)


def reasons(found: list[Delivered]) -> dict[str, str]:
    return {d.item.path: d.item.reason for d in found if isinstance(d.item, sources.Refused)}


def table(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding)
    return path


def ingest(*arguments: Any) -> dict[str, Any]:
    output = StringIO()
    call_command("ingest", *map(str, arguments), "--json", stdout=output, stderr=StringIO())
    report: dict[str, Any] = json.loads(output.getvalue())
    return report


def test_a_folder_without_hidden_and_system_files(tmp_path: Path) -> None:
    root = folder(tmp_path, "b.jpg", "sub/a.jpg", ".DS_Store", "Thumbs.db", "__MACOSX/x.jpg", ".git/y.jpg")
    assert [d.item.path for d in deliveries([root], None)] == ["b.jpg", "sub/a.jpg"]


def test_lines_find_their_files_by_path_or_bare_name(tmp_path: Path) -> None:
    root = folder(tmp_path, "images/a.jpg", "images/b.jpg", "x/same.jpg", "y/same.jpg")
    csv = table(root / "list.csv", "file,title", "images/a.jpg,A", "b.jpg,B", "gone.jpg,G", "same.jpg,S")
    found = deliveries([root], csv)
    words = {d.item.path: d.words.get("title") for d in found}
    assert (words["images/a.jpg"], words["images/b.jpg"], words["x/same.jpg"]) == ("A", "B", None)
    assert "not there" in reasons(found)["gone.jpg"] and "2 files are called" in reasons(found)["same.jpg"]
    assert "list.csv" not in words


def test_a_csv_only_describes_when_files_are_named(tmp_path: Path) -> None:
    root = folder(tmp_path, "images/a.jpg", "images/b.jpg")
    csv = table(root / "list.csv", "file,title", "images/a.jpg,A", "images/b.jpg,B", "gone.jpg,G")
    found = deliveries([root / "images" / "a.jpg"], csv)
    assert [d.item.path for d in found] == ["a.jpg", "gone.jpg"] and list(reasons(found)) == ["gone.jpg"]


def test_a_csv_alone_brings_its_files_as_its_folder_would(tmp_path: Path) -> None:
    root = folder(tmp_path, "images/a.jpg")
    (tmp_path / "outside.jpg").write_bytes(picture())
    csv = table(root / "list.csv", "file,title", "images/a.jpg,A", "../outside.jpg,O")
    inside, outside = deliveries([], csv)
    assert (inside.source, inside.item.path) == (sources.opened(str(root)).identity, "images/a.jpg")
    assert (outside.source, outside.item.path) == (sources.opened(str(tmp_path)).identity, "outside.jpg")
    assert (inside.words, outside.words) == ({"title": "A"}, {"title": "O"})


@pytest.mark.parametrize(
    ("lines", "encoding"),
    [
        (("File;Title", 'a.jpg;"Caf\xe9; terrace"'), "cp1252"),
        (("file\tTITLE\tunknown", "a.jpg\tCafé; terrace\tx"), "utf-8"),
        (("file,title", 'a.jpg,"Café; terrace"'), "utf-8-sig"),
    ],
)
def test_tables_as_people_save_them(tmp_path: Path, lines: tuple[str, ...], encoding: str) -> None:
    csv = table(tmp_path / "t.csv", *lines, encoding=encoding)
    assert read_table(csv)[0].words == {"title": "Café; terrace"}


def test_a_table_without_the_column_says_what_it_has(tmp_path: Path) -> None:
    csv = table(tmp_path / "t.csv", "name,title", "a.jpg,A")
    with pytest.raises(ImportRefused, match="needs a column called file; it has: name, title"):
        read_table(csv)


@pytest.mark.django_db
def test_ingest_reports_every_file_and_repeating_adds_nothing(tmp_path: Path) -> None:
    root = folder(tmp_path, "a.jpg", "浮世絵.jpg")
    (root / "letter.jpg").write_text("Dear Sir")
    csv = table(root / "t.csv", "file,title,accession", "a.jpg,Sunday,1942.51", "gone.jpg,x,1")
    first = ingest(root, "--csv", csv, "--tag", "new", "--collection", "Prints / Japan")
    assert (first["accepted"], first["duplicates"], len(first["rejected"])) == (2, 0, 2)
    assert {Path(r["file"]).name for r in first["rejected"]} == {"letter.jpg", "gone.jpg"}
    assert {a.collection.name for a in Asset.objects.all()} == {"Japan"}
    assert BatchItem.objects.filter(batch__uid=first["batch"]).count() == 4
    operations = Operation.objects.count()
    again = ingest(root, "--csv", csv, "--tag", "new", "--collection", "Prints / Japan")
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert Asset.objects.count() == 2 and Operation.objects.count() == operations
    table(csv, "file,title,accession", "a.jpg,Monday,1942.51")
    ingest(root, "--csv", csv)
    assert Record.objects.get().title == "Monday"


@pytest.mark.django_db
def test_ingest_needs_something_that_exists(tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path / "nowhere")], ["--csv", str(tmp_path / "no.csv")]):
        with pytest.raises(CommandError):
            call_command("ingest", *arguments)


@pytest.mark.django_db
def test_resume_sends_what_the_broker_has_lost(space: EmbeddingSpace) -> None:
    asset()
    StageRun.objects.filter(stage="vectorise_words").delete()
    StageRun.objects.update(state="queued")
    output = StringIO()
    call_command("resume", stdout=output)
    assert output.getvalue().startswith("1 sent to the workers")  # for all that is to be done of the picture
    StageRun.objects.update(state="failed", attempts=4)
    call_command("resume", "--failed", stdout=output)
    assert "4 tried again" in output.getvalue()


@pytest.mark.django_db
def test_the_demonstration_comes_and_goes() -> None:
    output = StringIO()
    call_command("seed_demo", stdout=output)
    count = Asset.objects.live().filter(is_demo=True).count()
    assert count >= 15 and f"{count} demonstration pictures added" in output.getvalue()
    cat = Asset.objects.get(current_version__original_filename="chelsea.png")
    assert cat.title and "cat" in cat.tags and cat.rights and cat.collection.name == "Demonstration"
    call_command("seed_demo", "--remove", stdout=output)
    assert not Asset.objects.live().exists()


def test_names_are_compared_in_one_form(tmp_path: Path) -> None:
    root = folder(tmp_path, "e\u0301tude.jpg")
    csv = table(root / "list.csv", "file,title", "étude.jpg,A")
    assert [d.words for d in deliveries([root / "e\u0301tude.jpg"], csv)] == [{"title": "A"}]


def test_pipes_are_passed_over_and_long_cells_are_no_error(tmp_path: Path) -> None:
    root = folder(tmp_path, "a.jpg")
    os.mkfifo(root / "pipe.jpg")
    csv = table(root / "list.csv", "file,description", "x" * 5000 + ",A", "a.jpg," + "y" * 200_000)
    found = deliveries([root], csv)
    assert [d.item.path for d in found][0] == "a.jpg" and len(reasons(found)) == 1
    assert len(found[0].words["description"]) == 200_000


@pytest.mark.django_db
def test_resume_sends_no_more_than_a_window(settings: Any) -> None:
    settings.QUEUE_WINDOW = 2
    for _ in range(3):
        asset()
    output = StringIO()
    call_command("resume", stdout=output)
    assert output.getvalue().startswith("2 sent")
