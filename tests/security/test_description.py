"""The API keeps to its own description, whatever it is asked: /api/v1/openapi.json, read by schemathesis.

The examples are the same at every run. `make soak` asks many more (SCHEMA_EXAMPLES).
"""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core import signals
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import ApiToken, User
from dam.wsgi import application
from search.models import EmbeddingSpace
from tests.factories import asset

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "5"))  # of each operation, in each mode, for each person
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
load_all_checks()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A refusal is what is asked for here."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def described(settings: Any, db: None) -> Iterator[Any]:
    settings.API_PER_MINUTE = settings.API_WRONG_PER_MINUTE = 0
    settings.ALLOWED_HOSTS = [*django_settings.ALLOWED_HOSTS, "localhost"]
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)  # as Django's own client does
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["viewer", "admin"])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_no_answer_is_an_error_or_contradicts_the_description(
    described: Any, who: str, mode: Any, space: EmbeddingSpace, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(who)
    found = asset(done=True, title="Sea", accession="1.2", tags="boats")
    known = {"uid": str(found.uid)}
    headers = {"Authorization": f"Bearer {ApiToken.objects.issue(user, 'test')}"}
    asked = 0
    for result in described.get_all_operations():
        operation = result.ok()
        if not has_strategy(operation, mode):
            continue
        for path in ({}, known) if "{uid}" in operation.path and "records" not in operation.path else ({},):
            ask(operation, mode, headers, path)
            asked += 1
    assert asked


def has_strategy(operation: Any, mode: Any) -> bool:
    """An operation without parameters cannot be asked wrongly."""
    return mode is schemathesis.GenerationMode.POSITIVE or bool(
        list(operation.iter_parameters()) or operation.body
    )


def ask(operation: Any, mode: Any, headers: dict[str, str], path: dict[str, Any]) -> None:
    @seed(7)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        case.path_parameters = {**case.path_parameters, **path}
        with transaction.atomic():
            case.call_and_validate(headers=headers, checks=CHECKS)
            transaction.set_rollback(True)

    each()
