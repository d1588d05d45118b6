"""A run as its user sees it from outside: look, wait, cancel, read, download."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from sublight.core.errors import InvalidInput, NotFound
from sublight.core.run import RunStatus
from sublight.messages.definitions import EndRequest
from sublight.messages.journal import STANDARD_LOG
from sublight.messages.runs import (
    RECORDS_PAGE,
    ArtifactView,
    AttemptView,
    ChildMetrics,
    ChildMetricsPage,
    EventView,
    LogFile,
    MetricSeries,
    MetricSummary,
    RecordView,
    RunUpdate,
    RunView,
    SweepProgress,
)
from sublight.sdk import logs
from sublight.sdk.client import API, Client
from sublight.sdk.download import chosen_artifacts, download
from sublight.sdk.upload import upload_artifact
from sublight.sdk.waiting import wait_for_run

# A loop such as ``while run.status == "running"`` sees changes, and still does not flood the server.
_FRESH_SECONDS = 0.5
_ALL_POINTS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Series:
    """The points of a scalar metric in the order of their reports; NaN and infinities are floats as usual."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    times: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)


class Run:
    """One execution of a script, a sweep, or a trial of one.

    Attributes are read from the server when they are asked for (at most twice a second, and no more once the run has
    ended). Made by ``Experiment.submit``, ``Workspace.run`` and ``Run.trials``.
    """

    def __init__(self, client: Client, view: RunView) -> None:
        self._client = client
        self._view = view
        self._read_at = time.monotonic()

    @property
    def id(self) -> str:
        """The run's name in commands and addresses; never changes."""
        return self._view.id

    @property
    def kind(self) -> str:
        """``script``, ``sweep``, ``trial``, ``child`` or ``interactive``."""
        return self._view.kind

    @property
    def experiment(self) -> str:
        """The name of its experiment."""
        return self._view.experiment

    @property
    def target(self) -> str:
        """Where it was asked to go: a cluster's name, or ``local``."""
        return self._view.target

    @property
    def parent_id(self) -> str | None:
        """The sweep of a trial, the run that started a child; else None."""
        return self._view.parent_id

    @property
    def index(self) -> int | None:
        """The number of a trial within its sweep, from 0."""
        return self._view.index

    @property
    def parameters(self) -> dict[str, Any]:
        """A trial's own values, by name."""
        return dict(self._view.parameters)

    @property
    def arguments(self) -> list[str]:
        """The complete argument list of its script."""
        return list(self._current().arguments)

    @property
    def command(self) -> str | None:
        """The shell line that ran, with all values filled in; None when the run has a script with `arguments`."""
        return self._current().command

    @property
    def name(self) -> str:
        """What people call it; the id unless someone gave a name."""
        return self._current().name

    @property
    def description(self) -> str:
        """What someone wrote about it; empty unless someone did."""
        return self._current().description

    @property
    def status(self) -> str:
        """Where it is: queued, preparing, running, finishing, stopping, lost, completed, failed or canceled."""
        return self._current().status

    @property
    def is_finished(self) -> bool:
        """True when it has ended, in whatever way."""
        return RunStatus(self._current().status).is_terminal

    @property
    def reason(self) -> str:
        """The sentence behind its status: why it waits, why it ended."""
        return self._current().reason

    @property
    def end_reason(self) -> str | None:
        """Why it ended, in a word: finished, user, policy, timeout, node_lost or error."""
        return self._current().end_reason

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each scalar metric."""
        return {name: _number(value) for name, value in self._current().metrics.items()}

    @property
    def best_value(self) -> float | None:
        """Its best value of the sweep's primary metric; None without a report."""
        return self._current().best_value

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._current().tags)

    @property
    def properties(self) -> dict[str, str]:
        """Its properties; unlike tags they are set once."""
        return dict(self._current().properties)

    @property
    def progress(self) -> SweepProgress | None:
        """Where a sweep stands; None for other runs."""
        return self._current().progress

    @property
    def view(self) -> RunView:
        """Everything the server says of it, as it was last read."""
        return self._view

    @property
    def best(self) -> Run:
        """The best trial so far, by its best value of the primary metric; NotFound says why there is none."""
        view = self._current()
        if view.progress is None or view.sweep is None:
            raise InvalidInput(f"run {self.id} is a {view.kind}; only a sweep has a best trial")
        if view.progress.best is None:
            raise NotFound(
                f"sweep {self.id} has no best trial: none of its {view.progress.trials_created} trials has reported "
                f"a number as the primary metric {view.sweep.metric!r} (status {view.status}: {view.reason})"
            )
        return Run(self._client, self._client.get(f"{API}/runs/{view.progress.best.run_id}", RunView))

    def refresh(self) -> Run:
        """Read it anew from the server, now."""
        self._view = self._client.get(self._path, RunView)
        self._read_at = time.monotonic()
        return self

    def trials(self) -> list[Run]:
        """Its trials or children, in the order of their index; one request."""
        return [Run(self._client, view) for view in self._client.get(f"{self._path}/trials", list[RunView])]

    def wait(self, progress: bool = False, timeout: float | None = None) -> Run:
        """Come back when it has ended, in whatever way (look at ``status``); ``progress`` shows what goes on meanwhile.

        TimeoutError after ``timeout`` seconds. Ctrl-C ends the waiting, not the run.
        """
        self._view = wait_for_run(self._client, self.id, shows_progress=progress, timeout_seconds=timeout)
        self._read_at = time.monotonic()
        return self

    def cancel(self) -> Run:
        """Ask it to end; a sweep with all its trials. It may take some seconds until it has: ``wait`` tells."""
        self._view = self._client.post(f"{self._path}/cancel", RunView)
        return self

    def end(self, status: Literal["completed", "failed", "canceled"], message: str = "") -> Run:
        """End an interactive run whose program no longer does it; ``message`` is the reason told with it.

        Conflict for runs of other kinds, which end by themselves or by ``cancel``.
        """
        self._view = self._client.post(f"{self._path}/end", RunView, EndRequest(status=status, message=message))
        return self

    def tag(self, **tags: str | None) -> Run:
        """Set tags; one given as None is removed."""
        self._view = self._client.patch(self._path, RunView, RunUpdate(tags=tags))
        return self

    def rename(self, name: str) -> Run:
        """Give it a name for people."""
        self._view = self._client.patch(self._path, RunView, RunUpdate(name=name))
        return self

    def update(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> Run:
        """Change what is given and leave the rest; a tag given as None is removed.

        A property stays as it was first set: Conflict when one that is there is given another value.
        """
        change = RunUpdate(name=name, description=description, tags=dict(tags or {}), properties=dict(properties or {}))
        self._view = self._client.patch(self._path, RunView, change)
        return self

    def upload(self, path_in_run: str, local_path: str | Path) -> None:
        """Keep a copy of a file as the artifact ``path_in_run`` of this run; one of that name is replaced."""
        upload_artifact(self._client, self.id, path_in_run, Path(local_path))

    def logs(self, path: str = STANDARD_LOG, attempt: int | None = None) -> str:
        """What the script has printed so far, or the text of another log.

        Of the latest attempt that wrote it, unless ``attempt`` names an earlier one, counted from 1.
        """
        return logs.read_log(self._client, self.id, path, attempt)

    def log_files(self) -> list[LogFile]:
        """Its logs, with their sizes."""
        return self._client.get(f"{self._path}/logs", list[LogFile])

    def stream_logs(self, path: str = STANDARD_LOG, out: TextIO | None = None) -> None:
        """Print a log as it grows, until the run has ended."""
        logs.follow_log(self._client, self.id, path, out or sys.stdout)

    def metric_summaries(self) -> list[MetricSummary]:
        """Each scalar metric with its number of points, last, least and greatest value."""
        return self._client.get(f"{self._path}/metrics", list[MetricSummary])

    def series(self, name: str, max_points: int | None = None) -> Series:
        """All points of a scalar metric, or at most ``max_points`` of them, thinned so that extremes stay."""
        series = self._client.get(f"{self._path}/series", MetricSeries, name=name, max_points=max_points or _ALL_POINTS)
        return Series(name, tuple(series.steps), tuple(map(_number, series.values)), tuple(series.times))

    def records(self, kind: str | None = None) -> list[RecordView]:
        """What it logged besides scalars: lists, rows, tables, images, confusion matrices."""
        records: list[RecordView] = []
        while True:
            page = self._client.get(f"{self._path}/records", list[RecordView], kind=kind, start=len(records) or None)
            records += page
            if len(page) < RECORDS_PAGE:
                return records

    def children_metrics(self) -> dict[str, ChildMetrics]:
        """All that its trials or children have logged, by their id; a request for every hundred of them.

        Each has ``series`` (name, steps, values, times; values may be None for NaN and text for infinities) and ``records``.
        """
        found: dict[str, ChildMetrics] = {}
        start: int | None = 0
        while start is not None:
            page = self._client.get(f"{self._path}/children-metrics", ChildMetricsPage, start=start)
            found |= {child.run_id: child for child in page.children}
            start = page.next_start
        return found

    def artifacts(self) -> list[ArtifactView]:
        """The files it left behind."""
        return self._client.get(f"{self._path}/artifacts", list[ArtifactView])

    def download(self, dest: str | Path = ".", path: str | None = None) -> list[Path]:
        """Fetch its files, or the file or folder ``path`` of them, to below the folder ``dest``."""
        chosen = chosen_artifacts(self.artifacts(), path, run_id=self.id)
        return download(self._client, self.id, chosen, Path(dest))

    def attempts(self) -> list[AttemptView]:
        """Every try at executing it, with node and outcome."""
        return self._client.get(f"{self._path}/attempts", list[AttemptView])

    def events(self) -> list[EventView]:
        """What was decided about it, and why."""
        return self._client.get(f"{self._path}/events", list[EventView])

    def __repr__(self) -> str:
        view = self._view
        return f"Run({view.id!r}, {view.kind} of {view.experiment!r} on {view.target!r}, {view.status})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def _path(self) -> str:
        return f"{API}/runs/{self.id}"

    def _current(self) -> RunView:
        is_old = time.monotonic() - self._read_at > _FRESH_SECONDS
        if is_old and not RunStatus(self._view.status).is_terminal:
            self.refresh()
        return self._view


def _number(value: float | str | None) -> float:
    """A number as it came over JSON, which has neither NaN (None) nor infinities (text)."""
    return math.nan if value is None else float(value)
