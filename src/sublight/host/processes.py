"""Processes: is this one still the one we started, who carries a mark, and how to end them all.

A *mark* is a set of environment variables with which a process was started. Children inherit it, however often they
fork, change their session or their parent, so it finds what process groups and parents lose. Linux answers from
``/proc``; elsewhere psutil does.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

_PAUSE_SECONDS = 0.005
_QUIET_LOOKS = 3


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """What the kernel says of a process. ``started`` is in ticks since boot and never changes during its life."""

    state: str
    parent: int
    started: float

    @property
    def is_alive(self) -> bool:
        """False for a process that has ended and only waits for its parent to notice."""
        return self.state not in ("Z", "X")


def process_stat(pid: int) -> ProcessStat | None:
    """The process's present state, None when there is none of that number."""
    if not _has_proc():
        return _stat_by_psutil(pid)
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            content = file.read()
    except OSError:
        return None
    # The name in parentheses may hold anything, parentheses too; the numbers follow the last one.
    fields = content[content.rfind(b")") + 2 :].split()
    return ProcessStat(state=fields[0].decode(), parent=int(fields[1]), started=float(fields[19]))


def boot_id() -> str:
    """A text that differs after each boot of this machine; empty where the system tells none."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


def is_same_process(pid: int, started: float) -> bool:
    """True when the process that was started at ``started`` under this number is alive; False for a zombie."""
    stat = process_stat(pid)
    return stat is not None and stat.is_alive and stat.started == started


def look_around(mark: Mapping[str, str]) -> tuple[dict[int, ProcessStat], list[int]]:
    """All living processes that this one can see, and those of them that carry ``mark`` (see `marked_processes`).

    One look at each process, because what forks quickly may be gone at a second one.
    """
    wanted = _words(mark)
    living: dict[int, ProcessStat] = {}
    marked: list[int] = []
    for pid in _all_numbers():
        is_marked = pid != os.getpid() and wanted <= _environment(pid)
        stat = process_stat(pid)
        if stat is not None and stat.is_alive:
            living[pid] = stat
        if is_marked:
            marked.append(pid)
    return living, marked


def marked_processes(mark: Mapping[str, str]) -> list[int]:
    """The living processes that were started with all of these environment variables, this process excepted.

    Processes of other users cannot be read and are left out, as are those that replaced their environment.
    """
    wanted = _words(mark)
    return [pid for pid in _all_numbers() if pid != os.getpid() and wanted <= _environment(pid)]


def descendants(root: int, living: Mapping[int, ProcessStat]) -> list[int]:
    """The children of ``root`` among the living, their children and so on; without ``root``."""
    children: dict[int, list[int]] = {}
    for pid, stat in living.items():
        children.setdefault(stat.parent, []).append(pid)
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.extend(below)
        waiting.extend(below)
    return found


def kill_until_gone(
    find: Callable[[], Collection[int]], timeout_seconds: float, pause: Callable[[float], None] = time.sleep
) -> list[int]:
    """SIGKILL what ``find`` returns until it returns nothing; the survivors after ``timeout_seconds``, normally none.

    Asking again and again also catches children that were born while their parents were being killed. Nothing found
    counts only when it was so several times: processes that fork and exit in turn can all slip through one look.
    """
    deadline = time.monotonic() + timeout_seconds
    quiet_looks = 0
    while quiet_looks < _QUIET_LOOKS:
        found = find()
        if found and time.monotonic() > deadline:
            return list(found)
        send_signal(found, signal.SIGKILL)
        quiet_looks = 0 if found else quiet_looks + 1
        pause(_PAUSE_SECONDS)
    return []


def send_signal(pids: Iterable[int], number: int) -> None:
    """Send a signal to each process; those that are gone by now are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue  # gone, or its number now belongs to somebody else's process


def _all_numbers() -> Iterator[int]:
    if not _has_proc():
        import psutil

        yield from psutil.pids()
        return
    for name in os.listdir("/proc"):
        if name.isdecimal():
            yield int(name)


def _words(mark: Mapping[str, str]) -> set[bytes]:
    return {f"{name}={value}".encode() for name, value in mark.items()}


def _environment(pid: int) -> set[bytes]:
    if not _has_proc():
        return _environment_by_psutil(pid)
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return set(file.read().split(b"\0"))
    except OSError:
        return set()


def _has_proc() -> bool:
    return os.path.exists("/proc/self/stat")


def _stat_by_psutil(pid: int) -> ProcessStat | None:
    import psutil

    try:
        process = psutil.Process(pid)
        state = "Z" if process.status() == psutil.STATUS_ZOMBIE else "R"
        return ProcessStat(state=state, parent=process.ppid(), started=process.create_time())
    except psutil.Error:
        return None


def _environment_by_psutil(pid: int) -> set[bytes]:
    import psutil

    try:
        return {f"{name}={value}".encode() for name, value in psutil.Process(pid).environ().items()}
    except (psutil.Error, OSError):
        return set()
