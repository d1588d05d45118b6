"""Assets: datasets, models, environments and addresses, each a series of versions that never change in their files."""

from __future__ import annotations

import difflib
import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from sublight.core.errors import Conflict, InvalidInput, NotFound, TooLarge
from sublight.core.snapshot import check_files
from sublight.messages.assets import (
    AssetFile,
    AssetKind,
    AssetPage,
    AssetRequest,
    AssetResponse,
    AssetUpdate,
    AssetView,
    RunFiles,
)
from sublight.messages.definitions import SnapshotFile
from sublight.server.caller import Caller
from sublight.server.clock import Clock
from sublight.store import artifacts as artifact_rows
from sublight.store import assets as rows
from sublight.store import audit, idempotency
from sublight.store import runs as run_rows
from sublight.store.blobs import BlobStore
from sublight.store.database import Database

FILES_MAX = 50_000
NAME_LENGTH_MAX = 255
ADDRESS_LENGTH_MAX = 2048
DEFINITION_BYTES_MAX = 256_000
LABELS_BYTES_MAX = 64_000
PAGE_SIZE_MAX = 200
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/]\S*")


class Assets:
    """The verbs on assets. Contents are blobs that assets, snapshots and artifacts share; the last user takes them."""

    def __init__(self, database: Database, clock: Clock, *, blobs: BlobStore) -> None:
        self._database = database
        self._clock = clock
        self._blobs = blobs

    def register(self, caller: Caller, request: AssetRequest, idempotency_key: str | None = None) -> AssetResponse:
        """Store a new version: the last one of the name, plus 1.

        While contents are missing nothing is stored, and the answer names them: send them and ask again, with the same
        key. The same key with the same request gives the same version again.
        """
        _check_request(request)
        now = self._clock.now()
        key = f"{caller.name} {idempotency_key}" if idempotency_key is not None else None
        body_hash = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        with self._database.write() as connection:
            made = idempotency.find(connection, key, body_hash, time=now) if key is not None else None
            if made is not None:
                return AssetResponse(asset=_view(_get(connection, made.removeprefix("asset:"))))
            run_id = request.run_id or (request.from_run.run_id if request.from_run else None)
            experiment = run_rows.get(connection, run_id).experiment if run_id is not None else None
            files = list(request.files)
            if request.from_run is not None:
                files = _files_of_run(connection, request.from_run, request.kind)
            # Asked inside the transaction: contents that nobody needs are removed in a transaction, too.
            missing = self._missing(files)
            if missing and request.from_run is not None:
                raise NotFound(
                    f"{len(missing)} of the contents of run {run_id} are not in this workspace (any more), so nothing "
                    "was registered"
                )
            if missing:
                return AssetResponse(asset=None, missing=[*missing])
            row = {
                "id": str(uuid.uuid4()),
                "kind": request.kind,
                "name": request.name,
                "version": rows.next_version(connection, request.kind, request.name),
                "description": request.description,
                "tags": request.tags,
                "properties": request.properties,
                "definition": request.definition,
                "size_bytes": sum(file.size_bytes for file in files),
                "files_count": len(files),
                "created": now,
                "modified": now,
                "created_by": caller.name,
                "run_id": run_id,
                "experiment": experiment,
                "is_archived": False,
            }
            rows.add(connection, row, [msgspec.to_builtins(file) for file in files])
            stored = _get(connection, str(row["id"]))
            if key is not None:
                idempotency.remember(connection, key, body_hash, f"asset:{stored.id}", time=now)
            detail = {"id": stored.id, "files": len(files), "size_bytes": stored.size_bytes, "run": run_id}
            self._note(connection, caller, f"register {stored.kind}", stored, detail)
            return AssetResponse(asset=_view(stored))

    def get(self, asset_id: str) -> AssetView:
        """One version, by its id."""
        with self._database.read() as connection:
            return _view(_get(connection, asset_id))

    def named(self, kind: AssetKind, name: str, version: int | None = None) -> AssetView:
        """One version of a name, or its newest one; archived ones count only where there is nothing else.

        NotFound says what there is, or which names are near.
        """
        with self._database.read() as connection:
            row = rows.named(connection, kind, name, version)
            if row is not None:
                return _view(row)
            raise NotFound(_nothing_named(connection, kind, name, version))

    def list(
        self,
        *,
        kind: AssetKind | None = None,
        name: str | None = None,
        tag: str | None = None,
        run_id: str | None = None,
        is_latest_only: bool = False,
        includes_archived: bool = False,
        before: str | None = None,
        limit: int = 100,
    ) -> AssetPage:
        """A page of assets, newest first; see ``AssetPage``."""
        if before is not None and not (before.isascii() and before.isdecimal()):
            raise InvalidInput(f"before must come from the page before this one, got {before[:40]!r}")
        limit = min(max(1, limit), PAGE_SIZE_MAX)
        with self._database.read() as connection:
            found = rows.page(
                connection,
                kind=kind,
                name=name,
                tag=tag,
                run_id=run_id,
                is_latest_only=is_latest_only,
                includes_archived=includes_archived,
                before=int(before) if before is not None else None,
                limit=limit + 1,
            )
        page = found[:limit]
        return AssetPage(
            assets=[_view(row) for row in page], next_before=str(page[-1].number) if len(found) > limit else None
        )

    def files(self, asset_id: str) -> Sequence[AssetFile]:
        """The files of an asset by path."""
        with self._database.read() as connection:
            _get(connection, asset_id)
            return [
                AssetFile(path=row.path, sha256=row.sha256, size_bytes=row.size_bytes)
                for row in rows.files(connection, asset_id)
            ]

    def open_file(self, asset_id: str, path: str) -> Path:
        """Where the content of one file of an asset lies."""
        with self._database.read() as connection:
            asset = _get(connection, asset_id)
            row = rows.file(connection, asset_id, path)
        if row is None:
            raise NotFound(f"{_called(asset)} has no file {path[:200]!r}; its list of files shows what there is")
        place = self._blobs.path(row.sha256)
        if not place.is_file():
            raise NotFound(f"the content of {path[:200]!r} of {_called(asset)} is not in this workspace (any more)")
        return place

    def update(self, caller: Caller, asset_id: str, change: AssetUpdate) -> AssetView:
        """Change what is said about an asset, archive or restore it; Conflict for a property that has another value."""
        with self._database.write() as connection:
            row = _get(connection, asset_id)
            tags = {name: value for name, value in {**row.tags, **change.tags}.items() if value is not None}
            for name, value in change.properties.items():
                if row.properties.get(name, value) != value:
                    raise Conflict(
                        f"property {name!r} of {_called(row)} is {row.properties[name]!r} and cannot be changed; "
                        "use a tag for what changes, or register a new version"
                    )
            values: dict[str, Any] = {"tags": tags, "properties": {**row.properties, **change.properties}}
            if change.description is not None:
                values["description"] = change.description
            if change.definition is not None:
                values["definition"] = change.definition
            if change.is_archived is not None:
                values["is_archived"] = change.is_archived
            _check_texts(
                description=values.get("description", ""),
                tags=tags,
                properties=values["properties"],
                definition=values.get("definition", {}),
            )
            if any(getattr(row, name) != value for name, value in values.items()):
                rows.change(connection, asset_id, modified=self._clock.now(), **values)
                self._note(connection, caller, f"update {row.kind}", row, msgspec.to_builtins(change))
            return _view(_get(connection, asset_id))

    def delete(self, caller: Caller, asset_id: str) -> None:
        """Remove one version for good, and those of its contents that nothing else needs."""
        with self._database.write() as connection:
            row = _get(connection, asset_id)
            hashes = rows.remove(connection, asset_id)
            self._note(connection, caller, f"delete {row.kind}", row, {"id": row.id})
        self.remove_unused(hashes)

    def remove_unused(self, hashes: set[str]) -> None:
        """Remove those of these contents that nothing needs (any more); called when what needed them is gone."""
        # A transaction of its own, after the rows are surely gone: while it is open nobody can begin to need one of the
        # contents, and a crash in between leaves a content too many, never one too few. What takes long is done before
        # it, so that nobody waits for it.
        looked_at: set[str] = set()
        with self._database.read() as connection:
            unused = hashes - rows.contents_in_use(connection, hashes, looked_at=looked_at)
        with self._database.write() as connection:
            for sha256 in unused - rows.contents_in_use(connection, unused, looked_at=looked_at):
                self._blobs.delete(sha256)

    def _missing(self, files: Sequence[AssetFile]) -> Sequence[str]:
        sizes = {file.sha256: self._blobs.size(file.sha256) for file in files}
        for file in files:
            size = sizes[file.sha256]
            if size is not None and size != file.size_bytes:
                raise InvalidInput(
                    f"{file.path!r} has {size} bytes, but {file.size_bytes} were announced; register it again"
                )
        return sorted(sha256 for sha256, size in sizes.items() if size is None)

    def _note(
        self, connection: Connection, caller: Caller, action: str, row: Row[Any], detail: Mapping[str, Any]
    ) -> None:
        subject = f"{row.kind}:{row.name[:200]}:{row.version}"
        audit.append(connection, caller, action=action, subject=subject, detail=detail, time=self._clock.now())


def _get(connection: Connection, asset_id: str) -> Row[Any]:
    row = rows.find(connection, asset_id)
    if row is None:
        raise NotFound(f"there is no asset with the id {asset_id[:64]!r} in this workspace")
    return row


def _nothing_named(connection: Connection, kind: AssetKind, name: str, version: int | None) -> str:
    there = rows.versions(connection, kind, name)
    if there:
        shown = ", ".join(map(str, there[:8])) + (" and older ones" if len(there) > 8 else "")
        return f"{kind} {name[:200]!r} has no version {version}; it has {shown}"
    near = difflib.get_close_matches(name, rows.names(connection, kind), n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    if kind == "address":
        return f"the address {name[:200]!r} is not mapped to a file in this workspace{hint}"
    return f"there is no {kind} {name[:200]!r} in this workspace{hint}"


def _files_of_run(connection: Connection, source: RunFiles, kind: AssetKind) -> list[AssetFile]:
    """The artifacts below a path, under the path's own last name, as they would lie after a copy of it."""
    wanted = source.path.strip("/")
    parent = wanted.rpartition("/")[0]
    everything = artifact_rows.of_run(connection, source.run_id)
    chosen = [row for row in everything if not wanted or row.path == wanted or row.path.startswith(wanted + "/")]
    if not chosen:
        there = ", ".join(row.path for row in everything[:8]) or "nothing"
        raise NotFound(f"run {source.run_id} has no file or folder {source.path[:200]!r}; it left {there}")
    cut = len(parent) + 1 if parent else 0
    files = [AssetFile(path=row.path[cut:], sha256=row.sha256, size_bytes=row.size_bytes) for row in chosen]
    _check_files(files, kind)
    return files


def _check_request(request: AssetRequest) -> None:
    _check_name(request.kind, request.name)
    if request.files and request.from_run is not None:
        raise InvalidInput("an asset takes its files either from the request or from a run; got both")
    if request.from_run is None:
        _check_files(request.files, request.kind)
    _check_texts(
        description=request.description,
        tags=request.tags,
        properties=request.properties,
        definition=request.definition,
    )


def _check_files(files: Sequence[AssetFile], kind: AssetKind) -> None:
    if len(files) > FILES_MAX:
        raise TooLarge(
            f"an asset holds at most {FILES_MAX:,} files, got {len(files):,}; pack them into fewer ones, or put them "
            "into a datastore"
        )
    if kind == "address" and len(files) != 1:
        raise InvalidInput(f"an address stands for exactly one file, got {len(files)}")
    listed = (SnapshotFile(path=file.path, sha256=file.sha256, size_bytes=file.size_bytes) for file in files)
    check_files(listed, noun=f"a {kind}")


def _check_name(kind: AssetKind, name: str) -> None:
    if kind == "address":
        if not _ADDRESS.fullmatch(name) or len(name) > ADDRESS_LENGTH_MAX or not name.isprintable():
            raise InvalidInput(
                f"an address looks like https://host/path and has at most {ADDRESS_LENGTH_MAX} characters, "
                f"got {name[:80]!r}"
            )
    elif not name.strip() or name != name.strip() or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise InvalidInput(
            f"the name of a {kind} has 1 to {NAME_LENGTH_MAX} printable characters and no blank at its ends, "
            f"got {name[:80]!r}"
        )


def _check_texts(
    *, description: str, tags: Mapping[str, str], properties: Mapping[str, str], definition: Mapping[str, Any]
) -> None:
    size = len(description.encode("utf-8", "surrogatepass")) + len(msgspec.json.encode([dict(tags), dict(properties)]))
    if size > LABELS_BYTES_MAX:
        raise TooLarge(
            f"description, tags and properties of an asset have {size:,} bytes together, and the limit is "
            f"{LABELS_BYTES_MAX:,}; keep long texts in a file of the asset"
        )
    size = len(msgspec.json.encode(dict(definition)))
    if size > DEFINITION_BYTES_MAX:
        raise TooLarge(
            f"the definition of an asset has {size:,} bytes, and the limit is {DEFINITION_BYTES_MAX:,}; "
            "keep long lists in a file of the asset"
        )


def _called(row: Row[Any]) -> str:
    return f"{row.kind} {row.name[:200]!r} version {row.version}"


def _view(row: Row[Any]) -> AssetView:
    return AssetView(
        id=row.id,
        kind=row.kind,
        name=row.name,
        version=row.version,
        description=row.description,
        tags=row.tags,
        properties=row.properties,
        definition=row.definition,
        size_bytes=row.size_bytes,
        files_count=row.files_count,
        created=row.created,
        modified=row.modified,
        created_by=row.created_by,
        run_id=row.run_id,
        experiment=row.experiment,
        is_archived=row.is_archived,
    )
