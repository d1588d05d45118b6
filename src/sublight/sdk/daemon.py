"""Starting the embedded server of a project, once, however many clients ask for it at the same time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from sublight.core.amounts import bytes_in_words
from sublight.core.errors import ServerUnavailable
from sublight.messages.journal import (
    ATTEMPT_VARIABLE,
    EXPERIMENT_VARIABLE,
    PARENT_RUN_ID_VARIABLE,
    RUN_DIRECTORY_VARIABLE,
    RUN_ID_VARIABLE,
)
from sublight.sdk.discovery import FOLDER, LOG_FILE, check_ownership, running_endpoint
from sublight.sdk.endpoint import Endpoint

START_TIMEOUT_SECONDS = 60.0
_LOCK_FILE = "start.lock"
_POLL_SECONDS = 0.05
_QUIET_SECONDS = 1.0
_LOG_LINES_SHOWN = 8
# With less than this left, a server cannot even begin.
_FULL_DISK_BYTES = 1_000_000


def serve_command(project: Path) -> list[str]:
    """The command of the embedded server; ``-P`` keeps a ``queue.py`` of the user's project out of our imports."""
    return [sys.executable, "-P", "-m", "sublight", "serve", "--project", str(project)]


def start_server(
    project: Path,
    *,
    command: Sequence[str] | None = None,
    timeout_seconds: float = START_TIMEOUT_SECONDS,
    notice: TextIO | None = None,
) -> Endpoint:
    """Start the project's server as a daemon and wait until it answers; find it when it is up already.

    A line goes to ``notice`` (standard error) when that takes longer than a second. ServerUnavailable, with the last
    lines of the server's log, when it does not come up.
    """
    folder = prepare_folder(project)
    patience = _Patience(project, timeout_seconds, notice if notice is not None else sys.stderr)
    with _start_lock(folder / _LOCK_FILE, patience):
        endpoint = running_endpoint(project)
        if endpoint is not None:
            return endpoint
        log = folder / LOG_FILE
        log_start = log.stat().st_size if log.exists() else 0
        process = _launch(command or serve_command(project), project, log)
        while True:
            has_ended = process.poll() is not None
            endpoint = running_endpoint(project)
            if endpoint is not None:
                return endpoint
            if has_ended:
                raise ServerUnavailable(
                    f"the Sublight server of {project} ended with code {process.returncode} while it started"
                    + _last_words(log, log_start)
                )
            patience.wait(lambda: f"the Sublight server of {project} did not answer" + _last_words(log, log_start))


def prepare_folder(project: Path) -> Path:
    """Make ``.sublight``, readable by the user only and invisible to git."""
    check_ownership(project)
    folder = project / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise ServerUnavailable(
            f"the workspace's folder {folder} cannot be made ({error.strerror}); "
            "go to a folder that you may write to, or set SUBLIGHT_URL and SUBLIGHT_TOKEN"
        ) from error
    return folder


class _Patience:
    """Waits in small steps, says so once it takes long, and gives up at the end."""

    def __init__(self, project: Path, timeout_seconds: float, notice: TextIO) -> None:
        self._project = project
        self._started = time.monotonic()
        self._timeout_seconds = timeout_seconds
        self._notice = notice
        self._has_spoken = False

    def wait(self, sentence: Callable[[], str]) -> None:
        """Sleep a step; after the time is up raise ServerUnavailable with ``sentence``."""
        waited = time.monotonic() - self._started
        if waited > self._timeout_seconds:
            raise ServerUnavailable(sentence().replace("did not answer", f"did not answer in {waited:.0f} seconds"))
        if waited > _QUIET_SECONDS and not self._has_spoken:
            self._has_spoken = True
            print(f"starting the Sublight server of {self._project} …", file=self._notice, flush=True)
        time.sleep(_POLL_SECONDS)


@contextmanager
def _start_lock(file: Path, patience: _Patience) -> Iterator[None]:
    """Only one client at a time starts a server; the others wait and then find it."""
    import fcntl

    with file.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                patience.wait(
                    lambda: f"the Sublight server, which another program is starting ({file}), did not answer"
                )
        yield


def _launch(command: Sequence[str], project: Path, log: Path) -> subprocess.Popen[bytes]:
    """A process of its own session, so that neither Ctrl-C nor the end of this program ends it."""
    # A server that a training script starts is not part of that script's run.
    own = {ATTEMPT_VARIABLE, EXPERIMENT_VARIABLE, PARENT_RUN_ID_VARIABLE, RUN_DIRECTORY_VARIABLE, RUN_ID_VARIABLE}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            raise ServerUnavailable(
                f"the Sublight server of {project} could not be started: {error.strerror}; end other programs, or raise "
                "the limits of this user (ulimit), and try again"
            ) from error
    # Whoever waits for a child takes its exit; without that it would stay as a zombie while this program lives.
    threading.Thread(target=process.wait, name="sublight-server-reaper", daemon=True).start()
    return process


def _last_words(log: Path, start: int) -> str:
    free_bytes = shutil.disk_usage(log.parent).free
    if free_bytes < _FULL_DISK_BYTES:
        # The log itself could not be written then, and what is in it breaks off anywhere.
        return f"; the disk that holds {log.parent} is full ({bytes_in_words(free_bytes)} free): free some space"
    try:
        with log.open("rb") as file:
            file.seek(start)
            lines = file.read()[-8192:].decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    if not lines:
        return f"; its log {log} is empty"
    return f"; the last lines of {log}:\n  " + "\n  ".join(lines[-_LOG_LINES_SHOWN:])
