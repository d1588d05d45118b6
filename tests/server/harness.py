"""A whole workspace in this process, on a clock that stands still: real database and services, no real node."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from sublight.core.sizes import Size
from sublight.messages.clusters import ClusterRequest
from sublight.messages.definitions import (
    ScriptDefinition,
    SnapshotFile,
    SnapshotRequest,
    SubmitRequest,
    SweepDefinition,
)
from sublight.messages.nodes import AttemptReport, FileBytes, Hello, Order, Report, ReportAnswer
from sublight.messages.runs import RunView
from sublight.server.app import Services, make_app
from sublight.server.caller import Caller
from sublight.server.clock import FakeClock
from sublight.server.settings import Settings
from sublight.store import migrations
from sublight.store.database import open_sqlite
from sublight.wiring import build

OWNER = Caller(name="olga", roles=frozenset({"owner"}))
SCRIPT = b"print('hello')\n"


class FakeSupply:
    """An engine whose nodes exist on paper; ``dead`` says which agents are gone."""

    def __init__(self) -> None:
        self.started: dict[str, str] = {}
        self.stopped: list[str] = []
        self.dead: dict[str, str] = {}
        self.gpus = 0
        self.removed: list[str] = []

    def check_size(self, size: Size) -> str | None:
        return f"size {size.name} needs a GPU, and this host has none" if size.gpus else None

    def host_gpus(self) -> int:
        return self.gpus

    def start_node(self, *, node_id: str, cluster: str, size: Size, nodes_max: int, token: str) -> dict[str, Any]:
        self.started[node_id] = token
        return {"node": node_id}

    def dead_nodes(self, handles: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
        return {node_id: note for node_id, note in self.dead.items() if node_id in handles}

    def stop_node(self, node_id: str, handle: Mapping[str, Any]) -> None:
        self.stopped.append(node_id)

    def remove_node(self, node_id: str) -> str:
        self.removed.append(node_id)
        return "agent ends exit_code=0"


class FakeAgent:
    """Speaks for a node, straight to the service."""

    def __init__(self, harness: Harness, node_id: str, incarnation: str | None = None) -> None:
        self.harness = harness
        self.node_id = node_id
        self.incarnation = incarnation or f"life-of-{node_id}"
        self.nodes = harness.services.nodes
        self.nodes.hello(node_id, Hello(incarnation=self.incarnation, version="0", host={"hostname": "here"}))

    def orders(self) -> list[Order]:
        return self.nodes.orders(self.node_id, self.incarnation).orders

    def is_asked_to_leave(self) -> bool:
        return self.nodes.orders(self.node_id, self.incarnation).leave

    def report(self, run_id: str, attempt: int = 1, phase: str = "running", **values: Any) -> ReportAnswer:
        journal = values.pop("journal", None)
        offset = values.pop("offset", 0)
        if journal is not None:
            values["journal"] = FileBytes(path="journal", offset=offset, data=journal)
        item = AttemptReport(run_id=run_id, attempt=attempt, phase=phase, **values)
        return self.nodes.report(self.node_id, Report(incarnation=self.incarnation, attempts=[item]))

    def beat(self) -> None:
        self.nodes.report(self.node_id, Report(incarnation=self.incarnation, attempts=[]))

    def finish(self, run_id: str, attempt: int = 1, **values: Any) -> None:
        values = {"end": "exited", "exit_code": 0, **values}
        self.report(run_id, attempt, "finished", **values)


@functools.cache
def _migrated_database() -> Path:
    """An empty database in its newest form: migrating takes longer than most tests."""
    path = Path(tempfile.mkdtemp(prefix="sublight-tests-")) / "sublight.db"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    database = open_sqlite(path)
    migrations.upgrade(database.engine)
    database.close()
    return path


class _OfTheMoment:
    """Stands for one part of the services of whatever harness is in use."""

    def __init__(self, current: list[Any], name: str) -> None:
        self._current = current
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(self._current[0], self._name), name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return getattr(self._current[0], self._name)(*arguments, **named)


_services_in_use: list[Any] = []


@functools.cache
def _one_app() -> FastAPI:
    parts = {field.name: _OfTheMoment(_services_in_use, field.name) for field in fields(Services)}
    plain = {"workspace_id": "w", "workspace_name": "workspace", "started": 0.0}
    return make_app(Services(**{**parts, **plain}))  # type: ignore[arg-type]


def app_over(harness: Harness) -> FastAPI:
    """One app for all tests, over the services of this harness from now on; making an app takes a third of a second."""
    _services_in_use[:] = [harness.services]
    return _one_app()


class Harness:
    """The workspace and short ways to use it."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.clock = FakeClock()
        self.supply = FakeSupply()
        self._agents: dict[str, FakeAgent] = {}
        self.root = root
        self.settings = Settings(root=root, **settings)
        self.open()

    def open(self) -> None:
        """Build the workspace (again: what a restarted server does)."""
        database = self.root / "sublight.db"
        if not database.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_migrated_database(), database)
        self.workspace = build(self.settings, supplies={"local": self.supply}, clock=self.clock, with_portal=False)
        self.services = self.workspace.services

    def close(self) -> None:
        self.services.database.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def settle(self) -> None:
        """Let the loops run until nothing more happens."""
        for _ in range(4):
            self.workspace.sweeps.step(None)
            self.workspace.placing.step(None)
            self.workspace.fleet.step(None)

    def snapshot(self, files: Mapping[str, bytes] | None = None) -> str:
        contents = files or {"train.py": SCRIPT}
        listed = [
            SnapshotFile(path=path, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
            for path, data in contents.items()
        ]
        response = self.services.files.create_snapshot(OWNER, SnapshotRequest(files=listed))
        for data in contents.values():
            self.services.files.put_blob(hashlib.sha256(data).hexdigest(), [data])
        return response.id

    def script(self, **values: Any) -> ScriptDefinition:
        values = {"script": "train.py", **values}
        return ScriptDefinition(snapshot_id=self.snapshot(), **values)

    def sweep(self, **values: Any) -> SweepDefinition:
        defaults: dict[str, Any] = {
            "trial": self.script(),
            "space": {"x": {"type": "choice", "values": [1, 2, 3, 4, 5, 6]}},
            "sampler": {"type": "random", "seed": 1},
            "policy": {"type": "no_termination"},
            "metric": "accuracy",
            "direction": "maximize",
            "max_trials": 4,
            "max_concurrent": 2,
        }
        return SweepDefinition(**{**defaults, **values})

    def cluster(self, name: str = "cpu", **values: Any) -> str:
        values = {"size": "STANDARD_D3_V2", "max_nodes": 2, "idle_seconds": 30, **values}
        self.services.clusters.create(OWNER, ClusterRequest(name=name, **values))
        return name

    def submit(
        self, definition: ScriptDefinition | SweepDefinition, target: str = "cpu", key: str | None = None
    ) -> RunView:
        is_sweep = isinstance(definition, SweepDefinition)
        request = SubmitRequest(
            experiment="trying",
            target=target,
            script=None if is_sweep else definition,  # type: ignore[arg-type]
            sweep=definition if is_sweep else None,  # type: ignore[arg-type]
        )
        return self.services.runs.submit(OWNER, request, key)

    def agents(self) -> dict[str, FakeAgent]:
        """The agents of all nodes that are up or coming up; new ones say hello."""
        live = {node.id for cluster in self.services.clusters.list() for node in cluster.nodes}
        for node_id in self.supply.started:
            if node_id in live and node_id not in self._agents:
                self._agents[node_id] = FakeAgent(self, node_id)
        self._agents = {node_id: agent for node_id, agent in self._agents.items() if node_id in live}
        return self._agents

    def run(self, run_id: str) -> RunView:
        return self.services.runs.get(run_id)

    def trials(self, sweep_id: str) -> list[RunView]:
        return list(self.services.runs.trials(sweep_id))


def scalar(name: str, value: float, step: int | str = "", time: float = 1.0) -> bytes:
    """A journal line."""
    return f"m\t{name}\t{step}\t{value!r}\t{time!r}\n".encode()
