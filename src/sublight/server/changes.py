"""Announcing what is new: numbered hints for live pages, wake-ups for the loops and for the nodes' long polls.

A hint carries no data; whoever gets one reads again. Hints may be lost without harm: every reader also looks by itself
from time to time.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from sublight.messages.people import Change

_REMEMBERED = 2000


class Changes:
    """The meeting point between the database's commits (any thread) and those who wait for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[Change] = deque(maxlen=_REMEMBERED)
        self._number = 0
        self._listeners: list[Callable[[set[str]], None]] = []
        self._waiters: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        self.is_closed = False

    def close(self) -> None:
        """Let everybody who waits go home: the server is going down."""
        self.is_closed = True
        self.announce(0, set())

    def announce(self, _number: int, subjects: set[str]) -> None:
        """Tell everybody that these subjects changed; called after the commit, from any thread."""
        with self._lock:
            for subject in sorted(subjects):
                self._number += 1
                self._recent.append(Change(number=self._number, subject=subject))
            waiters, self._waiters = self._waiters, {}
        for listener in self._listeners:
            listener(subjects)
        for future, loop in waiters.items():
            try:
                loop.call_soon_threadsafe(_wake, future)
            except RuntimeError:
                pass  # the loop is closed: the server is going down

    def listen(self, listener: Callable[[set[str]], None]) -> None:
        """Call ``listener`` with the subjects of every commit; it must be quick and must not raise."""
        self._listeners.append(listener)

    @property
    def number(self) -> int:
        """The number of the newest hint."""
        return self._number

    def since(self, number: int) -> list[Change] | None:
        """Hints after ``number``; None when some of them are forgotten, so that the reader must read everything."""
        with self._lock:
            if number > self._number:
                return None
            found = [change for change in self._recent if change.number > number]
            is_whole = not self._recent or number >= self._recent[0].number - 1
        return found if is_whole else None

    async def wait(self, timeout_seconds: float) -> None:
        """Return at the next announcement, or after the timeout."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._waiters[future] = loop
        try:
            await asyncio.wait_for(future, timeout_seconds)
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiters.pop(future, None)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class NodeSignals:
    """Wakes the long poll of a node when what it should run has changed.

    Versions start at a random number in each server process, so that an agent that outlives a server asks anew.
    """

    def __init__(self, first_version: int) -> None:
        self._first = first_version
        self.is_closed = False
        self._lock = threading.Lock()
        self._versions: dict[str, int] = {}
        self._waiters: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = {}

    def close(self) -> None:
        """Let all long polls go: the server is going down."""
        self.is_closed = True
        for node_id in list(self._waiters):
            self.signal(node_id)

    def version(self, node_id: str) -> int:
        """The version of the node's orders."""
        return self._versions.get(node_id, self._first)

    def signal(self, node_id: str) -> None:
        """The node's orders changed; called after the commit."""
        with self._lock:
            self._versions[node_id] = self._versions.get(node_id, self._first) + 1
            waiter = self._waiters.pop(node_id, None)
        if waiter is not None:
            try:
                waiter[0].call_soon_threadsafe(_wake, waiter[1])
            except RuntimeError:
                pass  # the loop is closed: the server is going down

    async def wait(self, node_id: str, version: int, timeout_seconds: float) -> None:
        """Return when the node's version differs from ``version``, or after the timeout."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self.is_closed or self._versions.get(node_id, self._first) != version:
                return
            older = self._waiters.get(node_id)
            self._waiters[node_id] = (loop, future)
        if older is not None:
            _wake(older[1])
        try:
            await asyncio.wait_for(future, timeout_seconds)
        except TimeoutError:
            pass
