"""The same system with its files in a bucket of a real S3 server; nothing else changes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import psycopg
import pytest
from botocore.client import BaseClient, Config
from botocore.exceptions import BotoCoreError, ClientError

from dam.services import addresses
from tests.factories import picture
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
    form = {"username": stack.username, "password": stack.password}
    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
    answer = browser.post(page.url, data=form, headers={"referer": str(page.url)})
    assert answer.status_code == 200 and "/accounts/login" not in str(answer.url)
