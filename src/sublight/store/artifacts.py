"""Rows of artifacts: the files that runs left behind; their contents are blobs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from sublight.store.tables import artifacts


def put(
    connection: Connection, *, run_id: str, path: str, sha256: str, size_bytes: int, attempt: int, now: float
) -> bool:
    """Store an artifact of an attempt; a later upload of the same attempt, or of a newer one, replaces it.

    False, and nothing is stored, when a newer attempt has left a file of this name already.
    """
    row = {
        "run_id": run_id,
        "path": path,
        "sha256": sha256,
        "size_bytes": size_bytes,
        "attempt": attempt,
        "created": now,
    }
    statement = insert(artifacts)
    new = {name: statement.excluded[name] for name in ("sha256", "size_bytes", "attempt", "created")}
    result = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "path"], set_=new, where=artifacts.c.attempt <= statement.excluded.attempt
        ),
        row,
    )
    return result.rowcount > 0


def of_run(connection: Connection, run_id: str) -> list[Row[Any]]:
    """All artifacts of a run by path."""
    query = select(artifacts).where(artifacts.c.run_id == run_id).order_by(artifacts.c.path)
    return list(connection.execute(query).all())


def find(connection: Connection, run_id: str, path: str) -> Row[Any] | None:
    """One artifact, or None."""
    query = select(artifacts).where(artifacts.c.run_id == run_id, artifacts.c.path == path)
    return connection.execute(query).first()
