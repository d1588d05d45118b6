"""A real workspace in a folder of its own: its server, its agents and its trials are processes of this machine.

Everything that is started for a project inherits an environment variable of the test's own making, so that what is left
running is found without asking the product. Every trial notes what it does in a ledger, a file that the product knows
nothing of; the checks compare it with what is stored.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sublight as sl
from sublight.core.run import RunStatus, is_legal_move
from sublight.host.processes import marked_processes, process_stat, send_signal
from sublight.sdk.cluster import Cluster
from sublight.sdk.daemon import serve_command
from sublight.sdk.run import Run

T = TypeVar("T")

MARK_VARIABLE = "PROCESS_TESTS_MARK"
# Short enough for a test to wait for, long enough for a machine that is busy with something else.
QUICK_SETTINGS: Mapping[str, float] = {
    "lease_seconds": 8.0,
    "stop_grace_seconds": 1.0,
    "replace_seconds": 12.0,
    "poll_seconds": 1.0,
    "tick_seconds": 0.2,
}
# Longer than anything here takes on a busy machine; a test that waits so long has failed.
PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02

# What every trial of these tests imports.
LEDGER_MODULE = '''
"""Notes what a trial does, synced, in a file that the product knows nothing of."""
import json, os, time

def note(kind, **facts):
    line = {"kind": kind, "trial": os.environ["SUBLIGHT_RUN_ID"], "attempt": int(os.environ["SUBLIGHT_ATTEMPT"]),
            "pid": os.getpid(), "time": time.clock_gettime(time.CLOCK_BOOTTIME), **facts}
    descriptor = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(line) + "\\n").encode())
    os.fsync(descriptor)
    os.close(descriptor)

def wait_for(gate):
    """Beat, until the test opens the gate; for half a minute too long at most."""
    for _ in range(4500):
        if os.path.exists(os.path.join(os.environ["GATES"], gate)):
            return
        note("beat")
        time.sleep(0.02)
    raise SystemExit("the gate " + gate + " was never opened")
'''

# One metric point, one printed line and one line of the ledger at each step; a model at the end.
TRIAL_SCRIPT = """
import argparse, hashlib
from sublight import run
from ledger import note, wait_for

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=int, default=0)
parser.add_argument("--steps", type=int, default=6)
parser.add_argument("--gate", default="")
options = parser.parse_args()
note("start", x=options.x)
for step in range(options.steps):
    value = options.x + step / 7
    run.log("score", value, step=step)
    print("step", step, value, flush=True)
    note("metric", step=step, value=value)
    if step == options.steps // 2 and options.gate:
        wait_for(options.gate)
model = ("weights of %d" % options.x).encode() * 1000
with open("outputs/model.bin", "wb") as file:
    file.write(model)
note("artifact", path="outputs/model.bin", sha256=hashlib.sha256(model).hexdigest())
note("end")
"""


def wait_until(condition: Callable[[], T], message: str | Callable[[], object], timeout: float = PATIENCE_SECONDS) -> T:
    """What ``condition`` returned as soon as that is true; fails with ``message`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            text = message() if callable(message) else message
            raise AssertionError(f"waited {timeout:g} s in vain: {text}")
        time.sleep(_POLL_SECONDS)
    return found


@dataclass(frozen=True)
class Line:
    """A line of the ledger; ``facts`` holds what its kind adds."""

    kind: str
    trial: str
    attempt: int
    pid: int
    time: float
    facts: Mapping[str, Any]


class Project:
    """A folder with a workspace in it. Made by the ``project`` fixture, which ends all of its processes afterwards."""

    def __init__(self, folder: Path, settings: Mapping[str, Any] = QUICK_SETTINGS) -> None:
        self.folder = folder
        self.root = folder / ".sublight"
        self.source = folder / "source"
        self.gates = folder / "gates"
        self.ledger_file = folder / "ledger"
        self.mark = {MARK_VARIABLE: secrets.token_hex(8)}
        for directory in (self.root, self.source, self.gates):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write_settings(settings)
        self.write("ledger.py", LEDGER_MODULE)
        self.write("train.py", TRIAL_SCRIPT)
        self._workspace: sl.Workspace | None = None
        self._connected: list[sl.Workspace] = []

    # -- files ----------------------------------------------------------------------------------------------------------

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Write ``settings.json``; a server reads it when it starts."""
        (self.root / "settings.json").write_text(json.dumps(dict(settings)))

    def write(self, name: str, text: str) -> Path:
        """Write a file of the source folder."""
        file = self.source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def open_gate(self, name: str) -> None:
        """Let everyone go on who waits for this gate."""
        (self.gates / name).touch()

    def ledger(self, kind: str | None = None, trial: str | None = None, attempt: int | None = None) -> list[Line]:
        """What was noted so far, in the order of writing."""
        try:
            text = self.ledger_file.read_text()
        except FileNotFoundError:
            return []
        lines = []
        for row in text.splitlines():
            facts = json.loads(row)
            line = Line(*(facts.pop(name) for name in ("kind", "trial", "attempt", "pid", "time")), facts)
            if kind in (None, line.kind) and trial in (None, line.trial) and attempt in (None, line.attempt):
                lines.append(line)
        return lines

    # -- what runs ------------------------------------------------------------------------------------------------------

    @property
    def workspace(self) -> sl.Workspace:
        """The workspace; the first call starts its server."""
        if self._workspace is None:
            self._workspace = self.connect()
        return self._workspace

    def connect(self) -> sl.Workspace:
        """Find or start the server, as a new program of a user does."""
        before = os.environ.get(MARK_VARIABLE)
        os.environ.update(self.mark)
        try:
            workspace = sl.Workspace.from_config(self.folder)
            self._connected.append(workspace)
            return workspace
        finally:
            if before is None:
                del os.environ[MARK_VARIABLE]
            else:
                os.environ[MARK_VARIABLE] = before

    def serve(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a server in the foreground, as a person does in a terminal; its words come on both pipes."""
        return subprocess.Popen(
            [*serve_command(self.folder), *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in the project."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "sublight", *arguments],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        # A developer who is connected to a real workspace must not have it used by the tests.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SUBLIGHT_")}
        return kept | self.mark

    def script(self, name: str = "train.py", *arguments: object, **options: Any) -> sl.Script:
        """A script of the source folder that can reach the ledger and the gates."""
        variables = {"LEDGER": str(self.ledger_file), "GATES": str(self.gates)}
        variables.update(options.pop("environment_variables", {}))
        return sl.Script(name, source=self.source, arguments=arguments, environment_variables=variables, **options)

    def sweep(self, trials: int, *arguments: object, script: sl.Script | None = None, **options: Any) -> sl.Sweep:
        """A grid over ``x`` = 0, 1, …, ``trials`` - 1."""
        return sl.Sweep(
            script or self.script("train.py", *arguments),
            space={"x": sl.choice(*range(trials))},
            sampler=sl.Grid(),
            goal=sl.maximize("score"),
            max_trials=options.pop("max_trials", trials),
            **options,
        )

    def cluster(self, nodes: int, name: str = "pool", **options: Any) -> Cluster:
        """A cluster that grows to so many nodes and keeps them for the whole test, unless told otherwise."""
        options.setdefault("idle_seconds", 600)
        return self.workspace.clusters.create(name, size="STANDARD_D3_V2", max_nodes=nodes, **options)

    def submit(self, what: sl.Script | sl.Sweep, on: Cluster | str = "pool") -> Run:
        """Submit it to an experiment."""
        return self.workspace.experiment("faults").submit(what, on=on)

    # -- processes ------------------------------------------------------------------------------------------------------

    @property
    def server_pid(self) -> int:
        """The process of the server that has announced itself last."""
        return int(json.loads((self.root / "server.json").read_text())["pid"])

    def agent_pid(self, node_id: str) -> int:
        """The process of a node's agent."""
        directory = str(self.root / "nodes" / node_id)
        found = [pid for pid in self.processes() if _command_of(pid)[-3:] == ["agent", "--directory", directory]]
        assert len(found) == 1, f"node {node_id} should have one agent, and has {found}"
        return found[0]

    def agents(self) -> list[int]:
        """The processes of all agents."""
        return [pid for pid in self.processes() if "agent" in _command_of(pid)[-3:]]

    def processes(self) -> list[int]:
        """Everything that runs because of this project: servers, agents, trials, and whatever those left behind."""
        return [pid for pid in marked_processes(self.mark) if is_alive(pid)]

    def described_processes(self) -> str:
        """The same for people."""
        return "; ".join(f"{pid}: {' '.join(_command_of(pid))[-160:]}" for pid in self.processes()) or "no process"

    def kill_server(self) -> int:
        """kill -9 of the server, and wait until it is gone; returns what its number was."""
        pid = self.server_pid
        kill(pid)
        return pid

    def stop(self) -> None:
        """End everything of this project without asking; called once, at the end."""
        for workspace in self._connected:
            workspace.client.close()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := self.processes()) and time.monotonic() < deadline:
            send_signal(found, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        wait_for_reapers()
        assert not found, f"processes {found} did not end"

    # -- checks ---------------------------------------------------------------------------------------------------------

    def check_stored(self, run: Run) -> None:
        """What is stored of a completed run is what its last attempt noted: metrics, log and files, each exactly."""
        attempt = run.view.attempt
        noted = [(line.facts["step"], line.facts["value"]) for line in self.ledger("metric", run.id, attempt)]
        series = run.series("score")
        assert list(zip(series.steps, series.values, strict=True)) == noted, f"the metrics of {run.id}"
        printed = "".join(f"step {step} {value}\n" for step, value in noted)
        assert run.logs() == printed, f"the log of {run.id}"
        files = {line.facts["path"]: line.facts["sha256"] for line in self.ledger("artifact", run.id, attempt)}
        assert {file.path: file.sha256 for file in run.artifacts()} == files, f"the files of {run.id}"

    def check_no_overlap(self) -> None:
        """No attempt of a trial showed a sign of life after the next one had started."""
        for trial in {line.trial for line in self.ledger()}:
            lines = self.ledger(trial=trial)
            for attempt in {line.attempt for line in lines}:
                last = max(line.time for line in lines if line.attempt == attempt)
                later = [line.time for line in lines if line.attempt > attempt]
                assert not later or last < min(later), f"two attempts of {trial} lived at once"

    def check_sweep(self, sweep: Run, trials: int, *, completed: int | None = None) -> list[Run]:
        """The sweep ended with exactly its trials, each counted once and stored as noted; returns them."""
        found = sweep.refresh().trials()
        assert [trial.index for trial in found] == list(range(trials))
        assert sorted(trial.parameters["x"] for trial in found) == list(range(trials))
        done = [trial for trial in found if trial.status == "completed"]
        reasons = [(trial.id, trial.status, trial.reason) for trial in found]
        assert len(done) == (trials if completed is None else completed), reasons
        for trial in found:
            check_life(trial)
            assert len(self.ledger("start", trial.id)) == trial.view.attempt, f"starts of {trial.id}"
        for trial in done:
            self.check_stored(trial)
        self.check_no_overlap()
        assert sweep.progress is not None
        assert sweep.progress.trials_completed == len(done)
        assert sweep.progress.trials_active == 0
        return found

    def check_no_trial_runs(self) -> None:
        """Nothing runs of this project but its server and its agents, and no node believes otherwise."""
        others = lambda: set(self.processes()) - {self.server_pid} - set(self.agents())  # noqa: E731
        wait_until(lambda: not others(), lambda: f"left behind: {self.described_processes()}")
        for cluster in self.workspace.clusters:
            assert (cluster.view.active_runs, cluster.view.queued_runs) == (0, 0)
            assert [node.run_ids for node in cluster.nodes if node.run_ids] == []


def check_life(run: Run) -> None:
    """The events of a run are a path of the state diagram that ends where the run is, with a sentence at each step."""
    words = set(RunStatus)
    path = [event for event in run.events() if event.kind in words]
    assert all(event.reason for event in path)
    statuses = [RunStatus(event.kind) for event in path]
    assert statuses[0] == RunStatus.QUEUED
    for before, after in itertools.pairwise(statuses):
        assert is_legal_move(before, after), f"{run.id}: {before} to {after}"
        assert not before.is_terminal, f"{run.id} went on after {before}"
    assert statuses[-1] == run.status


def check_sentence(error: object, *words: str) -> None:
    """One line for people that holds these words, and nothing that only programmers read."""
    text = str(error).strip()
    assert "\n" not in text, text
    assert "Traceback" not in text, text
    assert not re.search(r"\b\w+Error\b", text), text
    for word in words:
        assert word in text, f"{word!r} is missing in: {text}"


def sha256_of(file: Path) -> str:
    """The hash of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def node_of(run: Run) -> str:
    """The node that a running run is on."""
    node_id = run.refresh().view.node_id
    assert node_id is not None
    return node_id


def is_alive(pid: int) -> bool:
    """True while the process runs; a zombie does not."""
    stat = process_stat(pid)
    return stat is not None and stat.is_alive


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal that ends the process, and wait until it has."""
    os.kill(pid, number)
    wait_until(lambda: not is_alive(pid), f"process {pid} did not end after signal {number}")


def wait_for_reapers() -> None:
    """Let the threads end that collect the servers started by this process."""
    for thread in threading.enumerate():
        if thread.name == "sublight-server-reaper":
            thread.join(1)


def _command_of(pid: int) -> Sequence[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []
