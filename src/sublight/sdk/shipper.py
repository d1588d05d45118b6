"""Sending what an interactive run wrote to the server: a thread beside the user's program.

What is reported lies in the run's own folder first (journal, staged files, logs), so that no report waits for the
network. The thread sends it from there: journal and logs by offset, so that a byte is stored once however often it is
sent, and files by content. While the server is away everything stays in the folder.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sublight.core.errors import (
    Conflict,
    InvalidInput,
    ServerUnavailable,
    StorageFull,
    SublightError,
    TooLarge,
    TooManyRequests,
)
from sublight.messages.journal import JOURNAL_FILE, UPLOADS_FOLDER
from sublight.messages.runs import StoredSize
from sublight.sdk.client import API, Client
from sublight.sdk.journal import Journal
from sublight.sdk.upload import signature, upload_artifact

HEARTBEAT_SECONDS = 15.0
LOGS_FOLDER = "run_logs"

# Reports that come close together travel together.
_GATHER_SECONDS = 0.1
# A forked process of the program cannot wake the thread, so the thread looks by itself as well.
_LOOK_SECONDS = 1.0
_RETRY_SECONDS_MAX = 10.0
# Above the longest record of a journal and below the server's limit for a body.
_PIECE_BYTES = 6_000_000
# After these the same may succeed later; after any other refusal it cannot.
_PASSING = (ServerUnavailable, StorageFull, TooManyRequests)


class ShippedJournal(Journal):
    """A journal that tells when something was appended, and takes nothing once its run has ended."""

    def __init__(self, directory: str, run_id: str) -> None:
        super().__init__(directory)
        self._run_id = run_id
        self._process = os.getpid()
        self.wake: Callable[[], None] = lambda: None
        self.is_closed = False

    def append(self, line: bytes) -> None:
        """Append one whole record; Conflict when the run has ended."""
        if self.is_closed:
            raise Conflict(f"run {self._run_id} has ended in this program; start a new run to report on")
        super().append(line)
        if os.getpid() == self._process:
            self.wake()


class Shipper:
    """Ships one run; started by its maker, ended by ``close``.

    ``fault`` is the error after which nothing more can be shipped: the run was canceled or deleted, or the caller lost
    the right to report on it. It is also told on standard error when it happens.
    """

    def __init__(
        self,
        client: Client,
        run_id: str,
        directory: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._run_id = run_id
        self._path = f"{API}/runs/{run_id}"
        self._directory = directory
        self._clock = clock
        self.fault: SublightError | None = None
        self._condition = threading.Condition()
        self._is_woken = False
        self._is_closed = False
        # Flushes are numbered; a round that sent everything serves those that were asked for before it began.
        self._asked = 0
        self._served = 0
        self._trouble: SublightError | None = None
        self._offset = 0
        self._log_offsets: dict[str, int] = {}
        self._sent_files: dict[str, tuple[int, int, int]] = {}
        self._heard_at = clock()
        self._thread = threading.Thread(target=self._run, name=f"sublight-{run_id}", daemon=True)

    def start(self) -> None:
        """Begin to ship."""
        self._thread.start()

    def wake(self) -> None:
        """Something was written. Called from any thread, and cheap."""
        if not self._is_woken:
            with self._condition:
                self._is_woken = True
                self._condition.notify_all()

    def flush(self, timeout_seconds: float) -> None:
        """Come back when everything written before this call is stored.

        Raises the fault if there is one, and ServerUnavailable after the time.
        """
        deadline = self._clock() + timeout_seconds
        with self._condition:
            self._asked += 1
            number = self._asked
            self._condition.notify_all()
            while self._served < number and self.fault is None:
                wait = deadline - self._clock()
                if wait <= 0:
                    why = f" ({self._trouble})" if self._trouble is not None else ""
                    raise ServerUnavailable(
                        f"what run {self._run_id} reported was not stored within {timeout_seconds:g} seconds{why}; "
                        "it is kept and sent on while this program runs"
                    )
                self._condition.wait(wait)
        if self.fault is not None:
            raise self.fault

    def close(self) -> None:
        """Ship nothing more; comes back when a request that is under way has ended, or after some seconds."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        while self._wait(failures):
            with self._condition:
                number = self._asked
                self._is_woken = False
            try:
                self._ship()
            except _PASSING as error:
                failures += 1
                self._trouble = error
                continue
            except SublightError as error:
                self._stop(error)
                return
            except Exception as error:  # whatever it is, it must not pass in silence
                self._stop(SublightError(f"what run {self._run_id} reports cannot be sent: {error}"))
                return
            failures = 0
            self._trouble = None
            with self._condition:
                self._served = number
                self._condition.notify_all()

    def _wait(self, failures: int) -> bool:
        """Wait until something is to be done; False when it is time to end."""
        with self._condition:
            if failures:
                pause = min(_RETRY_SECONDS_MAX, 0.2 * 2.0 ** min(failures, 10))
                self._condition.wait_for(lambda: self._is_closed, pause)
                return not self._is_closed

            def is_urgent() -> bool:
                return self._is_closed or self._served < self._asked

            self._condition.wait_for(lambda: is_urgent() or self._is_woken, _LOOK_SECONDS)
            if self._is_woken:
                self._condition.wait_for(is_urgent, _GATHER_SECONDS)
            return not self._is_closed

    def _stop(self, error: SublightError) -> None:
        print(f"sublight: nothing more of run {self._run_id} is kept: {error}", file=sys.stderr, flush=True)
        with self._condition:
            self.fault = error
            self._condition.notify_all()

    # -- one round ----------------------------------------------------------------------------------------------------

    def _ship(self) -> None:
        """Send everything that is new."""
        journal = self._directory / JOURNAL_FILE
        # The size first: a file is staged before the journal speaks of it, and so it is sent before that.
        size = journal.stat().st_size
        if size > self._offset:
            self._ship_files()
            self._ship_journal(journal, size)
        self._ship_logs()
        if self._clock() - self._heard_at >= HEARTBEAT_SECONDS:
            self._put("journal", b"", offset=self._offset)

    def _ship_journal(self, journal: Path, size: int) -> None:
        with journal.open("rb") as content:
            while self._offset < size:
                content.seek(self._offset)
                piece = content.read(min(_PIECE_BYTES, size - self._offset))
                complete = piece[: piece.rfind(b"\n") + 1]
                if not complete:
                    return  # the record's end is being written just now
                before = self._offset
                self._offset = self._put("journal", complete, offset=before)
                if self._offset == before:
                    raise ServerUnavailable(f"the server did not take the journal of run {self._run_id} from {before}")

    def _ship_logs(self) -> None:
        folder = self._directory / LOGS_FOLDER
        for file in _files_below(folder):
            name = file.relative_to(folder).as_posix()
            offset = self._log_offsets.get(name, 0)
            with file.open("rb") as content:
                content.seek(offset)
                while piece := content.read(_PIECE_BYTES):
                    offset = self._log_offsets[name] = self._put("logs", piece, path=name, offset=offset)
                    content.seek(offset)

    def _ship_files(self) -> None:
        folder = self._directory / UPLOADS_FOLDER
        for file in _files_below(folder):
            name = file.relative_to(folder).as_posix()
            # Staging puts whole files in place and never writes into one, so an equal signature is an equal content.
            found = signature(file)
            if self._sent_files.get(name) == found:
                continue
            try:
                upload_artifact(self._client, self._run_id, name, file)
                self._heard_at = self._clock()
            except (InvalidInput, TooLarge) as error:
                print(f"sublight: warning: the file {name!r} is not kept: {error}", file=sys.stderr, flush=True)
            except Conflict:
                if signature(file) == found:
                    raise
                self.wake()  # it was replaced while it was being sent: the next round sends the new one
                raise ServerUnavailable(f"{name} was replaced while it was being sent") from None
            self._sent_files[name] = found

    def _put(self, what: str, data: bytes, **query: object) -> int:
        size = self._client.put(f"{self._path}/{what}", StoredSize, data, **query).size_bytes
        self._heard_at = self._clock()
        return size


def _files_below(folder: Path) -> list[Path]:
    return [Path(place) / name for place, _, names in os.walk(folder) for name in sorted(names)]
