"""A workspace to look at: builders for messages, and services that answer from plain lists.

``SampleServices()`` holds a finished sweep of 24 trials, a running one, a waiting run and two clusters; a test changes
what it needs (``services.store.runs[...]``). ``EmptyServices`` in the same shape is ``SampleServices(store=Store())``.
"""

from __future__ import annotations

import math
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request

from sublight.core.errors import Conflict, NotAuthenticated, NotFound
from sublight.messages.clusters import ClusterView, NodeView, SizeView
from sublight.messages.definitions import ScriptDefinition, SnapshotFile, SnapshotView, SweepDefinition
from sublight.messages.experiments import ExperimentSummary
from sublight.messages.runs import (
    ArtifactView,
    AttemptView,
    BestTrial,
    CompareColumn,
    Comparison,
    EventView,
    LogFile,
    MetricSeries,
    MetricSummary,
    RecordView,
    RunPage,
    RunView,
    SweepProgress,
    TrialCurve,
)
from sublight.portal.app import error_page, portal_router
from sublight.server.caller import Caller
from sublight.server.errors import install_error_handlers
from sublight.server.protection import SecurityHeaders

# A little while ago, so that running things have run for minutes on the pages; no test reads the number itself.
START = time.time() // 1 - 150
SNAPSHOT = "5f0c" * 16
# The smallest PNG there is: one pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)
TRAIN_SOURCE = 'from sublight import run\n\nfor epoch in range(10):\n    run.log("accuracy", 0.5, step=epoch)\n'


def caller_of(role: str = "owner") -> Caller:
    """Who looks at the pages, by a session in a browser."""
    return Caller(name="ada", roles=frozenset({role}), csrf="csrf-of-ada")


@dataclass
class Store:
    """Everything that the fake services know."""

    runs: dict[str, RunView] = field(default_factory=dict)
    curves: dict[str, list[TrialCurve]] = field(default_factory=dict)
    records: dict[str, list[RecordView]] = field(default_factory=dict)
    logs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    later_logs: dict[str, dict[int, dict[str, bytes]]] = field(default_factory=dict)
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    clusters: dict[str, ClusterView] = field(default_factory=dict)
    events: dict[str, list[EventView]] = field(default_factory=dict)
    attempts: dict[str, list[AttemptView]] = field(default_factory=dict)
    sources: dict[str, bytes] = field(default_factory=lambda: {"train.py": TRAIN_SOURCE.encode(), "data.bin": b"\0\1"})


def size_view(name: str = "STANDARD_D3_V2", **changes: Any) -> SizeView:
    view = SizeView(name=name, cores=4, memory_bytes=14 * 2**30, gpus=0, gpu_name="", price_per_hour=0.229)
    return replace(view, **changes)


def node_view(number: int, cluster: str = "hypercomputecpu", **changes: Any) -> NodeView:
    view = NodeView(
        id=f"{cluster}-{'bcde'[number % 4]}{number}k{number % 7}",
        cluster=cluster,
        state="busy",
        reason="it runs a trial",
        run_ids=[],
        started=START + 2 * number,
        ready=START + 2 * number + 3,
        idle_since=None,
        last_heartbeat=START + 300,
        host={"hostname": "lab-host", "cores": 2, "threads": 1, "memory_bytes": 24 * 2**30},
    )
    return replace(view, **changes)


def cluster_view(name: str = "hypercomputecpu", **changes: Any) -> ClusterView:
    view = ClusterView(
        name=name,
        engine="local",
        size=size_view(),
        min_nodes=0,
        max_nodes=4,
        idle_seconds=30,
        trials_per_node=1,
        state="ready",
        reason="",
        target_nodes=4,
        target_reason="4 trials run and 9 wait; one run per node, at most 4 nodes",
        queued_runs=9,
        active_runs=4,
        nodes=[node_view(number, name) for number in range(4)],
        created=START - 60,
        created_by="ada",
    )
    return replace(view, **changes)


def run_view(run_id: str = "newsgroups-ab12cd", **changes: Any) -> RunView:
    view = RunView(
        id=run_id,
        kind="script",
        experiment="newsgroups",
        name="",
        target="hypercomputecpu",
        status="completed",
        reason="The script ended with exit code 0.",
        end_reason="finished",
        created_by="ada",
        created=START,
        queued=START + 0.1,
        started=START + 3,
        ended=START + 64,
        node_id="hypercomputecpu-b0k0",
        attempt=1,
        exit_code=0,
        arguments=["--learning_rate", "0.01"],
        metrics={"accuracy": 0.8123},
        script=ScriptDefinition(snapshot_id=SNAPSHOT, script="train.py", arguments=["--learning_rate", "0.01"]),
        node_seconds=61.0,
        price=0.0039,
    )
    return replace(view, **changes)


def sweep_definition(**changes: Any) -> SweepDefinition:
    definition = SweepDefinition(
        trial=ScriptDefinition(snapshot_id=SNAPSHOT, script="train.py", environment_variables={"OMP_NUM_THREADS": "1"}),
        space={
            "learning_rate": {"type": "loguniform", "low": 1e-5, "high": 1.0},
            "num_epochs": {"type": "choice", "values": [5, 10, 15]},
            "batch_size": {"type": "choice", "values": [150, 200]},
            "hidden_size": {"type": "choice", "values": [50, 100]},
        },
        sampler={"type": "bayesian", "engine": "tpe", "seed": 7},
        policy={"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1, "delay_evaluation": 2},
        metric="accuracy",
        direction="maximize",
        max_trials=24,
        max_concurrent=4,
        max_minutes=60,
    )
    return replace(definition, **changes)


def add_sweep(store: Store, sweep_id: str, *, seed: int, trials: int = 24, until: int | None = None) -> RunView:
    """A sweep with believable learning curves; only the first ``until`` trials have ended when it is given."""
    dice = random.Random(seed)
    free = [START + 5.0] * 4
    curves: list[TrialCurve] = []
    children: list[RunView] = []
    best_at: dict[int, float] = {}
    made = trials if until is None else min(trials, until + 4)
    for index in range(made):
        rate, epochs = 10 ** dice.uniform(-5, 0), dice.choice([5, 10, 15])
        parameters = {
            "learning_rate": rate,
            "num_epochs": epochs,
            "batch_size": dice.choice([150, 200]),
            "hidden_size": dice.choice([50, 100]),
        }
        node = min(range(4), key=lambda place: free[place])
        top = 0.83 - 0.05 * abs(math.log10(rate) + 1.8) ** 1.3 + dice.gauss(0, 0.01)
        is_active = until is not None and index >= until
        steps, values, times = [], [], []
        ended_early = False
        now = free[node] + 1.2
        for step in range(epochs if not is_active else max(1, epochs // 2)):
            value = max(0.24, top - 0.45 * math.exp(-0.55 * (step + 1)) + dice.gauss(0, 0.006))
            now += 1.1 + dice.random() * 0.3
            steps.append(step)
            values.append(round(value, 5))
            times.append(now)
            if step >= 2 and value < best_at.get(step, 0) / 1.1:
                ended_early = not is_active
                break
            best_at[step] = max(best_at.get(step, 0), value)
        failed = index == 9 and not is_active
        status = "running" if is_active else "failed" if failed else "canceled" if ended_early else "completed"
        reason = {
            "running": "It runs.",
            "failed": "The script ended with exit code 1: MemoryError.",
            "canceled": (
                f"Bandit: at interval {len(values)} its best accuracy {max(values):.4f} is below "
                f"{best_at[steps[-1]] / 1.1:.4f}, the best {best_at[steps[-1]]:.4f} divided by 1.1."
            ),
            "completed": "The script ended with exit code 0.",
        }[status]
        trial = run_view(
            f"{sweep_id}-{index}",
            kind="trial",
            parent_id=sweep_id,
            index=index,
            experiment="newsgroups_train_hypertune_cpu",
            status=status,
            reason=reason,
            end_reason={"failed": "error", "canceled": "policy", "completed": "finished"}.get(status),
            created=free[node] - 1,
            started=free[node],
            ended=None if is_active else now + 0.6,
            node_id=f"hypercomputecpu-{'bcde'[node]}{node}k{node}",
            exit_code=None if is_active else 1 if failed else 0,
            parameters=parameters,
            arguments=[word for name, item in parameters.items() for word in (f"--{name}", str(item))],
            metrics={"accuracy": values[-1], "loss": round(2.2 * (1 - values[-1]), 4)},
            best_value=max(values),
            script=None,
            node_seconds=now - free[node],
            price=(now - free[node]) / 3600 * 0.229,
        )
        free[node] = now + 1
        children.append(trial)
        curves.append(
            TrialCurve(
                run_id=trial.id, index=index, status=status, end_reason=trial.end_reason, steps=steps,
                values=values, times=times,
            )
        )  # fmt: skip
    top_trial = max(children, key=lambda trial: trial.best_value or 0 if trial.status != "failed" else 0)
    count = lambda *statuses: sum(trial.status in statuses for trial in children)  # noqa: E731
    sweep = run_view(
        sweep_id,
        kind="sweep",
        experiment="newsgroups_train_hypertune_cpu",
        status="completed" if until is None else "running",
        reason=f"All {trials} trials have ended." if until is None else "It runs 4 trials at once.",
        end_reason="finished" if until is None else None,
        started=START + 2,
        ended=max(free) if until is None else None,
        node_id=None,
        attempt=0,
        exit_code=None,
        arguments=[],
        metrics={},
        script=None,
        sweep=sweep_definition(max_trials=trials),
        best_value=top_trial.best_value,
        progress=SweepProgress(
            trials_max=trials,
            trials_created=made,
            trials_active=count("running"),
            trials_completed=count("completed"),
            trials_stopped_early=count("canceled"),
            trials_canceled=0,
            trials_failed=count("failed"),
            space_size=None,
            best=BestTrial(
                run_id=top_trial.id,
                index=top_trial.index or 0,
                value=top_trial.best_value or 0.0,
                parameters=top_trial.parameters,
            ),
        ),
        node_seconds=sum(trial.node_seconds for trial in children),
        price=sum(trial.price or 0 for trial in children),
        tags={"course": "lab 5"},
    )
    store.runs[sweep_id] = sweep
    store.curves[sweep_id] = curves
    for trial in children:
        store.runs[trial.id] = trial
        store.logs[trial.id] = {"user_logs/std_log.txt": _log_of(trial)}
        store.attempts[trial.id] = [
            AttemptView(
                number=1, node_id=trial.node_id or "", status=trial.status, started=trial.started or START,
                ended=trial.ended, exit_code=trial.exit_code, reason=trial.reason,
            )
        ]  # fmt: skip
        if trial.end_reason == "policy":
            store.events.setdefault(f"run:{sweep_id}", []).append(
                EventView(
                    number=len(store.runs), time=trial.ended or START, subject=f"run:{sweep_id}",
                    kind="trial_ended_early", reason=f"Trial {trial.index}. {trial.reason}",
                    inputs={"interval": 3, "slack_factor": 0.1},
                )
            )  # fmt: skip
    return sweep


def _log_of(trial: RunView) -> bytes:
    lines = ["fetching 20newsgroups: 4 categories, 2034 training and 1353 test documents"]
    lines += [f"epoch {step}: accuracy {0.5 + step / 50:.4f}" for step in range(12)]
    return ("\n".join(lines) + "\n").encode()


def sample_store() -> Store:
    store = Store()
    running = add_sweep(store, "sweep-7kq2mfzx", seed=3, until=11)
    add_sweep(store, "sweep-a1b2c3d4", seed=7)
    store.runs["sweep-a1b2c3d4"] = replace(store.runs["sweep-a1b2c3d4"], created=START - 4000)
    store.runs[running.id] = replace(running, created=START + 1)
    busy = [run.id for run in store.runs.values() if run.parent_id == running.id and run.status == "running"]
    nodes = [node_view(number, run_ids=[run_id]) for number, run_id in enumerate(busy)]
    gone = node_view(9, state="gone", started=START - 900, ended=START - 500, reason="it was idle for 30 s")
    store.clusters = {
        "hypercomputecpu": cluster_view(nodes=[*nodes, gone]),
        "hypercomputegpu": cluster_view(
            "hypercomputegpu",
            size=size_view("STANDARD_NC6", cores=6, gpus=1, gpu_name="Tesla K80", price_per_hour=0.9),
            state="unusable",
            reason="The size STANDARD_NC6 needs 1 GPU and this host has none; choose a size without GPUs.",
            target_nodes=0,
            target_reason="The cluster is unusable.",
            queued_runs=1,
            active_runs=0,
            nodes=[],
        ),
    }
    store.events["cluster:hypercomputecpu"] = _cluster_events([node.id for node in nodes], gone)
    _add_rich_run(store)
    store.runs["newsgroups-wait01"] = run_view(
        "newsgroups-wait01", target="hypercomputegpu", status="queued", end_reason=None, started=None, ended=None,
        reason="It waits for a node of hypercomputegpu, and that cluster is unusable.", node_id=None, attempt=0,
        exit_code=None, metrics={}, created=START + 20, node_seconds=0.0, price=None,
    )  # fmt: skip
    store.runs["newsgroups-bad001"] = run_view(
        "newsgroups-bad001", status="failed", end_reason="error", exit_code=2, created=START - 300, metrics={},
        reason="The script ended with exit code 2: train.py: error: unrecognized arguments: --lr",
    )  # fmt: skip
    return store


def _cluster_events(node_ids: Sequence[str], gone: NodeView) -> list[EventView]:
    def event(when: float, kind: str, reason: str, **inputs: Any) -> tuple[float, str, str, dict[str, Any]]:
        return when, kind, reason, inputs

    ended = gone.ended or START
    told = [
        event(START - 950, "ready", "created by ada: STANDARD_D3_V2 can be had here"),
        event(gone.started, "node", f"{gone.id} starting: 1 run waits", node=gone.id),
        event(ended, "node", f"{gone.id} gone: it was idle for 30 s", node=gone.id, to="gone"),
        event(START + 1, "scaling", "target 0 → 4 nodes: 24 trials wait, at most 4 nodes", **{"from": 0, "to": 4}),
    ]
    for place, node_id in enumerate(node_ids):
        told.append(event(START + 2 + place, "node", f"{node_id} starting: 24 trials wait", node=node_id))
        told.append(event(START + 5 + place, "node", f"{node_id} idle: its agent reported", node=node_id, to="idle"))
    told.sort(key=lambda one: one[0])
    return [
        EventView(number=number, time=when, subject="cluster:hypercomputecpu", kind=kind, reason=reason, inputs=inputs)
        for number, (when, kind, reason, inputs) in enumerate(told)
    ]


def _add_rich_run(store: Store) -> None:
    """A run that logged one thing of every kind."""
    run = run_view("newsgroups-ab12cd", tags={"stage": "final"}, metrics={"accuracy": 0.8123, "loss": 0.41})
    store.runs[run.id] = run
    labels = ["alt.atheism", "comp.graphics", "sci.space", "talk.religion.misc"]
    matrix = [[251, 6, 14, 48], [5, 372, 9, 3], [8, 11, 370, 5], [61, 7, 12, 171]]
    store.records[run.id] = [
        RecordView(name="confusion", kind="confusion_matrix", step=None, time=START + 60,
                   content={"schema_type": "confusion_matrix", "data": {"class_labels": labels, "matrix": matrix}}),
        RecordView(name="by class", kind="row", step=0, time=START, content={"class": "alt.atheism", "f1": 0.7712}),
        RecordView(name="by class", kind="row", step=1, time=START, content={"class": "sci.space", "f1": 0.9127}),
        RecordView(name="weights", kind="image", step=None, time=START, content={"path": "outputs/weights_1.png"}),
        RecordView(name="grid", kind="table", step=None, time=START, content={"x": [1, 2, 3], "y": [0.1, 0.2, None]}),
        RecordView(name="norms", kind="list", step=None, time=START, content=[3.0, 2.1, 1.7, 1.6]),
        RecordView(name="bounds", kind="residuals", step=None, time=START, content={"bin_edges": [0, 1]}),
    ]  # fmt: skip
    store.logs[run.id] = {
        "user_logs/std_log.txt": b"start\n\x1b[32mgreen\x1b[0m\n 10%\r 50%\r100%\n" + b"line of the log\n" * 40,
        "logs/debug.txt": b"debug line\n",
    }
    store.artifacts[run.id] = {
        "outputs/model.pkl": b"\x80\x04model",
        "outputs/weights_1.png": PNG,
        "outputs/page.html": b"<script>alert(1)</script>",
        "outputs/fake.png": b"<svg onload=alert(1)>",
    }
    store.attempts[run.id] = [
        AttemptView(number=1, node_id="hypercomputecpu-x9", status="lost", started=START + 1, ended=START + 2,
                    exit_code=None, reason="The node was silent for 30 s."),
        AttemptView(number=2, node_id="hypercomputecpu-b0k0", status="completed", started=START + 3, ended=START + 64,
                    exit_code=0, reason=""),
    ]  # fmt: skip
    store.events[f"run:{run.id}"] = [
        EventView(number=5, time=START + 3, subject=f"run:{run.id}", kind="placed",
                  reason="hypercomputecpu-b0k0 is idle and the run is first in the queue", inputs={"idle_nodes": 1}),
    ]  # fmt: skip


def sample_app(services: SampleServices, role: str | None = "owner") -> FastAPI:
    """The portal alone, with the server's own error answers and headers around it; everybody is of that role."""
    app = FastAPI()

    @app.middleware("http")
    async def authenticate(request: Request, call_next: Any) -> Any:
        request.state.caller = caller_of(role) if role else None
        return await call_next(request)

    app.include_router(portal_router(services))
    install_error_handlers(app, page=error_page)
    app.add_middleware(SecurityHeaders)
    return app


class SampleServices:
    """Services over a ``Store``; it is its own ``runs``, ``metrics``, ``files``, ``clusters`` and ``people``."""

    workspace_id = "0123456789abcdef"

    def __init__(self, store: Store | None = None, folder: Path | None = None) -> None:
        self.store = store if store is not None else sample_store()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="portal-sample-"))
        self.canceled: list[str] = []
        self.logged_out: list[str] = []
        self.compared_by: tuple[str | None, str | None] = (None, None)
        self.runs = _Runs(self)
        self.metrics = _Metrics(self)
        self.files = _Files(self)
        self.clusters = _Clusters(self)
        self.people = _People(self)

    def reset(self, store: Store) -> None:
        """Know only this from now on."""
        self.store = store
        self.canceled.clear()
        self.logged_out.clear()

    def compare(self, run_ids: Sequence[str], *, metric: str | None = None, direction: str | None = None) -> Comparison:
        self.compared_by = (metric, direction)
        columns = [_column(self.runs.get(run_id)) for run_id in run_ids]
        return Comparison(
            metric="accuracy", direction="maximize", common_value=0.79, columns=columns,
            verdict=f"{run_ids[0]} reached accuracy 0.79 in 0.31 of the time of {run_ids[-1]} at 1.4 times the price.",
        )  # fmt: skip

    def experiments(self) -> list[ExperimentSummary]:
        names = sorted({run.experiment for run in self.store.runs.values()})
        return [ExperimentSummary(name=name, created=START, runs_count=1) for name in names]


def _column(run: RunView) -> CompareColumn:
    return CompareColumn(
        run_id=run.id, kind=run.kind, experiment=run.experiment, target=run.target, size="STANDARD_D3_V2", nodes_max=4,
        status=run.status, wall_seconds=(run.ended or START + 90) - (run.started or START),
        node_seconds=run.node_seconds, price=run.price, trials_count=24, trials_stopped_early=6,
        seconds_per_trial=11.2, startup_share=0.08, metric="accuracy", best_value=run.best_value,
        best_run_id=run.id, seconds_to_common_value=31.0, price_to_common_value=0.0031,
    )  # fmt: skip


class _Part:
    def __init__(self, services: SampleServices) -> None:
        self._services = services

    @property
    def _store(self) -> Store:
        return self._services.store


class _Runs(_Part):
    def get(self, run_id: str) -> RunView:
        if run_id not in self._store.runs:
            raise NotFound(f"there is no run {run_id!r} in this workspace")
        return self._store.runs[run_id]

    def list(self, *, experiment=None, kind=None, status=(), target=None, parent_id=None, search=None, tag=None,
             end_reason=None, before=None, limit=50) -> RunPage:  # fmt: skip
        found = [
            run
            for run in sorted(self._store.runs.values(), key=lambda run: run.created, reverse=True)
            if (run.parent_id == parent_id or (kind in ("trial", "child") and parent_id is None))
            and (end_reason is None or run.end_reason == end_reason)
            and (experiment is None or run.experiment == experiment)
            and (kind is None or run.kind == kind)
            and (not status or run.status in status)
            and (target is None or run.target == target)
            and (search is None or search in run.id or search in run.name)
            and (tag is None or tag.partition("=")[0] in run.tags)
        ]
        start = next((place + 1 for place, run in enumerate(found) if run.id == before), 0) if before else 0
        page = found[start : start + limit]
        return RunPage(runs=page, next_before=page[-1].id if start + limit < len(found) else None)

    def trials(self, sweep_id: str) -> list[RunView]:
        return [run for run in self._store.runs.values() if run.parent_id == sweep_id]

    def cancel(self, caller: object, run_id: str) -> RunView:
        run = self.get(run_id)
        if run.ended is not None:
            raise Conflict(f"run {run_id!r} has ended already; there is nothing to cancel")
        self._services.canceled.append(run_id)
        self._store.runs[run_id] = replace(run, status="stopping", reason="Canceled by a person.")
        return self._store.runs[run_id]

    def attempts(self, run_id: str) -> list[AttemptView]:
        return self._store.attempts.get(run_id, [])

    def events(self, subject: str, limit: int) -> list[EventView]:
        return self._store.events.get(subject, [])[-limit:]


class _Metrics(_Part):
    def summaries(self, run_id: str) -> list[MetricSummary]:
        found = []
        for name in self._services.runs.get(run_id).metrics:
            series = self.series(run_id, name, 1000)
            values = [value for value in series.values if isinstance(value, float)]
            found.append(
                MetricSummary(
                    name=name, count=series.count, last_step=series.steps[-1], last=values[-1], least=min(values),
                    greatest=max(values),
                )
            )  # fmt: skip
        return found

    def series(self, run_id: str, name: str, max_points: int) -> MetricSeries:
        last = self._services.runs.get(run_id).metrics[name] or 0.0
        values = [round(last - 0.3 * math.exp(-step / 4), 4) for step in range(20)]
        return MetricSeries(
            run_id=run_id, name=name, count=20, steps=list(range(20)), values=values,
            times=[START + step for step in range(20)],
        )  # fmt: skip

    def records(self, run_id: str, kind: str | None = None) -> list[RecordView]:
        return [one for one in self._store.records.get(run_id, []) if kind is None or one.kind == kind]

    def curves(self, sweep_id: str, max_points: int) -> list[TrialCurve]:
        return self._store.curves.get(sweep_id, [])


class _Files(_Part):
    def logs(self, run_id: str) -> list[LogFile]:
        return [
            LogFile(path=path, size_bytes=len(data), attempt=attempt)
            for attempt, files in self._of_attempts(run_id).items()
            for path, data in files.items()
        ]

    def read_log(self, run_id: str, path: str, offset: int, limit: int, attempt: int | None) -> bytes:
        attempts = self._of_attempts(run_id)
        files = attempts.get(attempt or max(attempts), {})
        if path not in files:
            raise NotFound(f"run {run_id!r} has no log {path!r}")
        return files[path][offset : offset + limit]

    def _of_attempts(self, run_id: str) -> dict[int, dict[str, bytes]]:
        """Attempt 1 in ``store.logs``, later ones in ``store.later_logs``."""
        return {1: self._store.logs.get(run_id, {}), **self._store.later_logs.get(run_id, {})}

    def artifacts(self, run_id: str) -> list[ArtifactView]:
        files = self._store.artifacts.get(run_id, {})
        return [
            ArtifactView(path=path, size_bytes=len(data), sha256="0" * 64, created=START + 60)
            for path, data in files.items()
        ]

    def open_artifact(self, run_id: str, path: str) -> tuple[Path, ArtifactView]:
        for view in self.artifacts(run_id):
            if view.path == path:
                return self._written(self._store.artifacts[run_id][path]), view
        raise NotFound(f"run {run_id!r} has no artifact {path!r}")

    def snapshot(self, snapshot_id: str) -> SnapshotView:
        files = [
            SnapshotFile(path=path, sha256="0" * 64, size_bytes=len(data)) for path, data in self._store.sources.items()
        ]
        return SnapshotView(id=snapshot_id, files=files, size_bytes=sum(file.size_bytes for file in files))

    def snapshot_file(self, snapshot_id: str, path: str) -> Path:
        if path not in self._store.sources:
            raise NotFound(f"the snapshot has no file {path!r}")
        return self._written(self._store.sources[path])

    def _written(self, data: bytes) -> Path:
        file = self._services.folder / f"file-{abs(hash(data))}"
        file.write_bytes(data)
        return file


class _Clusters(_Part):
    def list(self) -> list[ClusterView]:
        return list(self._store.clusters.values())

    def get(self, name: str) -> ClusterView:
        if name not in self._store.clusters:
            raise NotFound(f"there is no cluster {name!r} in this workspace")
        return self._store.clusters[name]

    def events(self, name: str) -> list[EventView]:
        return self._store.events.get(f"cluster:{name}", [])


class _People(_Part):
    def login(self, code_or_token: str) -> tuple[str, float]:
        if code_or_token not in ("good-token", "good-code"):
            raise NotAuthenticated("this token is not known here, or it has expired; ask the owner for a new one")
        return "session-secret", 4_000_000_000.0

    def logout(self, session_secret: str) -> None:
        self._services.logged_out.append(session_secret)
