"""The API's own description is true, and nothing that fits it makes the server fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from sublight.core.errors import InvalidInput
from tests.server.harness import Harness

# Ends the server, or streams for ever.
LEFT_OUT = ("/api/v1/shutdown", "/api/v1/changes")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    harness = Harness(tmp_path_factory.mktemp("openapi") / ".sublight")
    harness.cluster()
    harness.submit(harness.sweep())
    yield harness
    harness.close()


@pytest.mark.slow
def test_no_request_makes_the_server_fail(workspace: Harness) -> None:
    token = workspace.services.people.ensure_owner()
    headers = {"Authorization": f"Bearer {token}", "Host": "127.0.0.1"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", workspace.workspace.app, headers=headers)
    tried = []

    for found in schema.exclude(path=list(LEFT_OUT)).get_all_operations():
        operation = found.ok()

        @given(operation.as_strategy())
        @settings(
            max_examples=int(os.environ.get("FUZZ_EXAMPLES", "15")),
            derandomize="FUZZ_EXAMPLES" not in os.environ,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=[not_a_server_error])

        ask()
        tried.append(operation.path)

    assert len(tried) > 30


def test_the_routes_of_the_api_are_described_and_those_of_agents_are_not(workspace: Harness) -> None:
    described = set(workspace.workspace.app.openapi()["paths"])

    assert {"/api/v1/runs", "/api/v1/runs/{run_id}/cancel", "/api/v1/clusters/{name}", "/api/v1/compare"} <= described
    assert not any("/nodes/" in path for path in described)


def test_a_number_beyond_64_bits_is_refused_with_a_sentence(workspace: Harness) -> None:
    with pytest.raises(InvalidInput, match="64 bits"):
        workspace.services.runs.list(before="9" * 30)
