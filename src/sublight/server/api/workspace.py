"""Addresses for the workspace as a whole: is it up, what is it, what was done in it, stop it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, BackgroundTasks, Depends, Query

from sublight import __version__
from sublight.core.errors import ServerUnavailable, StorageFull
from sublight.messages.clusters import SizeView
from sublight.messages.people import AuditEntry, WorkspaceView
from sublight.server.auth import current_caller
from sublight.server.caller import Caller
from sublight.server.services.people import People

_log = logging.getLogger("sublight.server")


@dataclass(frozen=True, kw_only=True)
class About:
    """What the server says about itself. ``started`` is its start in seconds since 1970."""

    workspace_id: str
    name: str
    started: float
    lease_seconds: float
    environments: str


def workspace_router(
    about: About,
    people: People,
    *,
    sizes: Callable[[], Sequence[SizeView]],
    shutdown: Callable[[], None],
) -> APIRouter:
    """The routes. ``shutdown`` asks the server to stop; it is called once the answer is out, and returns at once."""
    router = APIRouter(tags=["workspace"])

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__, "workspace_id": about.workspace_id}

    @router.get("/api/v1/workspace")
    def workspace(caller: Caller = Depends(current_caller)) -> WorkspaceView:
        return WorkspaceView(
            id=about.workspace_id,
            name=about.name,
            version=__version__,
            caller=caller.name,
            roles=sorted(caller.roles),
            started=about.started,
            lease_seconds=about.lease_seconds,
            environments=about.environments,
        )

    @router.post("/api/v1/shutdown", status_code=202)
    def shut_down(background: BackgroundTasks, caller: Caller = Depends(current_caller)) -> dict[str, str]:
        try:
            people.note(caller, "stop server", "workspace")
        except (StorageFull, ServerUnavailable) as error:
            # On a full disk nothing can be noted, and the server must still let itself be stopped.
            _log.warning("%s stops the server; the audit log does not have it: %s", caller.name, error)
        background.add_task(shutdown)
        return {"status": "stopping"}

    @router.get("/api/v1/sizes")
    def list_sizes() -> list[SizeView]:
        return list(sizes())

    @router.get("/api/v1/audit")
    def audit(before: int | None = None, limit: int = Query(100, ge=1, le=1000)) -> list[AuditEntry]:
        return list(people.audit(before, limit))

    return router
