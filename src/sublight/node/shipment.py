"""What of one attempt the server has, and what it should be told next."""

from __future__ import annotations

from pathlib import Path

from sublight.messages.journal import ENVIRONMENT_LOG, JOURNAL_FILE, STANDARD_LOG, WORK_FOLDER
from sublight.messages.nodes import AttemptReport, FileBytes, StoredOffsets
from sublight.node.attempt import Attempt
from sublight.node.environments import ENVIRONMENT_LOG_FILE
from sublight.node.outputs import files_below
from sublight.node.shipping import ShippedFile, ShippedJournal, ShippedLog
from sublight.node.states import AttemptState, Phase
from sublight.node.workspace import LOG_FILE

_LOG_FILES_MAX = 100
_LOOK_SECONDS = 1.0


class Shipment:
    """The reporter's view of an attempt; used by the reporter's thread only."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        # True when the server has everything and was told that this is all.
        self.is_done = False
        self._journal = ShippedJournal(attempt.directory / JOURNAL_FILE, JOURNAL_FILE)
        self._logs: dict[str, ShippedFile] = {
            STANDARD_LOG: ShippedLog(attempt.directory / LOG_FILE, STANDARD_LOG, secret=attempt.order.run_token),
        }
        if attempt.order.environment_spec is not None:
            self._logs[ENVIRONMENT_LOG] = ShippedLog(attempt.directory / ENVIRONMENT_LOG_FILE, ENVIRONMENT_LOG)
        self._look_at = 0.0
        self._passed_over: set[str] = set()
        # What the server knows, and what the report that is under way says.
        self._known: AttemptState | None = attempt.state if attempt.state.phase is Phase.PREPARING else None
        self._sent: AttemptState | None = None
        self._sent_files: list[FileBytes] = []
        self._sent_phase = Phase.PREPARING

    def has_news(self, now: float) -> bool:
        """True when a report would say something; costs a few looks at file sizes. ``now`` is the reporter's clock."""
        if self.is_done:
            return False
        state = self.attempt.state
        if state is not self._known or state.is_closed:
            return True
        if not _has_files(state):
            return False
        self._find_logs(now, is_closed=False)
        files = (self._journal, *self._logs.values())
        return any(file.has_news(is_closed=False) for file in files)

    def next_report(self, now: float, bytes_max: int) -> AttemptReport | None:
        """What is new, with at most about ``bytes_max`` bytes of files; None when there is nothing."""
        if self.is_done:
            return None
        state = self.attempt.state
        is_closed = state.is_closed
        journal: FileBytes | None = None
        logs: list[FileBytes] = []
        is_all = True
        if _has_files(state):
            self._find_logs(now, is_closed=is_closed)
            journal = self._journal.next_bytes(bytes_max, is_closed=is_closed)
            left = bytes_max - (len(journal.data) if journal else 0)
            for log in self._logs.values():
                chunk = log.next_bytes(left, is_closed=is_closed) if left > 0 else None
                if chunk is not None:
                    logs.append(chunk)
                    left -= len(chunk.data)
            is_all = self._is_all(journal, logs)
        if state is self._known and journal is None and not logs and not is_closed:
            return None
        self._sent = state
        self._sent_files = [*([journal] if journal else []), *logs]
        self._sent_phase = Phase.FINISHED if is_closed and is_all else state.phase
        return AttemptReport(
            run_id=self.attempt.order.run_id,
            attempt=self.attempt.order.attempt,
            phase=self._sent_phase.value,
            started=state.started,
            ended=state.ended,
            end=state.end.value if state.end else None,
            exit_code=state.exit_code,
            message="; ".join(filter(None, (state.message, self._journal.trouble, self._logs_trouble()))),
            journal=journal,
            logs=logs,
        )

    def take_answer(self, stored: StoredOffsets) -> bool:
        """Go on from where the server is. False when it stored nothing of what it was sent."""
        before = self._offsets()
        was_all_taken = True
        for sent in self._sent_files:
            end = sent.offset + len(sent.data)
            offset = stored.journal if sent.path == JOURNAL_FILE else stored.logs.get(sent.path, sent.offset)
            self._file(sent.path).offset = offset
            was_all_taken = was_all_taken and offset >= end
        is_news = self._sent is not self._known
        self._known = self._sent
        self.is_done = self._sent_phase is Phase.FINISHED and was_all_taken
        return is_news or not self._sent_files or self._offsets() != before

    def _is_all(self, journal: FileBytes | None, logs: list[FileBytes]) -> bool:
        """True when nothing would be left to ship after these bytes."""
        sent = {chunk.path: len(chunk.data) for chunk in (journal, *logs) if chunk is not None}
        files = (self._journal, *self._logs.values())
        return all(file.offset + sent.get(file.path, 0) >= file.length(is_closed=True) for file in files)

    def _find_logs(self, now: float, *, is_closed: bool) -> None:
        if now < self._look_at and not is_closed:
            return
        self._look_at = now + _LOOK_SECONDS
        folder = self.attempt.directory / WORK_FOLDER / "logs"
        for file in files_below(folder, "logs/"):
            if file.path in self._logs:
                continue
            if len(self._logs) <= _LOG_FILES_MAX:
                self._logs[file.path] = ShippedLog(Path(file.place), file.path, secret=self.attempt.order.run_token)
            else:
                self._passed_over.add(file.path)

    def _logs_trouble(self) -> str:
        if not self._passed_over:
            return ""
        others = f" and {len(self._passed_over) - 1} more" if len(self._passed_over) > 1 else ""
        return f"of ./logs only {_LOG_FILES_MAX} files are kept; {min(self._passed_over)}{others} were not"

    def _file(self, path: str) -> ShippedFile:
        return self._journal if path == JOURNAL_FILE else self._logs[path]

    def _offsets(self) -> list[int]:
        return [self._journal.offset, *(file.offset for file in self._logs.values())]


def _has_files(state: AttemptState) -> bool:
    """True when there may be bytes to ship: there is or was a process, or the environment is being made ready."""
    return state.started is not None or state.is_closed or bool(state.message)
