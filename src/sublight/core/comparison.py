"""Comparing runs: the value that all of them reached, when each did, and one sentence about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sublight.core.metric import Direction, Goal


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison; seconds from submission, price in the workspace's unit, None where unknown."""

    name: str
    wall_seconds: float | None
    price: float | None
    seconds_to_common: float | None
    price_to_common: float | None
    best: float | None


def common_value(goal: Goal, reports: Sequence[Sequence[float]]) -> float | None:
    """The best value that every side reached: the worst of their bests. None when one of them reported nothing."""
    bests = [goal.best(value for value in values if math.isfinite(value)) for values in reports]
    known = [best for best in bests if best is not None]
    if not known or len(known) < len(bests):
        return None
    return min(known) if goal.direction is Direction.MAXIMIZE else max(known)


def first_reached(goal: Goal, reports: Sequence[tuple[float, float]], value: float) -> float | None:
    """The time of the first report, in order of time, that is as good as ``value``."""
    for time, reported in reports:
        if reported == value or goal.is_better(reported, value):
            return time
    return None


def verdict(goal: Goal | None, common: float | None, sides: Sequence[Side]) -> str:
    """One sentence: who reached the common value sooner, and at what price."""
    if len({side.name for side in sides}) < 2:
        return "both sides are the same run"
    if goal is None or common is None:
        return _verdict_on_wall_time(sides)
    timed = [side for side in sides if side.seconds_to_common]
    if len(timed) < 2:
        return f"not every side has reached {goal.metric} {common:.4g} yet"
    fast = min(timed, key=lambda side: side.seconds_to_common or 0.0)
    slow = max(timed, key=lambda side: side.seconds_to_common or 0.0)
    ratio = (fast.seconds_to_common or 0.0) / (slow.seconds_to_common or 1.0)
    sentence = f"{fast.name} reached {goal.metric} {common:.4g} in {ratio:.2f} of the time of {slow.name}"
    if fast.price_to_common and slow.price_to_common:
        sentence += f", at {fast.price_to_common / slow.price_to_common:.2f} times the price"
    return sentence


def _verdict_on_wall_time(sides: Sequence[Side]) -> str:
    timed = sorted((side for side in sides if side.wall_seconds), key=lambda side: side.wall_seconds or 0.0)
    if len(timed) < 2:
        return "there is nothing to compare yet"
    fast, slow = timed[0], timed[-1]
    ratio = (fast.wall_seconds or 0.0) / (slow.wall_seconds or 1.0)
    return f"{fast.name} took {ratio:.2f} of the time of {slow.name}; they share no metric to compare them by"
