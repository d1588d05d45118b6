"""Sentences about how an attempt ended, for the person whose run it is."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from sublight.core.amounts import bytes_in_words
from sublight.core.errors import SublightError
from sublight.host.processes import process_stat
from sublight.node.workspace import LOG_FILE

# With less than this left on a disk, writing fails or is about to.
_FULL_DISK_BYTES = 1_000_000
_LAST_BYTES = 4_000
_WORDS_MAX = 300


def exit_sentence(code: int | None, directory: Path) -> str:
    """What an exit code alone does not say; empty for a script that ended well or by its own doing."""
    if code is None:
        return "its main process could not be ended, not even by SIGKILL"
    if code == 0:
        return ""
    words = last_words(directory / LOG_FILE)
    parts = [f"the script ended with exit code {code}; its last line: {words}"] if words else []
    if free_bytes(directory) < _FULL_DISK_BYTES:
        parts.append(f"the script ended with exit code {code}; {_disk_sentence(directory)}")
    if code == 128 + signal.SIGKILL:
        parts.append(
            "exit code 137: either the script ended with it or something outside of Sublight sent it SIGKILL, as the "
            "system does when memory runs out"
        )
    return "; ".join(parts)


def last_words(log: Path) -> str:
    """The last line that a script printed, cut to a sentence's length; of a traceback that is the error itself."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    plain = "".join(character if character.isprintable() or character == "\n" else " " for character in text)
    lines = [" ".join(line.split()) for line in plain.split("\n") if line.strip()]
    last = lines[-1] if lines else ""
    return last if len(last) <= _WORDS_MAX else f"{last[: _WORDS_MAX - 1]}…"


def failure_sentence(error: Exception, directory: Path) -> str:
    """Why an attempt could not be started."""
    if isinstance(error, SublightError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the run could not be prepared; {_disk_sentence(directory)}"
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return (
            "the run could not be started: its arguments and environment variables are longer than this system takes; "
            "put large values into a file of the source folder"
        )
    if isinstance(error, OSError | ValueError):
        return f"the run could not be started: {error}"
    return f"the run could not be started: {type(error).__name__}: {error}"


def survivors_sentence(pids: Sequence[int]) -> str:
    """Names processes that even SIGKILL does not end; they wait for a device, or are frozen from outside."""
    states = []
    for pid in pids:
        stat = process_stat(pid)
        states.append(f"{pid} (state {stat.state if stat else 'gone'})")
    return f"these processes of the run did not end after SIGKILL: {', '.join(states)}"


def free_bytes(directory: Path) -> int:
    """What is free on the disk of a folder; plenty when nobody can tell."""
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return 1 << 62


def _disk_sentence(directory: Path) -> str:
    free = bytes_in_words(free_bytes(directory))
    return f"the disk of node {os.uname().nodename} has too little room ({free} free at {directory})"
