"""A small server that speaks the node protocol, remembers everything, and fails when a test wants it to."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from sublight.messages.definitions import SnapshotFile
from sublight.messages.nodes import (
    AttemptReport,
    FileBytes,
    Hello,
    Order,
    Orders,
    Report,
    ReportAnswer,
    StoredOffsets,
    Welcome,
)

NODE_ID = "pool-ab12"
TOKEN = "node-token-canary"

Key = tuple[str, int]


@dataclass
class Stored:
    """What the server has of an attempt."""

    reports: list[AttemptReport] = field(default_factory=list)
    journal: bytes = b""
    logs: dict[str, bytes] = field(default_factory=dict)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    is_superseded: bool = False

    @property
    def phases(self) -> list[str]:
        """The phases in the order in which they were first reported."""
        return list(dict.fromkeys(report.phase for report in self.reports))

    @property
    def last(self) -> AttemptReport:
        return self.reports[-1]

    @property
    def is_finished(self) -> bool:
        return bool(self.reports) and self.last.phase == "finished"

    @property
    def text(self) -> str:
        """What the script printed."""
        return self.logs.get("user_logs/std_log.txt", b"").decode()


class ScriptedServer:
    """The server's state, and what a test may do to it. Attempts that finish leave the orders by themselves."""

    def __init__(self) -> None:
        self.welcome = Welcome(lease_seconds=30.0, stop_grace_seconds=3.0, poll_seconds=5.0)
        self.hellos: list[Hello] = []
        self.goodbyes: list[str] = []
        self.calls: list[str] = []
        self.attempts: dict[Key, Stored] = {}
        self.blobs: dict[str, bytes] = {}
        # Called with "METHOD /path" before a call is worked on, and again with "done …" after it was, before the answer
        # goes out; what it raises is what the agent meets.
        self.trouble: Callable[[str], None] = lambda call: None
        self.keeps_finished = False
        self._orders: dict[Key, Order] = {}
        self._version = 1
        self._leave = False
        self._changed = threading.Condition()

    # -- what a test does ----------------------------------------------------------------------------------------------

    def order(self, run_id: str, files: dict[str, str], argv: list[str] | None = None, **values: Any) -> Stored:
        """Want an attempt; ``files`` is its snapshot, ``argv`` defaults to running ``train.py``."""
        snapshot = []
        for path, text in files.items():
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            self.blobs[sha256] = text.encode()
            snapshot.append(SnapshotFile(path=path, sha256=sha256, size_bytes=len(text.encode())))
        order = an_order(run_id, snapshot, argv, **values)
        with self._changed:
            stored = self.attempts.setdefault((run_id, order.attempt), Stored())
            self._orders[(run_id, order.attempt)] = order
            self._touch()
        return stored

    def stop(self, run_id: str, reason: str, attempt: int = 1) -> None:
        with self._changed:
            order = self._orders[(run_id, attempt)]
            self._orders[(run_id, attempt)] = replace(order, action="stop", stop_reason=reason)
            self._touch()

    def withdraw(self, run_id: str, attempt: int = 1) -> None:
        with self._changed:
            del self._orders[(run_id, attempt)]
            self._touch()

    def ask_to_leave(self) -> None:
        with self._changed:
            self._leave = True
            self._touch()

    def wait_for(self, is_so: Callable[[], Any], seconds: float = 20.0) -> None:
        """Wait until something is so; fails the test after ``seconds``."""
        with self._changed:
            assert self._changed.wait_for(is_so, seconds), "waited in vain"

    # -- what the agent calls ------------------------------------------------------------------------------------------

    def hello(self, body: bytes) -> bytes:
        hello = msgspec.msgpack.decode(body, type=Hello)
        with self._changed:
            self.hellos.append(hello)
            self._changed.notify_all()
        return msgspec.msgpack.encode(self.welcome)

    def orders(self, query: dict[str, str]) -> bytes:
        self._check(query["incarnation"])
        with self._changed:
            self._changed.wait_for(lambda: self._version != int(query["version"]), float(query["wait"]))
            self._check(query["incarnation"])
            answer = Orders(version=self._version, leave=self._leave, orders=list(self._orders.values()))
        return msgspec.msgpack.encode(answer)

    def report(self, body: bytes) -> bytes:
        report = msgspec.msgpack.decode(body, type=Report)
        self._check(report.incarnation)
        with self._changed:
            answers = [self._store(item) for item in report.attempts]
            self._changed.notify_all()
        return msgspec.msgpack.encode(ReportAnswer(attempts=answers))

    def put(self, parts: list[str], query: dict[str, str], body: bytes) -> bytes:
        assert hashlib.sha256(body).hexdigest() == query["sha256"]
        assert len(body) == int(query["size"])
        with self._changed:
            self.attempts[(parts[1], int(parts[3]))].artifacts[query["path"]] = body
            self._changed.notify_all()
        return b""

    def goodbye(self, body: bytes) -> bytes:
        with self._changed:
            self.goodbyes.append(msgspec.msgpack.decode(body)["incarnation"])
            self._changed.notify_all()
        return b""

    def _store(self, item: AttemptReport) -> StoredOffsets:
        stored = self.attempts.setdefault((item.run_id, item.attempt), Stored())
        stored.reports.append(item)
        if item.journal is not None:
            data = _unseen(item.journal, len(stored.journal))
            stored.journal += data if item.phase == "finished" else data[: data.rfind(b"\n") + 1]
        for log in item.logs:
            before = stored.logs.get(log.path, b"")
            stored.logs[log.path] = before + _unseen(log, len(before))
        if item.phase == "finished" and not self.keeps_finished:
            self._orders.pop((item.run_id, item.attempt), None)
            self._touch()
        return StoredOffsets(
            run_id=item.run_id,
            attempt=item.attempt,
            superseded=stored.is_superseded,
            journal=len(stored.journal),
            logs={log.path: len(stored.logs[log.path]) for log in item.logs},
        )

    def _check(self, incarnation: str) -> None:
        if incarnation != self.hellos[-1].incarnation:
            raise Refusal(409, "conflict", "another life of the node has begun")

    def _touch(self) -> None:
        self._version += 1
        self._changed.notify_all()


class Refusal(Exception):
    """An answer that is not 2xx; ``code`` None sends a page of HTML as a proxy does."""

    def __init__(self, status: int, code: str | None = "error", message: str = "the test wants it") -> None:
        super().__init__(status)
        self.status = status
        self.body = b"<html>sorry</html>" if code is None else json.dumps({"code": code, "message": message}).encode()


class Cut(Exception):
    """The connection is cut without an answer."""


def an_order(run_id: str, files: list[SnapshotFile], argv: list[str] | None = None, **values: Any) -> Order:
    """An order with the usual values."""
    usual: dict[str, Any] = {
        "attempt": 1,
        "action": "run",
        "stop_reason": "",
        "snapshot_id": "5" * 64,
        "environment": "current",
        "environment_variables": {},
        "max_run_seconds": None,
        "experiment": "test",
        "parent_id": None,
    }
    argv = argv or ["{python}", "train.py"]
    return Order(run_id=run_id, snapshot_files=files, argv=argv, **(usual | values))


@contextmanager
def serving(server: ScriptedServer, server_file: Path, port: int = 0) -> Iterator[int]:
    """Let the server be reachable on loopback, with its address in ``server_file``; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None: ...

        def do_GET(self) -> None:
            self._serve()

        do_POST = do_PUT = do_GET

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            parts = url.path.removeprefix(f"/api/v1/nodes/{NODE_ID}/").split("/")
            call = f"{self.command} {parts[0] if parts[0] != 'runs' else 'artifact'}"
            try:
                server.calls.append(call)
                assert self.headers["Authorization"] == f"Bearer {TOKEN}"
                server.trouble(call)
                answer = self._dispatch(parts, query, body)
                server.trouble(f"done {call}")
            except Refusal as refusal:
                self._answer(refusal.status, refusal.body, "application/json")
            except Cut:
                self.close_connection = True
            else:
                self._answer(200 if answer else 204, answer, "application/msgpack")

        def _dispatch(self, parts: list[str], query: dict[str, str], body: bytes) -> bytes:
            match parts[0]:
                case "hello":
                    return server.hello(body)
                case "orders":
                    return server.orders(query)
                case "report":
                    return server.report(body)
                case "goodbye":
                    return server.goodbye(body)
                case "runs":
                    return server.put(parts, query, body)
                case "snapshots":
                    return server.blobs[parts[3]]
            raise Refusal(404, "not_found")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the agent is gone

    class QuietServer(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Agents die in the middle of calls here; that is what is tested."""

    with QuietServer(("127.0.0.1", port), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        server_file.write_text(json.dumps({"url": f"http://127.0.0.1:{http.server_port}", "pid": 1}))
        try:
            yield http.server_port
        finally:
            http.shutdown()
            thread.join()


def _unseen(chunk: FileBytes, stored: int) -> bytes:
    return chunk.data[stored - chunk.offset :] if chunk.offset <= stored else b""


def eventually(is_so: Callable[[], Any], seconds: float = 10.0) -> bool:
    """True as soon as it is so, False when it is not within ``seconds``; for what sends no signal."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
