"""Several processes of one script on this node: as a launcher of distributed training starts them, without one.

Each process has its own rank in its variables and a process group of its own. What rank 0 prints stands in the log as it
is; the lines of the others begin with ``[rank n]``. The first failure ends the others, and its exit code is the run's.

Readable by Python 3.8, standard library only.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# Between SIGTERM and SIGKILL, for the others when one has failed.
_GRACE_SECONDS = 10.0
# What a process left behind may hold its output open; nobody waits for that.
_DRAIN_SECONDS = 2.0
_READ_BYTES = 64 * 1024
_LAST_LINE_CHARACTERS = 200


def run_processes(command: Sequence[str], environments: Sequence[Mapping[str, str]]) -> int:
    """Run ``command`` once with each of the ``environments``, together; the exit code that stands for all of them.

    SIGTERM and SIGINT that reach this process are passed on to all of them.
    """
    return _Processes(command, environments).run()


class _Processes:
    def __init__(self, command: Sequence[str], environments: Sequence[Mapping[str, str]]) -> None:
        self._command = list(command)
        self._environments = environments
        self._started: list[subprocess.Popen[bytes]] = []
        self._outputs: list[_Output] = []
        self._ended: queue.Queue[int] = queue.Queue()
        self._is_stopping = False

    def run(self) -> int:
        # Functions, not SIG_IGN, which the processes would inherit. They stay: the outputs are taken in after this.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        for environment in self._environments:
            self._start(environment)
            if self._is_stopping:
                # The signal may have come when this process could not be told yet.
                self._send(signal.SIGTERM, self._started[-1:])
                break
        failed = self._wait()
        for output in self._outputs:
            output.drain()
        if failed is None:
            return 0
        code = _exit_code(self._started[failed])
        if not self._is_stopping:
            words = self._outputs[failed].last_line
            told = f"rank {failed} failed with exit code {code}, which ended the others"
            print(f"sublight: {told}{f': {words}' if words else ''}", flush=True)
        return code

    def _start(self, environment: Mapping[str, str]) -> None:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            # A group of its own, so that a signal reaches what the process has started, and each of them once.
            preexec_fn=os.setpgrp,
        )
        rank = len(self._started)
        self._started.append(process)
        self._outputs.append(_Output(process, rank))
        threading.Thread(target=self._watch, args=(rank,), daemon=True).start()

    def _watch(self, rank: int) -> None:
        self._started[rank].wait()
        self._ended.put(rank)

    def _wait(self) -> int | None:
        """Come back when all have ended; the rank that failed first, None when none did."""
        failed = None
        deadline = None
        for _ in self._started:
            rank = self._next(deadline)
            if failed is None and self._started[rank].returncode != 0:
                failed = rank
                self._outputs[rank].drain()
            if failed == rank and not self._is_stopping:
                self._send(signal.SIGTERM, self._started)
                deadline = time.monotonic() + _GRACE_SECONDS
        return failed

    def _next(self, deadline: float | None) -> int:
        """The next rank that ends; what is there after ``deadline`` is killed."""
        if deadline is not None:
            try:
                return self._ended.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self._send(signal.SIGKILL, self._started)
        return self._ended.get()

    def _pass_on(self, number: int, _frame: Any) -> None:
        self._is_stopping = True
        self._send(number, self._started)

    def _send(self, number: int, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            if process.returncode is None:
                try:
                    os.killpg(process.pid, number)
                except (ProcessLookupError, PermissionError):
                    pass  # it has just ended


class _Output:
    """What a process prints, on its way to the log."""

    _lock = threading.Lock()

    def __init__(self, process: subprocess.Popen[bytes], rank: int) -> None:
        assert process.stdout is not None
        self._descriptor = process.stdout.fileno()
        self._prefix = f"[rank {rank}] ".encode() if rank else b""
        self._line = b""
        self._last = b""
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    @property
    def last_line(self) -> str:
        """The last line that says something; of a traceback that is the error itself."""
        words = " ".join(self._last.decode("utf-8", "replace").split())
        return words if len(words) <= _LAST_LINE_CHARACTERS else f"{words[: _LAST_LINE_CHARACTERS - 1]}…"

    def drain(self) -> None:
        """Wait until all that the ended process printed is in the log."""
        self._thread.join(_DRAIN_SECONDS)

    def _pump(self) -> None:
        while True:
            block = os.read(self._descriptor, _READ_BYTES)
            if not block:
                break
            # A carriage return ends a line, too: progress bars know no other end.
            lines = (self._line + block).splitlines(keepends=True)
            is_whole = lines[-1].endswith((b"\n", b"\r")) or len(lines[-1]) > _READ_BYTES
            self._line = b"" if is_whole else lines.pop()
            self._write(lines)
        if self._line:
            self._write([self._line + b"\n"])

    def _write(self, lines: Sequence[bytes]) -> None:
        self._last = next((line for line in reversed(lines) if line.strip()), self._last)
        data = b"".join(self._prefix + line for line in lines)
        try:
            with self._lock:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
        except OSError:
            pass  # the disk is full: the training goes on, and must not wait for somebody to read what it prints


def _exit_code(process: subprocess.Popen[bytes]) -> int:
    code = process.returncode
    return code if code >= 0 else 128 - code
