"""Scripts in environments of their own, built from the package index by real agents."""

from __future__ import annotations

from pathlib import Path

import pytest

import sublight as sl
from sublight.messages.journal import ENVIRONMENT_LOG
from tests.process.project import Project, check_sentence, kill, node_of, wait_until

pytestmark = pytest.mark.process

WHAT_IS_THERE = """
import importlib.util
import sys

import joblib
from azureml.core import Run
from sublight import run

run.log("joblib", float(joblib.__version__.rpartition(".")[0]))
print(joblib.__version__, sys.version.split()[0], sys.prefix)
for name in ("numpy", "fastapi", "sqlalchemy", "pytest"):
    assert importlib.util.find_spec(name) is None, f"{name} of the server is seen"
"""


@pytest.fixture(scope="module")
def built(shared_project: Project) -> Project:
    shared_project.write("what.py", WHAT_IS_THERE)
    shared_project.write("reach.py", "import sublight as sl\nprint('name', sl.Workspace.from_config().name)\n")
    shared_project.write("with_scipy.py", "import joblib, scipy\n")
    return shared_project


def test_a_script_runs_with_the_packages_that_it_asks_for_and_no_others(built: Project) -> None:
    environment = sl.Environment(["joblib==1.3.2"], name="old-joblib")
    script = sl.Script("what.py", source=built.source, environment=environment)

    first = built.submit(script, on="local").wait(progress=False)
    second = built.submit(script, on="local").wait(progress=False)

    for run in (first, second):
        assert run.status == "completed", run.reason
        assert run.logs().startswith("1.3.2 ")
        assert list(run.series("joblib").values) == [1.3]
    assert first.logs().split()[-1] == second.logs().split()[-1]
    assert "built in" in first.logs(ENVIRONMENT_LOG)
    assert "used again" in second.logs(ENVIRONMENT_LOG)
    assert "joblib 1.3.2" in second.logs(ENVIRONMENT_LOG)


def test_trials_that_ask_at_the_same_time_wait_for_one_build(built: Project) -> None:
    script = sl.Script("what.py", source=built.source, environment=sl.Environment(["joblib==1.4.0"]))
    runs = [built.submit(script, on="local") for _ in range(4)]

    logs = [run.wait(progress=False).logs(ENVIRONMENT_LOG) for run in runs]

    assert [run.refresh().status for run in runs] == ["completed"] * 4
    assert sorted("used again" in log for log in logs) == [False, True, True, True]


def test_a_version_without_a_wheel_gives_way_to_the_nearest_when_pins_are_relaxed(built: Project) -> None:
    built.write("show_numpy.py", "import numpy\nprint('numpy is', numpy.__version__)\n")
    environment = sl.Environment(["numpy==1.18.5", "no-such-package-at-all-1f3a"], python="3.11", relax_pins=True)
    script = sl.Script("show_numpy.py", source=built.source, environment=environment)

    run = built.submit(script, on="local").wait(progress=False)

    assert run.status == "completed", run.reason
    log = run.logs()
    assert "numpy is 1.23.2" in log
    assert "numpy 1.18.5 has no wheel for Python 3.11; 1.23.2, the nearest later version, takes its place" in log
    assert "no-such-package-at-all-1f3a is left out: the package index does not have it" in log


def test_a_version_without_a_wheel_fails_the_run_with_a_sentence(built: Project) -> None:
    script = sl.Script("what.py", source=built.source, environment=sl.Environment(["numpy==1.18.5"], python="3.11"))

    run = built.submit(script, on="local").wait(progress=False)

    assert run.status == "failed"
    check_sentence(run.reason, "numpy 1.18.5 has no wheel for Python 3.11", "1.23.2", "relaxing pins")
    assert "numpy 1.18.5" in run.logs(ENVIRONMENT_LOG)


def test_a_script_reaches_the_workspace_from_its_own_environment(built: Project) -> None:
    environment = sl.Environment(["joblib==1.3.2"], name="old-joblib")
    script = sl.Script("reach.py", source=built.source, environment=environment, needs_workspace_access=True)

    run = built.submit(script, on="local").wait(progress=False)

    assert run.status == "completed", run.reason
    assert run.logs() == f"name {built.workspace.name}\n"


def test_a_run_that_is_canceled_while_its_environment_is_built_leaves_nothing_running(built: Project) -> None:
    environment = sl.Environment(["scipy", "pandas", "scikit-learn", "matplotlib"], name="large")
    run = built.submit(sl.Script("what.py", source=built.source, environment=environment), on="local")
    wait_until(lambda: "building environment large" in run.refresh().reason or run.is_finished, lambda: run.reason)

    run.cancel()
    run.wait(progress=False)

    assert run.status == "canceled"
    wait_until(lambda: not is_building(built), built.described_processes)


def test_a_build_whose_agent_is_killed_ends_and_is_made_again_on_another_node(built: Project) -> None:
    built.cluster(1, "killed")
    environment = sl.Environment(["joblib==1.3.2", "scipy"], name="twice")
    script = built.script("with_scipy.py", environment=environment)
    run = built.submit(script, on="killed")
    wait_until(lambda: is_building(built), built.described_processes)

    kill(built.agent_pid(node_of(run)))
    run.wait(progress=False)

    assert run.status == "completed", run.reason
    assert run.view.attempt == 2
    wait_until(lambda: not is_building(built), built.described_processes)


def is_building(project: Project) -> bool:
    return any(word in project.described_processes() for word in ("environment_build", "bin/uv "))


def test_a_package_index_that_does_not_answer_relaxes_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    environment = sl.Environment(["joblib==1.3.2"], name="unreachable", relax_pins=True)

    run = project.submit(project.script(environment=environment), on="local").wait(progress=False)

    assert run.status == "failed"
    check_sentence(run.reason, "the environment 'unreachable' cannot be built", "http://127.0.0.1:9/simple")
