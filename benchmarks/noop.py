"""The cost of the control plane: a sweep of trials that do next to nothing, beside the same script by ``xargs -P``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sublight as sl
from benchmarks.project import fresh_project

SCRIPT = 'from sublight import run\nrun.log("value", 1.0)\n'


def main(trials: int = 1000, concurrent: int = 4) -> None:
    """Print trials per second, CPU per trial by kind of process, and the server's memory."""
    with tempfile.TemporaryDirectory() as source, fresh_project() as project:
        (Path(source) / "noop.py").write_text(SCRIPT)
        cluster = project.workspace.clusters.create(
            "cpu", size="STANDARD_D3_V2", max_nodes=concurrent, min_nodes=concurrent
        )
        project.wait_for_nodes("cpu", concurrent)
        sweep = sl.Sweep(
            sl.Script("noop.py", source=source),
            space={"x": sl.uniform(0, 1)},
            sampler=sl.Random(seed=1),
            goal=sl.maximize("value"),
            max_trials=trials,
            max_concurrent=concurrent,
        )
        before = project.cpu_seconds()
        start = time.monotonic()
        run = project.workspace.experiment("noop").submit(sweep, on=cluster)
        run.wait()
        wall = time.monotonic() - start
        cpu = {kind: (seconds - before[kind]) / trials * 1000 for kind, seconds in project.cpu_seconds().items()}
        memory = project.server.memory_info().rss / 2**20
        completed = run.progress.trials_completed if run.progress else 0
        bare_start = time.monotonic()
        subprocess.run(
            ["xargs", "-P", str(concurrent), "-L", "1", sys.executable, f"{source}/noop.py"],
            input="\n".join(["--x 0.5"] * trials).encode(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        bare = time.monotonic() - bare_start
    print(
        f"{completed} of {trials} no-op trials completed in {wall:.1f} s: {trials / wall:.1f} trials/s; CPU ms a trial: server "
        f"{cpu['server']:.1f}, agents {cpu['agents']:.1f}, the scripts {cpu['trials']:.1f}; server memory {memory:.0f} MB; "
        f"bare xargs {bare:.1f} s, ratio {wall / bare:.2f}"
    )
