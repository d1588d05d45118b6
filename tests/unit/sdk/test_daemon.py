"""The embedded server is started once, found again, and its failure is told with its own last words."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.core.errors import ServerUnavailable
from sublight.sdk import discovery
from sublight.sdk.daemon import serve_command, start_server

# A server of twenty lines: it announces itself as the real one does, and answers /health.
SERVER = """
import http.server, json, os, pathlib, sys
folder = pathlib.Path(".sublight")
with (folder / "starts").open("a") as starts:
    starts.write("start\\n")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"status": "ok", "version": "0", "workspace_id": "w"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
(folder / "owner.token").write_text("secret")
facts = {"url": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid(), "version": "0", "workspace_id": "w"}
(folder / "server.tmp").write_text(json.dumps(facts))
os.replace(folder / "server.tmp", folder / "server.json")
server.serve_forever()
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    server = discovery.written_server(tmp_path)
    if server is not None and discovery.is_answering(server):
        os.kill(server.pid, signal.SIGKILL)


def command(text: str = SERVER) -> list[str]:
    return [sys.executable, "-I", "-c", text]


def starts(project: Path) -> int:
    return len((project / ".sublight/starts").read_text().splitlines())


def test_a_server_is_started_and_found_again(project: Path) -> None:
    first = start_server(project, command=command())
    second = start_server(project, command=command())

    assert first == second
    assert first.token == "secret"
    assert first.project == project
    assert starts(project) == 1


def test_two_clients_at_once_start_one_server(project: Path) -> None:
    urls: list[str] = []

    def client() -> None:
        urls.append(start_server(project, command=command()).url)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(urls)) == 1
    assert len(urls) == 4
    assert starts(project) == 1


def test_the_server_has_a_session_of_its_own(project: Path) -> None:
    start_server(project, command=command())
    server = discovery.written_server(project)

    assert server is not None
    assert os.getsid(server.pid) == server.pid != os.getsid(0)


def test_the_workspace_is_private_and_invisible_to_git(project: Path) -> None:
    start_server(project, command=command())

    folder = project / ".sublight"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    assert (folder / "server.log").stat().st_mode & 0o777 == 0o600


def test_a_server_that_fails_is_told_with_its_last_words(project: Path) -> None:
    failing = command("import sys; print('first'); sys.exit('sublight: the disk is full')")

    with pytest.raises(ServerUnavailable) as failure:
        start_server(project, command=failing)

    sentence = str(failure.value)
    assert "ended with code 1 while it started" in sentence
    assert "server.log:" in sentence
    assert "sublight: the disk is full" in sentence


def test_words_of_an_earlier_failure_are_not_repeated(project: Path) -> None:
    for word in ("bad luck one", "bad luck two"):
        with pytest.raises(ServerUnavailable) as failure:
            start_server(project, command=command(f"import sys; sys.exit('{word}')"))

    assert "bad luck two" in str(failure.value)
    assert "bad luck one" not in str(failure.value)


def test_a_server_that_never_answers_is_given_up_in_time(project: Path) -> None:
    notice = io.StringIO()
    silent = command("import os, time; open('.sublight/pid', 'w').write(str(os.getpid())); time.sleep(60)")

    with pytest.raises(ServerUnavailable, match=r"did not answer in 1 seconds; its log .*server.log is empty"):
        start_server(project, command=silent, timeout_seconds=1.2, notice=notice)

    os.kill(int((project / ".sublight/pid").read_text()), signal.SIGKILL)
    assert notice.getvalue() == f"starting the Sublight server of {project} …\n"


def test_a_port_that_another_program_took_is_not_our_server(project: Path) -> None:
    start_server(project, command=command())
    file = project / ".sublight/server.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "workspace_id": "another"}))

    assert discovery.running_endpoint(project) is None

    file.write_text(json.dumps({**json.loads(file.read_text()), "workspace_id": "w"}))


def test_a_run_s_own_variables_do_not_reach_the_server(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_RUN_ID", "exp-abc")
    text = SERVER.replace(
        "class Handler", "(folder / 'seen').write_text(str('SUBLIGHT_RUN_ID' in os.environ))\nclass Handler"
    )

    start_server(project, command=command(text))

    assert (project / ".sublight/seen").read_text() == "False"


def test_a_module_of_the_project_cannot_take_the_place_of_ours() -> None:
    assert serve_command(Path("/p"))[1:] == ["-P", "-m", "sublight", "serve", "--project", "/p"]


def test_a_started_server_that_is_killed_leaves_no_zombie(project: Path) -> None:
    start_server(project, command=command())
    server = discovery.written_server(project)
    assert server is not None

    os.kill(server.pid, signal.SIGKILL)

    deadline = time.monotonic() + 10
    while Path(f"/proc/{server.pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{server.pid}").exists()
