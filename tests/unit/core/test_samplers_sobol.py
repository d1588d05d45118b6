from itertools import pairwise

import numpy
import pytest
from scipy.stats import qmc

from sublight.core.errors import InvalidInput
from sublight.core.metric import maximize
from sublight.core.samplers import Sobol
from sublight.core.search_space import SearchSpace
from tests.contracts.sampler_suite import SequenceSuite

GOAL = maximize("accuracy")
SQUARE = SearchSpace.from_json(
    {
        "x": {"type": "uniform", "min_value": 0, "max_value": 1},
        "y": {"type": "uniform", "min_value": 0, "max_value": 1},
    }
)


class TestSobol(SequenceSuite):
    def make(self, seed: int) -> Sobol:
        return Sobol(seed)


def points_of(count: int, seed: int = 3) -> list[tuple[object, ...]]:
    suggestions = (Sobol(seed).suggest(SQUARE, [], index=index, goal=GOAL) for index in range(count))
    return [tuple(suggestion.parameters.values()) for suggestion in suggestions if suggestion]


def test_the_points_are_those_of_one_scrambled_sequence_without_a_seam() -> None:
    sequence = qmc.Sobol(2, scramble=True, rng=numpy.random.default_rng(3)).random(1024)

    assert points_of(1024) == [(float(x), float(y)) for x, y in sequence]


def test_64_points_put_one_into_each_64th_of_every_axis() -> None:
    for axis in zip(*points_of(64), strict=True):
        cells = sorted(int(u * 64) for u in axis)  # type: ignore[operator]
        assert all(after - before == 1 for before, after in pairwise(cells))


def test_seeds_give_different_points() -> None:
    assert points_of(8, seed=1) != points_of(8, seed=2)


def test_more_parameters_than_the_sequence_has_dimensions_are_refused() -> None:
    space = SearchSpace.from_json({f"p{number}": [0, 1] for number in range(21_202)})

    with pytest.raises(InvalidInput, match="at most 21201 parameters, got 21202"):
        Sobol(1).check(space)
