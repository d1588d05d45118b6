"""Datastores: named folders of files that everybody in the workspace shares."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import islice
from typing import IO, Any

import msgspec
from sqlalchemy import Connection

from sublight.core.errors import Conflict, InvalidInput, NameTaken, NotFound, TooLarge
from sublight.messages.assets import DatastoreRequest, DatastoreView, StoredFile, StoredFilePage
from sublight.server.caller import Caller
from sublight.server.clock import Clock
from sublight.store import audit, idempotency
from sublight.store import datastores as rows
from sublight.store.database import Database
from sublight.store.datastores import DatastoreFiles, DatastoreWriter

FIRST = "workspaceblobstore"
KIND = "folder"
PAGE_SIZE_MAX = 10_000
_DEFINITION_BYTES_MAX = 256_000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


class Datastores:
    """The verbs on datastores. ``workspaceblobstore`` is always there, and the default until another one is chosen."""

    def __init__(self, database: Database, clock: Clock, *, files: DatastoreFiles) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        files.make(FIRST)

    def list(self) -> Sequence[DatastoreView]:
        """All datastores by name."""
        with self._database.read() as connection:
            return [known for _, known in sorted(self._known(connection).items())]

    def get(self, name: str) -> DatastoreView:
        """One datastore; NotFound names those that there are."""
        with self._database.read() as connection:
            return self._get(connection, name)

    def create(self, caller: Caller, request: DatastoreRequest, idempotency_key: str | None = None) -> DatastoreView:
        """Make a datastore, or give an existing one a new kind and definition when the request says so.

        A folder of that name that is there already becomes its folder, with its files. The same key with the same
        request gives the same datastore again, instead of NameTaken.
        """
        _check(request)
        now = self._clock.now()
        key = f"{caller.name} {idempotency_key}" if idempotency_key is not None else None
        body_hash = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        with self._database.write() as connection:
            if key is not None and idempotency.find(connection, key, body_hash, time=now) is not None:
                return self._get(connection, request.name)
            known = self._known(connection)
            there = known.get(request.name)
            if there is not None and not request.replaces:
                raise NameTaken(f"there is a datastore {request.name!r} already; replace it, or choose another name")
            twin = next((name for name in known if name.lower() == request.name.lower()), None)
            if there is None and twin is not None:
                raise NameTaken(
                    f"there is a datastore {twin!r} already, which is the same folder on some systems; choose another name"
                )
            row: dict[str, Any] = {
                "name": request.name,
                "kind": request.kind,
                "definition": request.definition,
                "is_default": there is not None and there.is_default,
                "created": there.created if there is not None and there.created is not None else now,
                "created_by": caller.name,
            }
            rows.put_row(connection, row)
            if key is not None:
                idempotency.remember(connection, key, body_hash, f"datastore:{request.name}", time=now)
            detail = {"kind": request.kind}
            self._note(
                connection, caller, "create datastore" if there is None else "replace datastore", request.name, detail
            )
            self._files.make(request.name)
            return self._get(connection, request.name)

    def set_default(self, caller: Caller, name: str) -> DatastoreView:
        """Make this one the default."""
        with self._database.write() as connection:
            if not self._get(connection, name).is_default:
                rows.set_default(connection, name)
                self._note(connection, caller, "set default datastore", name, {})
            return self._get(connection, name)

    def delete(self, caller: Caller, name: str) -> None:
        """Forget a datastore; its folder and files stay where they are. Conflict for the default and the first one."""
        with self._database.write() as connection:
            known = self._get(connection, name)
            if known.is_default:
                raise Conflict(f"datastore {name!r} is the default one; make another one the default first")
            if name == FIRST:
                raise Conflict(f"datastore {name!r} belongs to every workspace and stays")
            rows.remove_row(connection, name)
            self._note(connection, caller, "delete datastore", name, {})

    # -- files --------------------------------------------------------------------------------------------------------

    def files(self, name: str, prefix: str = "", *, after: str = "", limit: int = PAGE_SIZE_MAX) -> StoredFilePage:
        """A page of the files whose path begins with ``prefix``, by path."""
        self.get(name)
        limit = min(max(1, limit), PAGE_SIZE_MAX)
        found = list(islice(self._files.list(name, prefix, after=after), limit + 1))
        page = [StoredFile(path=one.path, size_bytes=one.size_bytes, modified=one.modified) for one in found[:limit]]
        return StoredFilePage(files=page, next_after=page[-1].path if len(found) > limit else None)

    def open_file(self, name: str, path: str) -> tuple[IO[bytes], StoredFile]:
        """A file for reading, and what is known of it; the caller closes it."""
        self.get(name)
        file, found = self._files.open(name, path)
        return file, StoredFile(path=path, size_bytes=found.size_bytes, modified=found.modified)

    def writer(self, name: str, path: str) -> DatastoreWriter:
        """A file on its way in, piece by piece; see ``store``."""
        self.get(name)
        return self._files.writer(name, path)

    def store(
        self,
        caller: Caller,
        name: str,
        path: str,
        writer: DatastoreWriter,
        *,
        overwrites: bool,
        idempotency_key: str | None = None,
    ) -> bool:
        """Give a written file its place; False when there is one already and it is not to be replaced.

        The same key gives the same answer again: an upload whose answer was lost is not told that its file was there.
        """
        writer.complete()
        now = self._clock.now()
        key = f"{caller.name} {idempotency_key}" if idempotency_key is not None else None
        subject = hashlib.sha256(msgspec.json.encode([name, path, overwrites])).hexdigest()
        with self._database.write() as connection:
            self._get(connection, name)
            if key is not None and idempotency.find(connection, key, subject, time=now) is not None:
                return True
            if not writer.place(overwrites=overwrites):
                return False
            if key is not None:
                idempotency.remember(connection, key, subject, f"datastore:{name}", time=now)
            detail = {"path": path, "size_bytes": writer.size_bytes}
            self._note(connection, caller, "upload file", name, detail)
            return True

    def remove(self, caller: Caller, name: str, path: str) -> None:
        """Remove a file."""
        with self._database.write() as connection:
            self._get(connection, name)
            self._files.remove(name, path)
            self._note(connection, caller, "remove file", name, {"path": path})

    # -- inside -------------------------------------------------------------------------------------------------------

    def _known(self, connection: Connection) -> dict[str, DatastoreView]:
        stored = rows.all_rows(connection)
        has_default = any(row.is_default for row in stored)
        known = {FIRST: self._view(FIRST, KIND, {}, is_default=not has_default, created=None, created_by="")}
        for row in stored:
            is_default = row.is_default or (row.name == FIRST and not has_default)
            known[row.name] = self._view(
                row.name,
                row.kind,
                row.definition,
                is_default=is_default,
                created=row.created,
                created_by=row.created_by,
            )
        return known

    def _get(self, connection: Connection, name: str) -> DatastoreView:
        known = self._known(connection)
        if name not in known:
            raise NotFound(
                f"there is no datastore {name[:64]!r} in this workspace; it has {', '.join(sorted(known)[:8])}"
            )
        return known[name]

    def _view(
        self,
        name: str,
        kind: str,
        definition: dict[str, Any],
        *,
        is_default: bool,
        created: float | None,
        created_by: str,
    ) -> DatastoreView:
        return DatastoreView(
            name=name,
            kind=kind,
            definition=definition,
            is_default=is_default,
            location=str(self._files.location(name).resolve()),
            created=created,
            created_by=created_by,
        )

    def _note(self, connection: Connection, caller: Caller, action: str, name: str, detail: dict[str, Any]) -> None:
        subject = f"datastore:{name}"
        audit.append(connection, caller, action=action, subject=subject, detail=detail, time=self._clock.now())


def _check(request: DatastoreRequest) -> None:
    if not _NAME.fullmatch(request.name):
        raise InvalidInput(
            "the name of a datastore has 1 to 64 letters, digits, '_' and '-' and does not begin with '-', "
            f"got {request.name[:80]!r}"
        )
    if not request.kind.strip() or len(request.kind) > 64:
        raise InvalidInput(f"the kind of a datastore has 1 to 64 characters, got {request.kind[:80]!r}")
    size = len(msgspec.json.encode(request.definition))
    if size > _DEFINITION_BYTES_MAX:
        raise TooLarge(f"the definition of a datastore has {size:,} bytes, and the limit is {_DEFINITION_BYTES_MAX:,}")
