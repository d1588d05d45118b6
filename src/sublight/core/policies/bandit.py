"""The bandit policy: end what falls too far behind the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sublight.core.errors import InvalidInput
from sublight.core.metric import Goal
from sublight.core.policies.base import StopDecision, TrialReports, due_interval
from sublight.core.policies.comparison import (
    best_until,
    best_value_at,
    check_intervals,
    falls_short,
    numbers,
    shown,
    sign_of,
    standing,
)


@dataclass(frozen=True, slots=True)
class Bandit:
    """End a trial whose best value so far lies outside a slack around the best value at the same interval.

    Exactly one slack is given. With ``slack_amount`` a, the limit lies a away from the best. With ``slack_factor`` f, it
    lies at best / (1 + f) or best * (1 + f), whichever is the worse side for the goal: maximising, a best of 0.80 and
    factor 0.2 give 0.80 / 1.2 = 0.6667; minimising, a best of 0.50 gives 0.50 * 1.2 = 0.60. For a negative best the
    two forms change places, so that the slack always lies on the worse side, and a metric and its negative get the same
    decisions. A best of exactly 0 leaves no slack; use ``slack_amount`` for metrics around 0.

    A trial that reported nothing but NaN is ended as soon as another has a number at its interval.
    """

    slack_factor: float | None = None
    slack_amount: float | None = None
    evaluation_interval: int = 1
    delay_evaluation: int = 0

    def __post_init__(self) -> None:
        if (self.slack_factor is None) == (self.slack_amount is None):
            given = "none" if self.slack_factor is None else "both"
            raise InvalidInput(f"the bandit policy needs exactly one of slack_factor and slack_amount, got {given}")
        for name, slack in (("slack_factor", self.slack_factor), ("slack_amount", self.slack_amount)):
            if slack is not None and not _is_positive(slack):
                raise InvalidInput(f"{name} must be a number above 0, got {slack!r}")
        check_intervals(self.evaluation_interval, self.delay_evaluation)

    def decide(self, trial: TrialReports, trials: Sequence[TrialReports], goal: Goal) -> StopDecision | None:
        interval = due_interval(
            len(trial.values), evaluation_interval=self.evaluation_interval, delay_evaluation=self.delay_evaluation
        )
        if interval is None:
            return None
        sign = sign_of(goal)
        best = best_value_at(trials, interval, sign)
        if best is None:
            return None
        own = best_until(trial.values, interval, sign)
        limit, formula = self._limit(best, sign)
        if not falls_short(own, limit):
            return None
        return StopDecision(
            interval,
            f"{standing(goal, own, interval, sign)} {shown(sign * limit)} = best {shown(sign * best)} {formula}",
            numbers(trial_best=None if own is None else sign * own, best=sign * best, limit=sign * limit),
        )

    def to_json(self) -> dict[str, object]:
        return {
            "type": "bandit",
            "slack_factor": self.slack_factor,
            "slack_amount": self.slack_amount,
            "evaluation_interval": self.evaluation_interval,
            "delay_evaluation": self.delay_evaluation,
        }

    def _limit(self, best: float, sign: int) -> tuple[float, str]:
        """The turned value that a trial must reach, and how it comes from the best, in words."""
        if self.slack_amount is not None:
            return best - self.slack_amount, f"{'-' if sign > 0 else '+'} slack amount {self.slack_amount:g}"
        assert self.slack_factor is not None, "one slack is given"
        if best > 0:
            return best / (1 + self.slack_factor), f"/ (1 + slack factor {self.slack_factor:g})"
        return best * (1 + self.slack_factor), f"* (1 + slack factor {self.slack_factor:g})"


def _is_positive(slack: object) -> bool:
    if isinstance(slack, bool) or not isinstance(slack, (int, float)):
        return False
    return slack > 0 and math.isfinite(slack)
