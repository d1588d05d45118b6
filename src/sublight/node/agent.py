"""The agent: one process per node. It calls the server, never the other way round.

Its threads: the main thread drives the attempts (and alone starts processes: the kernel ties a child's death signal to
the thread that started it); one hears orders; one reports; a few carry files.

How it ends, and with which exit code:

====  ==================================================================================================
0     the server asked it to leave and its last attempt is gone, or it got SIGTERM or SIGINT
3     the node has another agent by now, or was removed: everything was killed at once
4     the server of this machine has been gone for ten minutes and no attempt may run any more; for half a minute,
      when there is no attempt whose last words it should hear; or the node's own folder has been removed
====  ==================================================================================================

After SIGTERM, in this order:

1. no orders are taken any more, so that nothing new starts;
2. every attempt is stopped as `attempt` describes it, with at most five seconds of grace;
3. the reporter sends what is left, for at most three seconds, while heartbeats keep the lease;
4. goodbye, so that the server need not wait for the lease to lapse;
5. exit.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from sublight import __version__
from sublight.core.errors import SublightError
from sublight.host.facts import cores_count, gpus_count, memory_bytes
from sublight.host.nodes import sweep_node
from sublight.messages.nodes import Hello, Welcome
from sublight.node.attempt import Surroundings
from sublight.node.carrier import Carrier
from sublight.node.client import NodeClient
from sublight.node.executor import Executor, Inbox
from sublight.node.isolation import choose_isolation, death_prefix
from sublight.node.launcher import SystemLauncher
from sublight.node.lease import Lease, boot_clock
from sublight.node.log import log
from sublight.node.orders import OrdersPoller
from sublight.node.reporter import Reporter
from sublight.node.settings import AgentSettings, is_server_gone, read_settings, server_url
from sublight.node.workspace import BlobCache, remove_tree

_TERM_GRACE_SECONDS = 5.0
_LAST_REPORT_SECONDS = 3.0
_DROP_SECONDS = 15.0
_SERVER_GONE_SECONDS = 600.0
# With nothing left to report: a server that comes back starts a new node sooner than anybody misses this one.
_SERVER_GONE_IDLE_SECONDS = 30.0
_SERVER_LOOK_SECONDS = 10.0
_CLOSING_STEP_SECONDS = 0.01
# Attempts that wait for an environment at the same time; others wait for them.
_BUILDS_MAX = 32


def run_agent(directory: Path) -> int:
    """Be the agent of the node whose ``agent.json`` lies in ``directory``, until it ends; returns the exit code.

    Called once, in the main thread of a process of its own. Raises InvalidInput when the settings make no sense.
    """
    settings = read_settings(directory)
    survivors = sweep_node(settings.node_id, settings.directory)
    if survivors:
        log("processes of an earlier agent survived", pids=survivors)
    remove_tree(settings.directory / "runs")
    BlobCache(settings.directory.parent / "blobs-cache", _no_fetch).tidy()
    return Agent(settings).run()


class Agent:
    """The parts of an agent, put together."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._incarnation = os.urandom(8).hex()
        self._lease = Lease()
        self._bell = Bell()
        self._inbox = Inbox(self._bell.ring)
        self._fenced_because: str | None = None
        isolation = choose_isolation(settings.node_id, settings.directory, settings.isolation)
        self._isolation = isolation
        around = Surroundings(
            settings=settings,
            incarnation=self._incarnation,
            launcher=SystemLauncher(isolation, death_prefix()),
            lease=self._lease,
            submit=Carrier(self._make_client).submit,
            build=Carrier(self._make_client, threads_max=_BUILDS_MAX).submit,
            post=self._inbox.post,
            changed=lambda: self._reporter.changed(),
        )
        self._around = around
        self._executor = Executor(around, self._inbox)
        self._reporter = Reporter(
            self._make_client(),
            incarnation=self._incarnation,
            lease=self._lease,
            attempts=self._executor.attempts,
            superseded=lambda key: self._inbox.post(partial(self._executor.drop, key)),
            fenced=self._be_fenced,
        )
        self._poller = OrdersPoller(
            self._make_client(),
            Hello(incarnation=self._incarnation, version=__version__, host=host_facts(settings, isolation.name)),
            lease=self._lease,
            welcomed=self._begin_reporting,
            ordered=lambda orders: self._inbox.post(partial(self._executor.apply, orders)),
            fenced=self._be_fenced,
        )

    def run(self) -> int:
        """Work until there is a reason to end; returns the exit code."""
        self._bell.hang()
        log("agent starts", node_id=self._settings.node_id, incarnation=self._incarnation)
        self._start_thread(self._poller.run, "orders")
        code = self._work()
        self._isolation.close()
        log("agent ends", exit_code=code)
        return code

    def _work(self) -> int:
        gone_since: float | None = None
        look_at = boot_clock() + _SERVER_LOOK_SECONDS
        while True:
            due_in = self._executor.step()
            if self._bell.is_asked_to_end:
                return self._end_politely()
            if self._fenced_because is not None:
                return self._end_at_once(self._fenced_because, 3)
            if self._executor.is_leaving and self._executor.is_empty:
                self._say_goodbye()
                return 0
            now = boot_clock()
            if now >= look_at:
                look_at = now + _SERVER_LOOK_SECONDS
                is_gone = self._lease.is_lapsed() and is_server_gone(self._settings)
                gone_since = (gone_since or now) if is_gone else None
                patience = _SERVER_GONE_IDLE_SECONDS if self._executor.is_empty else _SERVER_GONE_SECONDS
                if gone_since is not None and now - gone_since >= patience:
                    return self._end_at_once("the server of this machine is gone", 4)
                if not self._settings.directory.exists():
                    return self._end_at_once("the folder of this node is gone", 4)
            self._bell.wait(min(due_in if due_in is not None else _SERVER_LOOK_SECONDS, max(0.0, look_at - now)))

    def _end_politely(self) -> int:
        self._poller.close()
        self._around.stop_grace_seconds = min(self._around.stop_grace_seconds, _TERM_GRACE_SECONDS)
        self._executor.close("the agent of its node was told to end")
        # Longer than the grace and the killing; what is not finished by then is killed without further ado.
        self._work_until(self._is_all_reported, _TERM_GRACE_SECONDS + _LAST_REPORT_SECONDS)
        self._executor.drop_all()
        self._work_until(lambda: self._executor.is_empty, _DROP_SECONDS)
        self._reporter.close()
        self._say_goodbye()
        return 0

    def _end_at_once(self, reason: str, code: int) -> int:
        log("everything is killed", reason=reason)
        self._poller.close()
        self._reporter.close()
        self._executor.drop_all()
        self._work_until(lambda: self._executor.is_empty, _DROP_SECONDS)
        return code

    def _work_until(self, is_enough: Callable[[], bool], seconds_max: float) -> None:
        deadline = boot_clock() + seconds_max
        while True:
            self._executor.step()
            if is_enough() or boot_clock() >= deadline:
                return
            self._bell.wait(_CLOSING_STEP_SECONDS)

    def _is_all_reported(self) -> bool:
        return not self._executor.attempts or self._reporter.has_reported_all

    def _begin_reporting(self, welcome: Welcome) -> None:
        self._around.stop_grace_seconds = welcome.stop_grace_seconds
        self._around.environments_bytes_max = welcome.environments_limit_mb * 1_000_000
        self._reporter.set_pace(welcome)
        self._start_thread(self._reporter.run, "reporter")

    def _be_fenced(self, reason: str) -> None:
        self._fenced_because = reason
        self._bell.ring()

    def _say_goodbye(self) -> None:
        try:
            self._make_client().goodbye(self._incarnation)
        except SublightError as error:
            log("goodbye was not heard", error=str(error))

    def _make_client(self) -> NodeClient:
        settings = self._settings
        return NodeClient(settings.node_id, settings.token, lambda: server_url(settings))

    def _start_thread(self, body: Callable[[], None], name: str) -> None:
        # A daemon: a call that hangs must not keep an agent alive that has ended its attempts.
        threading.Thread(target=body, name=name, daemon=True).start()


class Bell:
    """Wakes the main thread: for events of other threads, ended children, and the wish that the agent should end."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self.is_asked_to_end = False

    def hang(self) -> None:
        """Let signals ring. Called in the main thread."""
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        # Without a handler of our own, the end of a child would not ring.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_end)

    def ring(self) -> None:
        """Let `wait` return. Called from any thread, any number of times."""
        try:
            os.write(self._writer, b"\0")
        except BlockingIOError:
            return  # it has been rung thousands of times already

    def wait(self, timeout_seconds: float) -> None:
        """Wait for a ring, for so long at most."""
        ready, _, _ = select.select([self._reader], [], [], timeout_seconds)
        if ready:
            os.read(self._reader, 65536)

    def _ask_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked_to_end = True


def host_facts(settings: AgentSettings, isolation: str) -> dict[str, Any]:
    """What the agent tells of its machine, shown beside the node."""
    return {
        "hostname": socket.gethostname(),
        "cores": cores_count(),
        "memory_bytes": memory_bytes(),
        "gpus": gpus_count(),
        "threads": settings.threads,
        "isolation": isolation,
        "note": settings.note,
        "python": sys.version.split()[0],
    }


def _no_fetch(_snapshot_id: str, _sha256: str, _target: BinaryIO) -> None:
    raise AssertionError("tidying a cache fetches nothing")
