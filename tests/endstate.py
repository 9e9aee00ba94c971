"""What must hold when all work has ended, whatever happened on the way: by the database and the files."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from dam.services import addresses

# A step that needs another which failed waits for ever; the picture is failed then, and that is its end.
OPEN = (
    "SELECT count(*) FROM assets_stagerun r WHERE state IN ('queued', 'running') OR state = 'waiting' "
    "AND NOT EXISTS "
    "(SELECT 1 FROM assets_stagerun f WHERE f.version_id = r.version_id AND f.state = 'failed')"
)
WITHOUT_REASON = "SELECT count(*) FROM assets_stagerun WHERE state = 'failed' AND reason = ''"
MISSING = """
    SELECT v.original_filename FROM assets_asset a JOIN assets_assetversion v ON v.id = a.current_version_id
    WHERE NOT EXISTS (SELECT 1 FROM assets_stagerun r WHERE r.version_id = v.id AND r.state = 'failed')
    AND ((SELECT count(*) FROM search_embedding e WHERE e.version_id = v.id AND e.kind = 'visual') <> 1
        OR (SELECT count(*) FROM assets_rendition d WHERE d.version_id = v.id) <> 3
        OR NOT EXISTS (SELECT 1 FROM search_searchrow s WHERE s.asset_id = a.id))
"""
TWICE = "SELECT blob_id FROM assets_assetversion GROUP BY blob_id HAVING count(*) > 1"
BLOBS = "SELECT sha256, size FROM assets_blob"
UNSTORED = "SELECT count(*) FROM assets_blob WHERE state <> 'stored'"


def unfinished(data_dir: Path) -> int:
    """Steps that are still to be done."""
    return int(_rows(data_dir, OPEN)[0][0])


def wrong(data_dir: Path, incoming: bool = True) -> list[str]:
    """What is not as it should be, in words; every original is read.

    `incoming`: that folder must be empty, too. What killed processes left there is swept after a day.
    """
    return list(_wrong_rows(data_dir)) + list(_wrong_files(data_dir, incoming))


def _wrong_rows(data_dir: Path) -> Iterator[str]:
    for statement, said in (
        (OPEN, "steps are not finished"),
        (WITHOUT_REASON, "steps failed without a reason"),
        (UNSTORED, "originals are not stored completely"),
    ):
        if number := int(_rows(data_dir, statement)[0][0]):
            yield f"{number} {said}"
    for (name,) in _rows(data_dir, MISSING):
        yield f"{name} is neither searchable nor failed"
    for (blob,) in _rows(data_dir, TWICE):
        yield f"the bytes {blob} are there twice"


def _wrong_files(data_dir: Path, incoming: bool) -> Iterator[str]:
    known: dict[str, Any] = {f"{s[:2]}/{s[2:4]}/{s}": size for s, size in _rows(data_dir, BLOBS)}
    renditions = {name for (name,) in _rows(data_dir, "SELECT storage_name FROM assets_rendition")}
    folders = {"originals": set(known), "renditions": renditions} | ({"incoming": set()} if incoming else {})
    for folder, names in folders.items():
        there = _files(data_dir / folder)
        yield from (f"{folder}/{name} is nobody's" for name in sorted(there - names))
        yield from (f"{folder}/{name} is missing" for name in sorted(names - there))
    for name in known:
        path = data_dir / "originals" / name
        if path.exists():
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != path.name:
                    yield f"originals/{name} has other bytes than it should"
            if path.stat().st_size != known[name]:
                yield f"originals/{name} has another size than it should"


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _rows(data_dir: Path, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(addresses.read(data_dir)["DATABASE_URL"]) as database:
        return database.execute(statement).fetchall()
