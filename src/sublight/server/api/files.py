"""Addresses for snapshots, contents, logs and artifacts. Files of users leave as attachments that nothing renders."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from sublight.core.errors import InvalidInput
from sublight.core.snapshot import check_path
from sublight.messages.definitions import SnapshotRequest, SnapshotResponse, SnapshotView
from sublight.messages.runs import ArtifactView, LogFile
from sublight.server.auth import current_caller
from sublight.server.caller import Caller
from sublight.server.exact_json import ExactJson
from sublight.server.protection import FILE_HEADERS
from sublight.server.services.files import Files
from sublight.store.blobs import CHUNK_BYTES

_LOG_BYTES = 1024 * 1024


def files_router(files: Files) -> APIRouter:
    """The routes over ``files``; who may use which stands in the table of permissions."""
    router = APIRouter(prefix="/api/v1", tags=["files"], route_class=ExactJson)

    @router.post("/snapshots")
    def create_snapshot(request: SnapshotRequest, caller: Caller = Depends(current_caller)) -> SnapshotResponse:
        return files.create_snapshot(caller, request)

    @router.put("/blobs/{sha256}", status_code=204)
    async def put_blob(request: Request, sha256: str, size_bytes: Annotated[int | None, Query(ge=0)] = None) -> None:
        """The raw body becomes a content; without ``size_bytes`` it is at most as large as a snapshot may be."""
        await receive_blob(request, files, sha256, size_bytes)

    @router.get("/snapshots/{snapshot_id}")
    def get_snapshot(snapshot_id: str) -> SnapshotView:
        return files.snapshot(snapshot_id)

    @router.get("/snapshots/{snapshot_id}/content")
    def get_snapshot_file(snapshot_id: str, path: str) -> Response:
        return attachment(files.snapshot_file(snapshot_id, path), path)

    @router.get("/runs/{run_id}/logs")
    def list_logs(run_id: str) -> list[LogFile]:
        return files.logs(run_id)

    @router.get("/runs/{run_id}/logs/content")
    def read_log(
        run_id: str,
        path: str,
        offset: int = Query(0, ge=0),
        limit: int = Query(_LOG_BYTES, ge=0),
        attempt: int | None = None,
    ) -> Response:
        content = files.read_log(run_id, path, offset, limit, attempt)
        return Response(content, media_type="text/plain", headers=FILE_HEADERS)

    @router.get("/runs/{run_id}/artifacts")
    def list_artifacts(run_id: str) -> list[ArtifactView]:
        return files.artifacts(run_id)

    @router.put("/runs/{run_id}/artifacts", status_code=204)
    async def put_artifact(
        request: Request,
        run_id: str,
        path: str,
        sha256: str,
        size: int = Query(ge=0),
        caller: Caller = Depends(current_caller),
    ) -> None:
        check_path(path)
        await run_in_threadpool(files.check_run, run_id)
        await receive_blob(request, files, sha256, size)
        await run_in_threadpool(files.keep_artifact, caller, run_id, path, sha256)

    @router.get("/runs/{run_id}/artifacts/content")
    def get_artifact(run_id: str, path: str) -> Response:
        file, artifact = files.open_artifact(run_id, path)
        return attachment(file, artifact.path)

    return router


async def receive_blob(request: Request, files: Files, sha256: str, size_bytes: int | None = None) -> None:
    """Store the request's raw body under its hash, in pieces of a megabyte and without blocking other requests.

    ``size_bytes`` is the size that was announced, where it was (InvalidInput when the body has another one); without
    it the limit of a whole snapshot holds.
    """
    writer = await run_in_threadpool(lambda: files.blob_writer(sha256, bytes_max=size_bytes))
    try:
        piece = bytearray()
        async for chunk in request.stream():
            piece += chunk
            if len(piece) >= CHUNK_BYTES:
                await run_in_threadpool(writer.write, bytes(piece))
                piece.clear()
        await run_in_threadpool(writer.write, bytes(piece))
        if size_bytes is not None and writer.size_bytes != size_bytes:
            raise InvalidInput(f"{size_bytes} bytes were announced, but {writer.size_bytes} came; send the file again")
        await run_in_threadpool(writer.commit)
    finally:
        writer.close()


def attachment(file: Path, path: str) -> FileResponse:
    """A file to be saved under the last part of ``path``, never shown by the browser."""
    name = PurePosixPath(path).name
    return FileResponse(file, media_type="application/octet-stream", filename=name, headers=FILE_HEADERS)
