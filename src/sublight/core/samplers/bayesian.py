"""Bayesian search: a model of the results so far proposes the next point."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sublight.core.errors import InvalidInput, NotSupported
from sublight.core.metric import Goal
from sublight.core.samplers.base import Observation, Suggestion
from sublight.core.samplers.streams import (
    check_seed,
    derived_random,
    derived_seed,
    draw_seed,
    random_points,
    text_of,
)
from sublight.core.search_space import Point, SearchSpace, Value

_METHODS = ("tpe", "gp")
# How often a point is proposed anew when it was tried before.
_PROPOSALS_MAX = 16


@dataclass(frozen=True, slots=True)
class Bayesian:
    """Points proposed by a model of the recorded results; works on every search space.

    ``method`` is ``tpe`` (tree-structured Parzen estimator) or ``gp`` (Gaussian process, slower per point, often better
    with few trials; needs PyTorch). The first points are random, until ``startup_trials`` results are known. Trials
    under way count as pending, so that several at once do not go to the same place; failed ones do not count. Trials of
    earlier sweeps (warm start) count as results.

    The proposal follows from ``seed``, the trial's index and the history alone; without a given seed, one is drawn and
    recorded. On a space with finitely many points, no point comes twice, points of earlier sweeps come last, and the
    sweep ends when all were tried.
    """

    seed: int = field(default_factory=draw_seed)
    method: Literal["tpe", "gp"] = "tpe"
    startup_trials: int = 10

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.method not in _METHODS:
            raise InvalidInput(f"method must be 'tpe' or 'gp', got {self.method!r}")
        count = self.startup_trials
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise InvalidInput(f"startup_trials must be a whole number of at least 1, got {count!r}")

    def check(self, space: SearchSpace) -> None:  # noqa: ARG002
        if self.method == "gp" and importlib.util.find_spec("torch") is None:
            raise NotSupported(
                "method='gp' needs PyTorch, which is not installed here; install it beside Sublight (pip install torch), "
                "or use method='tpe'"
            )

    def suggest(
        self, space: SearchSpace, history: Sequence[Observation], *, index: int, goal: Goal
    ) -> Suggestion | None:
        self.check(space)
        known = _Known(space, history)
        avoided = known.to_avoid()
        if avoided is None:
            return None
        if len(known.results) < self.startup_trials:
            propose, reason = self._startup(space, known, index)
        else:
            propose, reason = self._model(space, known, index, goal)
        for number in range(_PROPOSALS_MAX):
            point = propose(number)
            # In an infinite space a repeat is next to impossible, and nothing is known to be better.
            if space.size is None or space.key(point) not in avoided:
                return Suggestion(point, reason)
        return Suggestion(
            _first_untried(space, self.seed, avoided), f"random untried point, because {reason} gave only tried ones"
        )

    def to_json(self) -> dict[str, object]:
        return {"type": "bayesian", "seed": self.seed, "method": self.method, "startup_trials": self.startup_trials}

    def _startup(self, space: SearchSpace, known: _Known, index: int) -> tuple[Callable[[int], Point], str]:
        def propose(number: int) -> Point:
            return space.sample(derived_random(self.seed, "startup", index, number))

        reason = f"startup: random point {index + 1} of {self.startup_trials}"
        if index >= self.startup_trials:
            reason = (
                f"startup: random point {index + 1}, "
                f"because only {len(known.results)} of the first {self.startup_trials} results are in"
            )
        return propose, reason

    def _model(self, space: SearchSpace, known: _Known, index: int, goal: Goal) -> tuple[Callable[[int], Point], str]:
        # Imported here because Optuna takes a third of a second to load, and most processes never need it.
        from sublight.core.samplers.model import Model

        seed = derived_seed(self.seed, "model", index) % 2**32
        model = Model(space, goal.direction, self.method, seed, results=known.results, pending=known.pending)
        reason = f"{self.method.upper()} over {len(known.results)} finished and {len(known.pending)} pending trials"
        return lambda _: model.propose(), reason


class _Known:
    """The history in index order, as far as it lies in the space.

    ``results`` and ``pending`` hold a point's answers (``SearchSpace.trace``) each, results with their value. Points
    outside the space come from earlier sweeps over another space; they say nothing about this one.
    """

    def __init__(self, space: SearchSpace, history: Sequence[Observation]) -> None:
        self._size = space.size
        self._own: set[Hashable] = set()
        self._earlier: set[Hashable] = set()
        self.results: list[tuple[dict[str, Value], float]] = []
        self.pending: list[dict[str, Value]] = []
        for trial in sorted(history, key=lambda observation: observation.index):
            answers = space.trace(trial.parameters)
            if answers is None:
                continue
            has_result = trial.is_finished and not trial.is_failed and trial.value is not None
            if trial.index >= 0:
                self._own.add(space.key(trial.parameters))
            elif has_result:
                self._earlier.add(space.key(trial.parameters))
            if has_result and trial.value is not None and trial.value == trial.value:
                self.results.append((answers, trial.value))
            elif not trial.is_finished:
                self.pending.append(answers)

    def to_avoid(self) -> set[Hashable] | None:
        """The points not to propose; None when this sweep has tried them all.

        Points of earlier sweeps are avoided only while there are others, so that a finite space gives every sweep the
        same number of trials.
        """
        if self._size is None or len(self._own | self._earlier) < self._size:
            return self._own | self._earlier
        return self._own if len(self._own) < self._size else None


def _first_untried(space: SearchSpace, seed: int, avoided: set[Hashable]) -> Point:
    points = random_points(text_of(space), seed)
    for number in range(len(avoided) + 1):
        point = points.nth(number)
        if point is not None and space.key(point) not in avoided:
            return point
    raise AssertionError("more points were tried than the space has")
