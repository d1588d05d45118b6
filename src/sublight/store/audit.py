"""The audit log: who changed what, in which roles. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from sqlalchemy import Connection, Row, insert, select

from sublight.store.tables import audit

PAGE_SIZE_MAX = 1_000


class Actor(Protocol):
    """Who acts: the server's ``Caller`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def roles(self) -> Collection[str]: ...
    @property
    def run_id(self) -> str | None: ...


def append(
    connection: Connection,
    actor: Actor,
    *,
    action: str,
    subject: str,
    time: float,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note an act inside the transaction that does it, so that neither is ever stored without the other.

    Where the script of a run acted for the person, the detail names that run.

    ``action`` is a verb with its object (``create cluster``), ``subject`` what it was done to (``cluster:cpu``).
    ``detail`` must hold no secret.
    """
    by_run = {} if actor.run_id is None else {"by_script_of_run": actor.run_id}
    row = {
        "time": time,
        "person": actor.name,
        "roles": sorted(actor.roles),
        "action": action,
        "subject": subject[:256],
        "detail": {**(detail or {}), **by_run},
    }
    connection.execute(insert(audit), row)


def page(connection: Connection, *, before: int | None = None, limit: int = 100) -> list[Row[Any]]:
    """Entries, newest first; ``before`` is the smallest number of the page that came before this one."""
    query = select(audit).order_by(audit.c.number.desc()).limit(min(limit, PAGE_SIZE_MAX))
    if before is not None:
        query = query.where(audit.c.number < before)
    return list(connection.execute(query).all())
