"""A run that the user's own process carries out: a notebook or a program, without a node.

It reports as ``sublight.run`` does inside a script; what it reports is sent to the server by a thread beside it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from sublight.core.errors import Conflict, SublightError
from sublight.core.snapshot import check_path
from sublight.messages.definitions import EndRequest
from sublight.messages.journal import STANDARD_LOG
from sublight.messages.runs import RunView
from sublight.sdk.client import API, Client
from sublight.sdk.journal import JournalReports
from sublight.sdk.run import Run
from sublight.sdk.shipper import LOGS_FOLDER, ShippedJournal, Shipper
from sublight.sdk.training_run import ChildRun, _Reporting

FLUSH_SECONDS = 300.0
# How long the end of a program may be held up by a server that does not answer.
_EXIT_SECONDS = 30.0


class InteractiveRun(_Reporting):
    """A run of this process, made by ``Experiment.start_run``. It has the reporting methods of ``sublight.run``.

    End it by `complete`, `fail` or `cancel`, or use it as a context manager: leaving the block completes it, an
    exception fails it. A run that is not ended is ended with the program: as failed when an exception ended that
    (``sys.exit`` is none), else as completed. The first end counts. A process that is killed cannot end its run; the
    server does, when it has not heard of it for some minutes.
    """

    _reports: JournalReports

    def __init__(self, client: Client, view: RunView) -> None:
        self._client = client
        self._view = view
        self._process = os.getpid()
        self._has_ended = False
        self._folder = Path(tempfile.mkdtemp(prefix="sublight-run-"))
        self._journal = ShippedJournal(str(self._folder), view.id)
        self._reports = JournalReports(self._journal)
        self._shipper = Shipper(client, view.id, self._folder)
        self._journal.wake = self._shipper.wake
        self._shipper.start()
        _remember(self)

    @property
    def id(self) -> str:
        """The run's name in commands and addresses; never changes."""
        return self._view.id

    @property
    def experiment(self) -> str:
        """The name of the experiment that the run belongs to."""
        return self._view.experiment

    @property
    def parent_id(self) -> str | None:
        """The id of the run that this one was started below, if it was."""
        return self._view.parent_id

    @property
    def has_ended(self) -> bool:
        """True when this program has ended the run."""
        return self._has_ended

    @property
    def view_run(self) -> Run:
        """The run as everybody sees it; what was reported a moment ago is there after `flush`."""
        return Run(self._client, self._client.get(f"{API}/runs/{quote(self.id, safe='')}", RunView))

    def child(self, name: str | None = None) -> ChildRun:
        """Start a child run, for instance for a fold of a cross-validation; it is shown below this run.

        >>> with run.child("fold 1") as fold:
        ...     fold.log("accuracy", 0.81)
        """
        return ChildRun(self, name)

    def write_log(self, text: str, path: str = STANDARD_LOG) -> None:
        """Append text to a log of the run; the first one is what a script would have printed.

        >>> run.write_log("epoch 1 is done\\n")
        """
        if self._has_ended:
            raise Conflict(f"run {self.id} has ended in this program; start a new run to report on")
        file = self._folder / LOGS_FOLDER / check_path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as log:
            log.write(text.encode("utf-8", "replace"))
        self._shipper.wake()

    def flush(self, timeout_seconds: float = FLUSH_SECONDS) -> None:
        """Come back when everything reported so far is stored at the server.

        Conflict when the run was ended from elsewhere (canceled, say); ServerUnavailable after the time.

        >>> run.flush()
        """
        # What a forked process reports is sent by the thread of this one.
        if not self._has_ended and os.getpid() == self._process:
            self._shipper.flush(timeout_seconds)

    def complete(self) -> None:
        """End the run as completed, once everything is stored.

        >>> run.complete()
        """
        self._end("completed", "")

    def fail(self, message: str = "") -> None:
        """End the run as failed, with a sentence for people.

        >>> run.fail("the data has no labels")
        """
        self._end("failed", message)

    def cancel(self) -> None:
        """End the run as canceled.

        >>> run.cancel()
        """
        self._end("canceled", "")

    def __enter__(self) -> InteractiveRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.complete()
            return
        try:
            if isinstance(error, Exception):
                self.fail(f"{type(error).__name__}: {error}")
            else:
                self.cancel()  # Ctrl-C or sys.exit in the block: nobody says that the work is wrong
        except SublightError as failure:
            # The error of the block is what the user must see.
            print(f"sublight: the end of run {self.id} could not be stored: {failure}", file=sys.stderr, flush=True)

    def __repr__(self) -> str:
        return f"<interactive run {self.id}>"

    def _end(self, status: str, message: str, timeout_seconds: float = FLUSH_SECONDS) -> None:
        # A forked process has a copy of this object, but not the run.
        if self._has_ended or os.getpid() != self._process:
            return
        try:
            self._shipper.flush(timeout_seconds)
        except Conflict:
            self._release()  # it was ended from elsewhere
            raise
        end = EndRequest(status=status, message=str(message))  # type: ignore[arg-type]
        try:
            self._view = self._client.post(f"{API}/runs/{quote(self.id, safe='')}/end", RunView, end)
        except Conflict:
            self._release()
            raise
        self._release()

    def _release(self) -> None:
        """Take no more reports, end the thread, and remove what is stored at the server by now."""
        self._has_ended = True
        self._journal.is_closed = True
        self._shipper.close()
        _forget(self)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_with_program(self) -> None:
        error = getattr(sys, "last_value", None)
        try:
            if error is not None and not _is_session():
                self._end("failed", f"{type(error).__name__}: {error}", _EXIT_SECONDS)
            else:
                self._end("completed", "", _EXIT_SECONDS)
        except SublightError as failure:
            print(f"sublight: the end of run {self.id} could not be stored: {failure}", file=sys.stderr, flush=True)


def _is_session() -> bool:
    """True in a notebook and at a prompt, where an error ends no program."""
    ipython = sys.modules.get("IPython")
    return hasattr(sys, "ps1") or getattr(ipython, "get_ipython", lambda: None)() is not None


_unfinished: list[InteractiveRun] = []


def _remember(run: InteractiveRun) -> None:
    atexit.unregister(_end_all)  # once is enough, however many runs there were
    atexit.register(_end_all)
    _unfinished.append(run)


def _forget(run: InteractiveRun) -> None:
    if run in _unfinished:
        _unfinished.remove(run)


def _end_all() -> None:
    """End, with the program, the runs that it has not ended; the newest first, which may stand below older ones."""
    for run in reversed(list(_unfinished)):
        run._end_with_program()
