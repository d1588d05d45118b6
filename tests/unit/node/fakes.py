"""An operating system, a carrier and a clock that do what a test says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from sublight.core.errors import SublightError
from sublight.messages.nodes import Orders
from sublight.node.attempt import Surroundings
from sublight.node.carrier import Job
from sublight.node.executor import Executor, Inbox
from sublight.node.launcher import Command
from sublight.node.lease import Lease
from sublight.node.settings import AgentSettings
from tests.process.scripted_server import NODE_ID, TOKEN, an_order

__all__ = ["World", "an_order", "settings_in"]


def settings_in(directory: Path, **values: Any) -> AgentSettings:
    usual = {"directory": directory, "node_id": NODE_ID, "cluster": "pool", "token": TOKEN, "url": "http://127.0.0.1:1"}
    return AgentSettings(**{**usual, **values})


class FakeProcess:
    """A process that ends when the test says so; ``deeds`` lists what was done to it."""

    def __init__(self, pid: int, deeds: list[str]) -> None:
        self.pid = pid
        self.left_behind = 0
        self.is_unkillable = False
        self._deeds = deeds

    def terminate(self) -> None:
        self._deeds.append("terminate")

    def kill_all(self) -> None:
        self._deeds.append("kill")
        if not self.is_unkillable:
            self.left_behind = 0

    def is_gone(self) -> bool:
        return self.left_behind == 0

    def survivors(self) -> list[int]:
        return [self.pid] * self.left_behind

    def close(self) -> None:
        self._deeds.append("close")


class FakeLauncher:
    def __init__(self, deeds: list[str]) -> None:
        self.commands: list[Command] = []
        self.processes: list[FakeProcess] = []
        self.codes: dict[int, int] = {}
        self.failure: OSError | None = None
        self._deeds = deeds

    def start(self, command: Command) -> FakeProcess:
        if self.failure is not None:
            raise self.failure
        self._deeds.append("start")
        self.commands.append(command)
        self.processes.append(FakeProcess(1000 + len(self.processes), self._deeds))
        return self.processes[-1]

    def ended(self) -> dict[int, int]:
        codes, self.codes = self.codes, {}
        return codes


class FakeClient:
    """What a carrier's job may ask of the server."""

    def __init__(self) -> None:
        self.failure: SublightError | None = None
        self.artifacts: dict[str, bytes] = {}

    def put_artifact(
        self, incarnation: str, run_id: str, attempt: int, *, path: str, sha256: str, size_bytes: int, body: BinaryIO
    ) -> None:
        if self.failure is not None:
            raise self.failure
        self.artifacts[path] = body.read()

    def fetch_blob(self, snapshot_id: str, sha256: str, target: BinaryIO) -> None:
        if self.failure is not None:
            raise self.failure
        raise AssertionError("these snapshots hold no files")


class World:
    """An executor with everything around it. Jobs are done at once, unless ``holds_jobs``."""

    def __init__(self, directory: Path) -> None:
        self.time = 1000.0
        self.deeds: list[str] = []
        self.client = FakeClient()
        self.launcher = FakeLauncher(self.deeds)
        self.holds_jobs = False
        self.held: list[Job] = []
        self.lease = Lease(lambda: self.time)
        self.lease.set_length(60.0)
        self.lease.renew(self.time)
        inbox = Inbox(wake=lambda: None)
        self.around = Surroundings(
            settings=settings_in(directory),
            incarnation="life-1",
            launcher=self.launcher,
            lease=self.lease,
            submit=self._submit,
            build=self._submit,
            post=inbox.post,
            changed=lambda: None,
            clock=lambda: self.time,
            now=lambda: self.time,
            stop_grace_seconds=10.0,
        )
        self.executor = Executor(self.around, inbox)

    def order(self, *orders: Any, leave: bool = False) -> None:
        """Apply a complete list of orders and do what follows at once."""
        self.executor.apply(Orders(version=1, leave=leave, orders=list(orders)))
        self.settle()

    def settle(self) -> float | None:
        """Do all that is due now."""
        due = None
        for _ in range(5):
            due = self.executor.step()
        return due

    def pass_time(self, seconds: float) -> None:
        self.time += seconds
        self.settle()

    def end_main(self, code: int, number: int = 0) -> None:
        """The main process ends with a code."""
        self.launcher.codes[self.launcher.processes[number].pid] = code
        self.settle()

    def do_held_jobs(self) -> None:
        jobs, self.held = self.held, []
        for job in jobs:
            job(self.client)  # type: ignore[arg-type]
        self.settle()

    def _submit(self, job: Callable[[Any], None]) -> None:
        if self.holds_jobs:
            self.held.append(job)
        else:
            job(self.client)
