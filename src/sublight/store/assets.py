"""Rows of assets: versioned things by kind and name, and their files; the files' contents are blobs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, true, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from sublight.store.tables import artifacts, asset_files, asset_names, assets, snapshots

# SQLite takes some thousand values in one statement; long lists are asked about in pieces of this many.
_PIECE = 500


def next_version(connection: Connection, kind: str, name: str) -> int:
    """The next version of a name, from 1; inside a write transaction nobody else gets the same one, ever."""
    statement = insert_or_update(asset_names).values(kind=kind, name=name, last_version=1)
    raised = {"last_version": asset_names.c.last_version + 1}
    connection.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=raised))
    query = select(asset_names.c.last_version).where(asset_names.c.kind == kind, asset_names.c.name == name)
    return int(connection.execute(query).scalar_one())


def add(connection: Connection, row: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> None:
    """Store an asset and the list of its files (``path``, ``sha256``, ``size_bytes``)."""
    connection.execute(insert(assets), dict(row))
    rows = [{"asset_id": row["id"], **file} for file in files]
    if rows:
        connection.execute(insert(asset_files), rows)


def find(connection: Connection, asset_id: str) -> Row[Any] | None:
    """The row of an asset by its id, or None."""
    return connection.execute(select(assets).where(assets.c.id == asset_id)).first()


def named(connection: Connection, kind: str, name: str, version: int | None = None) -> Row[Any] | None:
    """One version of a name, or the newest: of those that are not archived when there are any. None without one."""
    query = select(assets).where(assets.c.kind == kind, assets.c.name == name)
    if version is not None:
        query = query.where(assets.c.version == version)
    return connection.execute(query.order_by(assets.c.is_archived, assets.c.version.desc()).limit(1)).first()


def names(connection: Connection, kind: str) -> list[str]:
    """All names of a kind that have a version now."""
    return list(
        connection.scalars(select(assets.c.name).where(assets.c.kind == kind).distinct().order_by(assets.c.name))
    )


def versions(connection: Connection, kind: str, name: str) -> list[int]:
    """The versions that a name has now, the newest first."""
    query = select(assets.c.version).where(assets.c.kind == kind, assets.c.name == name)
    return list(connection.scalars(query.order_by(assets.c.version.desc())))


def page(
    connection: Connection,
    *,
    kind: str | None = None,
    name: str | None = None,
    tag: str | None = None,
    run_id: str | None = None,
    is_latest_only: bool = False,
    includes_archived: bool = False,
    before: int | None = None,
    limit: int,
) -> list[Row[Any]]:
    """Assets that pass the filters, newest first. ``tag`` is ``key`` or ``key=value``.

    With ``is_latest_only`` the newest version of each name among those that pass the other filters.
    """
    chosen: list[ColumnElement[bool]] = [] if includes_archived else [assets.c.is_archived.is_(False)]
    if kind is not None:
        chosen.append(assets.c.kind == kind)
    if name is not None:
        chosen.append(assets.c.name == name)
    if run_id is not None:
        chosen.append(assets.c.run_id == run_id)
    if tag is not None:
        key, equals, value = tag.partition("=")
        item = assets.c.tags[key].as_string()
        chosen.append(item == value if equals else item.is_not(None))
    query = select(assets).where(true(), *chosen)
    if is_latest_only:
        newest = select(func.max(assets.c.number)).where(true(), *chosen).group_by(assets.c.kind, assets.c.name)
        query = query.where(assets.c.number.in_(newest))
    if before is not None:
        query = query.where(assets.c.number < before)
    return list(connection.execute(query.order_by(assets.c.number.desc()).limit(limit)).all())


def files(connection: Connection, asset_id: str) -> list[Row[Any]]:
    """The files of an asset by path."""
    query = select(asset_files).where(asset_files.c.asset_id == asset_id).order_by(asset_files.c.path)
    return list(connection.execute(query).all())


def file(connection: Connection, asset_id: str, path: str) -> Row[Any] | None:
    """One file of an asset, or None."""
    query = select(asset_files).where(asset_files.c.asset_id == asset_id, asset_files.c.path == path)
    return connection.execute(query).first()


def change(connection: Connection, asset_id: str, **values: Any) -> None:
    """Change columns of an asset."""
    connection.execute(update(assets).where(assets.c.id == asset_id).values(**values))


def remove(connection: Connection, asset_id: str) -> set[str]:
    """Remove an asset and its list of files; gives the hashes of the contents that it had."""
    hashes = set(connection.scalars(select(asset_files.c.sha256).where(asset_files.c.asset_id == asset_id)))
    connection.execute(delete(asset_files).where(asset_files.c.asset_id == asset_id))
    connection.execute(delete(assets).where(assets.c.id == asset_id))
    return hashes


def contents_in_use(connection: Connection, hashes: Collection[str], *, looked_at: set[str]) -> set[str]:
    """Those of the contents that an asset, an artifact of a run or a snapshot needs; the others may go.

    Snapshots are many and only ever added: those in ``looked_at`` are not looked at again, and the others are put there.
    """
    used: set[str] = set()
    for piece in _pieces(sorted(hashes)):
        for table in (asset_files, artifacts):
            used.update(connection.scalars(select(table.c.sha256).where(table.c.sha256.in_(piece))))
    new = [one for one in connection.scalars(select(snapshots.c.id)) if one not in looked_at]
    for piece in _pieces(new):
        for files in connection.scalars(select(snapshots.c.files).where(snapshots.c.id.in_(piece))):
            used.update(file["sha256"] for file in files if file["sha256"] in hashes)
    looked_at.update(new)
    return used


def _pieces(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _PIECE):
        yield values[start : start + _PIECE]
