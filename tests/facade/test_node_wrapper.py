"""``python -m azureml._node``: a script runs as Python itself would run it, with what v1 put around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import azureml.data._on_node as on_node
from azureml._node import data as node_data
from azureml._node.data import NodeData
from azureml._node.variables import v1_variables


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The working directory inside the folder of an attempt."""
    folder = tmp_path / "work"
    for name in ("outputs", "logs"):
        (folder / name).mkdir(parents=True)
    return folder


def run_node(work: Path, *words: str, annotations: dict[str, Any] | None = None, **variables: str) -> Any:
    if annotations is not None:
        (work.parent / "annotations.json").write_text(json.dumps({"azureml": annotations}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SUBLIGHT_", "AZUREML_"))}
    environment |= {
        "SUBLIGHT_RUN_ID": "trying_1_abcd",
        "SUBLIGHT_EXPERIMENT": "trying",
        "SUBLIGHT_RUN_DIRECTORY": str(work.parent),
        "SUBLIGHT_URL": "http://127.0.0.1:1",
        "SUBLIGHT_TOKEN": "slr_token",
    }
    return subprocess.run(
        [sys.executable, "-m", "azureml._node", *words],
        cwd=work,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_script_sees_itself_as_if_python_had_started_it(work: Path) -> None:
    (work / "package").mkdir()
    (work / "package/beside.py").write_text("WORD = 'beside'\n")
    (work / "package/train.py").write_text(
        "import sys, os, beside\n"
        "assert sys.modules['__main__'].__dict__ is globals()\n"
        "print(__name__, sys.argv, os.path.relpath(__file__), os.path.relpath(sys.path[0]), beside.WORD, os.getcwd())\n"
    )
    result = run_node(work, "package/train.py", "--rate", "1")

    assert result.stderr == ""
    assert result.stdout == f"__main__ ['package/train.py', '--rate', '1'] package/train.py package beside {work}\n"
    assert result.returncode == 0


def test_a_traceback_begins_with_the_script(work: Path) -> None:
    (work / "train.py").write_text("def fail():\n    raise ValueError('no labels')\n\nfail()\n")
    result = run_node(work, "train.py")

    lines = result.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert f'File "{work}/train.py", line 4' in lines[1]
    assert lines[-1] == "ValueError: no labels"
    assert "azureml" not in result.stderr
    assert result.returncode == 1


def test_a_syntax_error_is_told_as_python_tells_it(work: Path) -> None:
    (work / "train.py").write_text("print('unclosed\n")
    result = run_node(work, "train.py")

    assert "SyntaxError" in result.stderr
    assert "azureml" not in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize(("call", "code", "told"), [("3", 3, ""), ("", 0, ""), ("'no data'", 1, "no data\n")])
def test_exit_codes_go_through(work: Path, call: str, code: int, told: str) -> None:
    (work / "train.py").write_text(f"import sys, atexit\natexit.register(print, 'at exit')\nsys.exit({call})\n")
    result = run_node(work, "train.py")

    assert (result.returncode, result.stderr, result.stdout) == (code, told, "at exit\n")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_and_pickles_of_the_scripts_own_classes_work(work: Path, method: str) -> None:
    (work / "train.py").write_text(
        "import multiprocessing, pickle\n"
        "class Model:\n"
        "    def __init__(self, x): self.x = x\n"
        "def double(model): return Model(model.x * 2)\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "        print([m.x for m in pool.map(double, [Model(1), Model(2)])])\n"
        "    print(type(pickle.loads(pickle.dumps(Model(1)))) is Model)\n"
    )
    result = run_node(work, "train.py")

    assert result.stderr == ""
    assert result.stdout == "[2, 4]\nTrue\n"


def test_notes_of_the_submission_stand_first_in_the_log(work: Path) -> None:
    (work / "train.py").write_text("print('script')\n")
    result = run_node(work, "train.py", annotations={"notes": ["the environment is the one that is there"]})

    assert result.stdout == "sublight: the environment is the one that is there\nscript\n"


def test_the_script_finds_azures_variables(work: Path) -> None:
    (work / "train.py").write_text(
        "import os, json\nprint(json.dumps({k: v for k, v in os.environ.items() if k.startswith('AZ')}))\n"
    )
    workspace = {"subscription_id": "sub", "resource_group": "group", "name": "wonderland"}
    result = run_node(work, "train.py", annotations={"workspace": workspace}, SUBLIGHT_PARENT_RUN_ID="HD_1")

    found = json.loads(result.stdout)
    assert found["AZUREML_RUN_ID"] == "trying_1_abcd"
    assert found["AZUREML_ROOT_RUN_ID"] == "HD_1"
    assert found["AZUREML_RUN_TOKEN"] == "slr_token"
    assert found["AZUREML_ARM_SUBSCRIPTION"] == "sub"
    assert found["AZUREML_ARM_RESOURCEGROUP"] == "group"
    assert found["AZUREML_ARM_WORKSPACE_NAME"] == "wonderland"
    assert found["AZUREML_ARM_PROJECT_NAME"] == "trying"
    assert found["AZUREML_SERVICE_ENDPOINT"] == "http://127.0.0.1:1"
    assert found["AZUREML_OUTPUT_DIRECTORY"] == f"{work}/outputs"


def test_what_mlflow_is_given_goes_to_the_run_too(work: Path) -> None:
    (work / "mlflow.py").write_text(
        "import os\n"
        "def log_metric(key, value, step=None): print('kept', key, os.environ['MLFLOW_TRACKING_URI'])\n"
        "def log_metrics(metrics, step=None): pass\n"
        "def log_params(params): pass\n"
        "def log_artifact(local_path, artifact_path=None): pass\n"
        "def log_artifacts(local_dir, artifact_path=None): pass\n"
    )
    (work / "folder").mkdir()
    (work / "folder/b.txt").write_text("b")
    (work / "train.py").write_text(
        "import mlflow\n"
        "from azureml.core import Workspace\n"
        "mlflow.log_metric('accuracy', 0.5, step=3)\n"
        "mlflow.log_metrics({'loss': 0.25})\n"
        "mlflow.log_params({'depth': 7})\n"
        "mlflow.log_artifact('train.py', 'code')\n"
        "mlflow.log_artifacts('folder', artifact_path='all')\n"
        "mlflow.log_artifact('not-there.txt')\n"
        "print(Workspace('a', 'b', 'c', _disable_service_check=True).get_mlflow_tracking_uri())\n"
    )
    result = run_node(work, "train.py", annotations={})

    assert result.returncode == 0, result.stderr
    uri = f"file://{work}/outputs/mlruns"
    assert result.stdout.splitlines() == [f"kept accuracy {uri}", uri]
    journal = (work.parent / "journal").read_text()
    assert "m\taccuracy\t3\t0.5" in journal
    assert "m\tloss\t\t0.25" in journal
    assert '"name":"depth"' in journal
    uploads = work.parent / "uploads"
    files = {file.relative_to(uploads).as_posix() for file in uploads.rglob("*") if file.is_file()}
    assert files == {"code/train.py", "all/b.txt"}
    assert "goes to the run, too" in result.stderr
    assert "mlflow.log_artifact could not be told to the run" in result.stderr


def test_a_run_started_from_within_another_one_has_its_own_variables(work: Path) -> None:
    (work / "train.py").write_text("import os; print(os.environ['AZUREML_RUN_ID'], os.environ['RANK'])\n")
    definition = {"framework": "PyTorch", "communicator": "nccl"}
    result = run_node(work, "train.py", annotations={"run_definition": definition}, AZUREML_RUN_ID="outer", RANK="7")

    assert result.stdout == "trying_1_abcd 7\n"


@pytest.mark.parametrize(
    ("framework", "communicator", "name", "value"),
    [
        ("Python", "IntelMpi", "OMPI_COMM_WORLD_SIZE", "1"),
        ("Python", "OpenMpi", "OMPI_COMM_WORLD_RANK", "0"),
        ("PyTorch", "Nccl", "WORLD_SIZE", "1"),
        ("PyTorch", "Gloo", "MASTER_ADDR", "127.0.0.1"),
        ("python", "Mpi", "OMPI_COMM_WORLD_LOCAL_SIZE", "1"),
    ],
)
def test_launchers_of_several_processes_are_stood_in_for(
    framework: str, communicator: str, name: str, value: str
) -> None:
    definition = {"framework": framework, "communicator": communicator}

    assert v1_variables({"run_definition": definition}, {})[name] == value
    assert name not in v1_variables({}, {})


def test_tensorflow_finds_its_cluster() -> None:
    definition = {"framework": "TensorFlow", "communicator": "ParameterServer"}

    cluster = json.loads(v1_variables({"run_definition": definition}, {})["TF_CONFIG"])
    assert cluster["task"] == {"type": "worker", "index": 0}


def test_variables_in_arguments_are_replaced_as_on_v1s_nodes(work: Path) -> None:
    (work / "train.py").write_text("import sys; print(sys.argv[1:])\n")
    result = run_node(work, "train.py", "$WHERE/data", "${WHERE}", "$UNKNOWN", "100$", WHERE="/here")

    assert result.stdout == "['/here/data', '/here', '$UNKNOWN', '100$']\n"


def test_inputs_and_outputs_are_paths_in_arguments_and_variables(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[tuple[str, str]] = []
    monkeypatch.setattr(on_node, "provide", lambda one, workspace: f"/data/{one['name']}")
    monkeypatch.setattr(on_node, "collect", lambda one, folder, *_: collected.append((one["name"], str(folder))))
    monkeypatch.setattr(node_data, "_workspace", SimpleNamespace)
    monkeypatch.setattr(os, "environ", {"SUBLIGHT_RUN_DIRECTORY": str(work.parent)})
    data = NodeData(
        {
            "inputs": [{"name": "images", "mode": "mount"}],
            "outputs": [{"name": "result"}],
            "references": [{"name": "store", "datastore": "workspaceblobstore"}],
        }
    )
    data.provide()
    output = str(work.parent / "azureml_outputs/result")

    assert data.in_arguments(["DatasetConsumptionConfig:images", "--out=DatasetOutputConfig:result"]) == [
        "/data/images",
        f"--out={output}",
    ]
    assert data.in_line("ls DatasetConsumptionConfig:images $HOME") == "ls /data/images $HOME"
    assert dict(os.environ)["AZUREML_DATAREFERENCE_store"] == "/data/store"
    assert dict(os.environ)["images"] == "/data/images"
    assert os.environ["AZUREML_DATASET_FILE_OUTPUTS"] == "result"
    data.collect()
    assert collected == [("store", "/data/store"), ("result", output)]


def test_data_that_cannot_be_made_ready_fails_the_run_in_a_sentence(work: Path) -> None:
    (work / "train.py").write_text("print('never')\n")
    inputs = [{"name": "images", "mode": "mount", "dataset": {"name": "images"}}]
    result = run_node(work, "train.py", annotations={"inputs": inputs}, SUBLIGHT_URL="not an address")

    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "data cannot be made ready" in result.stderr
    assert '"kind":"fail"' in (work.parent / "journal").read_text()


def test_a_shell_line_runs_in_the_same_surroundings(work: Path) -> None:
    result = run_node(work, "--shell", "echo $AZUREML_RUN_ID && echo a | tr a b; exit 4")

    assert result.stdout == "trying_1_abcd\nb\n"
    assert result.returncode == 4


def test_pythons_of_a_shell_line_have_the_old_names_and_another_sitecustomize_still_runs(work: Path) -> None:
    other = work / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import builtins; builtins.OTHER = 'ran'\n")
    line = f'{sys.executable} -c "import collections; print(collections.Mapping.__name__, OTHER)"'

    result = run_node(work, "--shell", line, PYTHONPATH=str(other))
    assert result.stdout == "Mapping ran\n"
    assert "collections.Mapping was removed in Python 3.10" in result.stderr

    switched_off = run_node(work, "--shell", line, PYTHONPATH=str(other), AZUREML_FACADE_COMPAT="off")
    assert "AttributeError" in switched_off.stderr


def test_wrong_words_are_told(work: Path) -> None:
    assert run_node(work).returncode == 2
    assert "usage" in run_node(work, "--shell").stderr
    missing = run_node(work, "missing.py")
    assert (missing.returncode, missing.stderr) == (
        2,
        "sublight: the script missing.py cannot be read: No such file or directory\n",
    )


PYTORCH_OF_TWO = {"run_definition": {"framework": "PyTorch", "communicator": "Gloo"}, "process_count": 2}
MPI_OF_TWO = {"run_definition": {"framework": "Python", "communicator": "IntelMpi"}, "process_count": 2}


def test_each_of_several_processes_finds_its_rank_and_all_the_same_meeting_place(work: Path) -> None:
    (work / "train.py").write_text(
        "import os, sys\n"
        "e = os.environ\n"
        "print(e['RANK'], e['LOCAL_RANK'], e['WORLD_SIZE'], e['NODE_RANK'], e['MASTER_ADDR'], e['OMP_NUM_THREADS'])\n"
        "print(sys.argv[1:], e['MASTER_PORT'], file=sys.stderr)\n"
    )
    result = run_node(work, "train.py", "$WHERE", annotations=PYTORCH_OF_TWO, WHERE="/$HOME", OMP_NUM_THREADS="5")

    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "0 0 2 0 127.0.0.1 2" in lines
    assert "[rank 1] 1 1 2 0 127.0.0.1 2" in lines
    (first,) = (line for line in lines if line.startswith("['/$HOME']"))
    assert f"[rank 1] {first}" in lines


def test_processes_of_mpi_find_what_its_launcher_sets_also_in_a_shell_line(work: Path) -> None:
    line = "echo $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE, $OMPI_COMM_WORLD_LOCAL_RANK of $OMPI_COMM_WORLD_LOCAL_SIZE"
    result = run_node(work, "--shell", line, annotations=MPI_OF_TWO)

    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.splitlines()) == ["0 of 2, 0 of 2", "[rank 1] 1 of 2, 1 of 2"]


def test_all_processes_report_to_the_run_and_have_the_dropped_names(work: Path) -> None:
    (work / "train.py").write_text(
        "import collections, os\n"
        "from azureml.core import Run\n"
        "run = Run.get_context()\n"
        "collections.Mapping\n"
        "for step in range(200):\n"
        "    run.log('loss of rank ' + os.environ['RANK'], step)\n"
    )
    result = run_node(work, "train.py", annotations=PYTORCH_OF_TWO)

    assert result.returncode == 0, result.stdout
    assert "sublight: collections.Mapping was removed" in result.stdout
    journal = (work.parent / "journal").read_text().splitlines()
    for rank in "01":
        values = [line.split("\t")[3] for line in journal if line.startswith(f"m\tloss of rank {rank}\t")]
        assert values == [str(float(step)) for step in range(200)]


@pytest.mark.parametrize("failing", ["0", "1"])
def test_the_first_failure_ends_the_other_processes_and_is_the_runs(work: Path, failing: str) -> None:
    (work / "train.py").write_text(
        "import os, subprocess, sys, time\n"
        f"if os.environ['RANK'] == '{failing}':\n"
        "    while not os.path.exists('ready'): time.sleep(0.01)\n"
        "    print('no labels', file=sys.stderr)\n"
        "    sys.exit(3)\n"
        "subprocess.run(['sh', '-c', 'touch ready; sleep 1000'])\n"
    )
    result = run_node(work, "train.py", annotations=PYTORCH_OF_TWO)

    assert result.returncode == 3
    assert (
        result.stdout.splitlines()[-1]
        == f"sublight: rank {failing} failed with exit code 3, which ended the others: no labels"
    )


def test_a_signal_to_end_reaches_all_processes_once(work: Path) -> None:
    (work.parent / "annotations.json").write_text(json.dumps({"azureml": PYTORCH_OF_TWO}))
    (work / "train.py").write_text(
        "import os, signal, sys, time\n"
        "rank = os.environ['RANK']\n"
        "def end(*_):\n"
        "    print('saved by', rank)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready')\n"
        "time.sleep(1000)\n"
    )
    node = subprocess.Popen(
        [sys.executable, "-m", "azureml._node", "train.py"],
        cwd=work,
        env={**os.environ, "SUBLIGHT_RUN_DIRECTORY": str(work.parent), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert node.stdout is not None
    assert {node.stdout.readline(), node.stdout.readline()} == {"ready\n", "[rank 1] ready\n"}
    os.killpg(node.pid, signal.SIGTERM)
    printed, _ = node.communicate(timeout=60)

    assert sorted(printed.splitlines()) == ["[rank 1] saved by 1", "saved by 0"]
    assert node.returncode == 0


def test_a_progress_bar_of_one_of_several_processes_keeps_its_returns(work: Path) -> None:
    (work / "train.py").write_text("import sys; sys.stdout.buffer.write(b'10%\\r20%\\rdone')\n")
    (work.parent / "annotations.json").write_text(json.dumps({"azureml": PYTORCH_OF_TWO}))
    printed = subprocess.check_output(
        [sys.executable, "-m", "azureml._node", "train.py"],
        cwd=work,
        env={**os.environ, "SUBLIGHT_RUN_DIRECTORY": str(work.parent)},
        timeout=60,
    )

    assert b"[rank 1] 10%\r[rank 1] 20%\r" in printed
    assert b"[rank 1] done\n" in printed
