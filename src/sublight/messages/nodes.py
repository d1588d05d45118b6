"""The talk between a node's agent and the server (msgpack over HTTP, outbound from the agent).

An agent says hello once with a fresh incarnation, then keeps two calls going:

- ``orders``: a long poll. The answer is the complete list of attempts the node should have, and whether each should
  run or stop. Whatever the agent has beyond that list, it ends and removes.
- ``report``: what is new. States of attempts, journal bytes and log bytes by offset. The answer tells how far each file
  is stored; the agent goes on from there. Everything in one report is stored in one transaction.

Either answer renews the lease of all attempts of the node until ``lease_seconds`` after the *request was sent*. An
agent whose lease lapsed stops its attempts before the server may give them away (``replace_seconds`` on the server is
larger than lease + grace). Facts with an old incarnation or attempt number are refused (409) and change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sublight.messages.definitions import EnvironmentSpec, SnapshotFile


@dataclass(frozen=True, kw_only=True)
class Hello:
    """An agent's first words. ``incarnation`` is a random id made at each start of the agent."""

    incarnation: str
    version: str
    host: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """The server's answer: seconds by which the agent must live, and the room for environments on its machine."""

    lease_seconds: float
    stop_grace_seconds: float
    poll_seconds: float
    environments_limit_mb: int = 20_000


@dataclass(frozen=True, kw_only=True)
class Order:
    """One attempt that the node should have.

    ``action`` is ``run`` or ``stop`` (with ``stop_reason``). ``argv`` is the complete command after the interpreter
    has been filled in: its first item ``{python}`` stands for the environment's interpreter; a ``command`` run has
    ``argv == ["{shell}", "-c", line]``. ``max_run_seconds`` counts from the start of the process.

    ``share`` is into how many parts the node is divided for this run; its threads are one of them.

    ``run_token`` is for the script's environment, beside the server's address, and empty unless the script needs access
    to the workspace. ``annotations``, unless empty, are written into the attempt's folder before the start.
    """

    run_id: str
    attempt: int
    action: str
    stop_reason: str
    snapshot_id: str
    snapshot_files: list[SnapshotFile]
    argv: list[str]
    environment: str
    environment_variables: dict[str, str]
    max_run_seconds: float | None
    experiment: str
    parent_id: str | None
    share: int = 1
    run_token: str = field(default="", repr=False)
    annotations: dict[str, Any] = field(default_factory=dict)
    environment_spec: EnvironmentSpec | None = None


@dataclass(frozen=True, kw_only=True)
class Orders:
    """The complete wanted state of the node. ``version`` goes into the next poll. ``leave`` asks the agent to exit."""

    version: int
    leave: bool
    orders: list[Order]


@dataclass(frozen=True, kw_only=True)
class FileBytes:
    """New bytes of an append-only file of an attempt, from ``offset``."""

    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class AttemptReport:
    """What is new about one attempt.

    ``phase`` is preparing (with ``message``: what it waits for), running, finishing (process ended, files still on their
    way) or finished (all is shipped).
    ``end`` is given from finishing on: ``exited``, ``timeout``, ``stopped``, ``failed_to_start`` with ``message``.
    ``started`` and ``ended`` are the process's own times by the node's clock. ``journal`` continues the attempt's
    journal; ``logs`` continue ``user_logs/std_log.txt`` and the files under ``logs/``.
    """

    run_id: str
    attempt: int
    phase: str
    started: float | None = None
    ended: float | None = None
    end: str | None = None
    exit_code: int | None = None
    message: str = ""
    journal: FileBytes | None = None
    logs: list[FileBytes] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything new on a node; an empty list of attempts is a plain heartbeat."""

    incarnation: str
    attempts: list[AttemptReport]
    host: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StoredOffsets:
    """How far the files of one attempt are stored; ``superseded`` says that this attempt no longer counts."""

    run_id: str
    attempt: int
    superseded: bool
    journal: int
    logs: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ReportAnswer:
    """The server's answer to a report."""

    attempts: list[StoredOffsets]
