"""The connection to the workspace's database: short write transactions, one at a time, and reads beside them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import DatabaseError

from sublight.core.errors import InvalidInput, ServerUnavailable, StorageDamaged, StorageFull
from sublight.store import tables

BUSY_TIMEOUT_SECONDS = 10


class Database:
    """All access to the tables goes through here.

    Writers take turns (one lock in the process, ``BEGIN IMMEDIATE`` in SQLite), so a transaction never fails half-way
    because another one was faster. A transaction is durable when ``write`` has been left (WAL, synchronous FULL).
    Never call an engine or the network inside ``write``.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(sublight_writes=True)
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._writer: int | None = None
        self._change = 0
        self._after_commit: list[Callable[[], None]] = []
        self._touched: set[str] = set()
        self.on_change: Callable[[int, set[str]], None] = lambda _number, _subjects: None

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for migrations and closing."""
        return self._engine

    def load_change_number(self) -> None:
        """Continue the numbering of changes after the largest stored one (at server start)."""
        with self.read() as connection:
            for table in (tables.runs, tables.clusters, tables.metrics):
                largest = connection.scalar(select(func.max(table.c.change)))
                self._change = max(self._change, largest or 0)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; inside ``write`` of the same thread it is the writing one."""
        if self._writer == threading.get_ident():
            assert self._connection is not None
            yield self._connection
            return
        with plain_errors(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction; commits when left normally, rolls back on an exception, may be nested in a thread.

        Raises StorageFull when the disk is full and ServerUnavailable when the database stays locked by somebody else.
        """
        with self._lock:
            if self._connection is not None:
                yield self._connection
                return
            try:
                with plain_errors(), self._writing_engine.connect() as connection, connection.begin():
                    self._connection = connection
                    self._writer = threading.get_ident()
                    yield connection
            except BaseException:
                self._touched.clear()
                self._after_commit.clear()
                raise
            finally:
                self._connection = None
                self._writer = None
            touched, self._touched = self._touched, set()
            callbacks, self._after_commit = self._after_commit, []
            number = self._change
        if touched:
            self.on_change(number, touched)
        for callback in callbacks:
            callback()

    def next_change(self, *subjects: str) -> int:
        """Number a change inside ``write``; the subjects (``run:ID`` …) are announced once it is committed."""
        assert self._connection is not None, "changes are numbered inside a write transaction"
        self._change += 1
        self._touched.update(subjects)
        return self._change

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once the present transaction is durable; not at all when it is rolled back."""
        assert self._connection is not None
        self._after_commit.append(callback)

    def close(self) -> None:
        """Close all connections; SQLite folds its write-ahead log into the main file."""
        self._engine.dispose()


def open_sqlite(path: Path) -> Database:
    """Open (or create) the SQLite database at ``path``; the tables come from ``migrations``, not from here."""
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        pool_size=16,
        max_overflow=48,
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer asks for SQLite's write lock at once, so that it cannot lose it half-way; readers get a snapshot.
        writes = connection.get_execution_options().get("sublight_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return Database(engine)


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the failures that are not ours into sentences: a full disk, a lock held by somebody else, a damaged file."""
    try:
        yield
    except OverflowError as error:
        # What the database's driver says of a whole number beyond 64 bits; such a number can only come from a request.
        raise InvalidInput(
            "a whole number in the request is beyond what can be stored (64 bits); use a smaller one"
        ) from error
    except DatabaseError as error:
        text = str(error.orig)
        if "disk is full" in text or "No space left" in text:
            raise StorageFull(
                "the disk that holds the workspace is full, so nothing was stored; free some space and try again"
            ) from error
        if "locked" in text:
            raise ServerUnavailable(
                f"the workspace's database was locked by another program for {BUSY_TIMEOUT_SECONDS} seconds; "
                "close that program and try again"
            ) from error
        if "not a database" in text or "malformed" in text:
            raise StorageDamaged(
                f"the workspace's database sublight.db is damaged ({text}) and was left as it is; put a backup in its "
                "place, or move it away to begin with an empty workspace"
            ) from error
        raise
