"""Logs, outputs and snapshot files over HTTP: as downloads, as pictures that are pictures, or as inert text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from sublight.core.errors import NotFound
from sublight.messages.definitions import SnapshotView
from sublight.portal.files import attachment, picture_type, text_of
from sublight.portal.logs import LogPart, read_on
from sublight.portal.page import Elsewhere, Page
from sublight.portal.ports import Services
from sublight.portal.rendering import render
from sublight.server.protection import FILE_HEADERS

_CHUNK_BYTES = 1024 * 1024


def router(services: Services) -> APIRouter:
    """The routes by which files of runs reach a browser."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/runs/{run_id}/log.json", name="portal_log_part")
    def log_part(run_id: str, path: str, attempt: int, offset: int = Query(ge=0)) -> Response:
        part: LogPart = read_on(services.files, run_id, path, attempt, offset)
        return JSONResponse(asdict(part), headers=FILE_HEADERS)

    @routes.get("/runs/{run_id}/log", name="portal_log_download")
    def log_download(run_id: str, path: str, attempt: int | None = None) -> Response:
        headers = {**FILE_HEADERS, "Content-Disposition": attachment(path)}
        # The first read happens here, so that a log that does not exist is a page with a sentence, not a broken stream.
        first = services.files.read_log(run_id, path, 0, _CHUNK_BYTES, attempt)
        return StreamingResponse(
            _rest(services, run_id, path, attempt, first), media_type="text/plain", headers=headers
        )

    @routes.get("/runs/{run_id}/output", name="portal_output")
    def output(run_id: str, path: str) -> Response:
        file, artifact = services.files.open_artifact(run_id, path)
        headers = {**FILE_HEADERS, "Content-Disposition": attachment(artifact.path)}
        return FileResponse(file, media_type="application/octet-stream", headers=headers)

    @routes.get("/runs/{run_id}/picture", name="portal_picture")
    def picture(run_id: str, path: str) -> Response:
        file, artifact = services.files.open_artifact(run_id, path)
        kind = picture_type(file)
        if kind is None:
            raise NotFound(f"{artifact.path!r} is not a PNG or JPEG picture; download it instead")
        return FileResponse(file, media_type=kind, headers=FILE_HEADERS)

    @routes.get("/snapshots/{snapshot_id}", name="portal_snapshot_file")
    def snapshot_file(request: Request, snapshot_id: str, path: str) -> Response:
        return render(request, "snapshot_file.html", SnapshotFilePage(services, snapshot_id, path))

    @routes.get("/snapshots/{snapshot_id}/download", name="portal_snapshot_download")
    def snapshot_download(snapshot_id: str, path: str) -> Response:
        file = services.files.snapshot_file(snapshot_id, path)
        headers = {**FILE_HEADERS, "Content-Disposition": attachment(path)}
        return FileResponse(file, media_type="application/octet-stream", headers=headers)

    return routes


class SnapshotFilePage(Page):
    """The values of the page that shows one file of a snapshot as text."""

    place = "runs"

    def __init__(self, services: Services, snapshot_id: str, path: str) -> None:
        self.snapshot: SnapshotView = services.files.snapshot(snapshot_id)
        self.path = path
        self.title = path
        self._file = services.files.snapshot_file(snapshot_id, path)

    @property
    def elsewhere(self) -> Elsewhere | None:
        return None

    @cached_property
    def text(self) -> tuple[str, bool] | None:
        return text_of(self._file)


def _rest(services: Services, run_id: str, path: str, attempt: int | None, first: bytes) -> Iterator[bytes]:
    offset, data = 0, first
    while data:
        yield data
        offset += len(data)
        data = services.files.read_log(run_id, path, offset, _CHUNK_BYTES, attempt)
