"""The local engine: logical nodes on this machine, each a real agent process with its share of the cores."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from sublight.core.amounts import counted
from sublight.engines.base import EngineFailure, Handle, NodeLiveness, NodeRequest, NodeSize
from sublight.host.facts import cores_count, gpus_count
from sublight.host.nodes import node_mark, sweep_node
from sublight.host.processes import boot_id, is_same_process, process_stat

# ``-P`` keeps files in the current folder from standing in for modules of the standard library.
_AGENT_COMMAND = (sys.executable, "-P", "-m", "sublight", "agent")
_PAUSE_SECONDS = 0.01


class LocalEngine:
    """Starts agents as processes of this machine. Implements `Engine`.

    ``stop_seconds`` is how long an agent may take to end its runs politely before it is killed.
    """

    def __init__(self, *, agent_command: Sequence[str] = _AGENT_COMMAND, stop_seconds: float = 10.0) -> None:
        self._agent_command = list(agent_command)
        self._stop_seconds = stop_seconds
        # Agents that this server process started; only to collect them when they end, never to know of nodes.
        self._children: set[int] = set()
        self._lock = Lock()

    def check_size(self, size: NodeSize) -> str | None:
        """Refuse sizes with more GPUs than this host has; cores and memory are shared, and the node's note says so."""
        if not size.gpus:
            return None
        here = gpus_count()
        if size.gpus <= here:
            return None
        return f"size {size.name} needs {counted(size.gpus, 'GPU')}, and this host has {here or 'none'}"

    def start_node(self, request: NodeRequest) -> Handle:
        """Start the agent in a session of its own, so that it outlives this server process."""
        directory = request.directory
        try:
            if directory.exists():
                self.sweep_node(request.node_id, directory)
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
            _write_private(directory / "agent.json", json.dumps(agent_settings(request), indent=1))
            pid = self._start_agent(request)
        except OSError as error:
            raise EngineFailure(f"the agent of node {request.node_id} could not be started: {error}") from error
        stat = process_stat(pid)
        return {
            "pid": pid,
            "started": stat.started if stat else 0.0,
            "boot": boot_id(),
            "directory": str(directory),
        }

    def list_nodes(self, handles: Mapping[str, Handle]) -> dict[str, NodeLiveness]:
        """Look at each agent's process; one that took over the number of a dead agent is told apart by its start."""
        exit_codes = self._collect_children()
        return {node_id: _liveness(handle, exit_codes) for node_id, handle in handles.items()}

    def stop_node(self, node_id: str, handle: Handle) -> None:
        """SIGTERM the agent, wait, SIGKILL it, then end whatever still carries the node's mark."""
        if _is_alive(handle):
            self._end_agent(int(handle["pid"]))
        directory = handle.get("directory")
        if isinstance(directory, str):
            self.sweep_node(node_id, Path(directory))
        self._collect_children()

    def sweep_node(self, node_id: str, directory: Path) -> None:
        """End every process of the node without asking. Raises EngineFailure when something survived even that."""
        survivors = sweep_node(node_id, directory)
        if survivors:
            raise EngineFailure(
                f"processes {', '.join(map(str, survivors))} of node {node_id} did not end after SIGKILL; they are "
                f"probably waiting for a disk or a device"
            )

    def _start_agent(self, request: NodeRequest) -> int:
        command = [*self._agent_command, "--directory", str(request.directory)]
        with open(request.directory / "agent.log", "ab") as log, self._lock:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=request.directory,
                env=_agent_environment(request),
                start_new_session=True,
            )
            # Collected by its number below; the object would complain that nobody waited for it.
            process.returncode = 0
            self._children.add(process.pid)
            return process.pid

    def _end_agent(self, pid: int) -> None:
        deadline = time.monotonic() + self._stop_seconds
        try:
            os.kill(pid, signal.SIGTERM)
            while time.monotonic() < deadline:
                self._collect_children()
                stat = process_stat(pid)
                if stat is None or not stat.is_alive:
                    return
                if stat.state in ("T", "t"):
                    break  # it is frozen and will not hear; waiting for it would only keep its runs waiting
                time.sleep(_PAUSE_SECONDS)
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it ended between the look and the signal

    def _collect_children(self) -> dict[int, int]:
        """Collect ended agents of ours, so that none stays a zombie; exit code by process number."""
        codes: dict[int, int] = {}
        with self._lock:
            for pid in list(self._children):
                try:
                    ended, status = os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    self._children.discard(pid)
                    continue
                if ended:
                    self._children.discard(pid)
                    codes[pid] = os.waitstatus_to_exitcode(status)
        return codes


def agent_settings(request: NodeRequest) -> dict[str, Any]:
    """What goes into the node's ``agent.json``."""
    threads = request.threads or node_threads(request, cores_count())
    size = request.size
    return {
        "server_file": str(request.server_file) if request.server_file else None,
        "url": request.url,
        "token": request.token,
        "node_id": request.node_id,
        "cluster": request.cluster,
        "threads": threads,
        "size": {"name": size.name, "cores": size.cores, "memory_bytes": size.memory_bytes, "gpus": size.gpus},
        "note": _note(request, threads),
    }


def node_threads(request: NodeRequest, host_cores: int) -> int:
    """A node's share of this host: never more than its size's cores, never less than one thread."""
    return max(1, min(request.size.cores, host_cores // max(1, request.nodes_max)))


def _note(request: NodeRequest, threads: int) -> str:
    host = counted(cores_count(), "core")
    share = counted(threads, "thread")
    if request.nodes_max <= 1:
        return f"a node on this host of {host}; its runs share {share}"
    # Nothing divides GPUs: whoever has one there sees it whole.
    gpus = f", and all use the same {counted(gpus_count(), 'GPU')}" if request.size.gpus else ""
    return f"{request.nodes_max} logical nodes share this host's {host}; each has {share} for its runs{gpus}"


def _agent_environment(request: NodeRequest) -> dict[str, str]:
    """This process's environment, without what tells it of its own server or run, and with the node's mark."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUBLIGHT_")}
    # Relative entries would point elsewhere from the agent's working directory.
    if environment.get("PYTHONPATH"):
        entries = environment["PYTHONPATH"].split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in entries if entry)
    environment.update(node_mark(request.node_id, request.directory))
    return environment


def _liveness(handle: Handle, exit_codes: Mapping[int, int]) -> NodeLiveness:
    if _is_alive(handle):
        return NodeLiveness(is_alive=True)
    pid = handle.get("pid")
    if not isinstance(pid, int):
        return NodeLiveness(is_alive=False, note="there is no agent process of this node")
    how = f" with exit code {exit_codes[pid]}" if pid in exit_codes else ""
    return NodeLiveness(is_alive=False, note=f"its agent (process {pid}) has ended{how}{_last_words(handle)}")


def _last_words(handle: Handle) -> str:
    """The last line of a dead agent's log; an agent that could not even start says there why."""
    try:
        with open(Path(str(handle["directory"])) / "agent.log", "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 2000))
            lines = log.read().decode("utf-8", "replace").split("\n")
    except (OSError, KeyError):
        return ""
    words = [line.strip() for line in lines if line.strip()]
    return f"; its log ends with: {words[-1][:300]}" if words else ""


def _is_alive(handle: Handle) -> bool:
    pid, started = handle.get("pid"), handle.get("started")
    if not isinstance(pid, int) or not isinstance(started, int | float):
        return False
    # Process numbers and start times begin anew with each boot.
    return handle.get("boot") == boot_id() and is_same_process(pid, float(started))


def _write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    os.replace(draft, path)
