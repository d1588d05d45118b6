import pytest

from sublight.core.errors import InvalidInput
from sublight.core.metric import maximize
from sublight.core.samplers import Random, sampler_from_json
from sublight.core.search_space import SearchSpace
from tests.contracts.sampler_suite import WITH_ALL_KINDS, SequenceSuite

GOAL = maximize("accuracy")


class TestRandom(SequenceSuite):
    def make(self, seed: int) -> Random:
        return Random(seed)


def test_a_point_depends_on_the_seed_and_the_index_alone() -> None:
    space = SearchSpace.from_json(WITH_ALL_KINDS)

    points = [Random(7).suggest(space, [], index=index, goal=GOAL) for index in (3, 0, 3, 4)]

    assert points[0] == points[2]
    assert points[0] != points[1] != points[3]
    assert Random(8).suggest(space, [], index=3, goal=GOAL) != points[0]


def test_without_a_seed_one_is_drawn_and_recorded() -> None:
    one, other = Random(), Random()

    assert one.seed != other.seed
    assert sampler_from_json(one.to_json()) == one


def test_a_space_of_10000_points_is_used_up_to_the_last_one() -> None:
    space = SearchSpace.from_json({"a": list(range(100)), "b": list(range(100))})

    points = [Random(1).suggest(space, [], index=index, goal=GOAL) for index in range(10_000)]

    assert len({space.key(point.parameters) for point in points if point}) == 10_000
    assert Random(1).suggest(space, [], index=10_000, goal=GOAL) is None


def test_a_finite_space_whose_points_are_very_unequally_likely_does_not_stall() -> None:
    space = SearchSpace.from_json({"x": {"type": "qloguniform", "min_value": 1e-12, "max_value": 30, "q": 1}})
    assert space.size == 31

    points = [Random(1).suggest(space, [], index=index, goal=GOAL) for index in range(32)]

    assert sorted(point.parameters["x"] for point in points[:31]) == [1e-12, *map(float, range(1, 31))]  # type: ignore[union-attr]
    assert points[31] is None


def test_a_huge_finite_space_is_not_listed() -> None:
    space = SearchSpace.from_json({"a": {"type": "randint", "upper": 2**50}, "b": {"type": "randint", "upper": 2**50}})

    suggestion = Random(1).suggest(space, [], index=200, goal=GOAL)

    assert suggestion is not None
    assert suggestion.reason == "random draw 201"


def test_changing_a_suggested_point_does_not_change_what_comes_later() -> None:
    space = SearchSpace.from_json({"a": [1, 2, 3]})
    first = Random(1).suggest(space, [], index=0, goal=GOAL)
    assert first is not None
    before = dict(first.parameters)

    first.parameters["a"] = "spoilt"

    again = Random(1).suggest(space, [], index=0, goal=GOAL)
    assert again is not None
    assert again.parameters == before


@pytest.mark.parametrize("seed", [-1, 1.5, True, None, 2**53, "7"])
def test_a_seed_that_is_no_whole_number_is_refused(seed: object) -> None:
    with pytest.raises(InvalidInput, match="seed must be a whole number"):
        Random(seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"type": "annealing"}, "must be one of random, grid, sobol, bayesian, got 'annealing'"),
        ({}, "must be one of random, grid, sobol, bayesian, got None"),
        ({"type": "random", "sed": 1}, "the random sampler takes seed, got sed"),
        ({"type": "grid", "seed": 1}, "the grid sampler takes no arguments, got seed"),
    ],
)
def test_a_wrong_declaration_is_refused_with_a_sentence(declared: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        sampler_from_json(declared)

    assert sentence in str(refusal.value)
