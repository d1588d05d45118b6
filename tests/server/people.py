"""People who use a workspace in this process over HTTP, beside the short ways of the harness."""

from __future__ import annotations

from typing import Any

from sublight.core.errors import NotFound
from sublight.messages.people import PersonRequest, TokenRequest
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from tests.server.harness import OWNER, Harness
from tests.server.world import TestClient

URL = "http://127.0.0.1:8123"


def token_of(harness: Harness, name: str, *roles: str) -> str:
    """A token of a person, who is added with these roles unless known."""
    people = harness.services.people
    if name not in {person.name for person in people.list()}:
        people.add(OWNER, PersonRequest(name=name, roles=list(roles)))  # type: ignore[arg-type]
    return people.create_token(OWNER, TokenRequest(person=name)).secret


def http(harness: Harness, token: str) -> TestClient:
    """A program with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return TestClient(harness.workspace.app, base_url=URL, headers=headers, raise_server_exceptions=False)


def sdk(harness: Harness, token: str, **options: Any) -> Client:
    """The SDK's client with this token; it may outlive a restart of the harness."""

    class Door(TestClient):
        """Asks whatever app the harness has at the moment."""

        def request(self, *arguments: Any, **named: Any) -> Any:
            self.app = harness.workspace.app
            self._transport.app = harness.workspace.app  # type: ignore[attr-defined]
            return super().request(*arguments, **named)

    options.setdefault("sleep", lambda _: None)
    return Client(Endpoint(URL, token), http=Door(harness.workspace.app, base_url=URL), **options)


def exists(harness: Harness, run_id: str) -> bool:
    """True when there is a run of this id."""
    try:
        harness.run(run_id)
    except NotFound:
        return False
    return True
