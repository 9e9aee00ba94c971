"""docker-compose.yml cannot be started by the tests; it is held to its specification and to settings.py."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dam import env

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
PASSWORDS = {"POSTGRES_PASSWORD", "POSTGRES_WEB_PASSWORD"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(COMPOSE.read_text())["services"])


def ours(services: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in services.items() if "build" in service}


def test_follows_the_compose_specification():
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_has_every_part(services):
    assert set(services) == {"db", "redis", "prepare", "web", "worker", "importer", "filler", "beat"}
    assert set(ours(services)) == {"prepare", "web", "worker", "importer", "filler", "beat"}


def test_every_variable_for_our_image_is_one_that_settings_read(services, settings):
    settings.DATA_DIR  # noqa: B018 - settings.py has been read
    for name, service in ours(services).items():
        unknown = set(service["environment"]) - set(env.READ) - PASSWORDS
        assert not unknown, f"{name} sets {unknown}, which settings.py does not read"


def test_the_library_works_as_a_role_of_its_own_and_knows_no_owner(services):
    """Else whoever gets into it could write the audit log anew."""
    for name, service in ours(services).items():
        said = service["environment"]
        assert said["DATABASE_URL"].startswith("postgres://dam_web:${POSTGRES_WEB_PASSWORD:?"), name
        assert {said[password] for password in PASSWORDS} == {""}, (
            name
        )  # what .env says of them goes no further
        assert ("DATABASE_OWNER_URL" in said) is (name == "prepare"), name
    owner = services["prepare"]["environment"]["DATABASE_OWNER_URL"]
    assert owner.startswith("postgres://dam:${POSTGRES_PASSWORD:?")
    assert services["db"]["environment"]["POSTGRES_USER"] == "dam"
    assert services["prepare"]["command"] == ["python", "manage.py", "prepare"]  # connects as the owner


def test_every_lasting_service_has_a_health_check_and_comes_back(services):
    for name, service in services.items():
        if name != "prepare":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_parts_wait_for_what_they_need(services):
    for name in ("web", "worker", "importer", "filler", "beat"):
        waits = services[name]["depends_on"]
        assert waits["db"]["condition"] == "service_healthy"
        assert waits["prepare"]["condition"] == "service_completed_successfully"


def test_the_database_is_kept_where_version_18_wants_it_with_the_locale_of_the_embedded_one(services):
    from dam.services.postgres import LOCALE

    assert "database:/var/lib/postgresql" in services["db"]["volumes"]
    for option in services["db"]["environment"]["POSTGRES_INITDB_ARGS"].split():
        assert option in LOCALE


def test_the_image_runs_as_an_ordinary_user():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER museum"]
