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
NODES = 4


def main() -> int:
    """Run the demo; 0 when everything that it promises was seen, else 1, and what was missing on standard error."""
    started = time.monotonic()
    workspace = sl.Workspace.from_config()
    print(f"workspace {workspace.name} at {workspace.url}")

    if CLUSTER in workspace.clusters:
        cluster = workspace.clusters.get(CLUSTER)
    else:
        cluster = workspace.clusters.create(CLUSTER, size="STANDARD_D3_V2", max_nodes=NODES, idle_seconds=30)
    print(f"cluster {cluster.name}: size {cluster.size.name}, 0 to {cluster.max_nodes} nodes")

    run = workspace.experiment("newsgroups_train_hypertune_cpu").submit(make_sweep(MAX_TRIALS, NODES), on=cluster)
    run.wait(progress=True)

    nodes = {trial.view.node_id for trial in run.trials()} - {None}
    progress = run.progress
    assert progress is not None, "a sweep has progress"
    print()
    print(f"sweep {run.id}: {run.status}, {run.reason}")
    print(
        f"{progress.trials_created} trials on {len(nodes)} nodes: {progress.trials_completed} completed, "
        f"{progress.trials_stopped_early} ended early by the policy, {progress.trials_failed} failed"
    )
    if progress.best is not None:
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
    missing = unkept_promises(run, nodes_count=len(nodes), is_portal_answering=is_answering)
    for sentence in missing:
        print(f"NOT SEEN: {sentence}", file=sys.stderr)
    return 1 if missing else 0


def unkept_promises(run: sl.Run, *, nodes_count: int, is_portal_answering: bool) -> list[str]:
    """What the demo promises and this run did not show, a sentence each."""
    progress = run.progress
    assert progress is not None, "a sweep has progress"
    kept = {
        f"the sweep completes, but it is {run.status}: {run.reason}": run.status == "completed",
        f"all {MAX_TRIALS} trials run, but there were {progress.trials_created}": progress.trials_created == MAX_TRIALS,
        f"the cluster grows to {NODES} nodes, but trials ran on {nodes_count}": nodes_count >= NODES,
        "the policy ends some trials early, but it ended none": progress.trials_stopped_early > 0,
        "there is a best run, but no trial reported the metric": progress.best is not None,
        "the portal answers": is_portal_answering,
    }
    return [sentence for sentence, is_kept in kept.items() if not is_kept]


if __name__ == "__main__":
    sys.exit(main())
