"""Routes of agents (msgpack bodies; protocol: messages/nodes)."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Header, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from sublight.core.errors import InvalidInput
from sublight.messages.nodes import Hello, Report
from sublight.server.api.files import receive_blob
from sublight.server.services.files import Files
from sublight.server.services.nodes import Nodes
from sublight.store.database import Database

_T = TypeVar("_T")
_MSGPACK = "application/msgpack"


def nodes_router(nodes: Nodes, files: Files, database: Database) -> APIRouter:
    """The routes under ``/api/v1/nodes``; each node may call only its own (checked by the permissions)."""
    router = APIRouter(prefix="/api/v1/nodes/{node_id}", tags=["nodes"], include_in_schema=False)

    @router.post("/hello")
    async def hello(request: Request, node_id: str) -> Response:
        message = _decoded(await request.body(), Hello)
        return _msgpack(await run_in_threadpool(nodes.hello, node_id, message))

    @router.get("/orders")
    async def orders(node_id: str, incarnation: str, version: int = -1, wait: float = 0.0) -> Response:
        await nodes.wait_for_orders(node_id, version, wait)
        return _msgpack(await run_in_threadpool(nodes.orders, node_id, incarnation))

    @router.post("/report")
    async def report(request: Request, node_id: str) -> Response:
        message = _decoded(await request.body(), Report)
        return _msgpack(await run_in_threadpool(nodes.report, node_id, message))

    @router.post("/goodbye", status_code=204)
    def goodbye(node_id: str, incarnation: str) -> None:
        nodes.goodbye(node_id, incarnation)

    @router.put("/runs/{run_id}/attempts/{attempt}/artifacts", status_code=204)
    async def put_artifact(
        request: Request,
        node_id: str,
        run_id: str,
        attempt: int,
        path: str,
        sha256: str,
        size: int,
        x_incarnation: Annotated[str, Header()],
    ) -> None:
        def check(connection: Connection) -> None:
            nodes.check_attempt(connection, node_id, x_incarnation, run_id, attempt)

        def check_now() -> None:
            with database.read() as connection:
                check(connection)

        # Looked at before a large body is taken in, and again in the transaction that makes it count.
        await run_in_threadpool(check_now)
        await receive_blob(request, files, sha256, size)
        await run_in_threadpool(files.record_artifact, run_id, attempt, path, sha256, check=check)

    @router.get("/snapshots/{snapshot_id}/blobs/{sha256}")
    def get_blob(snapshot_id: str, sha256: str) -> FileResponse:
        return FileResponse(files.snapshot_blob(snapshot_id, sha256), media_type="application/octet-stream")

    return router


def _decoded(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the body is no {kind.__name__} in msgpack: {error}") from error


def _msgpack(message: Any) -> Response:
    return Response(msgspec.msgpack.encode(message), media_type=_MSGPACK)
