"""Hears from the server what the node should have: hello once, then one long poll after the other."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from sublight.core.errors import Conflict, NotFound, SublightError
from sublight.messages.nodes import Hello, Orders, Welcome
from sublight.node.client import NodeClient
from sublight.node.lease import Clock, Lease, boot_clock
from sublight.node.log import log

_RETRY_SECONDS = 0.05
_RETRY_SECONDS_MAX = 2.0
# A server that answers a poll at once though nothing is new must not be asked again at once.
_IDLE_SECONDS = 0.2
# For how long the server may refuse this agent's token before it exits: another program may have taken the port.
_REFUSED_SECONDS_MAX = 60.0


class OrdersPoller:
    """Runs in its own thread, with its own connection.

    ``fenced`` is called with the reason when this agent must end: another incarnation, or none, has the node now.
    """

    def __init__(
        self,
        client: NodeClient,
        hello: Hello,
        *,
        lease: Lease,
        welcomed: Callable[[Welcome], None],
        ordered: Callable[[Orders], None],
        fenced: Callable[[str], None],
        clock: Clock = boot_clock,
    ) -> None:
        self._client = client
        self._hello = hello
        self._lease = lease
        self._welcomed = welcomed
        self._ordered = ordered
        self._fenced = fenced
        self._clock = clock
        self._closed = threading.Event()
        self._welcome: Welcome | None = None
        self._version = -1
        self._failures = 0
        self._refused_since: float | None = None

    def close(self) -> None:
        """Let `run` return after the call that it is in. Called from any thread."""
        self._closed.set()

    def run(self) -> None:
        """Poll until `close` or until this agent must end. The body of the poller's thread."""
        while not self._closed.is_set():
            try:
                self.poll()
                if self._failures:
                    log("the server answers again", failures=self._failures)
                self._failures = 0
                self._refused_since = None
            except (Conflict, NotFound) as error:
                self._fenced(str(error))
                return
            except SublightError as error:
                if self._is_refused_for_good(error):
                    self._fenced(str(error))
                    return
                self._failed(error)

    def poll(self) -> None:
        """Say hello if that was not done yet, else ask once for orders. Raises what the client raises."""
        sent_at = self._clock()
        if self._welcome is None:
            welcome = self._client.hello(self._hello)
            self._lease.set_length(welcome.lease_seconds)
            self._lease.renew(sent_at)
            self._welcome = welcome
            self._welcomed(welcome)
            return
        orders = self._client.orders(self._hello.incarnation, self._version, self._welcome.poll_seconds)
        self._lease.renew(sent_at)
        if self._lease.is_lapsed():
            # The answer is from before this machine slept; by now the attempts may run elsewhere. Ask again.
            return
        is_new = orders.version != self._version
        self._version = orders.version
        self._ordered(orders)
        if not is_new and self._clock() - sent_at < _IDLE_SECONDS:
            self._closed.wait(_IDLE_SECONDS)

    def _is_refused_for_good(self, error: SublightError) -> bool:
        if error.code not in ("not_authenticated", "not_allowed"):
            self._refused_since = None
            return False
        now = self._clock()
        if self._refused_since is None:
            self._refused_since = now
        return self._lease.is_lapsed() and now - self._refused_since >= _REFUSED_SECONDS_MAX

    def _failed(self, error: SublightError) -> None:
        self._failures += 1
        if self._failures in (1, 10) or self._failures % 100 == 0:
            log("the server did not answer, will try again", failures=self._failures, error=str(error))
        wait = min(_RETRY_SECONDS_MAX, _RETRY_SECONDS * 2.0 ** min(self._failures, 10))
        # Agents that lost the same server must not all come back at the same moment.
        self._closed.wait(wait * random.uniform(0.5, 1.0))
