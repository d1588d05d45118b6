"""The contract of an early-termination policy, and the interval rule that all of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sublight.core.metric import Goal


@dataclass(frozen=True, slots=True)
class TrialReports:
    """A trial's reports of the primary metric, in the order in which its script made them.

    The n-th report (counted from 1) is interval n. ``values`` may hold NaN and infinities. Finished trials stay in the
    comparison: younger trials are measured against what older ones had at the same interval.
    """

    index: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StopDecision:
    """The decision to end a trial: one sentence with the numbers compared, and the numbers as data."""

    interval: int
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.reason, "a decision without a reason cannot be explained to anyone"


class Policy(Protocol):
    """What every early-termination policy offers. Policies are frozen values.

    The sweep asks about one running trial at a time, whenever any trial has reported. The answer is a function of the
    *set* of reports: it must not depend on the order in which they arrived. The trial is judged at its largest interval
    N that is due: N is a multiple of ``evaluation_interval`` and at least ``delay_evaluation`` (reference: Azure ML v1
    fact sheet §3). Reports of anyone after N do not count.
    """

    @property
    def evaluation_interval(self) -> int: ...

    @property
    def delay_evaluation(self) -> int: ...

    def decide(self, trial: TrialReports, trials: Sequence[TrialReports], goal: Goal) -> StopDecision | None:
        """Whether to end ``trial`` now; ``trials`` are all of the sweep's trials, ``trial`` among them.

        None means go on. A trial that has not reported is never ended.
        """

    def to_json(self) -> Mapping[str, object]:
        """Plain data from which ``policy_from_json`` makes an equal policy."""


def due_interval(reports_count: int, *, evaluation_interval: int, delay_evaluation: int) -> int | None:
    """The largest interval N <= ``reports_count`` at which a policy acts, or None when there is none yet."""
    interval = reports_count - reports_count % evaluation_interval
    return interval if interval >= max(delay_evaluation, 1) else None
