"""How all processes of an attempt are found and ended, by the best way that this machine allows.

- ``cgroup``: each attempt lives in its own control group (version 2), which the kernel kills as a whole.
- ``sweep``: the agent is the subreaper, so that orphans become its children; an attempt's processes are the descendants
  of its main process and whatever carries its mark in the environment. A process that hides from both ways (it
  cleared its environment and left its parents) is ended when the node has no other attempt.

Process groups are not enough: a daemon leaves them with one call.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from sublight.host.cgroups import ENTER_SCRIPT, ControlGroup, find_base
from sublight.host.nodes import make_node_group
from sublight.host.processes import (
    ProcessStat,
    descendants,
    look_around,
    process_stat,
    send_signal,
)
from sublight.node.log import log

_PR_SET_CHILD_SUBREAPER = 36


class Cage(Protocol):
    """Holds the processes of one attempt. Used by the agent's main thread only."""

    @property
    def prefix(self) -> list[str]:
        """What stands before a command so that it starts inside."""

    def watch(self, main: int) -> None:
        """The main process has started under this number."""

    def is_empty(self) -> bool:
        """True when no process of the attempt is alive."""

    def kill(self) -> None:
        """SIGKILL all of them; returns at once. Called again until `is_empty`."""

    def members(self) -> list[int]:
        """The living processes, for a sentence about those that cannot be ended."""

    def close(self) -> None:
        """The cage is empty and not needed any more."""


class Isolation(Protocol):
    """A way to hold attempts; ``name`` is shown as a fact of the node."""

    name: str

    def cage(self, name: str, mark: Mapping[str, str]) -> Cage:
        """A cage for an attempt whose processes start with the variables of ``mark``. Raises OSError."""

    def close(self) -> None:
        """The agent exits and no cage is open any more."""


def choose_isolation(node_id: str, directory: Path, forced: str | None = None) -> Isolation:
    """The best way that works here, tried out; ``forced`` asks for one by name."""
    _become_subreaper()
    base = find_base() if forced in (None, "cgroup") else None
    if base is None:
        return SweepIsolation()
    try:
        return CgroupIsolation(make_node_group(base, node_id, directory))
    except OSError as error:
        log("no cgroup for this node", error=str(error))
        return SweepIsolation()


def death_prefix() -> list[str]:
    """What stands before a command so that the kernel kills its process when the agent dies; empty where it cannot.

    The signal is tied to the *thread* that starts the process, so only the agent's main thread may start one.
    """
    program = shutil.which("setpriv")
    if program is None:
        return []
    prefix = [program, "--pdeathsig", "KILL", "--"]
    try:
        tried = subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return prefix if tried.returncode == 0 else []


class CgroupIsolation:
    """Cages are groups below the node's group."""

    name = "cgroup"

    def __init__(self, group: ControlGroup) -> None:
        self._group = group

    def cage(self, name: str, mark: Mapping[str, str]) -> Cage:  # noqa: ARG002  # the group needs no mark
        """Make a group of that name."""
        group = ControlGroup(self._group.path / name)
        self._group.create()  # somebody who tidies up may have removed it while it was empty
        group.create()
        return _GroupCage(group)

    def close(self) -> None:
        """Remove the node's group."""
        self._group.remove()


class _GroupCage:
    def __init__(self, group: ControlGroup) -> None:
        self._group = group

    @property
    def prefix(self) -> list[str]:
        return ["/bin/sh", "-c", ENTER_SCRIPT, "sh", self._group.entrance]

    def watch(self, main: int) -> None:
        """The group knows its processes without being told."""

    def is_empty(self) -> bool:
        return self._group.is_empty()

    def kill(self) -> None:
        self._group.kill()

    def members(self) -> list[int]:
        return self._group.members()

    def close(self) -> None:
        self._group.remove()


class SweepIsolation:
    """Cages are searches over all processes."""

    name = "sweep"

    def __init__(self) -> None:
        self._open: set[SweepCage] = set()

    def cage(self, name: str, mark: Mapping[str, str]) -> Cage:  # noqa: ARG002  # the mark says it all
        """Begin to watch for that mark."""
        cage = SweepCage(self, mark)
        self._open.add(cage)
        return cage

    def close(self) -> None:
        """There is nothing to remove."""

    def forget(self, cage: SweepCage) -> None:
        """The cage was closed."""
        self._open.discard(cage)

    def strays(self, asking: SweepCage, living: Mapping[int, ProcessStat]) -> list[int]:
        """Orphans that this agent took in and whose attempt is unknown; told to the last open cage only."""
        if self._open - {asking}:
            return []
        own = os.getpid()
        mains = {cage.main for cage in self._open}
        return [pid for pid, stat in living.items() if stat.parent == own and pid not in mains]


class SweepCage:
    """The processes of one attempt, found anew at each look."""

    prefix: list[str] = []  # noqa: RUF012  # nothing to enter

    def __init__(self, isolation: SweepIsolation, mark: Mapping[str, str]) -> None:
        self._isolation = isolation
        self._mark = dict(mark)
        # Descendants seen so far by start time: they are still ours after their parents have ended.
        self._seen: dict[int, float] = {}
        # What the last look found, for the kill that follows it; by then a fresh look would cost as much again.
        self._found: list[int] = []
        self.main = 0

    def watch(self, main: int) -> None:
        self.main = main
        stat = process_stat(main)
        if stat is not None:
            self._seen[main] = stat.started

    def is_empty(self) -> bool:
        self._found = self.members()
        # Processes that fork and exit in turn can all slip through one look; but each that does leaves a dead child here.
        return not self._found and not _has_dead_children()

    def kill(self) -> None:
        found, self._found = self._found or self.members(), []
        send_signal(found, signal.SIGKILL)

    def members(self) -> list[int]:
        living, marked = look_around(self._mark)
        # A number alone proves nothing: it may have passed to a stranger since.
        self._seen = {
            pid: started for pid, started in self._seen.items() if pid in living and living[pid].started == started
        }
        for pid in list(self._seen):
            self._seen.update({below: living[below].started for below in descendants(pid, living)})
        return sorted({*self._seen, *marked, *self._isolation.strays(self, living)})

    def close(self) -> None:
        self._isolation.forget(self)


def _has_dead_children() -> bool:
    """True when a child of this process has ended and was not collected yet."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def _become_subreaper() -> None:
    """Orphans below this process become its children instead of vanishing to process 1 (Linux only)."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
