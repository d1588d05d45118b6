"""Logs: bytes at their offsets, in files whose names no user chooses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sublight.core.errors import Conflict, InvalidInput, StorageFull
from sublight.store import logs as log_rows
from sublight.store.database import Database
from sublight.store.logs import LogFiles

LOG = "user_logs/std_log.txt"


@pytest.fixture
def logs(tmp_path: Path) -> LogFiles:
    return LogFiles(tmp_path / "logs")


def test_bytes_are_read_back_from_where_they_were_written(logs: LogFiles) -> None:
    assert logs.write_at("r-1", 1, LOG, 0, b"hello ") == 6
    assert logs.write_at("r-1", 1, LOG, 6, b"world") == 11

    assert logs.read("r-1", 1, LOG, 0, 100) == b"hello world"
    assert logs.read("r-1", 1, LOG, 6, 3) == b"wor"
    assert logs.read("r-1", 1, LOG, 11, 3) == b""


def test_attempts_and_logs_are_kept_apart(logs: LogFiles) -> None:
    logs.write_at("r-1", 1, LOG, 0, b"one")
    logs.write_at("r-1", 2, LOG, 0, b"two")
    logs.write_at("r-1", 1, "logs/other", 0, b"three")

    assert [logs.read("r-1", attempt, LOG, 0, 9) for attempt in (1, 2)] == [b"one", b"two"]
    assert logs.read("r-2", 1, LOG, 0, 9) == b""


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.binary(min_size=1, max_size=40), cuts=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_shipping_any_part_again_changes_nothing(logs: LogFiles, text: bytes, cuts: list[tuple[int, int]]) -> None:
    run_id = f"r-{abs(hash((text, tuple(cuts))))}"
    logs.write_at(run_id, 1, LOG, 0, text)
    for start, length in cuts:
        start = min(start, len(text))
        logs.write_at(run_id, 1, LOG, start, text[start : start + length])

    assert logs.read(run_id, 1, LOG, 0, 100) == text


def test_a_gap_is_refused_with_where_to_go_on(logs: LogFiles) -> None:
    logs.write_at("r-1", 1, LOG, 0, b"abc")

    with pytest.raises(Conflict, match="send it from 3 on"):
        logs.write_at("r-1", 1, LOG, 5, b"x")


@pytest.mark.parametrize("run_id", ["", "..", "../x", "a/b", "/etc", ".hidden", "a\0", "x" * 200])
def test_only_an_id_names_a_run(logs: LogFiles, run_id: str) -> None:
    with pytest.raises(InvalidInput, match="not the id of a run"):
        logs.write_at(run_id, 1, LOG, 0, b"x")
    with pytest.raises(InvalidInput, match="not the id of a run"):
        logs.read(run_id, 1, LOG, 0, 1)


def test_files_are_for_the_owner_alone(logs: LogFiles, tmp_path: Path) -> None:
    logs.write_at("r-1", 1, LOG, 0, b"x")

    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.name == "user_logs%2Fstd_log.txt"
    assert file.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in (file.parent, tmp_path / "logs")} == {0o700}


def test_a_link_in_place_of_a_log_is_not_followed(logs: LogFiles, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    logs.write_at("r-1", 1, LOG, 0, b"x")
    (file,) = (tmp_path / "logs" / "r-1" / "1").iterdir()
    file.unlink()
    file.symlink_to(secret)

    with pytest.raises(OSError, match="symbolic links"):
        logs.write_at("r-1", 1, LOG, 0, b"overwritten")
    with pytest.raises(OSError, match="symbolic links"):
        logs.read("r-1", 1, LOG, 0, 100)
    assert secret.read_bytes() == b"secret"


def test_a_full_disk_is_said_in_words(logs: LogFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", no_space)

    with pytest.raises(StorageFull, match="was not stored; free some space and it continues"):
        logs.write_at("r-1", 1, LOG, 0, b"x")


def test_bytes_are_on_the_disk_before_the_call_returns(logs: LogFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    write, sync = os.pwrite, os.fdatasync
    monkeypatch.setattr(os, "pwrite", lambda *args: (order.append("write"), write(*args))[1])
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: (order.append("sync"), sync(descriptor))[1])

    logs.write_at("r-1", 1, LOG, 0, b"x")

    assert order == ["write", "sync"]


def test_a_stored_size_only_grows(database: Database) -> None:
    with database.write() as connection:
        first = log_rows.store_size(connection, "r-1", 1, LOG, 10)
        repeated = log_rows.store_size(connection, "r-1", 1, LOG, 4)
        log_rows.store_size(connection, "r-1", 2, LOG, 3)

    with database.read() as connection:
        assert (first, repeated) == (10, 10)
        assert log_rows.sizes(connection, "r-1", 1) == {LOG: 10}
        assert [(row.attempt, row.size_bytes) for row in log_rows.of_run(connection, "r-1")] == [(1, 10), (2, 3)]


def test_a_size_is_stored_with_the_transaction_or_not_at_all(database: Database) -> None:
    def store_and_fail() -> None:
        with database.write() as connection:
            log_rows.store_size(connection, "r-1", 1, LOG, 10)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_and_fail()

    with database.read() as connection:
        assert log_rows.of_run(connection, "r-1") == []
