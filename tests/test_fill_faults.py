"""A move to another model while workers are killed, the broker forgets all and files are replaced."""

import io
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pytest
import redis
from django.db import connection, transaction
from PIL import Image

from assets import again, outcomes, pipeline
from assets.models import Asset, StageRun
from dam.services import addresses
from search import filling, spaces, sql
from search.encoders import _jpeg
from search.models import Embedding
from tests.encoder import ColourEncoder
from tests.factories import asset
from tests.search import services
from tests.search.serving import Allowance, Server, serving
from tests.services_fixture import Stack
from tests.test_faults import wait_for

PICTURES, REPLACED = 50, 6
PER_SECOND, LATENCY = 20, 0.05
VECTORS = (
    "SELECT e.asset_id, e.version_id, a.current_version_id, r.storage_name, e.vector::real[] "
    "FROM search_embedding e JOIN assets_asset a ON a.id = e.asset_id "
    "JOIN assets_rendition r ON r.version_id = a.current_version_id AND r.name = 'medium' "
    "JOIN search_embeddingspace s ON s.id = e.space_id WHERE s.encoder = %s AND e.kind = 'visual'"
)
REPLACE = """
import pathlib
from django.db import transaction
from assets import again, pipeline, storage
from assets.models import Asset, AssetVersion
for path in sorted(pathlib.Path({folder!r}).iterdir()):
    old = AssetVersion.objects.get(original_filename=path.name)
    with path.open("rb") as file, storage.spooled(file) as spool, storage.locked(spool.sha256):
        blob = storage.store(spool, "image/jpeg")
    with transaction.atomic():
        new = AssetVersion.objects.create(
            asset=old.asset, number=2, blob=blob, original_filename=path.name,
            format="JPEG", width=160, height=120,
        )
        Asset.objects.filter(pk=old.asset_id).update(current_version=new)
        pipeline.start(new)
"""


@dataclass
class Moved:
    """The system after all faults, and what the service with an allowance counted."""

    stack: Stack
    replaced: set[int]
    allowance: Allowance


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """Two moves, the second while the first one waits for the leases of those that were killed."""
    folder = tmp_path_factory.mktemp("fill")
    with (
        serving(services.Infinity()) as first,
        serving(services.Immich(), latency=0.1) as second,
        serving(services.Azure(), LATENCY) as third,
        Stack(
            folder / "data",
            STAGE_SECONDS="15",
            QUEUE_LEASE_SECONDS="5",
            FILL_CONCURRENCY="2",
            NO_PROXY="127.0.0.1",
            ENCODERS="immich azure",
            **configured("ENCODER", "openai", first.url, services.Infinity.model, services.SIZE),
            **configured("ENCODER_IMMICH", "immich", second.url, services.Immich.model, services.SIZE),
            **configured("ENCODER_AZURE", "azure", third.url, "", 0),
        ) as stack,
    ):
        taken = stack.manage("ingest", "--csv", str(delivery(folder)), "--wait")
        assert taken.returncode == 0, taken.stdout + taken.stderr
        assert stack.manage("spaces", "create", "immich").returncode == 0
        replaced = break_everything(stack, second, folder)
        third.allowance = Allowance(PER_SECOND, "sliding")
        assert stack.manage("spaces", "create", "azure").returncode == 0
        wait_for(lambda: states(stack) == {"ready"})
        yield Moved(stack, replaced, third.allowance)


def configured(prefix: str, kind: str, url: str, model: str, dimensions: int) -> dict[str, str]:
    values = {"URL": url, "KEY": services.KEY, "MODEL": model, "DIMENSIONS": str(dimensions), "TIMEOUT": "9"}
    return {prefix if prefix == "ENCODER" else f"{prefix}_KIND": kind} | {
        f"{prefix}_{name}": value for name, value in values.items()
    }


def delivery(folder: Path) -> Path:
    """Pictures of colours that the contract servers tell apart, and the list of them with titles."""
    lines = ["file,title"]
    for number in range(PICTURES):
        (folder / f"{number:03}.jpg").write_bytes(plain(number))
        lines.append(f"{number:03}.jpg,Study {number}")
    (folder / "list.csv").write_text("\n".join(lines))
    return folder / "list.csv"


def plain(number: int) -> bytes:
    """One colour in the middle of what services.seen takes for the same."""
    red, rest = divmod(number, 100)
    colour = tuple(12 + 24 * level for level in (red, *divmod(rest, 10)))
    buffer = io.BytesIO()
    Image.new("RGB", (160, 120), colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def break_everything(stack: Stack, service: Server, folder: Path) -> set[int]:
    """While the first move is under way; returns the assets whose files were replaced.

    The service takes its time meanwhile, else the move would be over before on a busy machine.
    """
    wait_for(lambda: vectors(stack) > 10)
    swift, service.latency = service.latency, 3.0
    leader = stack.leader("filler")
    assert leader
    for child in stack.pids("filler") - {leader}:
        os.kill(child, signal.SIGKILL)
    (folder / "new").mkdir()
    for number in range(REPLACED):
        # of the first pictures, whose vectors are there, and of the last ones, whose are not
        name = number if number % 2 else PICTURES - 1 - number
        (folder / "new" / f"{name:03}.jpg").write_bytes(plain(900 + number))
    said = stack.manage("shell", "-c", REPLACE.format(folder=str(folder / "new")))
    assert said.returncode == 0, said.stderr
    redis.Redis.from_url(addresses.read(stack.data_dir)["REDIS_URL"]).flushall()
    before = vectors(stack)
    service.latency = swift
    wait_for(lambda: vectors(stack) > before + 10)
    os.kill(stack.leader("filler") or leader, signal.SIGKILL)
    return {pk for (pk,) in rows(stack, "SELECT asset_id FROM assets_assetversion WHERE number = 2")}


def rows(stack: Stack, statement: str, *params: str) -> list[tuple]:
    with psycopg.connect(addresses.read(stack.data_dir)["DATABASE_URL"]) as database:
        return database.execute(statement, params).fetchall()


def vectors(stack: Stack) -> int:
    """How many the first move has made so far."""
    statement = "SELECT count(*) FROM search_embedding e JOIN search_embeddingspace s ON s.id = e.space_id"
    return int(rows(stack, f"{statement} WHERE s.encoder = 'immich'")[0][0])


def states(stack: Stack) -> set[str]:
    return {
        state for (state,) in rows(stack, "SELECT state FROM search_embeddingspace WHERE state <> 'active'")
    }


@pytest.mark.stack
@pytest.mark.parametrize("name", ["immich", "azure"])
def test_a_fill_ends_complete_whatever_is_killed(moved: Moved, name: str) -> None:
    """Each picture exactly once, of its current file, as the encoder sees it."""
    found = rows(moved.stack, VECTORS, name)
    assert len(found) == len({asset for asset, *_ in found}) == PICTURES
    assert all(version == current for _, version, current, *_ in found)
    assert len({asset for asset, version, *_ in found if asset in moved.replaced}) == REPLACED
    contract = services.Immich() if name == "immich" else services.Azure()
    version = b"" if name == "immich" else b"2023-04-15"
    for _, _, _, storage_name, vector in found:
        with Image.open(moved.stack.data_dir / "renditions" / storage_name) as rendition:
            _, seed = services.seen(_jpeg.jpeg(rendition))
        expected = np.array(services.numbers(version + seed, contract.size))
        assert np.allclose(vector, expected / np.linalg.norm(expected), atol=2e-3)


@pytest.mark.stack
def test_a_fill_uses_what_a_service_allows_and_no_more(moved: Moved) -> None:
    """Two processes share it. How much of it they use is for `python -m benchmarks fill_rate`."""
    assert moved.allowance.refused_share < 0.02
    assert moved.allowance.used > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_an_edit_and_a_result_of_the_same_picture_do_not_deadlock(
    encoder: ColourEncoder, next_encoder: ColourEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    """An edit changes the picture and then lets its runs wait again; a result must not begin with the run."""
    spaces.ensure()
    one = asset("red", "red.jpg", done=True, title="A red thing")
    made = spaces.create("next")
    filling.tend()
    run = StageRun.every.get(variant=made.pk, stage="vectorise_words", version=one.current_version_id)
    claim = pipeline._claim(run.pk, "")
    assert claim is not None
    outcome = pipeline.pipeline()["vectorise_words"](claim.run.version, made.pk)

    def record() -> None:
        outcomes.record(claim, outcome)
        connection.close()

    writing = threading.Thread(target=record)
    with transaction.atomic():
        Asset.objects.filter(pk=one.pk).update(title="A blue thing")
        writing.start()
        wait_for(lambda: sql.rows("SELECT 1 FROM pg_locks WHERE NOT granted", []))
        again.outdated("vectorise_words", [one.pk])
    writing.join(30)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("waiting", "") and "deadlock" not in caplog.text
    assert not Embedding.objects.filter(space=made, kind="words").exists(), "of the former title"
