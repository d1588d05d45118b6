"""A fresh workspace in a temporary folder, with the CPU time of everything that it starts."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

import sublight as sl
from sublight.sdk.daemon import start_server


@dataclass
class Project:
    """The workspace and its processes."""

    workspace: sl.Workspace
    folder: Path
    server: psutil.Process

    def agents(self) -> list[psutil.Process]:
        """The agents of this workspace's nodes."""
        marker = str(self.folder)
        found = []
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if "agent" in command and any(marker in part for part in command):
                found.append(process)
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time so far: of the server, of the agents themselves, and of the trials that they have waited for."""
        server = self.server.cpu_times()
        agents = [agent.cpu_times() for agent in self.agents()]
        return {
            "server": server.user + server.system,
            "agents": sum(times.user + times.system for times in agents),
            "trials": sum(times.children_user + times.children_system for times in agents),
        }

    def wait_for_nodes(self, cluster: str, count: int) -> None:
        """Return when so many nodes are up."""
        while (
            sum(node.state in ("idle", "busy") for node in self.workspace.clusters.get(cluster).refresh().nodes) < count
        ):
            time.sleep(0.05)


@contextlib.contextmanager
def fresh_project() -> Iterator[Project]:
    """Start a server for an empty folder; end it and its nodes afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sublight-bench-"))
    endpoint = start_server(folder)
    workspace = sl.Workspace(endpoint.url, endpoint.token)
    pid = int(json.loads((folder / ".sublight/server.json").read_text())["pid"])
    project = Project(workspace, folder, psutil.Process(pid))
    try:
        yield project
    finally:
        agents = project.agents()
        for cluster in workspace.clusters.list():
            cluster.delete(force=True)
        psutil.wait_procs(agents, timeout=20)
        project.server.terminate()
        project.server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def machine() -> str:
    """One line about the machine, for the tables."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, load before: {load}"
