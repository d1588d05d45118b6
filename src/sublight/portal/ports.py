"""What the portal needs from the server, as protocols: the real services fit them, and so do the fakes of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sublight.messages.clusters import ClusterView
from sublight.messages.definitions import SnapshotView
from sublight.messages.experiments import ExperimentSummary
from sublight.messages.runs import (
    ArtifactView,
    AttemptView,
    Comparison,
    EventView,
    LogFile,
    MetricSeries,
    MetricSummary,
    RecordView,
    RunPage,
    RunView,
    TrialCurve,
)
from sublight.server.caller import Caller


class Runs(Protocol):
    """Runs, sweeps and trials."""

    def get(self, run_id: str, /) -> RunView: ...

    def list(
        self,
        *,
        experiment: str | None = None,
        kind: str | None = None,
        status: Sequence[str] = (),
        target: str | None = None,
        parent_id: str | None = None,
        search: str | None = None,
        tag: str | None = None,
        end_reason: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> RunPage: ...

    def trials(self, sweep_id: str, /) -> Sequence[RunView]: ...

    def cancel(self, caller: Caller, run_id: str, /) -> RunView: ...

    def attempts(self, run_id: str, /) -> Sequence[AttemptView]: ...

    def events(self, subject: str, limit: int, /) -> Sequence[EventView]:
        """The newest events of ``run:ID``, oldest first."""


class Metrics(Protocol):
    """What scripts logged, other than text."""

    def summaries(self, run_id: str, /) -> Sequence[MetricSummary]: ...

    def series(self, run_id: str, name: str, max_points: int, /) -> MetricSeries: ...

    def records(self, run_id: str, /) -> Sequence[RecordView]: ...

    def curves(self, sweep_id: str, max_points: int, /) -> Sequence[TrialCurve]: ...


class Files(Protocol):
    """Logs, artifacts and snapshots."""

    def logs(self, run_id: str, /) -> Sequence[LogFile]: ...

    def read_log(self, run_id: str, path: str, offset: int, limit: int, attempt: int | None, /) -> bytes: ...

    def artifacts(self, run_id: str, /) -> Sequence[ArtifactView]: ...

    def open_artifact(self, run_id: str, path: str, /) -> tuple[Path, ArtifactView]: ...

    def snapshot(self, snapshot_id: str, /) -> SnapshotView: ...

    def snapshot_file(self, snapshot_id: str, path: str, /) -> Path: ...


class Clusters(Protocol):
    """Clusters with their nodes."""

    def list(self) -> Sequence[ClusterView]: ...

    def get(self, name: str, /) -> ClusterView: ...

    def events(self, name: str, /) -> Sequence[EventView]:
        """The newest events, oldest first."""


class People(Protocol):
    """Sessions in the browser. ``login`` takes a token or a one-time code and gives (secret, time of expiry)."""

    def login(self, code_or_token: str, /) -> tuple[str, float]: ...

    def logout(self, session_secret: str, /) -> None: ...


class Services(Protocol):
    """The server's services as the portal sees them; all calls are synchronous."""

    @property
    def runs(self) -> Runs: ...

    @property
    def metrics(self) -> Metrics: ...

    @property
    def files(self) -> Files: ...

    @property
    def clusters(self) -> Clusters: ...

    @property
    def people(self) -> People: ...

    @property
    def workspace_id(self) -> str: ...

    def compare(
        self, run_ids: Sequence[str], /, *, metric: str | None = None, direction: str | None = None
    ) -> Comparison: ...

    def experiments(self) -> Sequence[ExperimentSummary]: ...
