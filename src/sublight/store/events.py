"""Events: every decision and change of state, with its reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from sublight.store.tables import events


def append(
    connection: Connection,
    *,
    time: float,
    subject: str,
    kind: str,
    reason: str,
    inputs: Mapping[str, Any] | None = None,
) -> None:
    """Note an event of ``subject`` (``run:ID``, ``cluster:NAME``, ``node:ID``)."""
    row = {"time": time, "subject": subject, "kind": kind, "reason": reason, "inputs": dict(inputs or {})}
    connection.execute(insert(events), row)


def has_kind(connection: Connection, subject: str, kind: str) -> bool:
    """True when the subject has an event of this kind."""
    query = select(events.c.number).where(events.c.subject == subject, events.c.kind == kind).limit(1)
    return connection.scalar(query) is not None


def of_subject(connection: Connection, subject: str, *, limit: int = 200) -> list[Any]:
    """The newest events of a subject, oldest first."""
    newest = select(events).where(events.c.subject == subject).order_by(events.c.number.desc()).limit(limit)
    return list(reversed(connection.execute(newest).all()))
