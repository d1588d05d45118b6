"""The contract of a sampler: propose the point of trial number ``index`` from what is recorded, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sublight.core.metric import Goal
from sublight.core.search_space import Point, SearchSpace


@dataclass(frozen=True, slots=True)
class Observation:
    """A trial as a sampler sees it.

    ``value`` is the trial's best primary metric so far (None: nothing reported, or only NaN). ``is_finished`` is False
    while the trial may still report; samplers may treat such a trial as pending. ``is_failed`` marks trials that ended
    without success. Trials taken over from earlier sweeps come with negative indexes.
    """

    index: int
    parameters: Point
    value: float | None
    is_finished: bool
    is_failed: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A point to try, and one sentence on why this one."""

    parameters: Point
    reason: str


class Sampler(Protocol):
    """What every sampler offers.

    The sweep asks once for each trial index, in order, possibly again after a crash with the very same arguments; equal
    arguments must then give an equal answer. So the random state is derived from ``(seed, index)`` and the result from
    the ``history``, never from an object's past. Samplers are frozen values; they may cache, but a cache must not show.
    """

    @property
    def seed(self) -> int: ...

    def check(self, space: SearchSpace) -> None:
        """Raise InvalidInput, in one sentence, when this sampler cannot work on ``space``."""

    def suggest(
        self, space: SearchSpace, history: Sequence[Observation], *, index: int, goal: Goal
    ) -> Suggestion | None:
        """The point of trial ``index`` (counted from 0), or None when the space has no untried point left."""

    def to_json(self) -> Mapping[str, object]:
        """Plain data from which ``sampler_from_json`` makes an equal sampler."""
