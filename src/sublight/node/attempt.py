"""The life of one attempt on this node, from order to removed folder.

An attempt goes through the steps of `Step`. It is stopped in this order, whatever the reason:

1. SIGTERM to the process group of its main process;
2. up to ``stop_grace_seconds`` for the main process to end;
3. SIGKILL to everything that the attempt started, again and again until nothing is left;
4. upload of the files it left, then the last of its journal and logs.

When the main process ends by itself, the order begins at 3: what it left behind is killed at once, and its exit code
alone decides how the attempt ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sublight.core.errors import Conflict, NotAllowed, NotAuthenticated, ServerUnavailable, SublightError
from sublight.messages.nodes import Order
from sublight.node.carrier import Job
from sublight.node.client import NodeClient
from sublight.node.command import build_command
from sublight.node.endings import exit_sentence, failure_sentence, survivors_sentence
from sublight.node.environments import BuiltEnvironment, provide
from sublight.node.launcher import Launcher, Process
from sublight.node.lease import Clock, Lease, boot_clock
from sublight.node.log import log
from sublight.node.outputs import Put, Uploads
from sublight.node.settings import AgentSettings
from sublight.node.states import AttemptState, End, Phase, Step
from sublight.node.workspace import LOG_FILE, BlobCache, attempt_directory, remove_tree, unpack

Key = tuple[str, int]

LEASE_LAPSED = "the lease lapsed: the node had no word from the server for too long"

_LOOK_SECONDS = 1.0
_KILL_AGAIN_SECONDS = 0.01
_GIVE_UP_SECONDS = 10.0
_RETRY_SECONDS = 0.2
_RETRY_SECONDS_MAX = 10.0

# The server cannot be reached or does not know us just now; whether that is final, the agent's other calls find out.
_PASSING = (ServerUnavailable, Conflict, NotAuthenticated, NotAllowed)


@dataclass(kw_only=True)
class Surroundings:
    """What all attempts of a node share.

    ``submit`` gives a job to the carrier, ``build`` to another one whose jobs may take minutes; ``post`` lets the main
    thread call something at its next step (from any thread); ``changed`` tells the reporter that a state is new.
    ``clock`` measures waits, ``now`` is wall time.
    """

    settings: AgentSettings
    incarnation: str
    launcher: Launcher
    lease: Lease
    submit: Callable[[Job], None]
    build: Callable[[Job], None]
    post: Callable[[Callable[[], None]], None]
    changed: Callable[[], None]
    clock: Clock = boot_clock
    now: Clock = time.time
    stop_grace_seconds: float = 10.0
    environments_bytes_max: int = 20_000_000_000


class Attempt:
    """One attempt. All methods are called by the agent's main thread.

    Other threads read ``state``, ``order`` and ``directory``, and jobs of the carrier ``is_dropped`` and the like.
    """

    def __init__(self, order: Order, around: Surroundings, removed: Callable[[Attempt], None]) -> None:
        """``removed`` is called when a dropped attempt has left nothing behind."""
        self.order = order
        self.directory = attempt_directory(around.settings.directory / "runs", order.run_id, order.attempt)
        self.state = AttemptState()
        self.step = Step.UNPACKING
        self.process: Process | None = None
        self.is_dropped = False
        self._around = around
        self._removed = removed
        self._uploads = Uploads(self.directory)
        # The environment of its own that the order asks for, while it is held.
        self._environment: BuiltEnvironment | None = None
        # Why it is being stopped, once it is.
        self._stop_end: End | None = None
        self._stop_message = ""
        # A job of the carrier works in the folder.
        self._is_busy = False
        self._are_uploads_abandoned = False
        self._tries = 0
        self._retry_at: float | None = None
        self._look_at = 0.0
        self._overdue_at: float | None = None
        self._kill_at: float | None = None
        self._give_up_at: float | None = None

    @property
    def key(self) -> Key:
        """Run and attempt number; never used twice."""
        return self.order.run_id, self.order.attempt

    # -- asked from outside --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Unpack the snapshot and start the script. Called once, first."""
        self._unpack()

    def refuse(self, message: str) -> None:
        """Do not begin at all; the server is told why. Called once, first, instead of `begin`."""
        self._close(End.STOPPED, message)

    def stop(self, end: End, message: str) -> None:
        """Stop the script if it has not ended; what it left is uploaded all the same. Only the first call counts."""
        if self._stop_end is not None or self.step not in (Step.UNPACKING, Step.RUNNING):
            return
        self._stop_end, self._stop_message = end, message
        if self.process is not None:
            self.process.terminate()
            self._kill_at = self._around.clock() + self._around.stop_grace_seconds
        elif not self._is_busy:
            self._close(end, message)  # it waited for the server; a job at work comes back by itself

    def cancel(self, message: str) -> None:
        """Stop the script; when it has ended by itself already, stop uploading what it left."""
        if self._stop_end is None and self.step is Step.UPLOADING:
            self._are_uploads_abandoned = True
            if not self._is_busy:
                self._close()
            return
        self.stop(End.STOPPED, message)

    def drop(self) -> None:
        """Kill everything of it at once, report nothing more and remove the folder. Called once."""
        self.is_dropped = True
        if self.step is Step.RUNNING:
            self._kill()
        elif self.step is not Step.CLEARING:
            self._remove_when_idle()

    def main_ended(self, code: int | None) -> None:
        """The main process has ended with this code, or (None) cannot be made to end."""
        if self.step is not Step.RUNNING:
            return
        self.step = Step.CLEARING
        end = self._stop_end or End.EXITED
        message = self._stop_message if self._stop_end else exit_sentence(code, self.directory)
        self.state = replace(
            self.state, phase=Phase.FINISHING, ended=self._around.now(), end=end, exit_code=code, message=message
        )
        if self._give_up_at is None:
            self._give_up_at = self._around.clock() + _GIVE_UP_SECONDS
        self._clear()

    def do_what_is_due(self) -> None:
        """Go on with what waited for its time."""
        now = self._around.clock()
        if self.step is Step.CLEARING:
            self._clear()
        elif self.step is Step.RUNNING:
            if _is_due(self._kill_at, now):
                self._kill()
            elif _is_due(self._overdue_at, now):
                self._overdue_at = None
                self.stop(End.TIMEOUT, f"stopped at its time limit of {self.order.max_run_seconds:g} seconds")
            elif now >= self._look_at and not self.is_dropped:
                self._upload_staged()
        elif _is_due(self._retry_at, now):
            self._retry_at = None
            self._unpack() if self.step is Step.UNPACKING else self._upload()

    def due_at(self) -> float | None:
        """When `do_what_is_due` should be called next, by the clock; None when nothing waits for its time."""
        if self.step is Step.CLEARING:
            return self._around.clock() + _KILL_AGAIN_SECONDS
        if self.step is Step.RUNNING:
            return min(moment for moment in (self._look_at, self._kill_at, self._overdue_at) if moment is not None)
        return self._retry_at

    # -- unpacking and starting ----------------------------------------------------------------------------------------

    def _unpack(self) -> None:
        cache = self._around.settings.directory.parent / "blobs-cache"

        def work(client: NodeClient) -> None:
            if self._tries:
                remove_tree(self.directory)
            unpack(self.order, self.directory, BlobCache(cache, client.fetch_blob), self._is_unwanted)

        self._do(work, self._unpacked)

    def _unpacked(self, error: Exception | None) -> None:
        if self._may_go_on(error):
            self._launch() if self.order.environment_spec is None else self._provide_environment()

    def _provide_environment(self) -> None:
        spec = self.order.environment_spec
        assert spec is not None

        def work(_client: NodeClient) -> None:
            self._environment = provide(
                spec,
                self._around.settings,
                self.directory,
                needs_client=bool(self.order.run_token),
                bytes_max=self._around.environments_bytes_max,
                progress=lambda sentence: self._around.post(partial(self._say, sentence)),
                is_stopped=self._is_unwanted,
            )
            _append_notes(self.directory / LOG_FILE, self._environment.facts.changes)

        self._do(work, self._environment_provided, self._around.build)

    def _say(self, sentence: str) -> None:
        """Tell what the attempt waits for."""
        if self.step is Step.UNPACKING and not self._is_unwanted() and self.state.message != sentence:
            self.state = replace(self.state, message=sentence)
            self._around.changed()

    def _environment_provided(self, error: Exception | None) -> None:
        if self._may_go_on(error):
            self._launch()

    def _may_go_on(self, error: Exception | None) -> bool:
        """True when the job before went well and the script may still start; else what follows is done here."""
        if self._stop_end is not None:
            self._close(self._stop_end, self._stop_message)
        elif isinstance(error, _PASSING):
            self._retry_later(error)
        elif error is not None:
            self._fail_to_start(error)
        elif self._around.lease.is_lapsed():
            self._close(End.STOPPED, LEASE_LAPSED)
        else:
            return True
        return False

    def _launch(self) -> None:
        try:
            command = build_command(self.order, self.directory, self._around.settings, os.environ, self._environment)
            self.process = self._around.launcher.start(command)
        except (OSError, ValueError, SublightError) as error:
            self._fail_to_start(error)
            return
        now = self._around.clock()
        self.step = Step.RUNNING
        self._tries = 0
        self._look_at = now + _LOOK_SECONDS
        if self.order.max_run_seconds is not None:
            self._overdue_at = now + self.order.max_run_seconds
        self.state = AttemptState(phase=Phase.RUNNING, started=self._around.now())
        self._around.changed()

    def _fail_to_start(self, error: Exception) -> None:
        self._close(End.FAILED_TO_START, failure_sentence(error, self._around.settings.directory))

    # -- ending --------------------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        assert self.process is not None
        now = self._around.clock()
        if self._give_up_at is None:
            self._give_up_at = now + _GIVE_UP_SECONDS
        if now >= self._give_up_at:
            self.main_ended(None)
            return
        self.process.kill_all()
        self._kill_at = now + _KILL_AGAIN_SECONDS

    def _clear(self) -> None:
        assert self.process is not None
        assert self._give_up_at is not None
        if self.process.is_gone():
            self.process.close()
        elif self._around.clock() < self._give_up_at:
            self.process.kill_all()
            return
        elif survivors := self.process.survivors():
            sentence = survivors_sentence(survivors)
            log("processes survived", run_id=self.order.run_id, message=sentence)
            self.state = replace(self.state, message="; ".join(filter(None, (self.state.message, sentence))))
        else:
            # The last look found none; only dead children are still to be collected.
            self.process.close()
        self.step = Step.UPLOADING
        if self.is_dropped:
            self._remove_when_idle()
        elif not self._is_busy:
            self._upload()

    # -- what it left --------------------------------------------------------------------------------------------------

    def _upload_staged(self) -> None:
        self._look_at = self._around.clock() + _LOOK_SECONDS
        files = [] if self._is_busy else self._uploads.settled()
        if files:
            self._do(
                lambda client: self._uploads.send(files, self._put(client), lambda: self.is_dropped),
                self._staged_uploaded,
            )

    def _staged_uploaded(self, error: Exception | None) -> None:
        if error is not None:
            # They are looked at again in a moment, and once more after the end.
            log("upload failed", run_id=self.order.run_id, error=str(error))
        if self.step is Step.UPLOADING:
            self._upload()

    def _upload(self) -> None:
        if self._uploads.is_nothing_there():
            self._close()
            return
        self._around.changed()  # the server learns now that the process has ended; the files may take a while

        def work(client: NodeClient) -> None:
            files = self._uploads.remaining()
            self._uploads.send(files, self._put(client), self._is_uploading_abandoned)

        self._do(work, self._uploaded)

    def _uploaded(self, error: Exception | None) -> None:
        if isinstance(error, _PASSING) and not self._are_uploads_abandoned:
            self._retry_later(error)
            return
        if error is not None:
            self._uploads.notes.append(f"uploading ended early: {error}")
        self._close()

    def _put(self, client: NodeClient) -> Put:
        run_id, number = self.key

        def put(path: str, sha256: str, size_bytes: int, body: BinaryIO) -> None:
            client.put_artifact(
                self._around.incarnation, run_id, number, path=path, sha256=sha256, size_bytes=size_bytes, body=body
            )

        return put

    # -- closing and removing ------------------------------------------------------------------------------------------

    def _close(self, end: End | None = None, message: str = "") -> None:
        """Nothing changes any more. ``end`` is given for an attempt whose script never ran."""
        _append_notes(self.directory / LOG_FILE, self._uploads.notes)
        self._release_environment()
        self.step = Step.CLOSED
        if end is not None:
            ended = self._around.now()
            self.state = replace(self.state, phase=Phase.FINISHING, ended=ended, end=end, message=message)
        self.state = replace(self.state, is_closed=True)
        self._around.changed()

    def _release_environment(self) -> None:
        if self._environment is not None:
            self._environment.release()
            self._environment = None

    def _remove_when_idle(self) -> None:
        if not self._is_busy:
            self._release_environment()
            self._do(lambda _: remove_tree(self.directory), lambda _: self._removed(self))

    # -- jobs ----------------------------------------------------------------------------------------------------------

    def _do(
        self,
        work: Callable[[NodeClient], None],
        done: Callable[[Exception | None], None],
        submit: Callable[[Job], None] | None = None,
    ) -> None:
        """Let the carrier do ``work``; the main thread then calls ``done`` with what it raised."""
        is_removal = self.is_dropped
        self._is_busy = True

        def finish(error: Exception | None) -> None:
            self._is_busy = False
            if not self.is_dropped or is_removal:
                done(error)
            elif self.step not in (Step.RUNNING, Step.CLEARING):
                self._remove_when_idle()

        def job(client: NodeClient) -> None:
            error: Exception | None = None
            try:
                work(client)
            except Exception as caught:
                error = caught
            self._around.post(partial(finish, error))

        (submit or self._around.submit)(job)

    def _retry_later(self, error: Exception) -> None:
        self._tries += 1
        wait = min(_RETRY_SECONDS_MAX, _RETRY_SECONDS * 2**self._tries)
        log("tried in vain, will try again", run_id=self.order.run_id, step=self.step.value, error=str(error))
        self._retry_at = self._around.clock() + wait

    def _is_unwanted(self) -> bool:
        return self.is_dropped or self._stop_end is not None

    def _is_uploading_abandoned(self) -> bool:
        return self.is_dropped or self._are_uploads_abandoned


def _is_due(moment: float | None, now: float) -> bool:
    return moment is not None and now >= moment


def _append_notes(log_file: Path, notes: list[str]) -> None:
    if not notes:
        return
    try:
        with open(log_file, "a", encoding="utf-8", errors="replace") as file:
            file.writelines(f"[sublight: {note}]\n" for note in notes)
    except OSError as error:
        log("notes were not written", notes=notes, error=str(error))
