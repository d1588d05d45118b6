"""A Sublight server in this process, and the facade's Workspace over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sublight as sl
from azureml.core.workspace import Workspace, _Identity, _standing_for
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from tests.server.harness import Harness, app_over
from tests.server.world import TestClient

URL = "http://127.0.0.1"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """The server's side: a real database and services, nodes on paper, a clock that stands still."""
    made = Harness(tmp_path / "server")
    yield made
    made.close()


@pytest.fixture
def sdk(harness: Harness) -> sl.Workspace:
    """The Sublight SDK's workspace on that server; whenever it waits, the server's loops go on."""
    token = harness.services.people.ensure_owner(present="")
    http = TestClient(app_over(harness), base_url=URL)
    return sl.Workspace(client=Client(Endpoint(URL, token), http=http, sleep=lambda _: harness.settle()))


@pytest.fixture
def ws(sdk: sl.Workspace) -> Workspace:
    """The facade's workspace over it, as a configuration file from Azure would name it."""
    return _standing_for(sdk, _Identity("sub-1", "group-1", "old-workspace"))
