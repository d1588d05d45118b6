"""What a person who waits wants to know of a run, read from the server in three requests at most."""

from __future__ import annotations

from dataclasses import dataclass, field

from sublight.core.amounts import counted
from sublight.core.arguments import as_text
from sublight.core.errors import NotFound
from sublight.core.run import RunStatus
from sublight.messages.clusters import ClusterView
from sublight.messages.runs import RunPage, RunView, SweepProgress
from sublight.sdk.client import API, Client

_TRIALS_READ = 30


@dataclass(frozen=True, slots=True)
class Picture:
    """A run, the cluster it goes to (None when it is gone), and the newest of its trials, newest first."""

    run: RunView
    cluster: ClusterView | None
    trials: list[RunView] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        """True when nothing will change any more."""
        return RunStatus(self.run.status).is_terminal


def take_picture(client: Client, run_id: str) -> Picture:
    """The state of a run, now."""
    run = client.get(f"{API}/runs/{run_id}", RunView)
    try:
        cluster = client.get(f"{API}/clusters/{run.target}", ClusterView)
    except NotFound:
        cluster = None
    if run.sweep is None:
        return Picture(run, cluster)
    page = client.get(f"{API}/runs", RunPage, parent_id=run_id, limit=_TRIALS_READ)
    return Picture(run, cluster, page.runs)


def trials_ended(progress: SweepProgress) -> int:
    """How many trials of a sweep have ended, in whatever way."""
    return progress.trials_created - progress.trials_active


def counts_in_words(progress: SweepProgress) -> str:
    """``12 of 80 trials ended: 8 completed, 3 stopped early, 1 failed; 4 active``."""
    kinds = [
        (progress.trials_completed, "completed"),
        (progress.trials_stopped_early, "stopped early"),
        (progress.trials_canceled, "canceled"),
        (progress.trials_failed, "failed"),
    ]
    outcomes = ", ".join(f"{count} {word}" for count, word in kinds if count)
    ended = f"{trials_ended(progress)} of {counted(progress.trials_max, 'trial')} ended"
    active = f"; {progress.trials_active} active" if progress.trials_active else ""
    return f"{ended}{': ' if outcomes else ''}{outcomes}{active}"


def best_in_words(run: RunView) -> str:
    """``best accuracy 0.8123 in trial 7 (learning_rate 0.0123, num_epochs 10)``, or that nothing was reported yet."""
    if run.sweep is None or run.progress is None:
        return ""
    best = run.progress.best
    if best is None:
        return f"no trial has reported {run.sweep.metric!r} yet"
    return f"best {run.sweep.metric} {best.value:.6g} in trial {best.index} ({parameters_in_words(best.parameters)})"


def parameters_in_words(parameters: dict[str, object]) -> str:
    """``learning_rate 0.0123, num_epochs 10``; long numbers are cut, because this is for looking only."""
    return ", ".join(f"{name.lstrip('-')} {short_value(value)}" for name, value in parameters.items())


def short_value(value: object) -> str:
    """A value of a parameter or metric, floats with four figures."""
    return f"{value:.4g}" if isinstance(value, float) else as_text(value)


def nodes_in_words(cluster: ClusterView) -> str:
    """``nodes 3 of 4: 2 busy, 1 starting``."""
    states: dict[str, int] = {}
    for node in cluster.nodes:
        if node.state != "gone":
            states[node.state] = states.get(node.state, 0) + 1
    listed = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"nodes {sum(states.values())} of {cluster.max_nodes}{': ' if listed else ''}{listed}"


def outcome_in_words(run: RunView) -> str:
    """The last line about a run: its status and the sentence behind it."""
    return f"{run.id} is {run.status}" + (f": {run.reason}" if run.reason else "")
