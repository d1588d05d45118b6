"""What the policies share: checked settings, values turned so that more is better, and numbers in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeGuard

from sublight.core.errors import InvalidInput
from sublight.core.metric import Direction, Goal
from sublight.core.policies.base import TrialReports


def check_intervals(evaluation_interval: object, delay_evaluation: object) -> None:
    """Both are whole numbers; the interval at least 1, the delay at least 0."""
    if not is_whole(evaluation_interval) or evaluation_interval < 1:
        raise InvalidInput(f"evaluation_interval must be a whole number of at least 1, got {evaluation_interval!r}")
    if not is_whole(delay_evaluation) or delay_evaluation < 0:
        raise InvalidInput(f"delay_evaluation must be a whole number of at least 0, got {delay_evaluation!r}")


def is_whole(value: object) -> TypeGuard[int]:
    """True for an int; a bool is none here."""
    return isinstance(value, int) and not isinstance(value, bool)


def sign_of(goal: Goal) -> int:
    """The factor that turns values so that more is better. Every policy decides on turned values, so that the mirror
    image of a metric gets the mirror image of the decisions."""
    return 1 if goal.direction is Direction.MAXIMIZE else -1


def best_until(values: Sequence[float], interval: int, sign: int) -> float | None:
    """The best turned value of the first ``interval`` reports; None when none of them is a result."""
    head = values[:interval]
    if not math.isfinite(sum(head)):  # max() is only to be trusted without NaN; this finds it at the speed of C
        head = [value for value in head if is_result(value, sign)]
        if not head:
            return None
    return max(head) if sign > 0 else -min(head)


def is_result(value: float, sign: int) -> bool:
    """False for NaN and for infinitely good: what a diverged trial reports is nothing to measure others by.

    Infinitely bad is a result, worse than all others.
    """
    return not math.isnan(value) and sign * value != math.inf


def mean_until(values: Sequence[float], interval: int, sign: int) -> float | None:
    """The mean of the first ``interval`` turned values that are results, or of what exists of them; None without any."""
    head = values[:interval]
    total = sum(head)
    if not math.isfinite(total):
        head = [value for value in head if is_result(value, sign)]
        total = sum(head)
    return sign * total / len(head) if head else None


def bests_at(trials: Iterable[TrialReports], interval: int, sign: int) -> list[tuple[int, float | None]]:
    """Index and best so far of every trial that has reported the interval."""
    return [(t.index, best_until(t.values, interval, sign)) for t in trials if len(t.values) >= interval]


def best_value_at(trials: Iterable[TrialReports], interval: int, sign: int) -> float | None:
    """The best turned value that any trial reported as its report number ``interval``; None when none is a result."""
    values = (t.values[interval - 1] for t in trials if len(t.values) >= interval)
    return max((sign * value for value in values if is_result(value, sign)), default=None)


def falls_short(own: float | None, limit: float) -> bool:
    """True when a turned value is clearly below a limit, or there is none.

    A limit is reckoned: 0.8 - 0.2 is a trace more than 0.6, and the mean of three times 0.1 a trace more than 0.1. Such
    a trace ends no trial.
    """
    return own is None or (own < limit and not math.isclose(own, limit, rel_tol=1e-12))


def is_best_at(trial: TrialReports, trials: Sequence[TrialReports], interval: int, sign: int) -> bool:
    """True when no trial was better at the interval: by its report there, or by its best so far. Ties count as best."""
    value = sign * trial.values[interval - 1]
    if value == best_value_at(trials, interval, sign):
        return True
    best = max((best for _, best in bests_at(trials, interval, sign) if best is not None), default=None)
    # Where nobody has a number, nobody is better.
    return best is None or best == best_until(trial.values, interval, sign)


def shown(value: float) -> str:
    """A number for a sentence: four decimals, or four digits where those would hide it."""
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 1_000_000 else f"{value:.4g}"


def standing(goal: Goal, own: float | None, interval: int, sign: int) -> str:
    """How a sentence about the trial begins."""
    if own is None:
        return f"{goal.metric} up to interval {interval} has no number, which is worse than"
    worse = "below" if sign > 0 else "above"
    return f"best {goal.metric} so far {shown(sign * own)} at interval {interval} is {worse}"


def numbers(**values: float | None) -> dict[str, float]:
    """The finite ones of the numbers behind a decision; they are stored as JSON, which knows no infinity."""
    return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
