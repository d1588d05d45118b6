"""Writing what a training script reports: into the run's journal, or onto the screen when there is no run.

The format of the journal is described in ``sublight.messages.journal``; this module may not import it, because it runs
inside the user's script: standard library only, from Python 3.8, and loaded in a few milliseconds. The constants that
both need are repeated here, and a test compares them.

A record is one ``write`` on a descriptor opened for appending. The kernel then keeps the records of all threads and of
all processes that the script forks or spawns whole and apart, without a lock.
"""

from __future__ import annotations

import errno
import os
from time import time

# Importing typing for this name would cost the script milliseconds; type checkers know it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RUN_ID_VARIABLE = "SUBLIGHT_RUN_ID"
ATTEMPT_VARIABLE = "SUBLIGHT_ATTEMPT"
EXPERIMENT_VARIABLE = "SUBLIGHT_EXPERIMENT"
PARENT_RUN_ID_VARIABLE = "SUBLIGHT_PARENT_RUN_ID"
RUN_DIRECTORY_VARIABLE = "SUBLIGHT_RUN_DIRECTORY"

JOURNAL_FILE = "journal"
UPLOADS_FOLDER = "uploads"

NAME_CHARACTERS_MAX = 256
RECORD_BYTES_MAX = 4 * 1024 * 1024

# A script that makes up a new metric name for every report must not fill the memory with prepared line beginnings.
_PREPARED_NAMES_MAX = 10_000
_PRINTED_VALUES_MAX = 20


def checked_name(name: object, what: str = "the name of a metric") -> str:
    """``name`` when it can be one: text of 1 to 256 characters without NUL; else TypeError or ValueError."""
    if not isinstance(name, str):
        raise TypeError(f"{what} must be text, got {type(name).__name__}")
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or "\0" in name:
        shown = name if len(name) <= 60 else name[:60] + "…"
        raise ValueError(
            f"{what} must have 1 to {NAME_CHARACTERS_MAX} characters, none of them NUL, "
            f"got {shown!r} of {len(name)} characters"
        )
    return name


def escape(name: str) -> str:
    """Write a name so that it holds no tab and no line break."""
    return name.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


class Journal:
    """The journal file of the run around this process.

    Whatever happens to the file, the training goes on: what cannot be written is dropped, with one sentence on
    standard error the first time.
    """

    def __init__(self, directory: str) -> None:
        """Open the journal in ``directory``, the attempt's own folder, for appending."""
        self.directory = directory
        self._descriptor = -1
        # At most one (process id, bytes): the end of a record of which the file took only the beginning.
        self._torn: list[tuple[int, bytes]] = []
        self._has_complained = False
        try:
            self._open()
        except OSError as error:
            self.complain("the journal cannot be opened", error)

    def append(self, line: bytes) -> None:
        """Append one whole record, newline included."""
        if not self._torn:
            try:
                written = os.write(self._descriptor, line)
            except OSError:
                written = 0
            if written == len(line):
                return
            if written:
                self._torn.append((os.getpid(), line[written:]))
                line = b""
        self._append_after_failure(line)

    def complain(self, what: str, error: OSError) -> None:
        """Tell, once per process, that something could not be kept; never raises."""
        if self._has_complained:
            return
        self._has_complained = True
        sentence = (
            f"sublight: warning: {what} ({error.strerror or error}); the script goes on, "
            f"but what it reports is lost until that is mended\n"
        )
        try:
            # Past the buffer of sys.stderr: on a full disk that would raise again at every later print.
            os.write(2, sentence.encode("utf-8", "replace"))
        except OSError:
            pass  # standard error is closed or on the same full disk: there is nowhere left to tell it

    def _append_after_failure(self, line: bytes) -> None:
        """Write the rest of a torn record, if there is one, and then ``line``; keep what makes the file whole again.

        A record that was begun must be ended before another may start, so its rest waits here for room. A forked
        child inherits that rest, but it is the parent's to write.
        """
        for data, is_begun in ((self._take_torn(), True), (line, False)):
            try:
                self._write_all(data)
            except _Unwritten as failure:
                if is_begun or len(failure.left) < len(data):
                    self._torn.append((os.getpid(), failure.left))
                self.complain("the journal cannot be written", failure.error)
                return

    def _take_torn(self) -> bytes:
        try:
            owner, rest = self._torn.pop()  # one step, so that no two threads take it
        except IndexError:
            return b""
        return rest if owner == os.getpid() else b""

    def _write_all(self, data: bytes) -> None:
        """Write ``data`` in as many pieces as it takes; `_Unwritten` carries what the file refused."""
        has_reopened = False
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                if error.errno != errno.EBADF or has_reopened:
                    raise _Unwritten(data, error) from None
                # The script closed all descriptors, as programs do that become daemons.
                has_reopened = True
                try:
                    self._open()
                except OSError as open_error:
                    raise _Unwritten(data, open_error) from None

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(os.path.join(self.directory, JOURNAL_FILE), flags, 0o644)


class _Unwritten(Exception):
    """Inside `Journal` only: the file refused ``left``, because of ``error``."""

    def __init__(self, left: bytes, error: OSError) -> None:
        super().__init__(left, error)
        self.left = left
        self.error = error


class JournalReports:
    """Reports of a run, or of one of its children, as records of the journal."""

    def __init__(self, journal: Journal, child: str | None = None) -> None:
        self.journal = journal
        self._child = child
        self._beginnings: dict[str, str] = {}

    def scalar(self, name: str, step: int | None, value: float) -> None:
        """Report a number; ``value`` must be exactly a float, because its ``repr`` goes into the journal."""
        try:
            beginning = self._beginnings[name]
        except (KeyError, TypeError):  # TypeError: a name that is no text and cannot be a key either
            beginning = self._prepare(name)
        line = f"{beginning}{'' if step is None else step}\t{value!r}\t{time():.6f}\n"
        self.journal.append(line.encode("utf-8", "replace"))

    def record(self, kind: str, name: str, content: Any, step: int | None = None) -> None:
        """Report anything else; ``content`` is plain JSON data without NaN and infinities."""
        import json  # inside, because a script that logs numbers only need not wait for it

        fields = {"kind": kind, "name": name, "step": step, "time": round(time(), 6), "content": content}
        if self._child is not None:
            fields["child"] = self._child
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        line = f"r\t{text}\n".encode("utf-8", "replace")
        if len(line) > RECORD_BYTES_MAX:
            raise ValueError(
                f"{name!r} takes {len(line):,} bytes as JSON, but one record may have {RECORD_BYTES_MAX:,}; "
                f"write it to a file and use run.upload_file"
            )
        self.journal.append(line)

    def _prepare(self, name: str) -> str:
        """Everything of a scalar's line before the step, kept for the next report of this name."""
        beginning = f"m\t{escape(checked_name(name))}\t"
        if self._child is not None:
            beginning = f"c\t{self._child}\t{beginning}"
        if len(self._beginnings) >= _PREPARED_NAMES_MAX:
            self._beginnings.clear()
        self._beginnings[name] = beginning
        return beginning


class PrintedReports:
    """Reports of a script that runs by itself: each is printed in a line that people can read, nothing is kept."""

    def __init__(self, child: str | None = None) -> None:
        self._prefix = "" if child is None else f"[{child}] "

    def scalar(self, name: str, step: int | None, value: float) -> None:
        """Print a number, with up to ten digits."""
        self.line(f"{checked_name(name)} = {value:.10g}{_at(step)}")

    def record(self, kind: str, name: str, content: Any, step: int | None = None) -> None:
        """Print anything else, in the words that fit its kind."""
        self.line(_described(kind, name, content) + _at(step))

    def line(self, text: str) -> None:
        """Print one line."""
        print(self._prefix + text)


def _at(step: int | None) -> str:
    return "" if step is None else f" (step {step})"


def _described(kind: str, name: str, content: Any) -> str:
    if kind == "list":
        is_text = len(content) == 1 and isinstance(content[0], str)
        return f"{name} = {content[0] if is_text else _shortened(content)}"
    if kind == "row":
        return f"{name}: " + ", ".join(f"{column} = {value}" for column, value in content.items())
    if kind == "table":
        columns = [f"  {column}: {_shortened(values)}" for column, values in content.items()]
        return "\n".join([f"table {name}:", *columns])
    if kind == "confusion_matrix":
        labels, matrix = content["data"]["class_labels"], content["data"]["matrix"]
        rows = [f"  {label}: {' '.join(map(str, matrix[index]))}" for index, label in enumerate(labels)]
        return "\n".join([f"confusion matrix {name}, a line for each true class:", *rows])
    if kind == "child":
        return f"child run {name} starts"
    if kind == "child_end":
        return f"child run {name} is {content['status']}"
    if kind == "fail":
        return f"the run reports a failure: {content['message']}"
    return f"{kind.replace('_', ' ')} {name} = {content}"


def _shortened(values: list[Any]) -> str:
    if len(values) <= _PRINTED_VALUES_MAX:
        return str(values)
    return f"{str(values[:_PRINTED_VALUES_MAX])[:-1]}, … {len(values) - _PRINTED_VALUES_MAX:,} more]"
