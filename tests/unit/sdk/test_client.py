"""The client turns answers into messages and errors, and retries without doing a thing twice."""

from __future__ import annotations

import io
import itertools
import multiprocessing
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from sublight.core.errors import (
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    ServerUnavailable,
    StorageFull,
    SublightError,
)
from sublight.messages.definitions import SubmitRequest
from sublight.messages.people import Change
from sublight.messages.runs import RunView
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from tests.unit.sdk.fake_server import URL, Clock, FakeServer, a_run, as_json, error

RUN = "/api/v1/runs/x"


def test_an_answer_becomes_a_message(server: FakeServer) -> None:
    server.on("GET", RUN, a_run("x"))

    assert server.client().get(RUN, RunView) == a_run("x")
    assert server.requests[0].headers["authorization"] == "Bearer secret"


def test_fields_of_a_newer_server_are_passed_over(server: FakeServer) -> None:
    server.on("GET", "/c", {"number": 1, "subject": "run:x", "invented_later": True})

    assert server.client().get("/c", Change) == Change(number=1, subject="run:x")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_input", InvalidInput),
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (507, "storage_full", StorageFull),
        (400, "invented_later", SublightError),
    ],
)
def test_a_refusal_becomes_the_class_that_the_server_meant(
    server: FakeServer, status: int, code: str, kind: type[SublightError]
) -> None:
    server.on("GET", RUN, error(status, code, "one clear sentence"))

    with pytest.raises(kind, match=r"^one clear sentence$") as refusal:
        server.client().get(RUN, RunView)
    assert type(refusal.value) is kind


def test_a_page_of_a_proxy_is_never_taken_for_success(server: FakeServer) -> None:
    server.on("GET", RUN, httpx.Response(200, html="<html>please log in</html>"))

    with pytest.raises(ServerUnavailable, match=r"is not a Sublight server: expected JSON, got text/html"):
        server.client().get(RUN, RunView)


def test_a_page_of_a_proxy_is_never_taken_for_a_log(server: FakeServer) -> None:
    server.on("GET", RUN, httpx.Response(200, html="<html>please log in</html>"))

    with pytest.raises(ServerUnavailable, match=r"not a Sublight server"):
        server.client().get_bytes(RUN)


def test_json_of_another_shape_is_refused_with_its_place(server: FakeServer) -> None:
    server.on("GET", RUN, {"hello": "world"})

    with pytest.raises(SublightError, match=r"could not be read .*same version"):
        server.client().get(RUN, RunView)


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.ReadTimeout("slow")])
def test_a_lost_connection_is_tried_again_with_the_same_key(server: FakeServer, fault: Exception) -> None:
    server.on("POST", "/api/v1/runs", fault, fault, a_run("x"))
    request = SubmitRequest(experiment="e", target="local")

    assert server.client().post("/api/v1/runs", RunView, request).id == "x"
    keys = {sent.headers["idempotency-key"] for sent in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1


def test_two_posts_have_two_keys(server: FakeServer) -> None:
    server.on("POST", "/api/v1/runs", a_run("x"))
    client = server.client()

    client.post("/api/v1/runs", RunView, None)
    client.post("/api/v1/runs", RunView, None)

    first, second = (sent.headers["idempotency-key"] for sent in server.requests)
    assert first != second


@pytest.mark.parametrize(
    "busy", [error(503, "server_unavailable", "starting"), httpx.Response(502, html="<html>bad gateway</html>")]
)
def test_a_server_that_is_busy_is_asked_again(server: FakeServer, busy: httpx.Response) -> None:
    server.on("GET", RUN, busy, a_run("x"))

    assert server.client().get(RUN, RunView).id == "x"


def test_patience_ends_with_a_sentence_that_says_what_to_do(server: FakeServer) -> None:
    server.on("GET", RUN, httpx.ConnectError("connection refused"))
    clock = Clock()
    client = server.client(sleep=clock.sleep, clock=clock, patience_seconds=20)

    with pytest.raises(ServerUnavailable, match=r"127\.0\.0\.1:9 does not answer \(connection refused\); check"):
        client.get(RUN, RunView)
    assert 1015 < clock.now <= 1026
    assert len(server.requests) < 25


def test_a_server_that_says_no_is_not_asked_again(server: FakeServer) -> None:
    server.on("GET", RUN, error(409, "conflict", "no"), a_run("x"))

    with pytest.raises(Conflict):
        server.client().get(RUN, RunView)
    assert len(server.requests) == 1


def test_a_restarted_server_is_found_at_its_new_address(server: FakeServer) -> None:
    def by_port(request: httpx.Request) -> httpx.Response:
        if request.url.port == 9:
            raise httpx.ConnectError("refused")
        return as_json(a_run("x"))

    server.on("GET", RUN, by_port)
    client = server.client(locate=lambda: Endpoint("http://127.0.0.1:10", "new"))

    assert client.get(RUN, RunView).id == "x"
    assert client.endpoint.url == "http://127.0.0.1:10"
    assert server.requests[-1].headers["authorization"] == "Bearer new"


def test_a_token_that_was_changed_on_disk_is_read_again(server: FakeServer) -> None:
    server.on("GET", RUN, error(401, "not_authenticated", "unknown token"), a_run("x"))

    assert server.client(locate=lambda: Endpoint(URL, "new")).get(RUN, RunView).id == "x"


def test_a_token_that_is_wrong_is_said_once(server: FakeServer) -> None:
    server.on("GET", RUN, error(401, "not_authenticated", "unknown token"))

    with pytest.raises(NotAuthenticated, match=r"unknown token"):
        server.client(locate=lambda: Endpoint(URL, "secret")).get(RUN, RunView)
    assert len(server.requests) == 1


def test_a_server_that_was_stopped_on_purpose_is_named_so(server: FakeServer) -> None:
    server.on("GET", RUN, httpx.ConnectError("refused"))
    clock = Clock()

    def locate() -> Endpoint:
        raise ServerUnavailable("the server was stopped; start it with 'sublight up'")

    with pytest.raises(ServerUnavailable, match=r"was stopped"):
        server.client(sleep=clock.sleep, clock=clock, locate=locate).get(RUN, RunView)


def test_a_query_leaves_out_none_and_repeats_lists(server: FakeServer) -> None:
    server.on("GET", RUN, a_run("x"))

    server.client().get(RUN, RunView, status=["queued", "running"], tag=None, force=True)

    assert str(server.requests[0].url.query, "ascii") == "status=queued&status=running&force=true"


def test_a_file_is_sent_whole_again_after_a_lost_connection(server: FakeServer, tmp_path: Path) -> None:
    source = tmp_path / "data"
    source.write_bytes(b"content")
    server.on("PUT", "/api/v1/blobs/b", httpx.ReadError("reset"), None)

    server.client().put_file("/api/v1/blobs/b", source)

    assert [request.content for request in server.requests] == [b"content", b"content"]


def test_a_download_starts_again_after_a_lost_connection(server: FakeServer) -> None:
    def half(request: httpx.Request) -> httpx.Response:
        def pieces() -> itertools.chain[bytes]:
            yield b"con"
            raise httpx.ReadError("reset")

        return httpx.Response(200, content=pieces())

    server.on("GET", "/file", half, httpx.Response(200, content=b"content"))
    sink = io.BytesIO()

    server.client().get_file("/file", sink)

    assert sink.getvalue() == b"content"


def test_a_refused_download_becomes_its_error(server: FakeServer) -> None:
    server.on("GET", "/file", error(404, "not_found", "no such file"))

    with pytest.raises(NotFound, match=r"no such file"):
        server.client().get_file("/file", io.BytesIO())


def test_changes_go_on_after_a_lost_connection_where_they_were(server: FakeServer) -> None:
    def stream(*numbers: int) -> httpx.Response:
        lines = [": comment\n\n", *(f'event: change\ndata: {{"number":{n},"subject":"run:x"}}\n\n' for n in numbers)]
        return httpx.Response(200, text="".join(lines), headers={"Content-Type": "text/event-stream"})

    server.on("GET", "/api/v1/changes", stream(5, 6), httpx.ConnectError("gone"), stream(7))

    seen = [change.number for change in itertools.islice(server.client().changes(since=4), 3)]

    assert seen == [5, 6, 7]
    assert [request.url.query for request in server.requests] == [b"since=4", b"since=6", b"since=6"]


@pytest.mark.parametrize("url", ["ftp://host", "localhost:8000", "", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"must look like https://host:port"):
        Endpoint(url, "token")


@pytest.mark.parametrize("token", ["", "two words", "line\n"])
def test_a_token_that_can_be_none_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput, match=r"token"):
        Endpoint(URL, token)


def test_a_token_does_not_show_when_an_endpoint_is_printed() -> None:
    assert "secret" not in repr(Endpoint(URL, "secret"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_does_not_read_its_parents_connection() -> None:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            text = f'"{self.path.rpartition("/")[2]}"'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Client(Endpoint(f"http://127.0.0.1:{server.server_port}", "t"))
    try:
        assert client.get("/parent", str) == "parent"  # the connection that children would share stays open
        _inherited[:] = [client]
        context = multiprocessing.get_context("fork")
        with context.Pool(4) as pool:
            answers = pool.map(_ask, [f"/{number}" for number in range(40)], chunksize=1)
        assert answers == [str(number) for number in range(40)]
        assert client.get("/again", str) == "again"
    finally:
        client.close()
        server.shutdown()
        server.server_close()


_inherited: list[Client] = []  # what a forked process finds in its memory


def _ask(path: str) -> str:
    return _inherited[0].get(path, str)
