"""Small tables: idempotency keys, the audit log, artifacts, snapshots."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sublight.core.errors import InvalidInput
from sublight.store import artifacts, audit, idempotency, snapshots
from sublight.store.database import Database


@dataclass
class Someone:
    name: str = "ann"
    roles: frozenset[str] = field(default_factory=lambda: frozenset({"reader", "owner"}))
    run_id: str | None = None


# -- idempotency ----------------------------------------------------------------------------------------------------------


def test_a_repeated_key_gives_what_the_first_request_made(database: Database) -> None:
    with database.write() as connection:
        before = idempotency.find(connection, "key-1", "hash", time=100.0)
        idempotency.remember(connection, "key-1", "hash", "run:x", time=100.0)

    with database.write() as connection:
        assert before is None
        assert idempotency.find(connection, "key-1", "hash", time=101.0) == "run:x"
        assert idempotency.find(connection, "key-2", "hash", time=101.0) is None


def test_a_key_with_another_body_is_refused(database: Database) -> None:
    with database.write() as connection:
        idempotency.remember(connection, "key-1", "hash", "run:x", time=100.0)

        with pytest.raises(InvalidInput, match="use a new key for a new request"):
            idempotency.find(connection, "key-1", "other", time=101.0)


def test_a_key_is_kept_for_a_day(database: Database) -> None:
    day = 24 * 3600.0
    with database.write() as connection:
        idempotency.remember(connection, "key-1", "hash", "run:x", time=0.0)

        assert idempotency.find(connection, "key-1", "hash", time=day - 1) == "run:x"
        assert idempotency.find(connection, "key-1", "other", time=day + 1) is None
        idempotency.remember(connection, "key-1", "other", "run:y", time=day + 1)
        assert idempotency.find(connection, "key-1", "other", time=day + 2) == "run:y"


def test_a_key_that_is_rolled_back_was_never_used(database: Database) -> None:
    def store_and_fail() -> None:
        with database.write() as connection:
            idempotency.remember(connection, "key-1", "hash", "run:x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_and_fail()

    with database.read() as connection:
        assert idempotency.find(connection, "key-1", "another") is None


@pytest.mark.parametrize("key", ["", "a" * 256, "a\nb", "\0"])
def test_a_key_is_short_and_printable(database: Database, key: str) -> None:
    with database.read() as connection, pytest.raises(InvalidInput, match="1 to 255 printable characters"):
        idempotency.find(connection, key, "hash")


# -- audit ----------------------------------------------------------------------------------------------------------------


def test_the_newest_entry_comes_first_and_pages_go_back(database: Database) -> None:
    with database.write() as connection:
        for number in range(5):
            audit.append(connection, Someone(), action="do", subject=f"thing:{number}", time=float(number))

    with database.read() as connection:
        first = audit.page(connection, limit=2)
        second = audit.page(connection, before=first[-1].number, limit=2)
        assert [row.subject for row in (*first, *second)] == ["thing:4", "thing:3", "thing:2", "thing:1"]
        assert first[0].roles == ["owner", "reader"]


# -- artifacts and snapshots ----------------------------------------------------------------------------------------------


def test_an_artifact_is_replaced_by_its_own_or_a_newer_attempt_only(database: Database) -> None:
    with database.write() as connection:
        done = [
            artifacts.put(
                connection,
                run_id="r",
                path="outputs/m",
                sha256=f"{attempt}" * 64,
                size_bytes=1,
                attempt=attempt,
                now=1.0,
            )
            for attempt in (2, 2, 1, 3)
        ]

    with database.read() as connection:
        assert done == [True, True, False, True]
        assert [row.attempt for row in artifacts.of_run(connection, "r")] == [3]


def test_a_snapshot_is_stored_once(database: Database) -> None:
    with database.write() as connection:
        snapshots.add(connection, "a" * 64, [{"path": "x"}], 3, 1.0)
        snapshots.add(connection, "a" * 64, [{"path": "x"}], 3, 2.0)

    with database.read() as connection:
        row = snapshots.find(connection, "a" * 64)
        assert row is not None
        assert (row.files, row.created) == ([{"path": "x"}], 1.0)
        assert snapshots.find(connection, "b" * 64) is None
