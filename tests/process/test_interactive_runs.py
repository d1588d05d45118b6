"""Runs of real programs of users, on a real server that is restarted, stopped and killed beside them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

import pytest

import sublight as sl
from sublight.core.errors import Conflict
from sublight.sdk.run import Run
from tests.process.project import PATIENCE_SECONDS, QUICK_SETTINGS, Project, check_sentence, wait_until


def program(project: Project, text: str) -> subprocess.Popen[str]:
    """Start a program of the user in the project; the run's id is the first line that it prints."""
    head = "import os, sys, time\nimport sublight as sl\nworkspace = sl.Workspace.from_config()\n"
    start = "run = workspace.experiment('by hand').start_run()\nprint(run.id, flush=True)\n"
    file = project.write("../program.py", head + start + text)
    return subprocess.Popen(
        [sys.executable, str(file)],
        cwd=project.folder,
        env=project._environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_of(project: Project, process: subprocess.Popen[str]) -> Run:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, process.communicate()[1]
    return project.workspace.run(line)


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, words = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, words


def test_everything_is_stored_once_through_restarts_of_the_server(project: Project) -> None:
    _ = project.workspace
    process = program(
        project,
        """
with open("model.bin", "wb") as file:
    file.write(b"weights" * 1000)
for step in range(300):
    run.log("score", step / 7, step=step)
    if step % 50 == 0:
        with run.child("fold %d" % step) as fold:
            fold.log("inner", step)
    run.write_log("step %d\\n" % step)
    time.sleep(0.01)
run.upload_file("models/model.bin", "model.bin")
run.log_list("sizes", [1, 2, 3])
run.tag("team", "red")
run.complete()
""",
    )
    run = run_of(project, process)
    for beat in (20, 120, 200):
        wait_until(lambda beat=beat: run.refresh().metrics.get("score", 0) >= beat / 7, f"{beat} points of {run.id}")
        project.kill_server()
        time.sleep(0.3)
        project.connect()

    code, words = finished(process)

    assert (code, words) == (0, "")
    assert (run.refresh().status, run.tags) == ("completed", {"team": "red"})
    series = run.series("score")
    assert list(series.steps) == list(range(300))
    assert list(series.values) == [step / 7 for step in range(300)]
    assert run.logs() == "".join(f"step {step}\n" for step in range(300))
    assert [(one.path, one.size_bytes) for one in run.artifacts()] == [("models/model.bin", 7000)]
    assert [record.content for record in run.records()] == [[1, 2, 3]]
    folds = run.trials()
    assert [fold.status for fold in folds] == ["completed"] * 6
    assert sorted(fold.metrics["inner"] for fold in folds) == [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]


@pytest.mark.parametrize(
    ("ending", "code", "status", "reason"),
    [
        ("", 0, "completed", "its process ended it well"),
        ("raise ValueError('no labels')", 1, "failed", "ValueError: no labels"),
        ("with run:\n    raise ValueError('no labels')", 1, "failed", "ValueError: no labels"),
        ("run.fail('by hand')\nraise ValueError('later')", 1, "failed", "by hand"),
        ("run.cancel()", 0, "canceled", "canceled by its process"),
    ],
)
def test_it_ends_with_its_program(project: Project, ending: str, code: int, status: str, reason: str) -> None:
    _ = project.workspace
    process = program(project, f"run.log('score', 1.5)\n{ending}\n")
    run = run_of(project, process)

    assert finished(process)[0] == code
    assert (run.refresh().status, run.reason, run.metrics) == (status, reason, {"score": 1.5})


def test_forked_processes_report_and_do_not_end_it(project: Project) -> None:
    _ = project.workspace
    process = program(
        project,
        """
pids = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        run.log("from child", float(number))
        sys.exit(0)   # its own end of program, with all that is done there
    pids.append(pid)
for pid in pids:
    os.waitpid(pid, 0)
run.log("from parent", 1.0)
run.complete()
""",
    )
    run = run_of(project, process)

    assert finished(process)[0] == 0
    assert run.refresh().status == "completed"
    assert sorted(run.series("from child").values) == [0.0, 1.0, 2.0]
    assert run.metrics["from parent"] == 1.0


def test_a_killed_program_is_noticed_by_its_silence(project: Project) -> None:
    project.write_settings({**QUICK_SETTINGS, "interactive_silence_seconds": 3.0})
    _ = project.workspace
    process = program(project, "run.log('score', 1.0)\ntime.sleep(600)\n")
    run = run_of(project, process)
    wait_until(lambda: run.refresh().metrics == {"score": 1.0}, "the first point")

    process.send_signal(signal.SIGKILL)
    process.communicate()

    wait_until(lambda: run.refresh().status == "failed", lambda: run.status)
    check_sentence(run.reason, "has not been heard of for 3 seconds")


def test_a_program_hears_that_its_run_was_canceled(project: Project) -> None:
    _ = project.workspace
    process = program(
        project,
        """
for step in range(6000):
    run.log("score", step)
    time.sleep(0.01)
    if os.path.exists("stop"):
        break
run.complete()
""",
    )
    run = run_of(project, process)
    wait_until(lambda: run.refresh().metrics, "the first point")

    assert project.command("run", "cancel", run.id).returncode == 0
    time.sleep(1.5)
    (project.folder / "stop").touch()

    code, words = finished(process)
    assert code == 1
    assert f"sublight: nothing more of run {run.id} is kept: run {run.id} has ended (canceled: canceled by" in words
    assert run.refresh().status == "canceled"


def test_a_script_on_a_node_uses_the_workspace_that_it_runs_in(project: Project) -> None:
    project.cluster(1)
    project.write(
        "uses.py",
        """
import json, os
import sublight as sl
workspace = sl.Workspace.from_config()
me = workspace.run(os.environ["SUBLIGHT_RUN_ID"])
with open(os.path.join(os.environ["SUBLIGHT_RUN_DIRECTORY"], "annotations.json")) as file:
    notes = json.load(file)
me.update(tags={"seen": me.status, "note": notes["note"]}, properties={"by": "script"})
with workspace.experiment("faults").start_run("inner", parent_id=me.id) as inner:
    inner.log("score", 2.5)
try:
    workspace.tokens.create("owner")
except sl.SublightError as error:
    print(error)
""",
    )
    script = project.script("uses.py", needs_workspace_access=True, annotations={"note": "of the submitter"})

    run = project.submit(script).wait(timeout=PATIENCE_SECONDS)

    assert run.status == "completed", run.logs()
    assert run.tags == {"seen": "running", "note": "of the submitter"}
    assert run.properties == {"by": "script"}
    assert "making a token is not for scripts" in run.logs()
    (inner,) = run.trials()
    assert (inner.kind, inner.status, inner.metrics, inner.name) == (
        "interactive",
        "completed",
        {"score": 2.5},
        "inner",
    )


def test_runs_of_one_program_are_told_apart_and_refuse_reports_after_their_end(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    experiment = project.workspace.experiment("by hand")
    (project.source / "code.py").write_text("print(1)\n")

    first = experiment.start_run("first", run_id="own-id-1", source=project.source, tags={"a": "b"})
    second = experiment.start_run("second", description="beside it")
    first.log("score", 1.0)
    second.log("score", 2.0)
    second.log_image("plot", plot=_Plot(b"one"))
    second.log_image("plot", plot=_Plot(b"two"))
    first.flush()
    assert first.view_run.metrics == {"score": 1.0}
    first.complete()
    second.complete()

    assert (first.id, first.view_run.view.snapshot_id is not None, first.has_ended) == ("own-id-1", True, True)
    assert (second.view_run.metrics, second.view_run.description) == ({"score": 2.0}, "beside it")
    assert sorted(one.path for one in second.view_run.artifacts()) == ["images/plot.png", "images/plot_1.png"]
    with pytest.raises(Conflict, match="run own-id-1 has ended in this program"):
        first.log("score", 3.0)
    with pytest.raises(Conflict):
        first.write_log("more")
    first.complete()
    first.fail("too late")
    assert first.view_run.status == "completed"
    assert [one.id for one in project.workspace.runs(kind="interactive")] == [second.id, "own-id-1"]


class _Plot:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def savefig(self, target: Any, format: str) -> None:
        with open(target, "wb") as file:
            file.write(self._content)


def test_experiments_are_changed_from_python(project: Project) -> None:
    experiment = project.workspace.experiment("a/b")
    with pytest.raises(sl.SublightError, match="there is no experiment 'a/b'"):
        _ = experiment.details

    experiment.ensure()
    experiment.update(tags={"x": "1"}, is_archived=True)

    details = experiment.details
    assert (details.tags, details.is_archived, details.runs_count) == ({"x": "1"}, True, 0)
    assert [one.id for one in project.workspace.experiments] == [details.id]
    run = experiment.start_run()
    with pytest.raises(Conflict, match="has runs that have not ended"):
        experiment.delete()
    run.complete()
    experiment.delete()
    assert project.workspace.experiments == []


def test_anybody_adds_files_to_a_run(project: Project) -> None:
    run = project.workspace.experiment("by hand").start_run()
    run.complete()
    file = project.folder / "report.txt"
    file.write_text("all is well")

    run.view_run.upload("reports/report.txt", file)

    assert [(one.path, one.size_bytes) for one in run.view_run.artifacts()] == [("reports/report.txt", 11)]
