"""The stream of hints for live pages (server-sent events)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from sublight.server.caller import Callers
from sublight.server.changes import Changes

# A comment is sent when nothing happens, so that proxies keep the connection and dead ones are noticed. The caller's
# right to read is looked at again as often, so a withdrawn token ends the stream within this time.
_KEEP_ALIVE_SECONDS = 4.0


def changes_router(changes: Changes, callers: Callers) -> APIRouter:
    """``GET /api/v1/changes``: ``event: change`` with a Change as data; ``event: reset`` asks to read everything."""
    router = APIRouter(prefix="/api/v1", tags=["changes"])

    @router.get("/changes")
    async def stream_changes(request: Request, since: int | None = None) -> StreamingResponse:
        resume_at = request.headers.get("last-event-id")
        start = int(resume_at) if resume_at and resume_at.isdigit() else since
        return StreamingResponse(
            _events(changes, callers, request, changes.number if start is None else start),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


async def _events(changes: Changes, callers: Callers, request: Request, number: int) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    check_at = 0.0
    while not changes.is_closed and not await request.is_disconnected():
        if time.monotonic() >= check_at:
            if not await run_in_threadpool(callers.is_valid, request.state.caller):
                return
            check_at = time.monotonic() + _KEEP_ALIVE_SECONDS
        fresh = changes.since(number)
        if fresh is None:
            number = changes.number
            yield f"id: {number}\nevent: reset\ndata: {{}}\n\n".encode()
            continue
        shown = [change for change in fresh if not change.subject.startswith("node:")]
        if fresh:
            number = fresh[-1].number
        if shown:
            yield b"".join(
                b"id: %d\nevent: change\ndata: %s\n\n" % (change.number, msgspec.json.encode(change))
                for change in shown
            )
        if not fresh:
            before = changes.number
            await changes.wait(_KEEP_ALIVE_SECONDS)
            if changes.number == before:
                yield b": still here\n\n"
