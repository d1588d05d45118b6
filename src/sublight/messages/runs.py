"""Runs, trials, metrics, logs and artifacts as the server shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sublight.messages.definitions import ScriptDefinition, SweepDefinition


@dataclass(frozen=True, kw_only=True)
class BestTrial:
    """The best trial of a sweep so far, by its best value of the primary metric."""

    run_id: str
    index: int
    value: float
    parameters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SweepProgress:
    """Where a sweep stands. ``waiting`` says in words what it waits for, when it waits."""

    trials_max: int
    trials_created: int
    trials_active: int
    trials_completed: int
    trials_stopped_early: int
    trials_canceled: int
    trials_failed: int
    space_size: int | None
    best: BestTrial | None
    waiting: str = ""


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run. ``reason`` is the sentence behind its present status (why it waits, why it ended).

    ``parameters`` are a trial's own values; ``arguments`` the complete argument list its script got, or ``command`` the
    shell line that ran instead, with all values filled in. ``metrics`` maps each scalar metric to its last value,
    ``best_value`` is the best value of the sweep's primary metric.
    ``node_seconds`` sums the time its attempts occupied nodes, ``price`` is that time at the size's price per hour.
    ``snapshot_id`` is the code it runs, None when that is not kept (children, and interactive runs without a source).
    """

    id: str
    kind: Literal["script", "sweep", "trial", "child", "interactive"]
    experiment: str
    name: str
    target: str
    status: str
    reason: str
    end_reason: str | None
    created_by: str
    created: float
    queued: float | None = None
    started: float | None = None
    ended: float | None = None
    parent_id: str | None = None
    index: int | None = None
    node_id: str | None = None
    attempt: int = 0
    exit_code: int | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    metrics: dict[str, float | None] = field(default_factory=dict)
    best_value: float | None = None
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    script: ScriptDefinition | None = None
    sweep: SweepDefinition | None = None
    progress: SweepProgress | None = None
    node_seconds: float = 0.0
    price: float | None = None
    change: int = 0
    description: str = ""
    snapshot_id: str | None = None
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """A page of runs, newest first; ``next_before`` goes into the next request, None on the last page."""

    runs: list[RunView]
    next_before: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunUpdate:
    """Changes to a run: tags and properties are merged, a tag given as None is removed.

    A property is a fact: a new one is added, and giving one that is there another value is a Conflict.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StoredSize:
    """How far a file that only grows (a journal, a log) is stored; the sender goes on from there."""

    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class MetricSummary:
    """A scalar metric of a run: how many points, its last, least and greatest value.

    ``last`` is None when it was NaN or infinite; ``least`` and ``greatest`` are of the finite values.
    """

    name: str
    count: int
    last_step: int | None
    last: float | str | None
    least: float | None
    greatest: float | None


@dataclass(frozen=True, kw_only=True)
class MetricSeries:
    """Points of a scalar metric in report order. ``values`` hold None for NaN and "inf"/"-inf" for infinities.

    When ``count`` is above the length of the lists, the points were thinned; least and greatest of each bucket stay.
    """

    run_id: str
    name: str
    count: int
    steps: list[int]
    values: list[float | str | None]
    times: list[float]


# How many records are answered at once.
RECORDS_PAGE = 10_000


@dataclass(frozen=True, kw_only=True)
class RecordView:
    """Something logged that is not a scalar: a list, row, table, image, confusion matrix, …

    ``kind`` is ``list``, ``row``, ``table``, ``image`` (``content`` = {"path": artifact path}), ``confusion_matrix``,
    ``accuracy_table``, ``residuals``, ``predictions``.
    """

    name: str
    kind: str
    step: int | None
    time: float
    content: Any


@dataclass(frozen=True, kw_only=True)
class ChildMetrics:
    """Everything that one child of a run has logged: each scalar metric with all its points, and the records."""

    run_id: str
    series: list[MetricSeries]
    records: list[RecordView]


@dataclass(frozen=True, kw_only=True)
class ChildMetricsPage:
    """The metrics of some children in index order; ``next_start`` goes into the next request, None on the last page."""

    children: list[ChildMetrics]
    next_start: int | None = None


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """A log of a run; ``user_logs/std_log.txt`` is what the script printed."""

    path: str
    size_bytes: int
    attempt: int


@dataclass(frozen=True, kw_only=True)
class ArtifactView:
    """A file that a run left behind."""

    path: str
    size_bytes: int
    sha256: str
    created: float


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """One try at executing a run under one lease."""

    number: int
    node_id: str
    status: str
    started: float
    ended: float | None
    exit_code: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class EventView:
    """A decision or a change, with its reason in words and the numbers behind it."""

    number: int
    time: float
    subject: str
    kind: str
    reason: str
    inputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrialCurve:
    """The reports of the primary metric of one trial, for charts."""

    run_id: str
    index: int
    status: str
    end_reason: str | None
    steps: list[int]
    values: list[float | None]
    times: list[float]


@dataclass(frozen=True, kw_only=True)
class CompareColumn:
    """One side of a comparison; times in seconds, price in the workspace's currency unit."""

    run_id: str
    kind: str
    experiment: str
    target: str
    size: str
    nodes_max: int
    status: str
    wall_seconds: float | None
    node_seconds: float
    price: float | None
    trials_count: int
    trials_stopped_early: int
    seconds_per_trial: float | None
    startup_share: float | None
    metric: str | None
    best_value: float | None
    best_run_id: str | None
    seconds_to_common_value: float | None
    price_to_common_value: float | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs or sweeps side by side. ``common_value`` is the metric value that all of them reached."""

    metric: str | None
    direction: str | None
    common_value: float | None
    columns: list[CompareColumn]
    verdict: str
