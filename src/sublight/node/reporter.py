"""Tells the server what is new on the node: states at once, journals and logs as they grow, a heartbeat otherwise."""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Mapping

from sublight.core.errors import Conflict, NotFound, SublightError, TooLarge
from sublight.messages.nodes import AttemptReport, Report, Welcome
from sublight.node.attempt import Attempt, Key
from sublight.node.client import NodeClient
from sublight.node.lease import Clock, Lease, boot_clock
from sublight.node.log import log
from sublight.node.shipment import Shipment

REPORT_BYTES_MAX = 8_000_000

# States that change close together travel together; an end never waits for that.
_GATHER_SECONDS = 0.015
# How often growing files are looked at, and how often they are shipped while they keep growing.
_LOOK_SECONDS = 0.05
_SHIP_SECONDS = 0.2
_RETRY_SECONDS_MAX = 2.0
_BYTES_MIN = 50_000
# A report of this size was probably not all that there is.
_FULL_REPORT_BYTES = 500_000


class Reporter:
    """Runs in its own thread, with its own connection, so that a slow upload never delays a heartbeat.

    A report that failed is made again from the same offsets; the server stores each byte once.
    """

    def __init__(
        self,
        client: NodeClient,
        *,
        incarnation: str,
        lease: Lease,
        attempts: Mapping[Key, Attempt],
        superseded: Callable[[Key], None],
        fenced: Callable[[str], None],
        clock: Clock = boot_clock,
    ) -> None:
        """``superseded``: the server wants no more of an attempt. ``fenced``: nor of this agent, for the reason given."""
        self._client = client
        self._incarnation = incarnation
        self._lease = lease
        self._attempts = attempts
        self._superseded = superseded
        self._fenced = fenced
        self._clock = clock
        self._shipments: dict[Key, Shipment] = {}
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._heartbeat_seconds = 5.0
        self._call_seconds = 15.0
        self._bytes_max = REPORT_BYTES_MAX
        self._turn = 0
        self._failures = 0
        self._sent_at = float("-inf")

    def set_pace(self, welcome: Welcome) -> None:
        """Live by the seconds that the server's welcome states."""
        self._heartbeat_seconds = min(welcome.poll_seconds, welcome.lease_seconds / 4)
        self._call_seconds = max(1.0, min(15.0, welcome.lease_seconds / 2))

    def changed(self) -> None:
        """A state is new: report it soon. Called from any thread."""
        self._changed.set()

    def close(self) -> None:
        """Let `run` return soon. Called from any thread."""
        self._closed.set()
        self._changed.set()

    @property
    def has_reported_all(self) -> bool:
        """True when the server has everything of every attempt of the node. Called from any thread."""
        shipments = dict(self._shipments)
        return all(key in shipments and shipments[key].is_done for key in list(self._attempts))

    def run(self) -> None:
        """Report until `close`. The body of the reporter's thread."""
        while not self._closed.is_set():
            self._wait()
            try:
                while not self._closed.is_set() and self.report():
                    pass
                self._failures = 0
            except (Conflict, NotFound) as error:
                self._fenced(str(error))
                return
            except TooLarge as error:
                # Something between us and the server takes less than the server itself.
                self._bytes_max = max(_BYTES_MIN, self._bytes_max // 2)
                self._failed(error)
            except SublightError as error:
                self._failed(error)
            except Exception:
                self._failed(RuntimeError(traceback.format_exc()))

    def report(self) -> bool:
        """Make one report, an empty one when nothing is new; True when more is waiting and should follow at once.

        Raises what the client raises; then nothing has changed here, and the next call reports the same again.
        """
        now = self._clock()
        self._changed.clear()
        self._follow_attempts()
        parts = self._gather(now)
        sent_at = self._clock()
        report = Report(incarnation=self._incarnation, attempts=[part for _, part in parts])
        answer = self._client.report(report, self._call_seconds)
        self._lease.renew(sent_at)
        self._sent_at = sent_at
        stored = {(item.run_id, item.attempt): item for item in answer.attempts}
        has_progress = False
        for shipment, _ in parts:
            key = shipment.attempt.key
            if key in stored and stored[key].superseded:
                shipment.is_done = True
                self._superseded(key)
            elif key in stored:
                has_progress = shipment.take_answer(stored[key]) or has_progress
        is_full = sum(_size(part) for _, part in parts) >= min(self._bytes_max, _FULL_REPORT_BYTES)
        return has_progress and is_full and not all(shipment.is_done for shipment, _ in parts)

    def _gather(self, now: float) -> list[tuple[Shipment, AttemptReport]]:
        # Each time another attempt comes first, so that one that writes a lot does not keep the others waiting.
        shipments = list(self._shipments.values())
        self._turn += 1
        start = self._turn % len(shipments) if shipments else 0
        parts: list[tuple[Shipment, AttemptReport]] = []
        left = self._bytes_max
        for shipment in shipments[start:] + shipments[:start]:
            part = shipment.next_report(now, left)
            if part is not None:
                parts.append((shipment, part))
                left -= _size(part)
            if left <= 0:
                break
        return parts

    def _follow_attempts(self) -> None:
        attempts = dict(self._attempts)
        for key in [key for key, known in self._shipments.items() if attempts.get(key) is not known.attempt]:
            del self._shipments[key]
        for key, attempt in attempts.items():
            if key not in self._shipments:
                self._shipments[key] = Shipment(attempt)

    def _wait(self) -> None:
        """Return when a report is due: a state is new, files have grown, or it is time for a heartbeat."""
        while not self._closed.is_set():
            now = self._clock()
            if self._changed.is_set():
                wait = self._sent_at + _GATHER_SECONDS - now
                if wait <= 0 or self._is_end_waiting():
                    return
                self._changed.clear()
                self._changed.wait(wait)
                self._changed.set()
                continue
            heartbeat_at = self._sent_at + self._heartbeat_seconds
            if now >= heartbeat_at:
                return
            is_watching = any(not shipment.is_done for shipment in self._shipments.values())
            if is_watching and now >= self._sent_at + _SHIP_SECONDS and self._has_news(now):
                return
            self._changed.wait(min(_LOOK_SECONDS, heartbeat_at - now) if is_watching else heartbeat_at - now)

    def _has_news(self, now: float) -> bool:
        return any(shipment.has_news(now) for shipment in self._shipments.values())

    def _is_end_waiting(self) -> bool:
        """True when an attempt has closed and the server was not told; its place on the node is free once it is."""
        for key, attempt in list(self._attempts.items()):
            shipment = self._shipments.get(key)
            if attempt.state.is_closed and (shipment is None or not shipment.is_done):
                return True
        return False

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures in (1, 10) or self._failures % 100 == 0:
            log("a report failed, will try again", failures=self._failures, error=str(error))
        wait = min(_RETRY_SECONDS_MAX, 0.05 * 2.0 ** min(self._failures, 10))
        # Agents that lost the same server must not all come back at the same moment.
        self._closed.wait(wait * random.uniform(0.5, 1.0))
        self._sent_at = float("-inf")


def _size(part: AttemptReport) -> int:
    return (len(part.journal.data) if part.journal else 0) + sum(len(log.data) for log in part.logs)
