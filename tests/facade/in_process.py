"""A facade workspace whose Sublight server is in this process, on a clock that stands still."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sublight
from azureml.core import Workspace
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from tests.server.harness import Harness, app_over
from tests.server.world import TestClient

URL = "http://127.0.0.1"


@contextlib.contextmanager
def served_workspace(folder: Path) -> Iterator[tuple[Workspace, Harness]]:
    """The workspace, and the harness that speaks for its nodes."""
    harness = Harness(folder)
    try:
        token = harness.services.people.ensure_owner(present="")
        http = TestClient(app_over(harness), base_url=URL)
        workspace = Workspace("sub", "group", "wonderland")
        workspace._sdk_workspace = sublight.Workspace(
            client=Client(Endpoint(URL, token), http=http, sleep=lambda _: harness.settle())
        )
        yield workspace, harness
    finally:
        harness.close()
