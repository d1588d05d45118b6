"""Reading a run's logs, whole or as they grow."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from sublight.core.errors import NotFound
from sublight.core.run import RunStatus
from sublight.messages.runs import RunView
from sublight.sdk.client import API, Client

_PIECE_BYTES = 1 << 20
_POLL_FIRST_SECONDS = 0.1
_POLL_MAX_SECONDS = 1.0


def read_log(client: Client, run_id: str, path: str, attempt: int | None = None) -> str:
    """The text of a log so far; what is not UTF-8 in it is shown as replacement characters."""
    return b"".join(_pieces(client, run_id, path, 0, attempt=attempt)).decode(errors="replace")


def follow_log(
    client: Client, run_id: str, path: str, out: TextIO, *, sleep: Callable[[float], None] = time.sleep
) -> RunView:
    """Write a log to ``out`` as it grows until the run has ended; the run as it ended is returned.

    A log that does not exist yet may still come. When the run is started again on another node, its new log follows
    from the beginning, after a line that says so.
    """
    follower = LogFollower(client, run_id, path, out)
    delay = _POLL_FIRST_SECONDS
    while True:
        # The order matters: what was printed before the end was seen is surely read after it.
        view = client.get(f"{API}/runs/{run_id}", RunView)
        has_grown = follower.write_new(view.attempt)
        if RunStatus(view.status).is_terminal:
            follower.finish()
            return view
        delay = _POLL_FIRST_SECONDS if has_grown else min(delay * 1.5, _POLL_MAX_SECONDS)
        sleep(delay)


class LogFollower:
    """Remembers how far a log was written out."""

    def __init__(self, client: Client, run_id: str, path: str, out: TextIO) -> None:
        self._client = client
        self._run_id = run_id
        self._path = path
        self._out = out
        self._offset = 0
        self._attempt = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def write_new(self, attempt: int) -> bool:
        """Write what is new; True when there was something. ``attempt`` is the run's present attempt number."""
        if attempt != self._attempt:
            if self._offset:
                self.finish()
                self._out.write(f"--- attempt {attempt}: the run was started again ---\n")
            self._attempt, self._offset = attempt, 0
        before = self._offset
        # By its number, or the server would still answer with the attempt before while the new one has printed nothing.
        number = attempt or None
        for piece in _pieces(self._client, self._run_id, self._path, self._offset, attempt=number):
            self._offset += len(piece)
            self._out.write(self._decoder.decode(piece))
        self._out.flush()
        return self._offset > before

    def finish(self) -> None:
        """Write what an unfinished character left behind."""
        self._out.write(self._decoder.decode(b"", final=True))
        self._out.flush()


def _pieces(client: Client, run_id: str, path: str, offset: int, *, attempt: int | None = None) -> Iterator[bytes]:
    """The log from ``offset`` on; of the latest attempt that wrote it, unless ``attempt`` names one."""
    while True:
        try:
            piece = client.get_bytes(
                f"{API}/runs/{run_id}/logs/content", path=path, offset=offset, limit=_PIECE_BYTES, attempt=attempt
            )
        except NotFound:
            if offset == 0 and client.get(f"{API}/runs/{run_id}", RunView):
                return  # the run is there, its log is not yet
            raise
        if piece:
            yield piece
        offset += len(piece)
        if len(piece) < _PIECE_BYTES:
            return
