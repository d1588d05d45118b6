"""What every sampler promises. A test class for a sampler inherits ``SamplerSuite`` and says how to make one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sublight.core.errors import InvalidInput
from sublight.core.metric import Goal, maximize, minimize
from sublight.core.samplers import Observation, Sampler, Suggestion, sampler_from_json, sampler_to_json
from sublight.core.search_space import Point, SearchSpace
from tests.contracts.search_spaces import finite_spaces, spaces

GOAL = maximize("accuracy")
SEEDS = st.integers(0, 2**31)
few = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors]
)

CONDITIONAL_AND_FINITE = {
    "epochs": [5, 10, 15],
    "model": [
        {"kind": "linear"},
        {"kind": "tree", "depth": {"type": "randint", "upper": 3}, "leaves": [16, 32]},
        "none",
    ],
}
WITH_ALL_KINDS = {
    "lr": {"type": "loguniform", "min_value": 1e-5, "max_value": 1.0},
    **CONDITIONAL_AND_FINITE,
    "u": {"type": "uniform", "min_value": -1, "max_value": 1},
    "n": {"type": "normal", "mu": 0, "sigma": 1},
    "units": {"type": "qloguniform", "min_value": 1, "max_value": 1024, "q": 1},
    "steps": {"type": "quniform", "min_value": 1, "max_value": 10, "q": 4},
    "m": {"type": "qnormal", "mu": 5, "sigma": 2, "q": 1},
    "w": {"type": "lognormal", "mu": 0, "sigma": 1},
    "v": {"type": "qlognormal", "mu": 0, "sigma": 1, "q": 0.5},
}

_IN_A_FRESH_PROCESS = """
import json, sys
from sublight.core.metric import maximize
from sublight.core.samplers import Observation, sampler_from_json
from sublight.core.search_space import SearchSpace
sampler, space, history = json.load(sys.stdin)
observations = [Observation(*fields) for fields in history]
suggestion = sampler_from_json(sampler).suggest(
    SearchSpace.from_json(space), observations, index=len(history), goal=maximize("accuracy")
)
json.dump([suggestion.parameters, suggestion.reason], sys.stdout)
"""


def result_of(point: Point) -> float:
    """A made-up result that depends on every value of the point."""
    return sum(float(value) if isinstance(value, (int, float)) else len(str(value)) for value in point.values())


def run_sweep(
    sampler: Sampler, space: SearchSpace, trials: int, *, goal: Goal = GOAL, pending: int = 2, sign: float = 1.0
) -> list[Observation]:
    """A sweep with ``pending`` trials under way at any time; every seventh trial fails. Stops early with the space."""
    history: list[Observation] = []
    for index in range(trials):
        suggestion = sampler.suggest(space, seen_at(history, pending), index=index, goal=goal)
        if suggestion is None:
            break
        point = suggestion.parameters
        history.append(Observation(index, point, sign * result_of(point), True, is_failed=index % 7 == 6))
    return history


def seen_at(history: Sequence[Observation], pending: int) -> list[Observation]:
    """The history as it looks while its last trials are still under way."""
    count = len(history)
    return [
        trial if trial.index < count - pending else replace(trial, is_finished=False, is_failed=False, value=None)
        for trial in history
    ]


class SamplerSuite:
    """Inherit, and override ``make``."""

    needs_finite_space = False

    def make(self, seed: int) -> Sampler:
        raise NotImplementedError

    @few
    @given(space=spaces, seed=SEEDS)
    def test_every_suggestion_lies_in_the_space_and_has_a_reason(self, space: SearchSpace, seed: int) -> None:
        sampler = self.make(seed)
        try:
            sampler.check(space)
        except InvalidInput:
            assert self.needs_finite_space
            assert space.size is None
            return

        history: list[Observation] = []
        for index in range(8):
            suggestion = sampler.suggest(space, history, index=index, goal=GOAL)
            if suggestion is None:
                break
            history.append(Observation(index, suggestion.parameters, result_of(suggestion.parameters), True))
            assert space.contains(suggestion.parameters), suggestion
            assert suggestion.reason

    @few
    @given(space=finite_spaces, seed=SEEDS)
    def test_a_finite_space_is_visited_completely_without_repeats_and_then_used_up(
        self, space: SearchSpace, seed: int
    ) -> None:
        sampler = self.make(seed)
        assert space.size is not None

        history = run_sweep(sampler, space, space.size + 3)

        keys = [space.key(trial.parameters) for trial in history]
        assert len(keys) == len(set(keys)) == space.size
        assert set(keys) == {space.key(point) for point in space.points()}

    @few
    @given(space=finite_spaces, seed=SEEDS, data=st.data())
    def test_equal_arguments_give_equal_suggestions_whatever_was_asked_before(
        self, space: SearchSpace, seed: int, data: st.DataObject
    ) -> None:
        history = run_sweep(self.make(seed), space, 10)
        index = data.draw(st.integers(0, len(history) - 1))
        recorded = seen_at(history[:index], 2)
        shuffled = data.draw(st.permutations(recorded))

        again = self.make(seed).suggest(SearchSpace.from_json(space.to_json()), shuffled, index=index, goal=GOAL)

        assert again is not None
        assert again.parameters == history[index].parameters

    def test_a_fresh_process_continues_as_the_old_one_would_have(self) -> None:
        declared = CONDITIONAL_AND_FINITE if self.needs_finite_space else WITH_ALL_KINDS
        sampler, space = self.make(11), SearchSpace.from_json(declared)
        recorded = seen_at(run_sweep(sampler, space, 14), 2)
        here = sampler.suggest(space, recorded, index=len(recorded), goal=GOAL)
        assert here is not None

        message = json.dumps(
            [
                sampler_to_json(sampler),
                space.to_json(),
                [[t.index, t.parameters, t.value, t.is_finished, t.is_failed] for t in recorded],
            ]
        )
        answer = subprocess.run(
            [sys.executable, "-c", _IN_A_FRESH_PROCESS],
            input=message,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "123"},
        )

        assert Suggestion(*json.loads(answer.stdout)) == here
        assert answer.stderr == ""

    def test_it_travels_as_json(self) -> None:
        sampler = self.make(5)

        assert sampler_from_json(json.loads(json.dumps(sampler_to_json(sampler)))) == sampler

    def test_a_warm_start_does_not_shorten_a_finite_sweep(self) -> None:
        space = SearchSpace.from_json(CONDITIONAL_AND_FINITE)
        earlier = [replace(trial, index=-1 - trial.index) for trial in run_sweep(self.make(1), space, 20)]
        sampler, history = self.make(2), list(earlier)
        while suggestion := sampler.suggest(space, history, index=len(history) - len(earlier), goal=GOAL):
            history.append(Observation(len(history) - len(earlier), suggestion.parameters, 1.0, True))

        own = [space.key(trial.parameters) for trial in history[len(earlier) :]]
        assert len(own) == len(set(own)) == space.size

    def test_the_goal_may_be_either_way(self) -> None:
        space = SearchSpace.from_json(CONDITIONAL_AND_FINITE)

        history = run_sweep(self.make(3), space, 15, goal=minimize("loss"))

        assert len(history) == 15


class SequenceSuite(SamplerSuite):
    """For samplers whose points are one fixed sequence, whatever the trials report."""

    def test_trials_of_earlier_sweeps_change_nothing(self) -> None:
        space = SearchSpace.from_json(CONDITIONAL_AND_FINITE)
        earlier = [replace(trial, index=-1 - trial.index) for trial in run_sweep(self.make(1), space, 20)]
        sampler = self.make(2)

        for index in range(10):
            alone = sampler.suggest(space, [], index=index, goal=GOAL)
            assert sampler.suggest(space, earlier, index=index, goal=GOAL) == alone
