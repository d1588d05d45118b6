"""Where an attempt stands: the words for it, and the value that the reporter reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The phases that are reported; ``finished`` is added by the reporter once everything is shipped."""

    PREPARING = "preparing"
    RUNNING = "running"
    FINISHING = "finishing"
    FINISHED = "finished"


class End(StrEnum):
    """How an attempt ended."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    FAILED_TO_START = "failed_to_start"


class Step(StrEnum):
    """Where this node is with an attempt; each step is left once and never entered again.

    ``clearing``: the main process has ended, what it left behind is being killed. ``closed``: nothing in the folder
    changes any more, the reporter ships the rest.
    """

    UNPACKING = "unpacking"
    RUNNING = "running"
    CLEARING = "clearing"
    UPLOADING = "uploading"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class AttemptState:
    """What is reported of an attempt. Replaced as a whole, so that another thread always sees one that is consistent.

    ``is_closed`` says that journal and logs will not grow any more.
    """

    phase: Phase = Phase.PREPARING
    started: float | None = None
    ended: float | None = None
    end: End | None = None
    exit_code: int | None = None
    message: str = ""
    is_closed: bool = False
