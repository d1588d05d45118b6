"""The main job from end to end: a cluster, a Bayesian sweep with early termination on it, the best run, the portal.

Run by ``make demo``. Everything is kept in ``.sublight/`` of the current project and can be looked at afterwards.
"""

from __future__ import annotations

import sys
import time
import urllib.request

from train_hyper_submit import make_sweep

import sublight as sl

CLUSTER = "hypercomputecpu"
MAX_TRIALS = 24


def main() -> int:
    """Run the demo; 0 when everything that it promises was seen."""
    started = time.monotonic()
    workspace = sl.Workspace.from_config()
    print(f"workspace {workspace.name} at {workspace.url}")

    if CLUSTER in workspace.clusters:
        cluster = workspace.clusters.get(CLUSTER)
    else:
        cluster = workspace.clusters.create(CLUSTER, size="STANDARD_D3_V2", max_nodes=4, idle_seconds=30)
    print(f"cluster {cluster.name}: size {cluster.size.name}, 0 to {cluster.max_nodes} nodes")

    run = workspace.experiment("newsgroups_train_hypertune_cpu").submit(make_sweep(MAX_TRIALS, 4), on=cluster)
    run.wait(progress=True)

    nodes = {trial.view.node_id for trial in run.trials()}
    progress = run.progress
    assert progress is not None, "a sweep has progress"
    print()
    print(f"sweep {run.id}: {run.status}, {run.reason}")
    print(
        f"{progress.trials_created} trials on {len(nodes)} nodes: {progress.trials_completed} completed, "
        f"{progress.trials_stopped_early} ended early by the policy, {progress.trials_failed} failed"
    )
    if run.status != "completed":
        return 1
    print(f"best run {run.best.id}: accuracy {run.best.best_value:.4f} with {' '.join(run.best.arguments)}")

    portal = workspace.portal_url()
    with urllib.request.urlopen(f"{workspace.url}/health", timeout=10) as answer:
        is_answering = answer.status == 200
    print(f"portal (a link for one sign-in): {portal}  [{'answers' if is_answering else 'does not answer'}]")
    print(
        f"done in {time.monotonic() - started:.0f} s; the nodes go away after {cluster.idle_seconds:.0f} idle seconds"
    )
    print(
        "the server stays up: `.venv/bin/sublight status` shows it, `.venv/bin/sublight stop` ends it, `up` starts it again"
    )
    return 0 if is_answering else 1


if __name__ == "__main__":
    sys.exit(main())
