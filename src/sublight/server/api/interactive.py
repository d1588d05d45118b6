"""Routes of interactive runs: a user's process starts one, ships what it writes, and ends it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from sublight.messages.definitions import EndRequest, InteractiveRunRequest
from sublight.messages.runs import RunView, StoredSize
from sublight.server.auth import current_caller
from sublight.server.caller import Caller
from sublight.server.exact_json import ExactJson
from sublight.server.services.interactive import InteractiveRuns


def interactive_router(interactive: InteractiveRuns) -> APIRouter:
    """The routes over ``interactive``. The bodies of journals and logs are raw bytes, as the process wrote them."""
    router = APIRouter(prefix="/api/v1", tags=["interactive runs"], route_class=ExactJson)

    @router.post("/interactive-runs", status_code=201)
    def start_run(
        start: InteractiveRunRequest,
        idempotency_key: Annotated[str | None, Header()] = None,
        caller: Caller = Depends(current_caller),
    ) -> RunView:
        return interactive.start(caller, start, idempotency_key)

    @router.put("/runs/{run_id}/journal")
    async def put_journal(
        request: Request, run_id: str, offset: int = Query(ge=0), caller: Caller = Depends(current_caller)
    ) -> StoredSize:
        data = await request.body()
        return await run_in_threadpool(interactive.store_journal, caller, run_id, offset, data)

    @router.put("/runs/{run_id}/logs")
    async def put_log(
        request: Request, run_id: str, path: str, offset: int = Query(ge=0), caller: Caller = Depends(current_caller)
    ) -> StoredSize:
        data = await request.body()
        return await run_in_threadpool(interactive.store_log, caller, run_id, path, offset, data)

    @router.post("/runs/{run_id}/end")
    def end_run(run_id: str, end: EndRequest, caller: Caller = Depends(current_caller)) -> RunView:
        return interactive.end(caller, run_id, end)

    return router
