"""The policy that lets every trial run to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sublight.core.metric import Goal
from sublight.core.policies.base import StopDecision, TrialReports


@dataclass(frozen=True, slots=True)
class NoTermination:
    """No trial is ended early."""

    @property
    def evaluation_interval(self) -> int:
        return 1

    @property
    def delay_evaluation(self) -> int:
        return 0

    def decide(
        self,
        trial: TrialReports,  # noqa: ARG002
        trials: Sequence[TrialReports],  # noqa: ARG002
        goal: Goal,  # noqa: ARG002
    ) -> StopDecision | None:
        return None

    def to_json(self) -> dict[str, object]:
        return {"type": "no_termination"}
