"""Shipping what an interactive run wrote, to a server that is slow, forgetful, away or of another opinion."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sublight.core.errors import Conflict, ServerUnavailable
from sublight.messages.journal import UPLOADS_FOLDER
from sublight.sdk import shipper as module
from sublight.sdk.shipper import LOGS_FOLDER, ShippedJournal, Shipper
from tests.unit.sdk.fake_server import Clock, FakeServer, as_json, error

RUN = "/api/v1/runs/r-1"


class Store:
    """What a real server keeps of one run."""

    def __init__(self) -> None:
        self.journal = b""
        self.logs: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}

    def put_journal(self, request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        if offset <= len(self.journal):
            self.journal += request.content[len(self.journal) - offset :]
        return as_json({"size_bytes": len(self.journal)})

    def put_log(self, request: httpx.Request) -> httpx.Response:
        path, offset = request.url.params["path"], int(request.url.params["offset"])
        stored = self.logs.get(path, b"")
        self.logs[path] = stored + request.content[len(stored) - offset :]
        return as_json({"size_bytes": len(self.logs[path])})

    def put_file(self, request: httpx.Request) -> httpx.Response:
        self.files[request.url.params["path"]] = request.content
        return httpx.Response(204)


@pytest.fixture
def store(server: FakeServer) -> Store:
    store = Store()
    server.on("PUT", f"{RUN}/journal", store.put_journal)
    server.on("PUT", f"{RUN}/logs", store.put_log)
    server.on("PUT", f"{RUN}/artifacts", store.put_file)
    return store


@pytest.fixture
def started() -> Iterator[list[Shipper]]:
    """Shippers to be closed at the end."""
    shippers: list[Shipper] = []
    yield shippers
    for one in shippers:
        one.close()


Start = Callable[..., tuple[ShippedJournal, Shipper]]


@pytest.fixture
def start(server: FakeServer, tmp_path: Path, started: list[Shipper], monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setattr(module, "_GATHER_SECONDS", 0.001)
    monkeypatch.setattr(module, "_RETRY_SECONDS_MAX", 0.01)

    def make(**options: Any) -> tuple[ShippedJournal, Shipper]:
        client = server.client(patience_seconds=0.0)
        journal = ShippedJournal(str(tmp_path), "r-1")
        shipper = Shipper(client, "r-1", tmp_path, **options)
        journal.wake = shipper.wake
        shipper.start()
        started.append(shipper)
        return journal, shipper

    return make


def stage(folder: Path, name: str, content: bytes) -> None:
    """Put a file in place whole, as the reporting methods do."""
    target = folder / UPLOADS_FOLDER / name
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = folder / "draft"
    draft.write_bytes(content)
    draft.replace(target)


def test_after_a_flush_everything_is_stored(start: Start, store: Store, tmp_path: Path) -> None:
    journal, shipper = start()
    stage(tmp_path, "models/a.bin", b"weights")
    (tmp_path / LOGS_FOLDER / "user_logs").mkdir(parents=True)
    (tmp_path / LOGS_FOLDER / "user_logs/std_log.txt").write_bytes(b"epoch 1\n")
    journal.append(b"one\n")
    journal.append(b"two\n")

    shipper.flush(10)

    assert store.journal == b"one\ntwo\n"
    assert store.files == {"models/a.bin": b"weights"}
    assert store.logs == {"user_logs/std_log.txt": b"epoch 1\n"}


def test_a_file_is_stored_before_the_record_that_speaks_of_it(
    start: Start, store: Store, server: FakeServer, tmp_path: Path
) -> None:
    journal, shipper = start()
    stage(tmp_path, "a", b"x")
    journal.append(b"artifact a\n")

    shipper.flush(10)

    assert [request.url.path.rpartition("/")[2] for request in server.requests][:2] == ["artifacts", "journal"]


def test_a_file_is_sent_once_and_again_when_it_was_replaced(
    start: Start, store: Store, server: FakeServer, tmp_path: Path
) -> None:
    journal, shipper = start()
    for content in (b"first", b"second"):
        stage(tmp_path, "a", content)
        journal.append(b"artifact\n")
        shipper.flush(10)
        journal.append(b"something else\n")
        shipper.flush(10)

    sent = [request.content for request in server.requests if request.url.path.endswith("/artifacts")]
    assert sent == [b"first", b"second"]


def test_an_answer_that_was_lost_makes_nothing_count_twice(start: Start, store: Store, server: FakeServer) -> None:
    def lose_the_answer(request: httpx.Request) -> httpx.Response:
        store.put_journal(request)
        raise httpx.ReadError("the line is dead")

    server.on("PUT", f"{RUN}/journal", lose_the_answer, error(503, "server_unavailable", "later"), store.put_journal)
    journal, shipper = start()
    journal.append(b"one\n")
    journal.append(b"two\n")

    shipper.flush(10)

    assert store.journal == b"one\ntwo\n"


def test_a_server_that_lost_its_last_seconds_gets_them_again(start: Start, store: Store) -> None:
    journal, shipper = start()
    journal.append(b"one\n")
    shipper.flush(10)

    store.journal = b""  # a backup was put back
    journal.append(b"two\n")
    shipper.flush(10)

    assert store.journal == b"one\ntwo\n"


def test_a_half_written_record_waits_for_its_end(start: Start, store: Store, tmp_path: Path) -> None:
    journal, shipper = start()
    journal.append(b"one\nhal")
    shipper.flush(10)
    assert store.journal == b"one\n"

    journal.append(b"f\n")
    shipper.flush(10)
    assert store.journal == b"one\nhalf\n"


def test_a_run_that_was_ended_elsewhere_stops_it_with_one_sentence(
    start: Start, server: FakeServer, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("PUT", f"{RUN}/journal", error(409, "conflict", "run r-1 has ended (canceled: canceled by eva)"))
    journal, shipper = start()
    journal.append(b"one\n")

    for _ in range(2):
        with pytest.raises(Conflict, match="canceled by eva"):
            shipper.flush(10)
    journal.append(b"two\n")

    assert capsys.readouterr().err.count("nothing more of run r-1 is kept: run r-1 has ended (canceled") == 1


def test_a_flush_gives_up_after_its_time_and_nothing_is_lost(start: Start, server: FakeServer, store: Store) -> None:
    is_up = threading.Event()
    server.on(
        "PUT",
        f"{RUN}/journal",
        lambda request: store.put_journal(request) if is_up.is_set() else error(503, "server_unavailable", "not now"),
    )
    journal, shipper = start()
    journal.append(b"one\n")

    with pytest.raises(ServerUnavailable, match=r"run r-1 reported was not stored within 0.2 seconds \(not now\)"):
        shipper.flush(0.2)
    is_up.set()
    shipper.flush(10)

    assert store.journal == b"one\n"


def test_a_file_that_the_server_refuses_is_named_and_the_rest_goes_on(
    start: Start, server: FakeServer, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("PUT", f"{RUN}/artifacts", error(413, "too_large", "too large"))
    journal, shipper = start()
    stage(tmp_path, "huge.bin", b"x")
    journal.append(b"one\n")

    shipper.flush(10)

    assert store.journal == b"one\n"
    assert "the file 'huge.bin' is not kept: too large" in capsys.readouterr().err


def test_a_quiet_run_is_heard_of_every_fifteen_seconds(start: Start, server: FakeServer, store: Store) -> None:
    clock = Clock()
    journal, shipper = start(clock=clock)
    journal.append(b"one\n")
    shipper.flush(10)
    for _ in range(3):
        clock.sleep(14.0)
        shipper.flush(10)
        clock.sleep(1.0)
        shipper.flush(10)

    beats = [request for request in server.requests if request.url.path.endswith("/journal") and not request.content]
    assert [request.url.params["offset"] for request in beats] == ["4", "4", "4"]


def test_a_journal_of_an_ended_run_takes_nothing(tmp_path: Path) -> None:
    journal = ShippedJournal(str(tmp_path), "r-1")
    journal.is_closed = True

    with pytest.raises(Conflict, match="run r-1 has ended in this program"):
        journal.append(b"late\n")
