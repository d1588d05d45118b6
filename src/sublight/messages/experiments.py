"""Experiments: named series of runs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ExperimentSummary:
    """An experiment; ``last_run`` is when its newest run was made (seconds since 1970), None before the first.

    ``id`` stays the same for as long as the experiment lives. ``runs_count`` leaves out trials and children.
    """

    name: str
    created: float
    runs_count: int
    last_run: float | None = None
    id: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    is_archived: bool = False


@dataclass(frozen=True, kw_only=True)
class ExperimentUpdate:
    """Changes to an experiment: tags are merged, one given as None is removed; None leaves ``is_archived`` as it is."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    tags: dict[str, str | None] = field(default_factory=dict)
    is_archived: bool | None = None
