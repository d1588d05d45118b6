"""The lease: until when the node's runs may go on without word from the server."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

Clock = Callable[[], float]


def boot_clock() -> float:
    """Seconds since boot, suspended time included, so that a lease also lapses while a laptop sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Lease:
    """Renewed by every answer of the server; used by several threads.

    It counts from the moment the request was *sent*: the server counts from its arrival, which is later, so this side
    always lets go first.
    """

    def __init__(self, clock: Clock = boot_clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seconds = 0.0
        self._renewed_at = float("-inf")

    def set_length(self, seconds: float) -> None:
        """Take over the length that the server's welcome states."""
        with self._lock:
            self._seconds = seconds

    def renew(self, sent_at: float) -> None:
        """An answer came to a request that was sent at ``sent_at``; an earlier moment than the last changes nothing."""
        with self._lock:
            self._renewed_at = max(self._renewed_at, sent_at)

    def seconds_left(self) -> float:
        """How long the runs may still go on; 0 or less when the lease has lapsed."""
        with self._lock:
            return self._renewed_at + self._seconds - self._clock()

    def is_lapsed(self) -> bool:
        """True when runs must not go on."""
        return self.seconds_left() <= 0
