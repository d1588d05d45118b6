"""From an order to the process that it means: the command line and the environment of a script."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sublight.core.errors import InvalidInput
from sublight.host.nodes import node_mark
from sublight.messages.journal import (
    ATTEMPT_VARIABLE,
    EXPERIMENT_VARIABLE,
    PARENT_RUN_ID_VARIABLE,
    RUN_DIRECTORY_VARIABLE,
    RUN_ID_VARIABLE,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    WORK_FOLDER,
)
from sublight.messages.nodes import Order
from sublight.node.environments import BuiltEnvironment
from sublight.node.launcher import Command, interpreter, shell
from sublight.node.settings import AgentSettings, server_url
from sublight.node.workspace import LOG_FILE

# Libraries read these at their first import; without them each run of a shared machine would take all its cores.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
# What tells a Python of another environment than its own.
_OF_AN_ENVIRONMENT = (
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "__PYVENV_LAUNCHER__",
)


def build_command(
    order: Order,
    directory: Path,
    settings: AgentSettings,
    inherited: Mapping[str, str],
    built: BuiltEnvironment | None = None,
) -> Command:
    """The process that the order asks for, in the attempt's unpacked ``directory``.

    ``inherited`` is the agent's own environment, ``built`` the one that was built for the script, if it has one of its
    own. Raises InvalidInput with a sentence for the user.
    """
    if order.environment != ("current" if built is None else "built"):
        raise InvalidInput(
            f"this node offers the environments 'current' (its own Python) and 'built', got {order.environment!r}"
        )
    work = directory / WORK_FOLDER
    mark = attempt_mark(order, settings)
    environment = script_environment(order, directory, settings, inherited, built) | mark
    argv = [word.replace("{shell}", shell(environment)) for word in order.argv[:1]] + order.argv[1:]
    if argv[:1] == ["{python}"]:
        argv[0] = interpreter() if built is None else built.python
        _check_script(argv[1:], work, [file.path for file in order.snapshot_files])
    return Command(
        name=directory.name,
        argv=argv,
        environment=environment,
        mark=mark,
        directory=work,
        log=directory / LOG_FILE,
    )


def attempt_mark(order: Order, settings: AgentSettings) -> dict[str, str]:
    """The variables that every process of this attempt carries, and none of another."""
    return {
        **node_mark(settings.node_id, settings.directory),
        RUN_ID_VARIABLE: order.run_id,
        ATTEMPT_VARIABLE: str(order.attempt),
    }


def script_environment(
    order: Order,
    directory: Path,
    settings: AgentSettings,
    inherited: Mapping[str, str],
    built: BuiltEnvironment | None = None,
) -> dict[str, str]:
    """What the script finds around it. What the user set wins over the node's share, and ours over what it is told.

    Nothing named ``SUBLIGHT_…`` is inherited: such variables hold tokens, or speak of the agent's own surroundings.
    """
    environment = {name: value for name, value in inherited.items() if not name.startswith("SUBLIGHT_")}
    if built is not None:
        # Nothing of the agent's own packages may be seen from an environment that does not ask for them.
        for name in _OF_AN_ENVIRONMENT:
            environment.pop(name, None)
        environment["VIRTUAL_ENV"] = str(built.folder.path)
    folder = os.path.dirname(interpreter() if built is None else built.python)
    environment["PATH"] = os.pathsep.join([folder, environment.get("PATH", os.defpath)])
    environment["PYTHONUNBUFFERED"] = "1"
    threads = max(1, settings.threads // max(1, order.share))
    environment.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    if settings.gpus == 0:
        # A CPU node on a machine with GPUs must not use them, or comparing the two would be idle.
        environment["CUDA_VISIBLE_DEVICES"] = ""
    environment.update(order.environment_variables)
    if built is not None:
        own = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(built.packages), *([own] if own else [])])
    environment[EXPERIMENT_VARIABLE] = order.experiment
    environment[RUN_DIRECTORY_VARIABLE] = str(directory)
    for name in (PARENT_RUN_ID_VARIABLE, URL_VARIABLE, TOKEN_VARIABLE):
        environment.pop(name, None)
    if order.parent_id is not None:
        environment[PARENT_RUN_ID_VARIABLE] = order.parent_id
    if order.run_token:
        environment[URL_VARIABLE] = server_url(settings)
        environment[TOKEN_VARIABLE] = order.run_token
    return environment


def _check_script(arguments: Sequence[str], work: Path, paths: Sequence[str]) -> None:
    """Say what is wrong in one sentence, where Python would print a line into a log."""
    if not arguments or arguments[0].startswith("-"):
        return  # python -m module, or -c code
    script = arguments[0]
    if (work / script).exists():
        return
    near = difflib.get_close_matches(script, paths, n=3, cutoff=0.6)
    near += [path for path in paths if os.path.basename(path) == os.path.basename(script) and path not in near]
    if near:
        raise InvalidInput(f"the script {script!r} is not in the snapshot; did you mean {' or '.join(near[:3])}?")
    held = ", ".join(sorted(paths)[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
    raise InvalidInput(f"the script {script!r} is not in the snapshot, which holds {held or 'no file'}")
