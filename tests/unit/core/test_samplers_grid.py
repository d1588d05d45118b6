import pytest

from sublight.core.errors import InvalidInput
from sublight.core.metric import maximize
from sublight.core.samplers import Grid
from sublight.core.search_space import SearchSpace
from tests.contracts.sampler_suite import SequenceSuite

GOAL = maximize("accuracy")


class TestGrid(SequenceSuite):
    needs_finite_space = True

    def make(self, seed: int) -> Grid:
        return Grid()


def test_the_last_parameter_changes_fastest() -> None:
    space = SearchSpace.from_json({"a": [1, 2], "b": {"type": "quniform", "min_value": 0, "max_value": 1, "q": 0.5}})

    points = [Grid().suggest(space, [], index=index, goal=GOAL) for index in range(7)]

    assert [point and tuple(point.parameters.values()) for point in points] == [
        (1, 0.0), (1, 0.5), (1, 1.0), (2, 0.0), (2, 0.5), (2, 1.0), None,
    ]  # fmt: skip
    assert points[3] is not None
    assert points[3].reason == "grid point 4 of 6"


@pytest.mark.parametrize(
    ("space", "name", "kind"),
    [
        ({"a": [1], "lr": {"type": "uniform", "min_value": 0, "max_value": 1}}, "lr", "uniform"),
        ({"model": [{"kind": "tree", "cut": {"type": "normal", "mu": 0, "sigma": 1}}]}, "cut", "normal"),
    ],
)
def test_infinitely_many_values_are_refused_by_name(space: dict[str, object], name: str, kind: str) -> None:
    with pytest.raises(InvalidInput, match=f"'{name}' is a {kind}"):
        Grid().check(SearchSpace.from_json(space))
