"""What ``python -m azureml._node`` does, in order."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

from azureml._annotations import read_annotations
from azureml._node.data import NodeData
from azureml._node.processes import run_processes
from azureml._node.script import run_script
from azureml._node.variables import rank_variables, v1_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

COMPAT_VARIABLE = "AZUREML_FACADE_COMPAT"
PROCESSES_KEY = "process_count"
# What the node sets to a run's share of its threads; its processes share that.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
_SITE_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")


def main(argv: list[str] | None = None) -> NoReturn:
    """Prepare the surroundings, run the script or shell line, take in its outputs, end with its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if not words or (words[0] == "--shell" and len(words) != 2):
        print("usage: python -m azureml._node (--shell LINE | SCRIPT [ARGUMENT ...])", file=sys.stderr)
        sys.exit(2)
    annotations = read_annotations()
    for note in annotations.get("notes") or []:
        print(f"sublight: {note}", flush=True)
    _set_variables(annotations)
    data = NodeData(annotations)
    try:
        data.provide()
    except Exception as error:
        print(f"sublight: the run's data cannot be made ready: {error}", file=sys.stderr, flush=True)
        _say_failure(f"the run's data cannot be made ready: {error}")
        sys.exit(1)
    has_compat = annotations.get("compat", True) and os.environ.get(COMPAT_VARIABLE, "").lower() not in ("off", "0")
    if has_compat:
        # Processes that the script starts get it from there: workers of joblib, a shell's Pythons.
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_SITE_FOLDER, os.environ.get("PYTHONPATH")]))
    else:
        os.environ[COMPAT_VARIABLE] = "off"
    count = int(annotations.get(PROCESSES_KEY) or 1)
    if count > 1:
        is_line = words[0] == "--shell"
        # Plain Python: it has the dropped names by the site folder.
        command = (
            [_shell(), "-c", data.in_line(words[1])]
            if is_line
            else [sys.executable, words[0], *data.in_arguments(words[1:])]
        )
        code = run_processes(command, [_environment_of(rank, count, annotations) for rank in range(count)])
    elif words[0] == "--shell":
        code = _run_line(data.in_line(words[1]))
    else:
        if has_compat:
            from azureml._node.compat import install

            install()
        code = run_script(words[0], data.in_arguments(words[1:]))
    code = _finish(data, code)
    sys.exit(code)


def _set_variables(annotations: dict[str, Any]) -> None:
    """What the submitter set wins; what stands there from another run, in which this one was started, does not."""
    own = _own_variables(annotations)
    for name, value in v1_variables(annotations, os.environ).items():
        if name not in own and (name.startswith("AZUREML_") or name not in os.environ):
            os.environ[name] = value


def _environment_of(rank: int, count: int, annotations: dict[str, Any]) -> dict[str, str]:
    """The variables of one of several processes."""
    own = _own_variables(annotations)
    threads = {
        name: str(max(1, int(os.environ[name]) // count))
        for name in _THREAD_VARIABLES
        if name not in own and os.environ.get(name, "").isdigit()
    }
    definition = annotations.get("run_definition") or {}
    return {**os.environ, **threads, **rank_variables(definition, rank, count)}


def _own_variables(annotations: dict[str, Any]) -> dict[str, Any]:
    """What the submitter set."""
    return (annotations.get("run_definition") or {}).get("environmentVariables") or {}


def _shell() -> str:
    return shutil.which("bash") or "/bin/sh"


def _run_line(line: str) -> int:
    process = subprocess.Popen([_shell(), "-c", line])
    # The whole process group is told to end; the shell decides how, and this process reports its answer.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _finish(data: NodeData, code: int) -> int:
    """Take in the outputs; one that cannot be kept fails a run that would have been fine."""
    try:
        data.collect()
    except Exception as error:
        print(f"sublight: an output of the run cannot be kept: {error}", file=sys.stderr, flush=True)
        _say_failure(f"an output of the run cannot be kept: {error}")
        return code or 1
    return code


def _say_failure(sentence: str) -> None:
    from sublight.sdk.training_run import run

    if not run.is_offline:
        run.fail(sentence)
