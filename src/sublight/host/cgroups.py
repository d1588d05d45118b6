"""Control groups of Linux (version 2), used as boxes: whatever a process starts stays in its box and dies with it.

A machine may have the tree at ``/sys/fs/cgroup`` or, beside version 1, at ``/sys/fs/cgroup/unified``. Only the box
itself and ``cgroup.kill`` (Linux 5.14) are needed, no controller, so a plain user with a delegated tree has it too.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

_MOUNTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
_PAUSE_SECONDS = 0.002

# Run by /bin/sh as: sh -c SCRIPT sh FILE COMMAND…; the shell enters the group named by FILE and becomes the command.
ENTER_SCRIPT = 'echo 0 > "$1" && shift && exec "$@"'


class ControlGroup:
    """One group, named by its directory; making, killing and removing twice is harmless."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Make the group. Raises OSError when this process may not."""
        self.path.mkdir(exist_ok=True)

    @property
    def entrance(self) -> str:
        """The file into which a process writes 0 to enter."""
        return f"{self.path}/cgroup.procs"

    def is_empty(self) -> bool:
        """True when no process lives in the group or below it, or the group is gone."""
        try:
            return b"populated 0" in (self.path / "cgroup.events").read_bytes()
        except OSError:
            return True

    def members(self) -> list[int]:
        """The processes in the group and below it."""
        found: list[int] = []
        for folder, _, _ in os.walk(self.path):
            try:
                found += [int(line) for line in Path(folder, "cgroup.procs").read_bytes().split()]
            except OSError:
                continue  # removed meanwhile
        return found

    def kill(self) -> None:
        """SIGKILL every process in the group and below it, at once; returns before they are gone."""
        try:
            (self.path / "cgroup.kill").write_bytes(b"1")
        except OSError:
            return  # the group is gone, and with it everything that was in it

    def kill_and_wait(self, timeout_seconds: float) -> bool:
        """Kill, then wait until the group is empty; False when something survived that long."""
        deadline = time.monotonic() + timeout_seconds
        while not self.is_empty():
            self.kill()
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True

    def remove(self) -> None:
        """Remove the group and what a process made below it; one that is not empty stays."""
        for folder, _, _ in os.walk(self.path, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return


def find_base(mounts: tuple[Path, ...] = _MOUNTS) -> Path | None:
    """The directory in which this process can make groups that can be killed as a whole; None where it cannot.

    Tried, not guessed: a group is made, a process is put into it, and the group is removed again.
    """
    own = _own_path()
    if own is None:
        return None
    for mount in mounts:
        base = mount / own
        if (base / "cgroup.procs").exists() and _works(base):
            return base
    return None


def _own_path() -> str | None:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("0::"):
            path = line[3:].strip("/")
            # Seen from inside a container, a group outside of it shows as "/..": not ours to use.
            return None if ".." in path.split("/") else path
    return None


def _works(base: Path) -> bool:
    group = ControlGroup(base / f"sublight-probe-{os.getpid()}")
    try:
        group.create()
        if not (group.path / "cgroup.kill").exists():
            return False
        command = ["/bin/sh", "-c", ENTER_SCRIPT, "sh", group.entrance, "true"]
        return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
    finally:
        group.remove()
