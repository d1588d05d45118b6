"""The whole app in this process as its users meet it: over HTTP, each with their own token or browser session."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import insert

from sublight.messages.people import PersonRequest, TokenRequest
from sublight.server.auth import session_cookie
from sublight.server.caller import Caller
from sublight.server.clock import FakeClock
from sublight.server.services.datastores import FIRST
from sublight.server.settings import Settings
from sublight.store import tables
from sublight.store.datastores import DatastoreFiles
from sublight.wiring import build

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette asks for another client library than the one we have
    from starlette.testclient import TestClient

HOST = "127.0.0.1:8123"
ORIGIN = f"http://{HOST}"
OLGA = Caller(name="olga", roles=frozenset({"owner"}))


class World:
    """A workspace in a folder, and people who use it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.folder = folder
        workspace = build(Settings(root=folder), supplies={}, clock=self.clock)
        self.app = workspace.app
        self.services = workspace.services
        self.people = workspace.services.people
        self.files = workspace.services.files
        self.database = workspace.services.database
        self.cookie = session_cookie(workspace.services.workspace_id)

    def close(self) -> None:
        self.database.close()

    def empty(self) -> None:
        """Forget everybody and everything that is in the database, and remove all files."""
        with self.database.write() as connection:
            for table in tables.metadata.sorted_tables:
                if table is not tables.facts:
                    connection.execute(table.delete())
        for file in self.stored_files():
            file.unlink()
        shutil.rmtree(self.folder / "datastores")
        DatastoreFiles(self.folder / "datastores").make(FIRST)
        self.services.callers.forget()
        self.clock.advance(3600)

    def stored_files(self) -> list[Path]:
        """The files that hold contents and logs."""
        return [file for part in ("blobs", "logs") for file in (self.folder / part).rglob("*") if file.is_file()]

    def token(self, name: str, *roles: str) -> str:
        """A token of a person, who is added with these roles unless known."""
        if name not in {person.name for person in self.people.list()}:
            self.people.add(OLGA, PersonRequest(name=name, roles=list(roles)))  # type: ignore[arg-type]
        return self.people.create_token(OLGA, TokenRequest(person=name)).secret

    def client(self, name: str | None = None, *roles: str) -> TestClient:
        """A program of that person (or of nobody)."""
        headers = {} if name is None else {"Authorization": f"Bearer {self.token(name, *roles)}"}
        return TestClient(
            self.app, base_url=ORIGIN, headers=headers, follow_redirects=False, raise_server_exceptions=False
        )

    def browser(self, name: str, *roles: str) -> tuple[TestClient, str]:
        """A browser in which that person has signed in, and the CSRF token that its pages carry."""
        secret, _ = self.people.login(self.token(name, *roles))
        client = self.client()
        client.headers["Accept"] = "text/html"
        client.cookies.set(self.cookie, secret, domain="127.0.0.1")
        with self.database.read() as connection:
            hash = hashlib.sha256(secret.encode()).hexdigest()
            csrf = connection.scalar(
                tables.tokens.select().with_only_columns(tables.tokens.c.csrf).where(tables.tokens.c.hash == hash)
            )
        return client, str(csrf)

    def node_token(self, node_id: str) -> str:
        with self.database.write() as connection:
            return self.people.issue_node_token(connection, node_id)

    def run(self, run_id: str = "exp-abc123") -> str:
        """A run in the database, enough of one to have files."""
        row: dict[str, Any] = {
            "id": run_id, "kind": "script", "experiment": "e", "name": run_id, "target": "local", "status": "running",
            "reason": "", "created_by": "olga", "created": 1.0, "attempt": 1, "parameters": {}, "arguments": [],
            "target_facts": {}, "tags": {}, "properties": {}, "change": 1,
        }  # fmt: skip
        with self.database.write() as connection:
            connection.execute(insert(tables.runs), row)
        return run_id

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> int:
        """The status of a raw request whose path and headers go through untouched, as no client library sends them."""
        given = {"host": HOST, **(headers or {})}
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8123),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()],
        }  # fmt: skip
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        asyncio.run(self.app(scope, receive, send))
        return statuses[0]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)
