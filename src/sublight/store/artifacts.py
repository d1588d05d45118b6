"""Rows of artifacts: the files that runs left behind; their contents are blobs.

The files of child runs are stored with the run whose script made them, below ``children/<the script's id for the
child>/``, since they may come before the journal that tells of the child. Here they are found as the child's own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.dialects.sqlite import insert

from sublight.store.tables import artifacts, script_children


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
    query = select(artifacts).where(artifacts.c.run_id == run_id)
    names = select(script_children.c.child).where(script_children.c.run_id == run_id)
    folders = tuple(child_folder(child) for child in connection.scalars(names).all())
    rows = [row for row in connection.execute(query).all() if not row.path.startswith(folders)]
    parent = _script_of_child(connection, run_id)
    if parent is not None:
        folder = child_folder(parent.child)
        rows += connection.execute(
            _with_path_below(folder).where(
                artifacts.c.run_id == parent.run_id, artifacts.c.path.startswith(folder, autoescape=True)
            )
        ).all()
    return sorted(rows, key=lambda row: str(row.path))


def find(connection: Connection, run_id: str, path: str) -> Row[Any] | None:
    """One artifact, or None."""
    query = select(artifacts).where(artifacts.c.run_id == run_id, artifacts.c.path == path)
    own = connection.execute(query).first()
    parent = _script_of_child(connection, run_id) if own is None else None
    if parent is None:
        return own
    folder = child_folder(parent.child)
    query = _with_path_below(folder).where(artifacts.c.run_id == parent.run_id, artifacts.c.path == folder + path)
    return connection.execute(query).first()


def child_folder(child: str) -> str:
    """Where the files of a script's child stand among the files of its run."""
    return f"children/{child}/"


def _script_of_child(connection: Connection, child_run_id: str) -> Row[Any] | None:
    query = select(script_children).where(script_children.c.child_run_id == child_run_id)
    return connection.execute(query).first()


def _with_path_below(folder: str) -> Select[Any]:
    others = [column for column in artifacts.c if column.name != "path"]
    return select(*others, func.substr(artifacts.c.path, len(folder) + 1).label("path"))
