"""One trial logs a million points: what a call costs the script, and how long until all are stored, none lost or doubled."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import sublight as sl
from benchmarks.project import fresh_project

SCRIPT = """
import sys, time
from sublight import run
count = int(sys.argv[1])
start = time.perf_counter()
for i in range(count):
    run.log("loss", i * 0.5, step=i)
seconds = time.perf_counter() - start
run.tag("microseconds_per_call", f"{seconds / count * 1e6:.3f}")
run.tag("logged_at", repr(time.time()))
"""


def main(points: int = 1_000_000) -> None:
    """Print the cost of a call and the seconds until everything is stored."""
    with tempfile.TemporaryDirectory() as source, fresh_project() as project:
        (Path(source) / "many.py").write_text(SCRIPT)
        script = sl.Script("many.py", source=source, arguments=[str(points)])
        cluster = project.workspace.clusters.create("cpu", size="STANDARD_D3_V2", max_nodes=1, min_nodes=1)
        project.wait_for_nodes("cpu", 1)
        before = project.cpu_seconds()
        run = project.workspace.experiment("metrics").submit(script, on=cluster)
        run.wait()
        stored_at = time.time()
        cpu = project.cpu_seconds()
        (summary,) = run.metric_summaries()
        series = run.series("loss", max_points=points)
        is_exact = list(series.steps) == list(range(points)) and list(series.values) == [i * 0.5 for i in range(points)]
        lag = stored_at - float(run.tags["logged_at"])
        print(
            f"{points:,} points: {run.tags['microseconds_per_call']} µs a call in the script; all stored {lag:.2f} s after "
            f"the last call; {summary.count:,} stored, {'each exactly once' if is_exact else 'NOT EXACT'}; CPU: server "
            f"{cpu['server'] - before['server']:.2f} s, agent {cpu['agents'] - before['agents']:.2f} s"
        )
