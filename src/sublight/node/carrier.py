"""Work that may take long (downloads, uploads, removing folders), on threads beside the agent's main thread."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from queue import SimpleQueue

from sublight.node.client import NodeClient
from sublight.node.log import log

Job = Callable[[NodeClient], None]


class Carrier:
    """A few threads, started when they are needed, each with its own connection to the server.

    Jobs deal with their own failures and tell the executor how they went; a job must not wait for better times, because
    others wait behind it.
    """

    def __init__(self, make_client: Callable[[], NodeClient], threads_max: int = 4) -> None:
        self._make_client = make_client
        self._threads_max = threads_max
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._unfinished = 0

    def submit(self, job: Job) -> None:
        """Do the job soon; called from any thread."""
        with self._lock:
            self._unfinished += 1
            is_short_of_threads = self._unfinished > self._threads and self._threads < self._threads_max
            if is_short_of_threads:
                self._threads += 1
        self._jobs.put(job)
        if is_short_of_threads:
            # A daemon: an upload that hangs must not keep an agent alive that was told to exit.
            threading.Thread(target=self._work, name="carrier", daemon=True).start()

    def _work(self) -> None:
        client = self._make_client()
        while True:
            job = self._jobs.get()
            try:
                job(client)
            except Exception:
                log("a job failed unexpectedly", error=traceback.format_exc())
            finally:
                with self._lock:
                    self._unfinished -= 1
