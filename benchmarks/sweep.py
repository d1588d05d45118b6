"""The lab's sweep against the very same runs by ``xargs -P``: equal points, equal concurrency, equal threads.

Early termination is off, so that both do the same work. The sweep's wall time counts from submission to its end, with
the nodes' start in it; the data folder is ``SCIKIT_LEARN_DATA``, if that is set.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sublight as sl
from benchmarks.project import fresh_project

EXAMPLE = Path(__file__).parents[1] / "examples/newsgroups"
SPACE = {
    "learning_rate": sl.loguniform(1e-5, 1.0),
    "num_epochs": sl.choice(5, 10, 15),
    "batch_size": sl.choice(150, 200),
    "hidden_size": sl.choice(50, 100),
}


def main(trials: int = 24, concurrent: int = 4, repeats: int = 3) -> None:
    """Print wall and CPU time of both, and their ratios, for each repeat."""
    for number in range(repeats):
        points, wall, cpu = run_sweep(trials, concurrent, seed=number)
        bare_wall, bare_cpu = run_bare(points, concurrent)
        total = sum(cpu.values())
        print(
            f"{trials} trials, concurrency {concurrent}: sublight wall {wall:.1f} s, CPU {total:.1f} s "
            f"(server {cpu['server']:.1f}, agents {cpu['agents']:.1f}, trials {cpu['trials']:.1f}); "
            f"xargs wall {bare_wall:.1f} s, CPU {bare_cpu:.1f} s; "
            f"ratio wall {wall / bare_wall:.2f}, CPU {total / bare_cpu:.2f}",
            flush=True,
        )


def run_sweep(trials: int, concurrent: int, seed: int) -> tuple[list[list[str]], float, dict[str, float]]:
    """The sweep; returns the arguments of its trials, its wall seconds and the CPU seconds by kind of process."""
    variables = {name: os.environ[name] for name in ("SCIKIT_LEARN_DATA",) if name in os.environ}
    with fresh_project() as project:
        cluster = project.workspace.clusters.create("cpu", size="STANDARD_D3_V2", max_nodes=concurrent)
        script = sl.Script("train.py", source=EXAMPLE, environment_variables=variables)
        sweep = sl.Sweep(
            script,
            space=SPACE,
            sampler=sl.Random(seed=seed),
            goal=sl.maximize("accuracy"),
            max_trials=trials,
            max_concurrent=concurrent,
        )
        before = project.cpu_seconds()
        start = time.monotonic()
        run = project.workspace.experiment("benchmark").submit(sweep, on=cluster)
        run.wait()
        wall = time.monotonic() - start
        after = project.cpu_seconds()
        if run.status != "completed":
            sys.exit(f"the sweep is {run.status}: {run.reason}")
        points = [trial.arguments for trial in run.trials()]
        return points, wall, {kind: after[kind] - before[kind] for kind in after}


def run_bare(points: list[list[str]], concurrent: int) -> tuple[float, float]:
    """The same runs by ``xargs -P``, one thread each; returns wall and CPU seconds."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    folder = Path(tempfile.mkdtemp(prefix="sublight-bare-"))
    try:
        shutil.copytree(EXAMPLE, folder / "work")
        lines = "\n".join(" ".join(arguments) for arguments in points)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        subprocess.run(
            ["xargs", "-P", str(concurrent), "-L", "1", sys.executable, "train.py"],
            input=lines.encode(),
            cwd=folder / "work",
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        wall = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    finally:
        shutil.rmtree(folder, ignore_errors=True)
