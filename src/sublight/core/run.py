"""The life of a run: its statuses, the legal moves between them, and why it ended.

::

    created ──► queued ──► preparing ──► running ──► finishing ──► completed
                  ▲            │            │            │     └──► failed
                  │            └────────────┴─────┬──────┘
                  ├────────── lost ◄──────────────┤
                  │            │                  ▼
                  │            └──► failed     stopping ──► canceled | failed | completed
                  └── (a lost attempt goes back to the queue)
"""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run is; few words, the *why* stands in ``end_reason`` and ``reason``."""

    CREATED = "created"
    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    FINISHING = "finishing"
    STOPPING = "stopping"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    LOST = "lost"

    @property
    def is_terminal(self) -> bool:
        """True when the run can never change its status again."""
        return self in TERMINAL_STATUSES

    @property
    def is_on_node(self) -> bool:
        """True while an attempt of the run occupies a node."""
        return self in ON_NODE_STATUSES


TERMINAL_STATUSES = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED})
ON_NODE_STATUSES = frozenset(
    {RunStatus.PREPARING, RunStatus.RUNNING, RunStatus.FINISHING, RunStatus.STOPPING, RunStatus.LOST}
)


class EndReason(StrEnum):
    """Why a run ended; a sentence with the particulars stands beside it."""

    FINISHED = "finished"
    USER = "user"
    POLICY = "policy"
    TIMEOUT = "timeout"
    NODE_LOST = "node_lost"
    ERROR = "error"


class RunKind(StrEnum):
    """What a run is: a script, a sweep over one, a trial of a sweep, a child that a script made itself, or interactive.

    An interactive run is carried out by the user's own process (a notebook, a program) and not by a node.
    """

    SCRIPT = "script"
    SWEEP = "sweep"
    TRIAL = "trial"
    CHILD = "child"
    INTERACTIVE = "interactive"


_S = RunStatus
LEGAL_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    _S.CREATED: frozenset({_S.QUEUED, _S.RUNNING, _S.CANCELED, _S.FAILED}),
    # A sweep goes from queued to running with its first trial and ends from there; only its trials are on nodes.
    _S.QUEUED: frozenset({_S.PREPARING, _S.RUNNING, _S.STOPPING, _S.CANCELED, _S.FAILED, _S.COMPLETED}),
    # A node that was out of reach may tell as its first news that the run is over, so every end is near from here on.
    _S.PREPARING: frozenset(
        {_S.RUNNING, _S.FINISHING, _S.STOPPING, _S.LOST, _S.QUEUED, _S.COMPLETED, _S.FAILED, _S.CANCELED}
    ),
    _S.RUNNING: frozenset({_S.FINISHING, _S.STOPPING, _S.LOST, _S.QUEUED, _S.COMPLETED, _S.FAILED, _S.CANCELED}),
    _S.FINISHING: frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELED, _S.STOPPING, _S.LOST, _S.QUEUED}),
    _S.STOPPING: frozenset({_S.CANCELED, _S.FAILED, _S.COMPLETED, _S.LOST}),
    _S.LOST: frozenset(
        {_S.QUEUED, _S.COMPLETED, _S.FAILED, _S.CANCELED, _S.PREPARING, _S.RUNNING, _S.FINISHING, _S.STOPPING}
    ),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELED: frozenset(),
}


def is_legal_move(before: RunStatus, after: RunStatus) -> bool:
    """True when a run may go from ``before`` to ``after``; staying where it is is always legal."""
    return before == after or after in LEGAL_MOVES[before]
