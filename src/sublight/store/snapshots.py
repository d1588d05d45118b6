"""Rows of snapshots: the list of files; the files' contents are blobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from sublight.store.tables import snapshots


def add(connection: Connection, snapshot_id: str, files: Sequence[dict[str, Any]], size_bytes: int, now: float) -> None:
    """Store a snapshot's list of files; harmless when it is there already (the id is made of the list)."""
    row = {"id": snapshot_id, "files": list(files), "size_bytes": size_bytes, "created": now}
    connection.execute(insert(snapshots).on_conflict_do_nothing(), row)


def find(connection: Connection, snapshot_id: str) -> Row[Any] | None:
    """The row of a snapshot, or None."""
    return connection.execute(select(snapshots).where(snapshots.c.id == snapshot_id)).first()
