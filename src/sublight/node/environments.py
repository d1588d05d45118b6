"""Environments from the agent's side: wait for one, have it built when nobody has, hold it while a script runs in it."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sublight import __version__
from sublight.core.environment import environment_id
from sublight.core.resolution import CannotBuild
from sublight.host.facts import gpus_count
from sublight.host.nodes import node_mark
from sublight.messages.definitions import EnvironmentSpec
from sublight.node.environment_build import Request
from sublight.node.environment_folder import EnvironmentFolder, Facts
from sublight.node.launcher import interpreter
from sublight.node.settings import AgentSettings
from sublight.node.workspace import Unpacking

ENVIRONMENT_LOG_FILE = "environment_log"

# What every script can import, whatever its environment holds: the light part of each works from Python 3.8 without
# any other package.
_OUR_PACKAGES = ("sublight", "azureml")
_LOOK_SECONDS = 0.2
_PACKAGES_FOLDER = "packages"


@dataclass(frozen=True)
class BuiltEnvironment:
    """An environment that is ready and stays so until `release`. ``packages`` goes onto the script's PYTHONPATH."""

    folder: EnvironmentFolder
    facts: Facts
    packages: Path
    _lock: int

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder.python)

    def release(self) -> None:
        """The script has ended; from now on the environment may be removed for want of room. Called once."""
        os.close(self._lock)


def provide(
    spec: EnvironmentSpec,
    settings: AgentSettings,
    directory: Path,
    *,
    needs_client: bool,
    bytes_max: int,
    progress: Callable[[str], None],
    is_stopped: Callable[[], bool],
) -> BuiltEnvironment:
    """Make the environment of an attempt ready in its ``directory``; takes as long as it takes.

    Others that are not in use are removed when all together have more than ``bytes_max``. ``progress`` gets a sentence
    whenever there is something new to wait for. Raises CannotBuild with a sentence for the user, OSError (disk), and
    Unpacking when ``is_stopped`` says so.
    """
    root = settings.directory.parent / "environments"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    has_gpu = bool(gpus_count() if settings.gpus is None else settings.gpus)
    key = environment_id(spec, *_facts(has_gpu=has_gpu, needs_client=needs_client))
    folder = EnvironmentFolder(root, key)
    log = directory / ENVIRONMENT_LOG_FILE
    _note(log, [f"environment {spec.name}", *spec.notes])
    packages = _our_packages(root)
    is_built_here = False
    while True:
        if is_stopped():
            raise Unpacking(f"the run was stopped while its environment {spec.name!r} was being made ready")
        lock = folder.try_lock(is_exclusive=False)
        facts = folder.facts() if lock is not None else None
        if lock is not None and facts is not None:
            folder.touch()
            if not is_built_here:
                when = time.strftime("%Y-%m-%d %H:%M", time.localtime(facts.built))
                told = [f"built on {when} in {facts.seconds:.1f} s, and used again"]
                _note(
                    log, [f"Python {facts.python}, {len(facts.packages)} packages", *facts.changes, *facts.notes, *told]
                )
            _note(log, [f"{name} {version}" for name, version in sorted(facts.packages.items())])
            return BuiltEnvironment(folder, facts, packages, lock)
        if lock is None:
            progress(f"waits for environment {spec.name}, which is being built for another run")
            time.sleep(_LOOK_SECONDS)
            continue
        os.close(lock)
        request = Request(
            root=str(root),
            key=key,
            spec=spec,
            log=str(log),
            python=interpreter(),
            has_gpu=has_gpu,
            needs_client=needs_client,
            bytes_max=bytes_max,
        )
        is_built_here = _build(request, node_mark(settings.node_id, settings.directory), progress, is_stopped)


def _build(
    request: Request, mark: Mapping[str, str], progress: Callable[[str], None], is_stopped: Callable[[], bool]
) -> bool:
    """Let a process build it, and wait for that; False when another one has built it in the meantime.

    The process and all of its children are ended when the run is stopped.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sublight.node.environment_build"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **mark},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(request.to_json())
        process.stdin.close()
        last = _follow(process.stdout.fileno(), progress, is_stopped)
    finally:
        # What ended by itself is gone by now; the agent's main thread collects it like all of its children.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        process.stdout.close()
        process.poll()
    if is_stopped():
        raise Unpacking(f"the run was stopped while its environment {request.spec.name!r} was being built")
    if "failure" in last:
        raise CannotBuild(str(last["failure"]))
    if not last.get("ready"):
        words = str(last.get("words", "")).strip() or "it was killed"
        raise CannotBuild(f"building the environment {request.spec.name!r} ended early: {words}")
    return bool(last.get("is_built"))


def _follow(descriptor: int, progress: Callable[[str], None], is_stopped: Callable[[], bool]) -> dict[str, Any]:
    """Read the builder's lines until it ends; returns the last of them."""
    rest = b""
    last: dict[str, Any] = {}
    while not is_stopped():
        readable, _, _ = select.select([descriptor], [], [], _LOOK_SECONDS)
        if not readable:
            continue
        data = os.read(descriptor, 65536)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            try:
                last = json.loads(line)
            except ValueError:
                last = {"words": line.decode(errors="replace")}
            if "progress" in last:
                progress(str(last["progress"]))
    return last


def _facts(*, has_gpu: bool, needs_client: bool) -> list[str]:
    """What decides, beside the spec, what an environment becomes on this machine."""
    return [
        __version__,
        interpreter(),
        platform.python_version(),
        platform.machine(),
        "gpu" if has_gpu else "cpu",
        "client" if needs_client else "",
    ]


def _our_packages(root: Path) -> Path:
    """A folder that holds our packages and no other, made if need be; links, so that nothing is copied."""
    folder = root / _PACKAGES_FOLDER
    folder.mkdir(exist_ok=True)
    for name in _OUR_PACKAGES:
        found = importlib.util.find_spec(name)
        if found is None or not found.submodule_search_locations:
            continue  # the facade need not be installed
        place = os.path.realpath(next(iter(found.submodule_search_locations)))
        link = folder / name
        if os.path.realpath(link) != place:
            draft = folder / f"{name}.{secrets.token_hex(4)}"
            draft.symlink_to(place)
            os.replace(draft, link)
    return folder


def _note(log: Path, lines: list[str]) -> None:
    with open(log, "a", encoding="utf-8", errors="replace") as file:
        file.writelines(f"{line}\n" for line in lines)
