"""Waiting for a run: quietly or with a display, through restarts of the server, until Ctrl-C or the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

from sublight.core.errors import ServerUnavailable
from sublight.core.run import RunStatus
from sublight.messages.runs import RunView
from sublight.sdk.client import API, Client
from sublight.sdk.picture import Picture, take_picture

# A server that is being restarted or moved is waited for; the run goes on meanwhile.
SERVER_PATIENCE_SECONDS = 300.0
_POLL_FIRST_SECONDS = 0.1
_POLL_MAX_SECONDS = 1.0


class Display(Protocol):
    """Shows pictures of a run to a person; ``close`` is called once, at the end or when it is left."""

    def show(self, picture: Picture) -> None: ...
    def say(self, sentence: str) -> None: ...
    def close(self) -> None: ...


def wait_for_run(
    client: Client, run_id: str, *, shows_progress: bool = False, timeout_seconds: float | None = None
) -> RunView:
    """The run as it ended; a person sees what goes on meanwhile when ``shows_progress``."""
    if shows_progress:
        from sublight.sdk.progress import display_for

        return watch(client, run_id, display_for(client, run_id), timeout_seconds=timeout_seconds).run
    return watch(client, run_id, _Silence(), timeout_seconds=timeout_seconds, reads_all=False).run


def watch(
    client: Client,
    run_id: str,
    display: Display,
    *,
    timeout_seconds: float | None = None,
    reads_all: bool = True,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Picture:
    """Show a run until it has ended, and return its last picture.

    Ctrl-C (KeyboardInterrupt) leaves the run going and says how to come back. TimeoutError after ``timeout_seconds``.
    """
    started = answered = clock()
    delay = _POLL_FIRST_SECONDS
    try:
        while True:
            try:
                picture = take_picture(client, run_id) if reads_all else _run_only(client, run_id)
            except ServerUnavailable as error:
                if clock() - answered > SERVER_PATIENCE_SECONDS:
                    raise
                display.say(f"{error}; the run goes on, still waiting for the server")
            else:
                answered = clock()
                display.show(picture)
                if picture.is_finished:
                    return picture
                if timeout_seconds is not None and answered - started >= timeout_seconds:
                    raise TimeoutError(
                        f"run {run_id} is {picture.run.status} after {timeout_seconds:g} seconds of waiting; it goes on"
                    )
            left = None if timeout_seconds is None else started + timeout_seconds - clock()
            sleep(delay if left is None else max(min(delay, left), 0.0))
            delay = min(delay * 1.3, _POLL_MAX_SECONDS)
    except KeyboardInterrupt:
        display.close()
        print(f"\n{run_id} goes on; come back with: sublight watch {run_id}", file=sys.stderr, flush=True)
        raise
    finally:
        display.close()


def _run_only(client: Client, run_id: str) -> Picture:
    return Picture(client.get(f"{API}/runs/{run_id}", RunView), None)


def has_succeeded(run: RunView) -> bool:
    """True when a run ended as its user hoped."""
    return run.status == RunStatus.COMPLETED


class _Silence:
    def show(self, picture: Picture) -> None:
        pass

    def say(self, sentence: str) -> None:
        print(f"sublight: {sentence}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass
