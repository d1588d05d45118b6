import importlib.util
import math
import subprocess
import sys
from dataclasses import replace

import pytest

from sublight.core.errors import InvalidInput, NotSupported
from sublight.core.metric import maximize, minimize
from sublight.core.samplers import Bayesian, Observation, Random, Sampler
from sublight.core.search_space import Point, SearchSpace
from tests.contracts.sampler_suite import CONDITIONAL_AND_FINITE, WITH_ALL_KINDS, SamplerSuite, run_sweep, seen_at

GOAL = maximize("accuracy")
HAS_TORCH = importlib.util.find_spec("torch") is not None
LINE = SearchSpace.from_json({"x": {"type": "uniform", "min_value": 0, "max_value": 1}, "z": [1, 2, 3]})


class TestTPE(SamplerSuite):
    def make(self, seed: int) -> Bayesian:
        return Bayesian(seed, startup_trials=4)


@pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed; pip install torch runs these tests")
@pytest.mark.slow
class TestGaussianProcess(SamplerSuite):
    def make(self, seed: int) -> Bayesian:
        return Bayesian(seed, method="gp", startup_trials=4)


def best_of(sampler: Sampler, trials: int) -> float:
    def height(point: Point) -> float:
        x, z = point["x"], point["z"]
        assert isinstance(x, float)
        assert isinstance(z, int)
        return z - (x - 0.3) ** 2 * 10

    history: list[Observation] = []
    for index in range(trials):
        suggestion = sampler.suggest(LINE, history, index=index, goal=GOAL)
        assert suggestion is not None
        history.append(Observation(index, suggestion.parameters, height(suggestion.parameters), True))
    return max(trial.value for trial in history if trial.value is not None)


def test_it_learns_where_the_good_points_are() -> None:
    seeds = range(5)

    assert sum(best_of(Bayesian(seed), 40) for seed in seeds) > sum(best_of(Random(seed), 40) for seed in seeds)


def test_the_reason_tells_start_up_from_model() -> None:
    sampler = Bayesian(1, startup_trials=5)
    history = run_sweep(sampler, LINE, 6, pending=0)

    reasons = [
        suggestion.reason
        for seen in (history[:2], seen_at(history, 3), history, seen_at(history, 1))
        if (suggestion := sampler.suggest(LINE, seen, index=len(seen), goal=GOAL))
    ]

    assert reasons == [
        "startup: random point 3 of 5",
        "startup: random point 7, because only 3 of the first 5 results are in",
        "TPE over 6 finished and 0 pending trials",
        "TPE over 5 finished and 1 pending trials",
    ]


def test_a_metric_and_its_mirror_image_get_the_same_points() -> None:
    space = SearchSpace.from_json(WITH_ALL_KINDS)

    up = run_sweep(Bayesian(4, startup_trials=5), space, 15)
    down = run_sweep(Bayesian(4, startup_trials=5), space, 15, goal=minimize("loss"), sign=-1.0)

    assert [trial.parameters for trial in up] == [trial.parameters for trial in down]


def test_pending_trials_count() -> None:
    sampler = Bayesian(9)
    finished = run_sweep(sampler, LINE, 20, pending=0)
    alone = sampler.suggest(LINE, finished, index=40, goal=GOAL)
    assert alone is not None

    pending = [Observation(20 + number, alone.parameters, None, False) for number in range(10)]
    suggestion = sampler.suggest(LINE, [*finished, *pending], index=40, goal=GOAL)

    assert suggestion is not None
    assert suggestion.parameters != alone.parameters
    assert suggestion.reason == "TPE over 18 finished and 10 pending trials"  # two of the 20 have failed


def test_failed_trials_and_trials_without_a_value_are_no_results() -> None:
    history = run_sweep(Bayesian(9), LINE, 20, pending=0)
    useless = [
        Observation(20, history[0].parameters, 99.0, True, is_failed=True),
        Observation(21, history[1].parameters, None, True),
        Observation(22, history[2].parameters, math.nan, True),
    ]

    without = Bayesian(9).suggest(LINE, history, index=23, goal=GOAL)

    assert Bayesian(9).suggest(LINE, [*history, *useless], index=23, goal=GOAL) == without


def test_infinite_results_do_no_harm() -> None:
    history = run_sweep(Bayesian(9), LINE, 12, pending=0)
    history[0] = replace(history[0], value=-math.inf)
    history[1] = replace(history[1], value=math.inf)

    assert Bayesian(9).suggest(LINE, history, index=12, goal=GOAL) is not None


def test_results_of_earlier_sweeps_replace_the_start_up() -> None:
    earlier = [replace(trial, index=-1 - trial.index) for trial in run_sweep(Random(1), LINE, 14, pending=0)]

    suggestion = Bayesian(9).suggest(LINE, earlier, index=0, goal=GOAL)

    assert suggestion is not None
    assert suggestion.reason == "TPE over 12 finished and 0 pending trials"


def test_points_of_earlier_sweeps_come_last_in_a_finite_space() -> None:
    space = SearchSpace.from_json(CONDITIONAL_AND_FINITE)
    earlier = [Observation(-1 - number, point, 1.0, True) for number, point in enumerate(space.points()) if number % 2]
    tried = {space.key(trial.parameters) for trial in earlier}
    history = list(earlier)
    assert space.size is not None

    for index in range(space.size - len(earlier)):
        suggestion = Bayesian(2).suggest(space, history, index=index, goal=GOAL)
        assert suggestion is not None
        assert space.key(suggestion.parameters) not in tried
        history.append(Observation(index, suggestion.parameters, 1.0, True))


def test_points_of_another_space_are_left_out() -> None:
    other = [Observation(-1 - number, {"x": 5.0, "z": 1}, 1.0, True) for number in range(20)]

    suggestion = Bayesian(9).suggest(LINE, other, index=0, goal=GOAL)

    assert suggestion is not None
    assert suggestion.reason.startswith("startup")


def test_when_only_tried_points_are_proposed_an_untried_one_is_taken() -> None:
    space = SearchSpace.from_json({"x": {"type": "qloguniform", "min_value": 1e-12, "max_value": 8, "q": 1}})

    history = run_sweep(Bayesian(1, startup_trials=3), space, 20)

    assert sorted(trial.parameters["x"] for trial in history) == [1e-12, *map(float, range(1, 9))]  # type: ignore[type-var]


def test_a_space_of_one_point_has_nothing_to_learn() -> None:
    space = SearchSpace.from_json({"x": [1], "y": {"type": "normal", "mu": 2, "sigma": 0}})

    assert [trial.parameters for trial in run_sweep(Bayesian(1), space, 3)] == [{"x": 1, "y": 2.0}]


@pytest.mark.skipif(HAS_TORCH, reason="PyTorch is installed")
def test_a_gaussian_process_without_pytorch_is_refused_with_what_to_install() -> None:
    with pytest.raises(NotSupported, match=r"\(pip install torch\), or use method='tpe'"):
        Bayesian(1, method="gp").check(LINE)


def test_wrong_arguments_are_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="method must be 'tpe' or 'gp', got 'cma'"):
        Bayesian(1, method="cma")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="startup_trials must be a whole number of at least 1, got 0"):
        Bayesian(1, startup_trials=0)


def test_importing_the_samplers_loads_no_heavy_library() -> None:
    code = "import sys, sublight.core.samplers; print({'optuna', 'scipy', 'numpy'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
