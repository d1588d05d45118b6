"""Metrics, goals, and what "better" means. NaN is never better than anything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sublight.core.errors import InvalidInput


class Direction(StrEnum):
    """Which way the primary metric should go."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


@dataclass(frozen=True, slots=True)
class Goal:
    """The primary metric of a sweep and the direction in which it is better."""

    metric: str
    direction: Direction

    def __post_init__(self) -> None:
        if not isinstance(self.metric, str):
            raise InvalidInput(f"a goal needs the name of a metric, got {self.metric!r}; use maximize('accuracy')")
        if not self.metric:
            raise InvalidInput("a goal needs the name of a metric, got an empty name; use maximize('accuracy')")

    def is_better(self, value: float, than: float | None) -> bool:
        """True when ``value`` beats ``than`` strictly; NaN never wins, and any number beats None or NaN."""
        if math.isnan(value):
            return False
        if than is None or math.isnan(than):
            return True
        return value > than if self.direction is Direction.MAXIMIZE else value < than

    def best(self, values: Iterable[float]) -> float | None:
        """The best of ``values``, or None when there is none but NaN."""
        best: float | None = None
        for value in values:
            if self.is_better(value, best):
                best = value
        return best

    def sort_key(self, value: float | None) -> tuple[int, float]:
        """A key that sorts best first and puts None and NaN last."""
        if value is None or math.isnan(value):
            return (1, 0.0)
        return (0, -value if self.direction is Direction.MAXIMIZE else value)


def maximize(metric: str) -> Goal:
    """The goal of making ``metric`` as large as possible."""
    return Goal(metric, Direction.MAXIMIZE)


def minimize(metric: str) -> Goal:
    """The goal of making ``metric`` as small as possible."""
    return Goal(metric, Direction.MINIMIZE)
