"""Reading a log for the screen: whole lines that will not change, and the unfinished line after them."""

from __future__ import annotations

from dataclasses import dataclass

from sublight.messages.runs import LogFile
from sublight.portal.formats import log_text
from sublight.portal.ports import Files

TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class LogPart:
    """A part of a log. Reading goes on at ``next_offset``; ``rest`` is shown until then and then replaced.

    ``skipped_bytes`` counts what lies before the part and is not shown.
    """

    path: str
    attempt: int
    text: str
    rest: str
    next_offset: int
    skipped_bytes: int = 0


def read_tail(files: Files, run_id: str, log: LogFile) -> LogPart:
    """The last part of a log, from the start of a line."""
    start = max(0, log.size_bytes - TAIL_BYTES)
    data = files.read_log(run_id, log.path, start, TAIL_BYTES, log.attempt)
    if start:
        # The cut fell into the middle of a line, perhaps of a character; the part begins with the next whole line.
        first = data.find(b"\n") + 1
        start, data = start + first, data[first:]
    return _part(log.path, log.attempt, start, data, skipped_bytes=start)


def read_on(files: Files, run_id: str, path: str, attempt: int, offset: int) -> LogPart:
    """What came after ``offset``, which is the ``next_offset`` of an earlier part."""
    return _part(path, attempt, offset, files.read_log(run_id, path, offset, TAIL_BYTES, attempt), skipped_bytes=0)


def _part(path: str, attempt: int, start: int, data: bytes, *, skipped_bytes: int) -> LogPart:
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) >= TAIL_BYTES:
        end = len(data)  # a line longer than a part is taken as it is, or reading would never get past it
    return LogPart(
        path=path,
        attempt=attempt,
        text=log_text(data[:end]),
        rest=log_text(data[end:]),
        next_offset=start + end,
        skipped_bytes=skipped_bytes,
    )
