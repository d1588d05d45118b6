"""Addresses for datastores and their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from sublight.core.errors import InvalidInput
from sublight.messages.assets import DatastoreRequest, DatastoreView, StoredAnswer, StoredFilePage
from sublight.server.exact_json import ExactJson
from sublight.server.protection import FILE_HEADERS
from sublight.server.services.datastores import PAGE_SIZE_MAX, Datastores
from sublight.store.blobs import CHUNK_BYTES


def datastores_router(datastores: Datastores) -> APIRouter:
    """The routes under ``/api/v1/datastores``."""
    router = APIRouter(prefix="/api/v1", tags=["datastores"], route_class=ExactJson)

    @router.get("/datastores")
    def list_datastores() -> list[DatastoreView]:
        return list(datastores.list())

    @router.post("/datastores", status_code=201)
    def create_datastore(
        request: Request, datastore: DatastoreRequest, idempotency_key: Annotated[str | None, Header()] = None
    ) -> DatastoreView:
        return datastores.create(request.state.caller, datastore, idempotency_key)

    @router.get("/datastores/{name}")
    def get_datastore(name: str) -> DatastoreView:
        return datastores.get(name)

    @router.post("/datastores/{name}/make-default")
    def make_default(request: Request, name: str) -> DatastoreView:
        return datastores.set_default(request.state.caller, name)

    @router.delete("/datastores/{name}", status_code=204)
    def delete_datastore(request: Request, name: str) -> None:
        datastores.delete(request.state.caller, name)

    @router.get("/datastores/{name}/files")
    def list_files(name: str, prefix: str = "", after: str = "", limit: int = PAGE_SIZE_MAX) -> StoredFilePage:
        return datastores.files(name, prefix, after=after, limit=limit)

    @router.put("/datastores/{name}/files")
    async def put_file(
        request: Request,
        name: str,
        path: str,
        overwrites: bool = False,
        size_bytes: Annotated[int | None, Query(ge=0)] = None,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> StoredAnswer:
        """The raw body becomes the file; ``size_bytes`` is its announced size, where it was."""
        writer = await run_in_threadpool(datastores.writer, name, path)
        try:
            piece = bytearray()
            async for chunk in request.stream():
                piece += chunk
                if len(piece) >= CHUNK_BYTES:
                    await run_in_threadpool(writer.write, bytes(piece))
                    piece.clear()
            await run_in_threadpool(writer.write, bytes(piece))
            if size_bytes is not None and writer.size_bytes != size_bytes:
                raise InvalidInput(
                    f"{size_bytes} bytes were announced, but {writer.size_bytes} came; send the file again"
                )
            is_stored = await run_in_threadpool(
                lambda: datastores.store(
                    request.state.caller,
                    name,
                    path,
                    writer,
                    overwrites=overwrites,
                    idempotency_key=idempotency_key,
                )
            )
        finally:
            writer.close()
        return StoredAnswer(is_stored=is_stored)

    @router.get("/datastores/{name}/files/content")
    def get_file(name: str, path: str) -> Response:
        file, stored = datastores.open_file(name, path)
        saved_as = quote(PurePosixPath(path).name, safe="")
        headers = {
            **FILE_HEADERS,
            "Content-Length": str(stored.size_bytes),
            "Content-Disposition": f"attachment; filename*=utf-8''{saved_as}",
        }
        pieces = _pieces(file, stored.size_bytes)
        return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)

    @router.delete("/datastores/{name}/files", status_code=204)
    def remove_file(request: Request, name: str, path: str) -> None:
        datastores.remove(request.state.caller, name, path)

    return router


def _pieces(file: IO[bytes], size_bytes: int) -> Iterator[bytes]:
    """The file's bytes, no more than were announced, also when it grows meanwhile."""
    with file:
        while size_bytes > 0 and (piece := file.read(min(CHUNK_BYTES, size_bytes))):
            size_bytes -= len(piece)
            yield piece
