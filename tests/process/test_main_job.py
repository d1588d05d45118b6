"""The main job end to end: a real server, a cluster of real agents that grows and shrinks, a sweep of real scripts."""

from __future__ import annotations

import json

import pytest

import sublight as sl
from sublight.sdk.cluster import Cluster
from tests.process.project import Project, is_alive, sha256_of, wait_until

pytestmark = pytest.mark.process

IMAGE_TRIAL = """
import struct, sys, zlib
from sublight import run
from ledger import note

x = int(sys.argv[sys.argv.index("--x") + 1])
note("start", x=x)
for step in range(3):
    value = x + step / 7
    run.log("score", value, step=step)
    print("step", step, value, flush=True)
    note("metric", step=step, value=value)

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
picture = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\\0" + bytes([x])))
with open("dot.png", "wb") as file:
    file.write(picture + chunk(b"IEND", b""))
run.log_image("dot", path="dot.png")
with open("outputs/model.bin", "wb") as file:
    file.write(b"weights of %d" % x)
note("end")
"""

RICH_SCRIPT = """
import os, sys
from sublight import run

print("arguments", sys.argv[1:])
print("color", os.environ["COLOR"], "folder", os.path.basename(os.getcwd()))
print("files", sorted(os.path.join(folder, name)[2:] for folder, _, names in os.walk(".") for name in names))
run.log("score", 0.5)
run.log_list("sizes", [100, 100, 4])
run.log_row("per class", label="space", precision=0.91)
run.log_table("table", {"label": ["space", "graphics"], "recall": [0.88, 0.93]})
run.log_confusion_matrix("test", [[50, 3], [4, 43]], labels=["space", "graphics"])
run.tag("data", "generated")
run.set_property("model", "linear")
with open("logs/extra.txt", "w") as file:
    file.write("more words\\n")
with open("note.txt", "w") as file:
    file.write("kept")
run.upload_file("reports/note.txt", "note.txt")
for fold in range(2):
    with run.child("fold %d" % fold) as child:
        child.log("score", fold / 2)
broken = run.child("broken")
broken.fail("it has one class only")
"""


@pytest.fixture(scope="module")
def small(shared_project: Project) -> Cluster:
    """A cluster of one node for the tests that need no more."""
    return shared_project.cluster(1, "small")


def test_a_sweep_runs_each_trial_once_while_its_cluster_grows_and_shrinks(project: Project) -> None:
    project.write("draw.py", IMAGE_TRIAL)
    pool = project.cluster(4, idle_seconds=1)
    assert pool.nodes == []

    sweep = project.submit(project.sweep(12, script=project.script("draw.py")), on=pool).wait(timeout=90)

    assert (sweep.status, sweep.end_reason) == ("completed", "finished"), sweep.reason
    trials = sweep.trials()
    assert [(trial.index, trial.parameters, trial.status) for trial in trials] == [
        (index, {"x": index}, "completed") for index in range(12)
    ]
    assert len(project.ledger("start")) == len(project.ledger("end")) == 12
    assert (sweep.best.index, sweep.best.best_value) == (11, 11 + 2 / 7)
    for trial in trials:
        noted = [(line.facts["step"], line.facts["value"]) for line in project.ledger("metric", trial.id)]
        series = trial.series("score")
        assert list(zip(series.steps, series.values, strict=True)) == noted
        assert trial.logs() == "".join(f"step {step} {value}\n" for step, value in noted)
        assert trial.view.arguments == ["--x", str(trial.index)]

    last = trials[11]
    image = last.records("image")[0].content["path"]
    kept = project.folder / "kept"
    last.download(kept)
    assert (kept / "outputs/model.bin").read_bytes() == b"weights of 11"
    assert (kept / image).read_bytes().startswith(b"\x89PNG")
    assert {file.path: file.sha256 for file in last.artifacts()} == {
        path: sha256_of(kept / path) for path in ("outputs/model.bin", image)
    }

    wait_until(lambda: pool.refresh().nodes == [], lambda: f"nodes that did not leave: {pool.nodes}")
    moves = [event.reason for event in pool.events() if event.kind == "scaling"]
    assert any("→ 4 nodes" in move for move in moves), moves
    assert "→ 0 nodes" in moves[-1], moves
    started = [event for event in pool.events() if event.kind == "node" and event.inputs.get("to") == "idle"]
    assert len({event.inputs["node"] for event in started}) == 4
    wait_until(lambda: project.processes() == [project.server_pid], project.described_processes)


def test_everything_is_still_there_after_stop_and_up(project: Project) -> None:
    project.cluster(2)
    sweep = project.submit(project.sweep(4)).wait(timeout=60)
    before = project.check_sweep(sweep, 4)
    server, agents = project.server_pid, project.agents()

    stopped = project.command("stop")
    assert stopped.returncode == 0, stopped.stderr
    wait_until(lambda: not is_alive(server), "the server did not end")
    assert not (project.root / "server.json").exists()
    assert project.command("status").returncode == 1
    upped = project.command("up", "--json")

    assert upped.returncode == 0, upped.stderr
    assert json.loads(upped.stdout)["url"] == project.workspace.url
    assert project.server_pid != server
    after = project.check_sweep(project.connect().run(sweep.id), 4)
    assert [trial.view for trial in after] == [trial.refresh().view for trial in before]
    assert project.agents() == agents
    again = project.submit(project.sweep(2)).wait(timeout=60)
    project.check_sweep(again, 2)
    assert project.agents() == agents, "the nodes should have served the restarted server, too"
    project.workspace.clusters.delete("pool")
    wait_until(lambda: project.processes() == [project.server_pid], project.described_processes)


@pytest.fixture(params=["local", "small"])
def target(request: pytest.FixtureRequest) -> str:
    """The very same script runs here and on a cluster."""
    if request.param == "small":
        request.getfixturevalue("small")
    return str(request.param)


def test_everything_that_a_script_can_log_reaches_its_run(shared_project: Project, target: str) -> None:
    shared_project.write("rich.py", RICH_SCRIPT)
    shared_project.write(".amlignore", "secret/\n*.tmp\n")
    shared_project.write("secret/key.txt", "not for nodes")
    shared_project.write("scratch.tmp", "not for nodes")
    shared_project.write("kept/data.txt", "for nodes")
    script = shared_project.script("rich.py", "--rate", 0.25, True, environment_variables={"COLOR": "dark red"})

    run = shared_project.submit(script, on=target).wait(timeout=60)

    assert (run.status, run.end_reason, run.view.exit_code) == ("completed", "finished", 0), run.reason
    lines = run.logs().splitlines()
    assert lines[0] == "arguments ['--rate', '0.25', 'True']"
    assert lines[1] == "color dark red folder work"
    names = {"ledger.py", "rich.py", "kept/data.txt"}
    assert names <= set(eval(lines[2].removeprefix("files ")))  # our own script printed it
    assert "secret" not in lines[2]
    assert "scratch.tmp" not in lines[2]
    assert run.metrics == {"score": 0.5}
    records = {record.kind: record for record in run.records()}
    assert records["list"].content == [100, 100, 4]
    assert records["row"].content == {"label": "space", "precision": 0.91}
    assert records["table"].content == {"label": ["space", "graphics"], "recall": [0.88, 0.93]}
    assert "matrix" in json.dumps(records["confusion_matrix"].content)
    assert (run.tags, run.properties) == ({"data": "generated"}, {"model": "linear"})
    assert run.logs("logs/extra.txt") == "more words\n"
    assert [file.path for file in run.artifacts()] == ["reports/note.txt"]
    children = {child.name: child for child in run.trials()}
    assert {name: child.status for name, child in children.items()} == {
        "fold 0": "completed",
        "fold 1": "completed",
        "broken": "failed",
    }
    assert children["fold 1"].metrics == {"score": 0.5}


def test_a_run_that_calls_fail_is_failed_in_its_own_words(shared_project: Project, small: Cluster) -> None:
    shared_project.write("fails.py", "from sublight import run\nrun.fail('the data has no labels')\n")

    run = shared_project.submit(shared_project.script("fails.py"), on=small).wait(timeout=60)

    assert (run.status, run.end_reason) == ("failed", "error")
    assert "the data has no labels" in run.reason


def test_a_sweep_can_go_on_from_an_earlier_one(shared_project: Project, small: Cluster) -> None:
    first = shared_project.submit(shared_project.sweep(2), on=small).wait(timeout=60)
    space = {"x": sl.randint(1000)}
    sweep = sl.Sweep(
        shared_project.script(),
        space=space,
        sampler=sl.Bayesian(seed=3),
        goal=sl.maximize("score"),
        max_trials=2,
        resume_from=first,
    )

    second = shared_project.submit(sweep, on=small).wait(timeout=60)

    assert (second.status, len(second.trials())) == ("completed", 2), second.reason
