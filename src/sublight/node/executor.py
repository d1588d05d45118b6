"""Makes the node's attempts what the server's orders list. Everything here happens in the agent's main thread."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue

from sublight.core.errors import InvalidInput
from sublight.messages.nodes import Order, Orders
from sublight.node.attempt import LEASE_LAPSED, Attempt, Key, Surroundings
from sublight.node.log import log
from sublight.node.states import End

# A suspended machine does not count down a wait, so none is long while a lease must be watched.
_WAIT_SECONDS_MAX = 1.0


class Inbox:
    """Calls that other threads want made in the main thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """``wake`` lets the main thread look here soon."""
        self._wake = wake
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def post(self, event: Callable[[], None]) -> None:
        """Let the main thread call ``event``. Called from any thread."""
        self._events.put(event)
        self._wake()

    def read(self) -> None:
        """Make all waiting calls. Called from the main thread."""
        while True:
            try:
                event = self._events.get_nowait()
            except Empty:
                return
            event()


class Executor:
    """The attempts of a node."""

    def __init__(self, around: Surroundings, inbox: Inbox) -> None:
        self._around = around
        self._inbox = inbox
        # Dropped attempts whose processes or folders still have to go.
        self._dropped: set[Attempt] = set()
        self._known: set[Key] = set()
        self._is_closing = False
        # Read by the reporter's thread, which takes a copy of its values.
        self.attempts: dict[Key, Attempt] = {}
        self.is_leaving = False

    @property
    def is_empty(self) -> bool:
        """True when no attempt is left, neither its processes nor its folder."""
        return not self.attempts and not self._dropped

    def apply(self, orders: Orders) -> None:
        """Start, stop and drop attempts until the node has what is listed. Each attempt is started once, ever."""
        if self._is_closing:
            return
        self.is_leaving = orders.leave
        wanted = {(order.run_id, order.attempt) for order in orders.orders}
        for key in [key for key in self.attempts if key not in wanted]:
            self.drop(key)
        for order in orders.orders:
            attempt = self.attempts.get((order.run_id, order.attempt))
            if attempt is None:
                self._accept(order)
            elif order.action == "stop":
                attempt.cancel(order.stop_reason)

    def drop(self, key: Key) -> None:
        """End an attempt of which the server wants nothing more; one that is gone is passed over."""
        attempt = self.attempts.pop(key, None)
        if attempt is not None:
            self._dropped.add(attempt)
            attempt.drop()

    def close(self, message: str) -> None:
        """Stop every attempt politely, tell the server why, and take no orders any more."""
        self._is_closing = True
        for attempt in list(self.attempts.values()):
            attempt.cancel(message)

    def drop_all(self) -> None:
        """Nothing here counts any more: end everything at once and take no orders any more."""
        self._is_closing = True
        for key in list(self.attempts):
            self.drop(key)

    def step(self) -> float | None:
        """Do everything that is due; returns the seconds until something else may be, None when nothing will be."""
        self._inbox.read()
        ended = self._around.launcher.ended()
        attempts = [*self.attempts.values(), *self._dropped]
        for attempt in attempts:
            if attempt.process is not None and attempt.process.pid in ended:
                attempt.main_ended(ended[attempt.process.pid])
        if self.attempts and self._around.lease.is_lapsed():
            for attempt in self.attempts.values():
                attempt.stop(End.STOPPED, LEASE_LAPSED)
        for attempt in attempts:
            attempt.do_what_is_due()
        return self._seconds_until_due()

    def _accept(self, order: Order) -> None:
        key = (order.run_id, order.attempt)
        try:
            attempt = Attempt(order, self._around, self._dropped.discard)
        except InvalidInput as error:
            log("an order was passed over", error=str(error))
            return
        self.attempts[key] = attempt
        if key in self._known:
            attempt.refuse("this node had the attempt before and has removed it")
        elif order.action == "stop":
            attempt.refuse(order.stop_reason)
        else:
            attempt.begin()
        self._known.add(key)

    def _seconds_until_due(self) -> float | None:
        if self.is_empty:
            return None
        wait = _WAIT_SECONDS_MAX
        if self.attempts and not self._around.lease.is_lapsed():
            wait = min(wait, self._around.lease.seconds_left())
        now = self._around.clock()
        for attempt in (*self.attempts.values(), *self._dropped):
            due_at = attempt.due_at()
            if due_at is not None:
                wait = min(wait, due_at - now)
        return max(0.0, wait)
