"""A real agent process with real scripts, against a scripted server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from sublight.host.cgroups import find_base
from sublight.host.nodes import node_mark, sweep_node
from sublight.host.processes import descendants, look_around, marked_processes, process_stat
from tests.process.scripted_server import NODE_ID, TOKEN, Cut, Refusal, ScriptedServer, eventually, serving

pytestmark = pytest.mark.process

ISOLATIONS = ["cgroup", "sweep"]
AGENT = "import sys; from pathlib import Path; from sublight.node.agent import run_agent; sys.exit(run_agent(Path(sys.argv[1])))"

# Leaves its parent, its session and its group, and does not mind SIGTERM; notes its number in a file.
DAEMON = """
import os, signal, sys, time
def daemonize(note):
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(note, "w").write(str(os.getpid()))
    time.sleep(300)
    os._exit(0)
"""


class Node:
    """A node's directory and the agent in it."""

    def __init__(self, directory: Path, server_file: Path) -> None:
        self.directory = directory
        self.directory.mkdir(parents=True)
        self.settings = {
            "server_file": str(server_file),
            "url": None,
            "token": TOKEN,
            "node_id": NODE_ID,
            "cluster": "pool",
            "threads": 3,
            "size": {"cores": 4, "memory_bytes": 1, "gpus": 0},
            "note": "one of two",
        }
        self.mark = node_mark(NODE_ID, directory)

    def start(self, **settings: object) -> subprocess.Popen[bytes]:
        (self.directory / "agent.json").write_text(json.dumps({**self.settings, **settings}))
        with open(self.directory / "agent.log", "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", AGENT, str(self.directory)],
                env={**os.environ, **self.mark, "SUBLIGHT_TOKEN": "canary"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def processes(self) -> list[int]:
        return marked_processes(self.mark)


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def server_file(tmp_path: Path) -> Path:
    return tmp_path / "server.json"


@pytest.fixture
def node(tmp_path: Path, server: ScriptedServer, server_file: Path) -> Iterator[Node]:
    node = Node(tmp_path / "nodes" / NODE_ID, server_file)
    with serving(server, server_file):
        yield node
        sweep_node(NODE_ID, node.directory)


@pytest.fixture
def agents() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Agents that the test starts; none outlives it."""
    agents: list[subprocess.Popen[bytes]] = []
    yield agents
    for agent in agents:
        agent.kill()
        agent.wait()


@pytest.fixture(params=ISOLATIONS)
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param == "cgroup" and find_base() is None:
        pytest.skip("this machine lets us make no cgroups")
    return str(request.param)


def test_a_trial_lives_from_order_to_removed_folder(server, node, agents):
    script = """
import os, sys
from sublight import run
print("hello from", os.getcwd().rsplit("/", 1)[1], sys.argv[1:])
for name in ("OMP_NUM_THREADS", "SUBLIGHT_TOKEN", "SUBLIGHT_RUN_ID", "COLOR", "CUDA_VISIBLE_DEVICES"):
    print(name, os.environ.get(name))
run.log("accuracy", 0.5, step=1)
open("outputs/model.bin", "wb").write(b"m" * 100)
os.symlink("/etc/passwd", "outputs/link")
os.mkfifo("outputs/pipe")
open("logs/extra.txt", "w").write("more\\n")
open("notes.txt").read()
"""
    stored = server.order(
        "sweep-1-0",
        {"train.py": script, "notes.txt": "n", "deep/er.py": ""},
        ["{python}", "train.py", "--rate", "0.1"],
        environment_variables={"COLOR": "red"},
    )
    agents.append(node.start())
    server.wait_for(lambda: stored.is_finished)

    assert stored.phases[-1] == "finished"
    assert (stored.last.end, stored.last.exit_code, stored.last.message) == ("exited", 0, "")
    assert stored.last.started is not None
    assert stored.last.ended >= stored.last.started
    assert stored.journal.startswith(b"m\taccuracy\t1\t0.5\t")
    assert stored.text.splitlines()[:6] == [
        "hello from work ['--rate', '0.1']",
        "OMP_NUM_THREADS 3",
        "SUBLIGHT_TOKEN None",
        "SUBLIGHT_RUN_ID sweep-1-0",
        "COLOR red",
        "CUDA_VISIBLE_DEVICES ",
    ]
    assert "'outputs/link' is a link" in stored.text
    assert "'outputs/pipe' is a named pipe" in stored.text
    assert stored.logs["logs/extra.txt"] == b"more\n"
    assert stored.artifacts == {"outputs/model.bin": b"m" * 100}
    assert eventually(lambda: not list((node.directory / "runs").iterdir()))
    host = server.hellos[0].host
    assert host["threads"] == 3
    assert host["note"] == "one of two"


def test_a_script_that_is_not_in_the_snapshot_is_answered_with_near_names(server, node, agents):
    stored = server.order("run-1", {"training.py": ""}, ["{python}", "train.py"])
    agents.append(node.start())
    server.wait_for(lambda: stored.is_finished)

    assert stored.last.end == "failed_to_start"
    assert stored.last.message == "the script 'train.py' is not in the snapshot; did you mean training.py?"


def test_a_command_runs_in_a_shell(server, node, agents):
    stored = server.order("run-1", {}, ["{shell}", "-c", "echo $((40 + 2)); exit 3"])
    agents.append(node.start())
    server.wait_for(lambda: stored.is_finished)

    assert stored.text == "42\n"
    assert (stored.last.end, stored.last.exit_code) == ("exited", 3)


def test_what_a_script_leaves_running_ends_with_it(server, node, agents, isolation):
    script = DAEMON + "\ndaemonize('daemon.pid')\nwhile not os.path.exists('daemon.pid'): time.sleep(0.01)\nsys.exit(7)"
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start(isolation=isolation))
    server.wait_for(lambda: stored.is_finished)

    assert server.hellos[0].host["isolation"] == isolation
    assert (stored.last.end, stored.last.exit_code) == ("exited", 7)
    assert node.processes() == [agents[0].pid]


def test_a_daemon_that_clears_its_environment_ends_too(server, node, agents, isolation):
    script = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.execve("/bin/sleep", ["sleep", "301.5"], {})
time.sleep(0.2)
"""
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start(isolation=isolation))
    server.wait_for(lambda: stored.is_finished)

    assert children_of(agents[0]) == []


def test_hundreds_of_processes_that_keep_forking_end_with_their_script(server, node, agents, isolation):
    script = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(200):
    if os.fork() == 0:
        os.setsid()
        while True:
            time.sleep(0.05)
            if os.fork():
                os._exit(0)  # a new number again and again
print("up", flush=True)
time.sleep(1)
sys.exit(5)
"""
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start(isolation=isolation))
    server.wait_for(lambda: stored.is_finished)

    assert (stored.last.end, stored.last.exit_code) == ("exited", 5)
    assert stored.last.message == "the script ended with exit code 5; its last line: up"
    assert children_of(agents[0]) == []


def test_a_script_that_ignores_sigterm_is_killed_after_the_grace(server, node, agents, isolation):
    script = (
        DAEMON
        + """
signal.signal(signal.SIGTERM, lambda *_: print("no", flush=True))
daemonize("daemon.pid")
print("up", flush=True)
while True: time.sleep(0.1)
"""
    )
    server.welcome = replace(server.welcome, stop_grace_seconds=0.5)
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start(isolation=isolation))
    server.wait_for(lambda: "up" in stored.text)
    server.stop("run-1", "the user canceled it")
    server.wait_for(lambda: stored.is_finished)

    assert stored.text == "up\nno\n"
    assert (stored.last.end, stored.last.exit_code) == ("stopped", 137)
    assert stored.last.message == "the user canceled it"
    assert node.processes() == [agents[0].pid]


def test_a_script_may_end_politely_and_its_outputs_are_kept(server, node, agents):
    script = """
import signal, sys, time
def end(*_):
    open("outputs/last.txt", "w").write("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(300)
"""
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start())
    server.wait_for(lambda: "up" in stored.text)
    server.stop("run-1", "ended early")
    server.wait_for(lambda: stored.is_finished)

    assert (stored.last.end, stored.last.exit_code) == ("stopped", 0)
    assert stored.artifacts == {"outputs/last.txt": b"saved"}


def test_a_time_limit_ends_the_script(server, node, agents):
    stored = server.order("run-1", {"train.py": "import time; time.sleep(300)"}, max_run_seconds=0.3)
    agents.append(node.start())
    server.wait_for(lambda: stored.is_finished)

    assert stored.last.end == "timeout"
    assert stored.last.message == "stopped at its time limit of 0.3 seconds"


def test_an_attempt_that_is_not_listed_any_more_vanishes(server, node, agents):
    stored = server.order("run-1", {"train.py": "print('up', flush=True); import time; time.sleep(300)"})
    agents.append(node.start())
    server.wait_for(lambda: "up" in stored.text)
    server.withdraw("run-1")

    assert eventually(lambda: node.processes() == [agents[0].pid])
    assert eventually(lambda: not list((node.directory / "runs").iterdir()))
    assert "finished" not in stored.phases


def test_staged_files_are_uploaded_while_the_script_runs(server, node, agents):
    script = """
import os, time
folder = os.environ["SUBLIGHT_RUN_DIRECTORY"] + "/uploads/images"
os.makedirs(folder)
open(folder + "/a.png", "w").write("picture")
time.sleep(300)
"""
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start())
    server.wait_for(lambda: stored.artifacts)

    assert stored.artifacts == {"images/a.png": b"picture"}
    assert "finishing" not in stored.phases


def test_the_agent_leaves_when_asked_and_its_last_attempt_is_gone(server, node, agents):
    stored = server.order("run-1", {"train.py": "print('bye')"})
    server.ask_to_leave()
    agents.append(node.start())

    assert agents[0].wait(20) == 0
    assert stored.is_finished
    assert server.goodbyes == [server.hellos[0].incarnation]


def test_sigterm_ends_agent_and_runs_politely(server, node, agents):
    stored = server.order("run-1", {"train.py": "print('up', flush=True); import time; time.sleep(300)"})
    agents.append(node.start())
    server.wait_for(lambda: "up" in stored.text)
    agents[0].terminate()

    assert agents[0].wait(20) == 0
    assert node.processes() == []
    assert (stored.last.phase, stored.last.end) == ("finished", "stopped")
    assert stored.last.message == "the agent of its node was told to end"
    assert server.goodbyes == [server.hellos[0].incarnation]


def test_after_a_killed_agent_the_next_one_ends_what_is_left_before_it_says_hello(server, node, agents, isolation):
    script = DAEMON + "\ndaemonize(os.environ['NOTE'])\nprint('up', flush=True)\ntime.sleep(300)"
    note = node.directory / "daemon.pid"
    stored = server.order("run-1", {"train.py": script}, environment_variables={"NOTE": str(note)})
    agents.append(node.start(isolation=isolation))
    server.wait_for(lambda: "up" in stored.text)
    assert eventually(note.exists)
    assert eventually(note.read_text)
    daemon = int(note.read_text())
    main = [pid for pid in node.processes() if pid not in (daemon, agents[0].pid)]
    server.withdraw("run-1")  # the server gives it to another node while ours is gone
    agents[0].kill()
    agents[0].wait()

    assert eventually(lambda: not any(is_alive(pid) for pid in main))  # by its death signal
    assert is_alive(daemon)

    was_alive_at_hello = []
    server.trouble = lambda call: was_alive_at_hello.append(is_alive(daemon)) if call == "POST hello" else None
    agents.append(node.start(isolation=isolation))
    server.wait_for(lambda: len(server.hellos) == 2)

    assert was_alive_at_hello == [False]
    assert server.hellos[0].incarnation != server.hellos[1].incarnation
    assert not list((node.directory / "runs").iterdir()) if (node.directory / "runs").exists() else True


def test_a_sweep_from_outside_ends_everything_of_a_killed_agent(server, node, agents, isolation):
    script = DAEMON + "\ndaemonize(os.environ['NOTE'])\nprint('up', flush=True)\ntime.sleep(300)"
    note = node.directory / "daemon.pid"
    stored = server.order("run-1", {"train.py": script}, environment_variables={"NOTE": str(note)})
    agents.append(node.start(isolation=isolation))
    server.wait_for(lambda: "up" in stored.text)
    assert eventually(note.exists)
    agents[0].kill()
    agents[0].wait()

    assert sweep_node(NODE_ID, node.directory) == []
    assert node.processes() == []


def test_trouble_on_the_way_neither_loses_nor_doubles_a_byte(server, node, agents):
    script = """
import time
from sublight import run
for step in range(3000):
    run.log("loss", 1 / (step + 1), step=step)
    print("line", step)
    if step % 10 == 0: time.sleep(0.005)
"""
    count = 0

    def trouble(call: str) -> None:
        nonlocal count
        if not call.endswith(("report", "orders")):
            return
        count += 1
        match count % 7:
            case 1:
                raise Refusal(500)
            case 2:
                raise Cut
            case 3:
                raise Refusal(502, None)
            case 4 if call.startswith("done"):
                raise Cut

    server.trouble = trouble
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start())
    server.wait_for(lambda: stored.is_finished, 40)

    assert [line.split(b"\t")[2] for line in stored.journal.splitlines()] == [b"%d" % step for step in range(3000)]
    assert stored.text == "".join(f"line {step}\n" for step in range(3000))
    assert count > 7  # each kind of trouble was met


def test_runs_go_on_while_the_server_is_away_and_the_agent_finds_it_at_its_new_address(
    tmp_path, server, server_file, agents
):
    node = Node(tmp_path / "nodes" / NODE_ID, server_file)
    go = tmp_path / "go"
    script = """
import os, sys, time
from sublight import run
run.log("a", 1.0)
print("up", flush=True)
while not os.path.exists(sys.argv[1]): time.sleep(0.01)
run.log("a", 2.0)
"""
    stored = server.order("run-1", {"train.py": script}, ["{python}", "train.py", str(go)])
    with ExitStack() as stack:
        first_port = stack.enter_context(serving(server, server_file))
        agents.append(node.start())
        server.wait_for(lambda: "up" in stored.text)
        server.trouble = lambda call: cut()
    go.touch()
    assert eventually(lambda: len(node.processes()) == 1)  # the script ended meanwhile; the agent is up
    server.trouble = lambda call: None
    with serving(server, server_file) as second_port:
        server.wait_for(lambda: stored.is_finished)

    assert first_port != second_port
    assert stored.journal.count(b"\n") == 2
    assert stored.last.exit_code == 0
    assert len(server.hellos) == 1
    sweep_node(NODE_ID, node.directory)


def test_without_word_from_the_server_runs_stop_when_the_lease_lapses_and_that_is_told_later(server, node, agents):
    server.welcome = replace(server.welcome, lease_seconds=1.0, stop_grace_seconds=0.5, poll_seconds=0.3)
    stored = server.order("run-1", {"train.py": "print('up', flush=True); import time; time.sleep(300)"})
    agents.append(node.start())
    server.wait_for(lambda: "up" in stored.text)
    server.trouble = lambda call: cut()
    assert eventually(lambda: node.processes() == [agents[0].pid])
    server.trouble = lambda call: None
    server.wait_for(lambda: stored.is_finished)

    assert stored.last.end == "stopped"
    assert stored.last.message.startswith("the lease lapsed")


def test_an_agent_whose_node_has_another_one_kills_everything_and_exits(server, node, agents):
    stored = server.order("run-1", {"train.py": "print('up', flush=True); import time; time.sleep(300)"})
    agents.append(node.start())
    server.wait_for(lambda: "up" in stored.text)
    server.hellos.append(replace(server.hellos[0], incarnation="another"))
    server.withdraw("run-1")  # wakes the poll

    assert agents[0].wait(20) == 3
    assert node.processes() == []


def test_an_agent_whose_folder_was_removed_kills_everything_and_exits(server, node, agents):
    stored = server.order("run-1", {"train.py": "print('up', flush=True); import time; time.sleep(300)"})
    agents.append(node.start())
    server.wait_for(lambda: "up" in stored.text)

    shutil.rmtree(node.directory, ignore_errors=True)

    assert agents[0].wait(30) == 4
    assert node.processes() == []


def test_a_superseded_attempt_is_ended_and_removed(server, node, agents):
    stored = server.order("run-1", {"train.py": "print('up', flush=True); import time; time.sleep(300)"})
    agents.append(node.start())
    server.wait_for(lambda: "up" in stored.text)
    stored.is_superseded = True
    (node.directory / "runs" / "run-1.1" / "journal").write_text("m\ta\t\t1.0\t1\n")

    assert eventually(lambda: node.processes() == [agents[0].pid])
    assert eventually(lambda: not list((node.directory / "runs").iterdir()))


def test_an_attempt_is_started_once_however_often_it_is_listed(server, node, agents):
    server.keeps_finished = True
    stored = server.order("run-1", {"train.py": "print('up')"})
    agents.append(node.start())
    server.wait_for(lambda: stored.is_finished)
    server.withdraw("run-1")
    assert eventually(lambda: not list((node.directory / "runs").iterdir()))
    reports = len(stored.reports)
    server.order("run-1", {"train.py": "print('up')"})
    server.wait_for(lambda: len(stored.reports) > reports)

    assert stored.last.end == "stopped"
    assert stored.text == "up\n"


def test_no_token_is_in_reach_of_the_script(server, node, agents):
    script = "import os; print(dict(os.environ), open('/proc/self/cmdline').read())"
    stored = server.order("run-1", {"train.py": script})
    agents.append(node.start())
    server.wait_for(lambda: stored.is_finished)

    assert TOKEN not in stored.text
    assert "canary" not in stored.text


def is_alive(pid: int) -> bool:
    stat = process_stat(pid)
    return stat is not None and stat.is_alive


def children_of(agent: subprocess.Popen[bytes]) -> list[int]:
    living, _ = look_around({})
    return descendants(agent.pid, living)


def cut() -> None:
    raise Cut
