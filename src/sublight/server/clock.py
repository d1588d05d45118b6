"""Time as an object, so that tests can move it."""

from __future__ import annotations

import time


class Clock:
    """``now`` is wall time for records (seconds since 1970); ``monotonic`` never jumps and is for leases."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some fixed moment, counting suspended time where the system can."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class FakeClock(Clock):
    """A clock for tests; it stands still until it is moved."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self.time += seconds
