"""The truncation selection policy: end a share of the worst."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sublight.core.errors import InvalidInput
from sublight.core.metric import Goal
from sublight.core.policies.base import StopDecision, TrialReports, due_interval
from sublight.core.policies.comparison import (
    best_until,
    bests_at,
    check_intervals,
    is_best_at,
    is_whole,
    numbers,
    shown,
    sign_of,
)


@dataclass(frozen=True, slots=True)
class TruncationSelection:
    """End the worst ``truncation_percentage`` of the trials that have reported the interval, by their best so far.

    The number to end is rounded down: 20 percent of 7 trials is 1. Of trials that are equal, those with the higher index
    rank lower; trials with nothing but NaN rank lowest. A trial that nobody beats at the interval is never ended.
    """

    truncation_percentage: int
    evaluation_interval: int = 1
    delay_evaluation: int = 0

    def __post_init__(self) -> None:
        if not is_whole(self.truncation_percentage) or not 1 <= self.truncation_percentage <= 99:
            raise InvalidInput(
                f"truncation_percentage must be a whole number from 1 to 99, got {self.truncation_percentage!r}"
            )
        check_intervals(self.evaluation_interval, self.delay_evaluation)

    def decide(self, trial: TrialReports, trials: Sequence[TrialReports], goal: Goal) -> StopDecision | None:
        interval = due_interval(
            len(trial.values), evaluation_interval=self.evaluation_interval, delay_evaluation=self.delay_evaluation
        )
        if interval is None:
            return None
        sign = sign_of(goal)
        bests = bests_at(trials, interval, sign)
        ended_count = self.truncation_percentage * len(bests) // 100
        if ended_count == 0:
            return None
        own = best_until(trial.values, interval, sign)
        own_rank = _rank(trial.index, own)
        better_count = sum(_rank(index, best) > own_rank for index, best in bests)
        if len(bests) - better_count > ended_count or is_best_at(trial, trials, interval, sign):
            return None
        value = "no number" if own is None else shown(sign * own)
        return StopDecision(
            interval,
            f"best {goal.metric} so far {value} at interval {interval} ranks {better_count + 1} of {len(bests)}, "
            f"and the last {ended_count} ({self.truncation_percentage} percent) are ended",
            numbers(
                trial_best=None if own is None else sign * own,
                rank=better_count + 1,
                trials_count=len(bests),
                ended_count=ended_count,
            ),
        )

    def to_json(self) -> dict[str, object]:
        return {
            "type": "truncation_selection",
            "truncation_percentage": self.truncation_percentage,
            "evaluation_interval": self.evaluation_interval,
            "delay_evaluation": self.delay_evaluation,
        }


def _rank(index: int, best: float | None) -> tuple[bool, float, int]:
    """Greater is better."""
    return (best is not None, -math.inf if best is None else best, -index)
