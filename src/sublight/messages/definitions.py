"""What a user asks for: a script to run, a sweep over it, and the submission that carries either."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

MaximizeOrMinimize = Literal["maximize", "minimize"]


@dataclass(frozen=True, kw_only=True)
class EnvironmentSpec:
    """An environment to build: a Python version (``3.8``; None: the node's own) and requirements as pip writes them.

    ``companions`` are requirements that are met where they go with the others, and else left out. ``is_relaxed`` lets the
    nearest that can be had take the place of what cannot. ``notes`` are sentences for the run's environment log.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    python: str | None = None
    requirements: list[str] = field(default_factory=list)
    companions: list[str] = field(default_factory=list)
    is_relaxed: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ScriptDefinition:
    """One execution of a script, as declared.

    Either ``script`` (a path inside the snapshot, run by the environment's Python, with ``arguments`` and then the
    trial's parameters as ``--name value``) or ``command`` (a shell line in which ``${{search_space.NAME}}`` and
    ``${{inputs.NAME}}`` stand for values). ``environment`` is ``current``, the interpreter of the node's agent, or
    ``built``: the one of ``environment_spec``, which the node makes ready before the run.

    ``interpreter_arguments`` stand between the Python and the script (``-u``, ``-m module``). With
    ``needs_workspace_access`` the script finds the server's address and a token of its run in its environment.
    ``annotations`` are whatever the submitter keeps with the definition; Sublight does not read them, and the script
    finds them as ``annotations.json`` in its run's directory.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    snapshot_id: str
    script: str | None = None
    arguments: list[str] = field(default_factory=list)
    interpreter_arguments: list[str] = field(default_factory=list)
    command: str | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    environment: str = "current"
    environment_spec: EnvironmentSpec | None = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    max_run_seconds: float | None = None
    retries_max: int = 3
    needs_workspace_access: bool = False
    annotations: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SweepDefinition:
    """A sweep, as declared. ``space``, ``sampler`` and ``policy`` are the ``to_json`` forms of the core's values.

    ``gives_up_when_silent`` False: the sweep goes on although none of its trials reports the metric; an event warns.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    trial: ScriptDefinition
    space: dict[str, Any]
    sampler: dict[str, Any]
    policy: dict[str, Any]
    metric: str
    direction: MaximizeOrMinimize
    max_trials: int
    max_concurrent: int | None = None
    max_minutes: float | None = None
    trials_per_node: int | None = None
    resume_from: list[str] = field(default_factory=list)
    gives_up_when_silent: bool = True


@dataclass(frozen=True, kw_only=True)
class SubmitRequest:
    """A submission: where to, under which experiment, and exactly one of ``script`` and ``sweep``.

    ``id`` is the run's id when the submitter wants a certain one (see ``core.ids``); else the server makes one up.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    experiment: str
    target: str
    script: ScriptDefinition | None = None
    sweep: SweepDefinition | None = None
    id: str | None = None
    name: str | None = None
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InteractiveRunRequest:
    """A run that the caller's own process carries out; the code it has, when that is kept, is ``snapshot_id``."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    experiment: str
    id: str | None = None
    name: str | None = None
    description: str = ""
    parent_id: str | None = None
    snapshot_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EndRequest:
    """How an interactive run ended, with a sentence for people."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    status: Literal["completed", "failed", "canceled"]
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class SnapshotFile:
    """One file of a snapshot; ``path`` is relative with forward slashes; ``is_executable`` keeps the x bit."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    path: str
    sha256: str
    size_bytes: int
    is_executable: bool = False


@dataclass(frozen=True, kw_only=True)
class SnapshotRequest:
    """The files of a source folder as they were at submission."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    files: list[SnapshotFile]


@dataclass(frozen=True, kw_only=True)
class SnapshotResponse:
    """The snapshot's id (SHA-256 of its sorted file list) and the contents that the server does not have yet."""

    id: str
    missing: list[str]


@dataclass(frozen=True, kw_only=True)
class SnapshotView:
    """A stored snapshot."""

    id: str
    files: list[SnapshotFile]
    size_bytes: int
