"""The same system with its files in a bucket of a real S3 server; nothing else changes."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from botocore.client import BaseClient, Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from assets import backends, fixity, orphans, sources, storage
from assets.models import Asset, Blob, Rendition
from assets.sources import Item, SourceError
from dam import settings as dam_settings
from dam.services import addresses
from tests.assets.test_storage import STEPS, crash_and_recover
from tests.factories import asset as factory_asset
from tests.factories import picture, take_in
from tests.services_fixture import Stack, free_port

pytestmark = pytest.mark.stack
KEY, SECRET, BUCKET = "museum", "a long secret", "pictures"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseClient]:
    folder = tmp_path_factory.mktemp("s3")
    port = free_port()
    rights = {
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [{"name": "museum", **rights}]}))
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        pytest.skip("SeaweedFS is not in this environment: there is no wheel of it for every platform.")
    local = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-filer.disableHttp=true"]
    ports = [f"-{part}.port={free_port()}" for part in ("master", "volume", "filer")]
    grpc = [f"-{part}.port.grpc={free_port()}" for part in ("master", "volume", "filer", "s3")]
    s3_options = ["-s3", f"-s3.port={port}", f"-s3.config={folder / 's3.json'}", "-volume.max=20"]
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen(
            [weed, "server", f"-dir={folder}", *local, *ports, *grpc, *s3_options], stdout=log, stderr=log
        )
    try:
        yield ready(f"http://127.0.0.1:{port}", folder / "weed.log")
    finally:
        server.kill()
        server.wait()


def ready(url: str, log: Path) -> BaseClient:
    """A client, as soon as the server takes a first object."""
    config = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 1})
    client: BaseClient = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=config,
    )
    until = time.monotonic() + 90
    while True:
        try:
            if BUCKET not in [b["Name"] for b in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="first", Body=b"1")
            return client
        except (BotoCoreError, ClientError):
            assert time.monotonic() < until, log.read_text(errors="replace")[-2000:]
            time.sleep(0.5)


def test_an_import_reads_what_lies_below_a_prefix(s3: BaseClient, settings: Any) -> None:
    settings.IMPORT_S3_ENDPOINT_URL, settings.IMPORT_S3_REGION = s3.meta.endpoint_url, "us-east-1"
    settings.IMPORT_S3_ACCESS_KEY, settings.IMPORT_S3_SECRET_KEY = KEY, SECRET
    s3.create_bucket(Bucket="scans")
    long = bytes(range(256)) * 3000
    objects = {
        "2024/boat.jpg": long,
        "2024/boat.xmp": b"xmp",
        "2024/sub/浮世絵.jpg": b"2",
        "2024/.hidden": b"3",
    }
    for key, content in {**objects, "2025/other.jpg": b"4", "2024/sub/": b""}.items():
        s3.put_object(Bucket="scans", Key=key, Body=content)
    source = sources.opened("s3://scans/2024/")
    boat, print_ = source.items()
    assert isinstance(boat, Item) and isinstance(print_, Item) and source.identity == "s3:scans/2024/"
    assert (boat.path, boat.size, print_.path) == ("boat.jpg", len(long), "sub/浮世絵.jpg")
    assert boat.sidecar is not None and boat.sidecar.path == "boat.xmp"
    with boat.open() as stream:
        assert stream.read(1000) + stream.read() == long
    s3.put_object(Bucket="scans", Key="2024/boat.jpg", Body=b"changed")
    now = next(iter(source.items()))
    assert isinstance(now, Item) and now.fingerprint != boat.fingerprint
    s3.delete_object(Bucket="scans", Key="2024/boat.jpg")
    with pytest.raises(SourceError, match="not there any more"), boat.open():
        pass
    with pytest.raises(SourceError, match="no such bucket"):
        list(sources.opened("s3://nowhere/x").items())
    settings.IMPORT_S3_SECRET_KEY = "wrong"
    with pytest.raises(SourceError, match="IMPORT_S3_SECRET_KEY|may not read"):
        list(sources.opened("s3://scans/2024").items())


def test_pictures_go_into_the_bucket_and_come_back(s3: BaseClient, tmp_path: Path) -> None:
    content = picture("green", (900, 600))
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    (delivery / "first.jpg").write_bytes(content)
    (delivery / "second 浮世絵.jpg").write_bytes(picture("red"))
    settings = {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": s3.meta.endpoint_url,
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": KEY,
        "S3_SECRET_KEY": SECRET,
    }
    with Stack(tmp_path / "data", **settings) as stack:
        report = json.loads(stack.manage("ingest", str(delivery), "--wait", "--json").stdout)
        assert (report["accepted"], report["failed"]) == (2, [])
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert sum(key.startswith("originals/") for key in keys) == 2
        assert sum(key.startswith("renditions/") for key in keys) == 6
        assert not list((stack.data_dir / "originals").rglob("*"))
        assert s3_original(s3, stack) == content
        with httpx.Client(base_url=stack.url, follow_redirects=True, timeout=20) as browser:
            sign_in(browser, stack)
            uid = json.loads(stack.manage("search", "--json").stdout)["results"][-1]["id"]
            shown = browser.get(f"/assets/{uid}/v1/small/")
            assert shown.headers["content-type"] == "image/webp" and len(shown.content) > 100
            assert browser.get(f"/assets/{uid}/original/").content == content
            stack.manage("ingest", str(delivery), "--tag", "harbour", "--wait")
            described = browser.get(f"/assets/{uid}/download/")
            assert b"harbour" in described.content and content[-1000:] in described.content
            assert int(described.headers["content-length"]) == len(described.content)
            assert b"harbour" in browser.get(f"/assets/{uid}/metadata.xmp").content


def s3_original(s3: BaseClient, stack: Stack) -> bytes:
    with psycopg.connect(addresses.read(stack.data_dir)["DATABASE_URL"]) as database:
        row = database.execute("SELECT sha256 FROM assets_blob ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    found: bytes = s3.get_object(Bucket=BUCKET, Key=f"originals/{row[0][:2]}/{row[0][2:4]}/{row[0]}")[
        "Body"
    ].read()
    return found


def sign_in(browser: httpx.Client, stack: Stack) -> None:
    page = browser.get("/")
    form = {"login": stack.username, "password": stack.password}
    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
    answer = browser.post(page.url, data=form, headers={"referer": str(page.url)})
    assert answer.status_code == 200 and "/accounts/login" not in str(answer.url)


# --- the parts, in this process -----------------------------------------------------------------------


def entry(s3: BaseClient, folder: str) -> dict[str, Any]:
    """As in settings.STORAGES; `folder` is a place of its own for a test."""
    options = {
        **dam_settings.S3,
        "bucket_name": BUCKET,
        "endpoint_url": s3.meta.endpoint_url,
        "region_name": "us-east-1",
        "access_key": KEY,
        "secret_key": SECRET,
        "location": folder,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


@pytest.fixture
def in_bucket(s3: BaseClient, settings: Any, tmp_path: Path) -> str:
    """Both kinds of files lie in the bucket, below the name that this gives."""
    name = tmp_path.name
    places = {kind: entry(s3, f"{name}/{kind}") for kind in ("originals", "renditions")}
    settings.STORAGES = {**settings.STORAGES, **places}
    return name


def keys(s3: BaseClient, prefix: str) -> set[str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", [])
    return {one["Key"].removeprefix(f"{prefix}/") for one in found}


@pytest.mark.django_db
def test_a_crash_at_any_step_leaves_what_is_completed_or_swept(in_bucket: str) -> None:
    for step in STEPS[2:]:  # those that touch the bucket; in one test, as a client takes long to make
        crash_and_recover(step)


@pytest.mark.django_db
def test_originals_in_a_bucket_are_checked_and_put_back(
    s3: BaseClient, in_bucket: str, tmp_path: Path
) -> None:
    contents = [picture(color) for color in ("red", "green", "blue")]
    for content in contents:
        take_in(content)
    missing, changed, _ = Blob.objects.order_by("pk")
    names = [f"{in_bucket}/originals/{blob.storage_name}" for blob in (missing, changed)]
    s3.delete_object(Bucket=BUCKET, Key=names[0])
    s3.put_object(Bucket=BUCKET, Key=names[1], Body=b"something else")
    found = dict(fixity.check_all(fixity.not_since(timezone.now())))
    assert {blob.pk: finding.state for blob, finding in found.items() if finding.state != "ok"} == {
        missing.pk: "missing",
        changed.pk: "changed",
    }
    with pytest.raises(storage.OriginalMissing), storage.local_copy(missing):
        pass
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.jpg").write_bytes(content)
    assert len(list(fixity.restore_from(tmp_path))) == 2 and not fixity.bad().exists()
    assert s3.get_object(Bucket=BUCKET, Key=names[1])["Body"].read() == contents[1]


@pytest.mark.django_db
def test_a_bucket_that_does_not_answer_is_no_damage(in_bucket: str, settings: Any) -> None:
    take_in(picture())
    places = settings.STORAGES
    options = {**places["originals"]["OPTIONS"], "secret_key": "wrong"}
    settings.STORAGES = {**places, "originals": {**places["originals"], "OPTIONS": options}}
    with pytest.raises(fixity.StorageAway, match="does not answer"):
        list(fixity.check_all(fixity.not_since(timezone.now())))
    assert Blob.objects.get().fixity == "ok"


@pytest.mark.django_db
def test_unfinished_uploads_and_orphans_in_a_bucket(s3: BaseClient, in_bucket: str) -> None:
    take_in(picture())
    lost = f"ab/ab/{'ab' * 32}"
    s3.put_object(Bucket=BUCKET, Key=f"{in_bucket}/originals/{lost}", Body=b"1")
    s3.create_multipart_upload(Bucket=BUCKET, Key=f"{in_bucket}/originals/unfinished")
    assert not list(orphans.orphans())
    (orphan,) = orphans.orphans(age=timedelta(0))
    assert (orphan.name, orphan.size) == (lost, 1) and orphans.remove(orphan)
    assert len(keys(s3, f"{in_bucket}/originals")) == 1
    backends.sweep_parts(storage.originals(), timezone.now() + timedelta(minutes=1))
    left = s3.list_multipart_uploads(Bucket=BUCKET, Prefix=f"{in_bucket}/").get("Uploads", [])
    assert not left


@pytest.mark.django_db
def test_only_a_signed_address_opens_a_file_and_only_for_a_while(s3: BaseClient, in_bucket: str) -> None:
    take_in(picture())
    address = storage.originals().url(Blob.objects.get().storage_name)
    assert "X-Amz-Expires=300" in address
    assert httpx.get(address).status_code == 200
    assert httpx.get(address.partition("?")[0]).status_code == 403
    assert httpx.get(address.replace("X-Amz-Expires=300", "X-Amz-Expires=3000")).status_code == 403


@pytest.mark.django_db
def test_an_original_in_a_bucket_comes_in_parts_or_from_the_bucket_itself(
    s3: BaseClient, in_bucket: str, settings: Any, browser: Client
) -> None:
    outcome = take_in(content := picture(), "浮世絵.jpg")
    assert outcome.asset
    at = f"{outcome.asset.get_absolute_url()}original/"
    whole, part = browser.get(at), browser.get(at, headers={"range": "bytes=100-199"})
    assert b"".join(whole.streaming_content) == content and part.status_code == 206
    assert b"".join(part.streaming_content) == content[100:200]
    settings.S3_PRESIGNED_SECONDS = 60
    answer = browser.get(at)
    assert answer.status_code == 302 and "X-Amz-Expires=60" in answer["Location"]
    given = httpx.get(answer["Location"], headers={"range": "bytes=5-"})
    assert given.status_code == 206 and given.content == content[5:]
    assert given.headers["content-type"] == "application/octet-stream"
    assert "attachment" in given.headers["content-disposition"]
    s3.delete_object(Bucket=BUCKET, Key=f"{in_bucket}/originals/{Blob.objects.get().storage_name}")
    settings.S3_PRESIGNED_SECONDS = 0
    assert browser.get(at).status_code == 404


# --- moving -------------------------------------------------------------------------------------------


def moving_to(settings: Any, to: str, s3: BaseClient, tmp_path: Path) -> None:
    """The settings of a library that moves."""
    settings.STORAGE, settings.STORAGE_BEFORE = to, "local" if to == "s3" else "s3"
    for kind in ("originals", "renditions"):
        location = {"location": str(tmp_path / kind), "durable": False}
        local = {"BACKEND": "assets.backends.FolderStorage", "OPTIONS": location}
        bucket = entry(s3, f"{tmp_path.name}/{kind}")
        new, old = (bucket, local) if to == "s3" else (local, bucket)
        both = {"BACKEND": "assets.backends.BothStorage", "OPTIONS": {"new": new, "old": old}}
        settings.STORAGES = {**settings.STORAGES, kind: both}


def move(*options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("move_storage", "--json", *options, stdout=out, stderr=io.StringIO())
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def all_readable(browser: Client) -> bool:
    """Every original and every preview, as a visitor asks for them."""
    addresses = [f"{asset.get_absolute_url()}original/" for asset in Asset.objects.all()]
    addresses += [one.get_absolute_url() for one in Rendition.objects.select_related("version__asset")]
    return all(len(browser.get(address).getvalue()) > 100 for address in addresses)


@pytest.mark.django_db
def test_moving_there_and_back_while_the_library_is_used(
    s3: BaseClient, settings: Any, tmp_path: Path, browser: Client
) -> None:
    for color in ("red", "green"):
        factory_asset(color, done=True)
    files = {kind: tmp_path / kind for kind in ("originals", "renditions")}
    local = {kind: {p.name for p in folder.rglob("*") if p.is_file()} for kind, folder in files.items()}
    with pytest.raises(CommandError, match="Set STORAGE=s3 and STORAGE_BEFORE=local"):
        move("--to", "s3")

    moving_to(settings, "s3", s3, tmp_path)
    assert move("--to", "s3", "--dry-run")["moved"] == 8
    assert move("--to", "s3", "--limit", "3")["moved"] == 3
    factory_asset("blue", done=True)  # uploaded meanwhile: into the bucket at once
    assert len(keys(s3, f"{tmp_path.name}/originals")) == 3 and all_readable(browser)
    report = move("--to", "s3")
    assert (report["moved"], report["there"], report["refused"]) == (5, 3, [])
    assert {p.name for p in files["originals"].rglob("*") if p.is_file()} == local["originals"]
    report = move("--to", "s3", "--delete-source")
    assert (report["moved"], report["removed"]) == (0, 8)
    assert not [p for folder in files.values() for p in folder.rglob("*") if p.is_file()]
    assert all_readable(browser)

    moving_to(settings, "local", s3, tmp_path)
    assert move("--to", "local", "--delete-source")["moved"] == 12
    assert not keys(s3, tmp_path.name) and all_readable(browser)
    assert not [f for _, f in fixity.check_all(fixity.not_since(timezone.now())) if f.state != "ok"]


@pytest.mark.django_db
def test_a_damaged_original_is_not_moved_and_nothing_wrong_is_trusted(
    s3: BaseClient, settings: Any, tmp_path: Path
) -> None:
    for color in ("red", "green"):
        take_in(picture(color))
    damaged, good = Blob.objects.order_by("pk")
    path = Path(storage.originals().path(damaged.storage_name))
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    moving_to(settings, "s3", s3, tmp_path)
    wrong = f"{tmp_path.name}/originals/{good.storage_name}"
    s3.put_object(Bucket=BUCKET, Key=wrong, Body=bytes(good.size))  # something else of the same size
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("move_storage", "--to", "s3", "--delete-source", stdout=out, stderr=io.StringIO())
    assert "It is not what was once stored." in out.getvalue()
    assert path.exists() and keys(s3, f"{tmp_path.name}/originals") == {good.storage_name}
    assert storage.digest_of(storage.originals(), good.storage_name) == good.sha256
    assert not Path(tmp_path / "originals" / good.storage_name).exists()


@pytest.mark.django_db
def test_a_stop_while_moving_loses_nothing(
    s3: BaseClient, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Client
) -> None:
    factory_asset("red", done=True)
    moving_to(settings, "s3", s3, tmp_path)
    kind = type(storage.originals().new)  # type: ignore[attr-defined]
    real, left = kind._save, [2]

    def stopped(self: Any, name: str, content: Any) -> str:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return str(real(self, name, content))

    err = io.StringIO()
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(kind, "_save", stopped)
        call_command("move_storage", "--to", "s3", "--delete-source", stdout=io.StringIO(), stderr=err)
    assert stop.value.code == 130 and "Stopped. 2 files copied" in err.getvalue()
    assert all_readable(browser) and move("--to", "s3", "--delete-source")["moved"] == 2
    assert len(keys(s3, tmp_path.name)) == 4
