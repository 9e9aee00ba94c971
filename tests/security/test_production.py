"""What an installation that others can reach is held to before it starts."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from dam import wsgi
from tests.services_fixture import ROOT

GOOD = "k3b9-Qm7xTzV0aWcYf2LrUeHs8DnJpG5oIiKuNtRdEhSlBqMvXwZj1A4"


def manage(*command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    outside = ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS")
    kept = {name: value for name, value in os.environ.items() if name not in outside}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        env={**kept, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_settings_of_production_pass_all_checks_for_it() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", ALLOWED_HOSTS="dam.example.org")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("changeme", "dam.E001"),
        ("django-insecure-" + GOOD, "dam.E001"),
        ("change-me-" + GOOD, "dam.E001"),
        ("ab" * 40, "dam.E001"),
        (GOOD[:49], "dam.E001"),
        ("the password of the database, which is 50 long 4711!", "dam.E002"),
        (GOOD, ""),
    ],
)
def test_a_key_that_others_can_know_is_refused(
    settings: Any, monkeypatch: pytest.MonkeyPatch, key: str, code: str
) -> None:
    settings.SECRET_KEY = key
    password = "the password of the database, which is 50 long 4711!"
    # Only lent: with another password no thread of a later test could connect.
    monkeypatch.setitem(settings.DATABASES, "default", settings.DATABASES["default"] | {"PASSWORD": password})
    assert [error.id for error in run_checks(tags=["security"]) if error.is_serious()] == [code][: bool(code)]


def test_a_key_that_other_accounts_can_read_is_refused(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "secret_key").write_text(GOOD)
    (tmp_path / "secret_key").chmod(0o644)
    assert "dam.E003" in codes()
    (tmp_path / "secret_key").chmod(0o600)
    assert "dam.E003" not in codes()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("ALLOWED_HOSTS", ["*"], "dam.E004"),
        ("ALLOWED_HOSTS", ["dam.example.org", "."], "dam.E004"),
        ("TRUSTED_PROXIES", ["0.0.0.0/0"], "dam.E005"),
        ("TRUSTED_PROXIES", ["proxy.example.org"], "dam.E005"),
        ("MEDIA_ORIGIN", "https://media.example.org/files", "dam.E006"),
        ("SIGN_IN_ORIGINS", ["https://a; script-src *"], "dam.E006"),
        ("MEDIA_ORIGIN", "https://media.example.org", "dam.E007"),
    ],
)
def test_settings_that_open_too_much_are_refused(settings: Any, name: str, value: Any, code: str) -> None:
    assert code not in codes()
    setattr(settings, name, value)
    assert code in codes()


def test_the_server_alone_does_not_start_with_such_settings(settings: Any) -> None:
    wsgi.refuse_to_start()
    settings.SECRET_KEY = "changeme"
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is short"):
        wsgi.refuse_to_start()


def test_passwords_that_travel_in_the_open_are_warned_of(settings: Any) -> None:
    settings.PRODUCTION, settings.PLAIN_HTTP = True, True
    assert "dam.W001" in [error.id for error in run_checks(include_deployment_checks=True)]


def codes() -> list[str | None]:
    return [error.id for error in run_checks(tags=["security"])]
