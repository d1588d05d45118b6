"""The median stopping policy: end what never got as far as the average of a middling trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sublight.core.metric import Goal
from sublight.core.policies.base import StopDecision, TrialReports, due_interval
from sublight.core.policies.comparison import (
    best_until,
    check_intervals,
    falls_short,
    is_best_at,
    mean_until,
    numbers,
    shown,
    sign_of,
    standing,
)


@dataclass(frozen=True, slots=True)
class MedianStopping:
    """End a trial whose best value so far is worse than the median of all trials' means.

    At interval N, every trial that has reported counts with the mean of its reports 1..N, or of as many as it has; NaN
    is left out of means. A trial that nobody beats at interval N is kept in any case: shorter trials may have the higher
    means, but they say nothing about interval N. A cautious setting is interval 1 and delay 5.
    """

    evaluation_interval: int = 1
    delay_evaluation: int = 0

    def __post_init__(self) -> None:
        check_intervals(self.evaluation_interval, self.delay_evaluation)

    def decide(self, trial: TrialReports, trials: Sequence[TrialReports], goal: Goal) -> StopDecision | None:
        interval = due_interval(
            len(trial.values), evaluation_interval=self.evaluation_interval, delay_evaluation=self.delay_evaluation
        )
        if interval is None:
            return None
        sign = sign_of(goal)
        means = [mean for t in trials if (mean := mean_until(t.values, interval, sign)) is not None]
        if not means:
            return None
        middle = median(means)
        own = best_until(trial.values, interval, sign)
        if not falls_short(own, middle) or is_best_at(trial, trials, interval, sign):
            return None
        return StopDecision(
            interval,
            f"{standing(goal, own, interval, sign)} {shown(sign * middle)} = median of the means of {len(means)} trials",
            numbers(trial_best=None if own is None else sign * own, median=sign * middle, trials_count=len(means)),
        )

    def to_json(self) -> dict[str, object]:
        return {
            "type": "median_stopping",
            "evaluation_interval": self.evaluation_interval,
            "delay_evaluation": self.delay_evaluation,
        }
