"""One thread per reconciler: it runs a pass when something it cares for changed, and from time to time anyway."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("sublight.reconcilers")


class Loop:
    """Runs ``step(hints)`` again and again until stopped.

    ``hints`` are the subjects announced since the last pass; they make a pass early and cheap but carry nothing that is
    not stored. Every ``tick_seconds`` the step is called with None, however many hints come: look at everything, because
    time limits pass without anybody announcing them. A step that raises is logged and tried again at the next tick, with
    everything. ``rest_seconds`` is the least time between two passes: hints that come meanwhile are collected.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[set[str] | None], None],
        *,
        tick_seconds: float,
        rest_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._step = step
        self._tick_seconds = tick_seconds
        self._rest_seconds = rest_seconds
        self._condition = threading.Condition()
        self._hints: set[str] = set()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=f"loop-{name}", daemon=True)
        self._name = name

    def start(self) -> None:
        """Begin; the first pass looks at everything."""
        self._thread.start()

    def hint(self, subjects: set[str]) -> None:
        """Wake the loop for these subjects."""
        with self._condition:
            self._hints |= subjects
            self._condition.notify()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Let the present pass end and begin no other."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        hints: set[str] | None = None
        looked_at_everything = 0.0
        while True:
            if hints is None:
                looked_at_everything = self._clock()
            try:
                self._step(hints)
            except Exception:
                _log.exception(
                    "a pass of the %s loop failed; it is tried again in %g s", self._name, self._tick_seconds
                )
                hints = None
                with self._condition:
                    if self._condition.wait_for(lambda: self._is_stopping, self._tick_seconds):
                        return
                continue
            with self._condition:
                if self._rest_seconds:
                    self._condition.wait_for(lambda: self._is_stopping, self._rest_seconds)
                left = max(0.0, looked_at_everything + self._tick_seconds - self._clock())
                self._condition.wait_for(lambda: bool(self._hints) or self._is_stopping, left)
                if self._is_stopping:
                    return
                is_due = self._clock() - looked_at_everything >= self._tick_seconds
                hints, self._hints = (None if is_due else self._hints or None), set()
