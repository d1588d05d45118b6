"""The client against a socket that answers what the test says, byte for byte."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from sublight.core.errors import Conflict, InvalidInput, NotAuthenticated, ServerUnavailable
from sublight.messages.nodes import Hello, Report, ReportAnswer, Welcome
from sublight.node.client import NodeClient

HELLO = Hello(incarnation="life-1", version="1", host={})
WELCOME = Welcome(lease_seconds=60.0, stop_grace_seconds=5.0, poll_seconds=20.0)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def ok(value: object) -> bytes:
    return answer("200 OK", msgspec.msgpack.encode(value))


class Cut(bytes):
    """An answer after which the connection is closed, whatever its headers promise."""


class Socket:
    """Answers each request with the next of ``answers``; None closes the connection instead."""

    def __init__(self, listener: socket.socket) -> None:
        self.answers: list[bytes | None] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._listener = listener

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as reader:
                while head := self._head(reader):
                    length = next((line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), b": 0")
                    self.requests.append(head + reader.read(int(length.split(b":")[1])))
                    reply = self.answers.pop(0)
                    if reply is None:
                        break
                    connection.sendall(reply)
                    if isinstance(reply, Cut):
                        break

    def _head(self, reader: io.BufferedIOBase) -> bytes:
        lines = b""
        while not lines.endswith(b"\r\n\r\n"):
            line = reader.readline()
            if not line:
                return b""
            lines += line
        return lines


@pytest.fixture
def server() -> Iterator[Socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Socket(listener)
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture
def client(server: Socket) -> Iterator[NodeClient]:
    client = NodeClient("node/1", "secret", lambda: server.url)
    yield client
    client.close()


def test_a_call_carries_token_and_quoted_node_id_and_reads_its_answer(server, client):
    server.answers = [ok(WELCOME)]

    assert client.hello(HELLO) == WELCOME
    assert server.requests[0].startswith(b"POST /api/v1/nodes/node%2F1/hello HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer secret\r\n" in server.requests[0]


def test_calls_share_one_connection(server, client):
    server.answers = [ok(WELCOME), ok(ReportAnswer(attempts=[])), ok(WELCOME)]
    client.hello(HELLO)
    client.report(Report(incarnation="life-1", attempts=[]))
    client.hello(HELLO)

    assert server.connections == 1


def test_a_kept_connection_that_the_server_closed_meanwhile_is_replaced_unnoticed(server, client):
    server.answers = [ok(WELCOME), None, ok(WELCOME)]
    client.hello(HELLO)

    assert client.hello(HELLO) == WELCOME
    assert server.connections == 2


def test_an_answer_that_closes_the_connection_is_obeyed(server, client):
    body = msgspec.msgpack.encode(WELCOME)
    server.answers = [answer("200 OK", body, "Connection: close"), ok(WELCOME)]
    client.hello(HELLO)
    client.hello(HELLO)

    assert server.connections == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer("409 Conflict", b'{"code": "conflict", "message": "another life"}'), Conflict),
        (answer("401 Unauthorized", b'{"code": "not_authenticated", "message": "who?"}'), NotAuthenticated),
        (answer("400 Bad Request", b'{"code": "invalid_input", "message": "no"}'), InvalidInput),
        (answer("503 Unavailable", b'{"code": "server_unavailable", "message": "soon"}'), ServerUnavailable),
        (answer("507 Full", b'{"code": "storage_full", "message": "the disk is full"}'), ServerUnavailable),
        (answer("502 Bad Gateway", b"<html>"), ServerUnavailable),
        # A proxy, or another program on this port: not the word of our server, so nothing may be killed for it.
        (answer("409 Conflict", b"<html>"), ServerUnavailable),
        (answer("200 OK", b"<html>welcome to the hotel</html>"), ServerUnavailable),
        (answer("200 OK"), ServerUnavailable),
        (Cut(b"no HTTP at all\r\n\r\n"), ServerUnavailable),
        (Cut(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"), ServerUnavailable),
    ],
)
def test_answers_become_the_errors_by_which_the_agent_acts(server, client, reply, error):
    server.answers = [reply, None, None]

    with pytest.raises(error):
        client.hello(HELLO)


def test_after_a_refusal_the_next_call_is_not_confused_by_the_rest_of_the_answer(server, client):
    server.answers = [answer("409 Conflict", b'{"code": "conflict", "message": "no"}'), ok(WELCOME)]
    with pytest.raises(Conflict):
        client.hello(HELLO)

    assert client.hello(HELLO) == WELCOME


def test_nobody_listening_is_a_server_that_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = NodeClient("n", "t", lambda: f"http://127.0.0.1:{port}")

    with pytest.raises(ServerUnavailable, match="did not answer POST /hello"):
        client.hello(HELLO)


def test_a_server_that_has_no_address_is_not_running():
    with pytest.raises(ServerUnavailable, match="no server is running"):
        NodeClient("n", "t", lambda: "").hello(HELLO)


@pytest.mark.parametrize("url", ["ftp://host", "nonsense"])
def test_an_address_that_is_no_url_is_said_so(url):
    with pytest.raises(ServerUnavailable, match="must be an http or https URL"):
        NodeClient("n", "t", lambda: url).hello(HELLO)


def test_the_address_is_asked_for_again_at_each_new_connection(server):
    addresses = ["http://127.0.0.1:1", server.url]
    client = NodeClient("n", "t", lambda: addresses.pop(0))
    server.answers = [ok(WELCOME)]
    with pytest.raises(ServerUnavailable):
        client.hello(HELLO)

    assert client.hello(HELLO) == WELCOME
    client.close()


def test_a_file_is_uploaded_from_its_beginning_also_over_a_replaced_connection(server, client):
    content = b"0123456789" * 100_000
    server.answers = [ok(WELCOME), None, answer("204 No Content")]
    client.hello(HELLO)
    client.put_artifact(
        "life-1",
        "run-1",
        2,
        path="outputs/a b",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        body=io.BytesIO(content),
    )

    request = server.requests[-1]
    assert request.startswith(b"PUT /api/v1/nodes/node%2F1/runs/run-1/attempts/2/artifacts?path=outputs%2Fa+b&sha256=")
    assert b"\r\nX-Incarnation: life-1\r\n" in request
    assert request.endswith(content)


def test_a_content_is_fetched_piece_by_piece(server, client):
    content = b"0123456789" * 100_000
    server.answers = [answer("200 OK", content)]
    target = io.BytesIO()
    client.fetch_blob("5" * 64, "a" * 64, target)

    assert target.getvalue() == content


def test_a_content_that_ends_early_is_not_taken_for_whole(server, client):
    server.answers = [Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789")]

    with pytest.raises(ServerUnavailable):
        client.fetch_blob("5" * 64, "a" * 64, io.BytesIO())
