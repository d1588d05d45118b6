"""Starting a script's process, noticing its end, and ending it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sublight.node.isolation import Cage, Isolation


@dataclass(frozen=True, kw_only=True)
class Command:
    """A process to start. ``name`` is unique on the node; ``mark`` are those of its variables that no other has."""

    name: str
    argv: list[str]
    environment: dict[str, str]
    mark: dict[str, str]
    directory: Path
    log: Path


class Process(Protocol):
    """A started process with all that comes of it."""

    @property
    def pid(self) -> int:
        """The number of the main process."""

    def terminate(self) -> None:
        """SIGTERM to the main process's group, as a terminal does it."""

    def kill_all(self) -> None:
        """SIGKILL to everything; returns at once, called again until `is_gone`."""

    def is_gone(self) -> bool:
        """True when no process is left, the main process's children included."""

    def survivors(self) -> list[int]:
        """The processes that are left."""

    def close(self) -> None:
        """Give back what held the processes; they are gone."""


class Launcher(Protocol):
    """What the executor needs of the operating system; a test gives it another one."""

    def start(self, command: Command) -> Process:
        """Start a process. Raises OSError when that is impossible."""

    def ended(self) -> dict[int, int]:
        """The main processes that have ended since the last call, with their exit codes (128 + n after signal n)."""


class SystemLauncher:
    """The real one. All calls come from the agent's main thread, to which the death signal of its children is tied."""

    def __init__(self, isolation: Isolation, death_prefix: list[str]) -> None:
        self._isolation = isolation
        self._death_prefix = death_prefix
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: Command) -> Process:
        """Start in a session of its own, without input, with both outputs appended to the log."""
        check_program(command)
        cage = self._isolation.cage(command.name, command.mark)
        try:
            with open(command.log, "ab") as log:
                process = subprocess.Popen(
                    [*cage.prefix, *self._death_prefix, *command.argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=command.directory,
                    env=command.environment,
                    start_new_session=True,
                )
        except OSError:
            cage.close()
            raise
        cage.watch(process.pid)
        self._started[process.pid] = process
        return _SystemProcess(process.pid, cage)

    def ended(self) -> dict[int, int]:
        """Collect every ended child: main processes, and orphans that the agent took in as the subreaper."""
        codes: dict[int, int] = {}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return codes
            if pid == 0:
                return codes
            process = self._started.pop(pid, None)
            if process is not None:
                code = os.waitstatus_to_exitcode(status)
                process.returncode = code  # so that the object does not wait for it again
                codes[pid] = code if code >= 0 else 128 - code


class _SystemProcess:
    def __init__(self, pid: int, cage: Cage) -> None:
        self.pid = pid
        self._cage = cage

    def terminate(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            return  # it has ended

    def kill_all(self) -> None:
        self._cage.kill()

    def is_gone(self) -> bool:
        return self._cage.is_empty()

    def survivors(self) -> list[int]:
        return self._cage.members()

    def close(self) -> None:
        self._cage.close()


def check_program(command: Command) -> None:
    """Raise FileNotFoundError or PermissionError when the program of ``command`` cannot be executed.

    Asked beforehand, because the words that put it into its cage would succeed and fail only inside.
    """
    program = command.argv[0]
    place = str(command.directory / program) if "/" in program else program
    if shutil.which(place, path=command.environment.get("PATH")) is None:
        if os.path.exists(place):
            raise PermissionError(f"{program} is not an executable file")
        raise FileNotFoundError(f"there is no program {program}")


def interpreter() -> str:
    """The Python of the environment ``current``: the one that runs this agent."""
    return sys.executable


def shell(environment: Mapping[str, str]) -> str:
    """The shell for command lines: bash where there is one, because lines are commonly written for it."""
    return shutil.which("bash", path=environment.get("PATH")) or "/bin/sh"
