import json
import math
import random
from collections import Counter
from statistics import fmean, pstdev

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sublight as sl
from sublight.core.errors import InvalidInput
from sublight.core.search_space import Choice, Distribution, Gaussian, Numeric, SearchSpace
from tests.contracts.search_spaces import finite_numbers, finite_spaces, numbers, spaces

OPTIMIZERS = {
    "lr": sl.loguniform(1e-4, 1e-1),
    "optimizer": sl.choice(
        {"algorithm": "sgd", "momentum": sl.choice(0.5, 0.9)}, {"algorithm": "adam", "--beta": [0.9, 0.99]}, "none"
    ),
    "epochs": [5, 10],
}


def draws(distribution: Distribution, count: int = 4000) -> list[object]:
    space, rng = SearchSpace.from_json({"x": distribution}), random.Random(1)
    return [space.sample(rng)["x"] for _ in range(count)]


# What the distributions give


def test_loguniform_takes_values_and_not_exponents() -> None:
    logarithms = [math.log10(value) for value in draws(sl.loguniform(1e-5, 1.0))]  # type: ignore[arg-type]

    assert -5 <= min(logarithms) < -4.9
    assert -0.1 < max(logarithms) <= 0
    assert fmean(logarithms) == pytest.approx(-2.5, abs=0.1)
    assert "VALUES" in (sl.loguniform.__doc__ or "")
    assert "EXPONENTS" in (sl.loguniform.__doc__ or "")


def test_normals_have_the_mean_and_deviation_asked_for() -> None:
    values = draws(sl.normal(3, 2))
    logarithms = [math.log(value) for value in draws(sl.lognormal(1, 0.5))]  # type: ignore[arg-type]

    assert fmean(values) == pytest.approx(3, abs=0.15)  # type: ignore[type-var]
    assert pstdev(values) == pytest.approx(2, abs=0.1)  # type: ignore[type-var]
    assert fmean(logarithms) == pytest.approx(1, abs=0.05)
    assert pstdev(logarithms) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("distribution", "values"),
    [
        (sl.choice(5, 10, 15), {5, 10, 15}),
        (sl.choice([5, 10]), {5, 10}),
        (sl.choice(range(1, 5)), {1, 2, 3, 4}),
        (sl.randint(4), {0, 1, 2, 3}),
        (sl.quniform(1, 11, 4), {1, 4, 8, 11}),
        (sl.quniform(2, 14, 4), {4, 8, 12}),
        (sl.quniform(0.15, 0.35, 0.1), {0.2, 0.3}),
        (sl.quniform(1, 2, 10), {1}),
        (sl.quniform(0, 1, 0.25), {0, 0.25, 0.5, 0.75, 1.0}),
        (sl.quniform(0, 0.5, 0.1), {0, 0.1, 0.2, 0.3, 0.4, 0.5}),
        (sl.qloguniform(1, 4, 1), {1, 2, 3, 4}),
        (sl.loguniform(2, 2), {2}),
    ],
)
def test_bounded_steps_stay_within_the_bounds(distribution: Distribution, values: set[object]) -> None:
    space = SearchSpace.from_json({"x": distribution})

    assert set(draws(distribution)) == values
    assert {point["x"] for point in space.points()} == values
    assert space.size == len(values)


@pytest.mark.parametrize(
    ("distribution", "kind"),
    [
        (sl.quniform(1, 9, 2), int),
        (sl.quniform(1.0, 9.0, 2.0), int),
        (sl.quniform(0.5, 9, 2), float),
        (sl.quniform(1, 9, 0.5), float),
        (sl.qloguniform(1, 1024, 8), int),
        (sl.qnormal(0, 5, 1), int),
        (sl.qnormal(0, 5, 0.5), float),
        (sl.qlognormal(0, 1, 2), int),
        (sl.randint(9), int),
        (sl.uniform(0, 9), float),
        (sl.loguniform(1, 9), float),
    ],
)
def test_whole_steps_between_whole_bounds_give_ints(distribution: Distribution, kind: type) -> None:
    assert {type(value) for value in draws(distribution, 200)} == {kind}


def test_the_ends_of_a_quniform_get_half_a_step() -> None:
    counts = Counter(draws(sl.quniform(0, 4, 1)))

    assert [round(counts[value] / 500) for value in range(5)] == [1, 2, 2, 2, 1]


@given(distribution=numbers, u=st.floats(0, 1))
def test_every_quantile_is_contained_and_finite(distribution: Numeric, u: float) -> None:
    value = distribution.quantile(u)

    assert math.isfinite(value)
    assert distribution.contains(value)
    assert not distribution.contains(str(value))
    assert not distribution.contains(True)
    assert not distribution.contains(math.nan)


@given(distribution=numbers, u=st.floats(0, 1), v=st.floats(0, 1))
def test_quantiles_rise(distribution: Numeric, u: float, v: float) -> None:
    least, greatest = sorted((u, v))

    assert distribution.quantile(least) <= distribution.quantile(greatest)


@given(distribution=numbers, u=st.floats(0.001, 0.999))
def test_the_share_below_a_value_leads_back_to_it(distribution: Numeric, u: float) -> None:
    value = distribution.quantile(u)

    again = distribution.quantile(distribution.share_below(value))

    assert again == pytest.approx(value, rel=1e-6, abs=1e-9)
    assert not isinstance(distribution, Gaussian) or 0 < distribution.share_below(value) < 1


@given(distribution=finite_numbers)
def test_the_values_of_a_finite_distribution_are_numbered_in_rising_order(distribution: Numeric) -> None:
    assert distribution.size is not None
    values = [distribution.nth(index) for index in range(distribution.size)]

    assert values == sorted(set(values))
    assert [distribution.index_of(value) for value in values] == list(range(distribution.size))
    assert all(distribution.contains(value) for value in values)


# Spaces


def test_names_and_points_are_in_declared_order() -> None:
    space = SearchSpace.from_json(OPTIMIZERS)

    assert space.names == ("lr", "optimizer", "algorithm", "momentum", "--beta", "epochs")
    seen = {tuple(space.sample(random.Random(seed))) for seed in range(40)}
    assert seen == {
        ("lr", "algorithm", "momentum", "epochs"),
        ("lr", "algorithm", "--beta", "epochs"),
        ("lr", "optimizer", "epochs"),
    }


def test_a_choice_of_mappings_only_is_no_argument_itself() -> None:
    space = SearchSpace.from_json({"model": [{"kind": "linear"}, {"kind": "tree", "depth": sl.randint(3)}]})

    assert space.names == ("kind", "depth")
    assert list(space.points()) == [
        {"kind": "linear"},
        {"kind": "tree", "depth": 0},
        {"kind": "tree", "depth": 1},
        {"kind": "tree", "depth": 2},
    ]


def test_choices_nest() -> None:
    inner = sl.choice({"c": 1}, {"c": 2, "d": sl.choice(7, 8)})
    space = SearchSpace.from_json({"a": sl.choice({"b": inner}, 0)})

    assert list(space.points()) == [{"c": 1}, {"c": 2, "d": 7}, {"c": 2, "d": 8}, {"a": 0}]
    assert space.names == ("a", "c", "d")
    assert not space.contains({"b": 1})
    assert not space.contains({"c": 1, "d": 7})


def test_points_that_two_options_can_give_count_once() -> None:
    space = SearchSpace.from_json({"m": [{"a": [1, 2]}, {"a": [2, 3]}], "z": [0, 1]})

    assert space.size == 6
    assert [point["a"] for point in space.points()] == [1, 1, 2, 2, 3, 3]


def test_options_told_apart_by_a_constant_are_not_listed() -> None:
    huge = sl.randint(2**40)
    space = SearchSpace.from_json({"m": [{"kind": "a", "n": huge}, {"kind": "b", "n": huge}]})

    assert space.size == 2**41
    assert space.nth(2**40 + 5) == {"kind": "b", "n": 5}


def test_too_many_points_that_options_share_are_refused() -> None:
    space = SearchSpace.from_json({"m": [{"n": sl.randint(10**6)}, {"n": sl.randint(10**5)}]})

    with pytest.raises(InvalidInput, match="can give the same point"):
        _ = space.size


def test_values_of_different_types_are_different_options_and_repeats_are_not() -> None:
    space = SearchSpace.from_json({"x": [1, 1.0, True, "1", 1, None]})

    assert space.size == 5
    assert len({space.key(point) for point in space.points()}) == 5
    assert space.contains({"x": None})
    assert not space.contains({"x": False})


def test_the_order_of_names_does_not_matter_for_identity() -> None:
    space = SearchSpace.from_json({"a": [1, 2], "b": [3, 4]})

    assert space.key({"a": 1, "b": 4}) == space.key({"b": 4, "a": 1})
    assert space.key({"a": 1, "b": 4}) != space.key({"a": 4, "b": 1})


def test_numpy_scalars_and_subclasses_become_plain_values() -> None:
    numpy = pytest.importorskip("numpy")
    space = SearchSpace.from_json(
        {"a": sl.choice(numpy.float64(0.5), numpy.int64(3), numpy.bool_(True)), "b": sl.randint(numpy.int32(4))}
    )

    assert [type(point["a"]) for point in space.points()][::4] == [float, int, bool]
    assert json.loads(json.dumps(space.to_json())) == space.to_json()


@settings(deadline=None)
@given(space=spaces, seed=st.integers())
def test_samples_lie_in_the_space_and_can_be_traced_back(space: SearchSpace, seed: int) -> None:
    point = space.sample(random.Random(seed))
    answers = space.trace(point)

    assert space.contains(point)
    assert set(point) <= set(space.names)
    assert answers is not None
    assert space.build(lambda path, _: answers[path]) == point
    if len(space.slots) == len(space.parameters):  # the options of a choice may order their names differently
        assert [name for name in space.names if name in point] == list(point)


@settings(deadline=None)
@given(space=spaces, seed=st.integers(), data=st.data())
def test_a_point_with_a_name_too_many_or_too_few_is_not_in_the_space(
    space: SearchSpace, seed: int, data: st.DataObject
) -> None:
    # With options that are spaces, a point without a name may be a point of another option.
    assume(not any(isinstance(choice, Choice) and any(choice.spaces()) for _, choice in space.parameters))
    point = space.sample(random.Random(seed))
    missing = data.draw(st.sampled_from(sorted(point)))

    assert not space.contains({**point, "another": 1})
    assert not space.contains({name: value for name, value in point.items() if name != missing})


@settings(deadline=None)
@given(space=finite_spaces)
def test_points_lists_each_point_once_and_nth_agrees(space: SearchSpace) -> None:
    points = list(space.points())

    assert len(points) == len({space.key(point) for point in points}) == space.size
    assert all(space.contains(point) for point in points)
    assert [space.nth(index) for index in range(len(points))] == points
    with pytest.raises(IndexError):
        space.nth(len(points))


@settings(deadline=None)
@given(space=spaces)
def test_a_space_travels_as_json(space: SearchSpace) -> None:
    text = json.dumps(space.to_json(), allow_nan=False)

    again = SearchSpace.from_json(json.loads(text))

    assert again == space
    assert json.dumps(again.to_json()) == text
    assert again.slots == space.slots


def test_the_points_of_an_infinite_space_cannot_be_listed() -> None:
    space = SearchSpace.from_json({"a": [1], "x": sl.uniform(0, 1)})

    assert space.size is None
    with pytest.raises(InvalidInput, match="infinitely many"):
        space.points()


def test_counting_a_space_of_a_billion_points_takes_no_listing() -> None:
    space = SearchSpace.from_json({f"p{number}": list(range(10)) for number in range(9)})

    assert space.size == 10**9
    assert next(space.points()) == {f"p{number}": 0 for number in range(9)}
    assert space.nth(123_456_789) == {f"p{number}": number + 1 for number in range(9)}


# Refusals


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: sl.choice(), "choice needs at least one option, got none"),
        (lambda: sl.choice([]), "choice needs at least one option, got none"),
        (lambda: sl.choice((1, 2)), "got (1, 2)"),
        (lambda: sl.choice([1, 2], [3]), "got [1, 2]"),
        (lambda: sl.choice(math.nan), "got nan"),
        (lambda: sl.choice(object), "finite numbers, booleans, None"),
        (lambda: sl.randint(0), "upper of randint must be a whole number from 1 to 9,007,199,254,740,992, got 0"),
        (lambda: sl.randint(2.0), "got 2.0"),  # type: ignore[arg-type]
        (lambda: sl.randint(True), "got True"),
        (lambda: sl.uniform(1, 1), "uniform needs a min_value below its max_value, got 1 and 1"),
        (lambda: sl.uniform(2, 1), "got 2 and 1"),
        (lambda: sl.uniform(0, math.inf), "uniform needs a finite number for max_value, got inf"),
        (lambda: sl.uniform(0, 10**400), "finite number for max_value"),
        (lambda: sl.uniform("1e-5", 1), "got the text '1e-5'; YAML reads 1e-5 as text, write 1.0e-5"),  # type: ignore[arg-type]
        (lambda: sl.uniform(False, 1), "finite number for min_value, got False"),
        (lambda: sl.loguniform(0, 1), "values themselves, not their exponents as in Azure ML"),
        (lambda: sl.loguniform(-6, -1), "the exponents -6 and -1 are written loguniform(0.002479, 0.3679)"),
        (lambda: sl.loguniform(-1e9, 1), "min_value must be above 0, got -1000000000.0"),
        (lambda: sl.loguniform(2, 1), "loguniform needs a min_value of at most its max_value, got 2 and 1"),
        (lambda: sl.qloguniform(-2, 3, 1), "are written qloguniform(0.1353, 20.09, q)"),
        (lambda: sl.quniform(1, 10, 0), "quniform needs a q above 0, got 0"),
        (lambda: sl.quniform(1, 10, -1), "quniform needs a q above 0, got -1"),
        (lambda: sl.quniform(1, 10, 1e-300), "too fine"),
        (lambda: sl.quniform(10, 1, 1), "quniform needs a min_value below its max_value"),
        (lambda: sl.normal(0, -1), "normal needs a sigma of at least 0, got -1"),
        (lambda: sl.normal(1e308, 1e308), "its values overflow"),
        (lambda: sl.qnormal(0, 1, 0), "qnormal needs a q above 0, got 0"),
        (lambda: sl.lognormal(1000, 1), "takes mu and sigma of the logarithm"),
        (lambda: sl.qlognormal(0, 1, 0), "qlognormal needs a q above 0, got 0"),
    ],
)
def test_wrong_arguments_are_refused_with_one_sentence(make, sentence: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput) as refusal:
        make()

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({}, "at least one parameter"),
        ([1, 2], "needs a mapping of at least one parameter"),
        (None, "needs a mapping of at least one parameter"),
        ({"lr": 0.1}, "parameter 'lr' needs a distribution, got 0.1"),
        ({"lr": "uniform(0, 1)"}, "parameter 'lr' needs a distribution, got the text 'uniform(0, 1)'"),
        ({"lr": None}, "parameter 'lr' needs a distribution, got None"),
        ({"lr": []}, "parameter 'lr': choice needs at least one option"),
        ({"lr": {}}, "parameter 'lr': 'type' must be one of choice, randint"),
        ({"lr": {"type": "unifrom"}}, "parameter 'lr': 'type' must be one of choice, randint"),
        ({"lr": {"type": ["uniform"]}}, "parameter 'lr': 'type' must be one of"),
        ({"lr": {"type": "uniform", "low": 0, "high": 1}}, "uniform takes min_value and max_value, got low and high"),
        ({"lr": {"type": "qnormal", "mu": 0}}, "qnormal takes mu, sigma and q, got mu"),
        ({"lr": {"type": "randint"}}, "randint takes upper, got nothing"),
        ({"lr": {"type": "choice", "values": "ab"}}, "parameter 'lr': choice takes a list of values"),
        ({"lr": {"type": "choice", "values": 3}}, "parameter 'lr': choice takes a list of values, got 3"),
        ({"lr": {"type": "choice", "options": [3]}}, "choice takes values, got options"),
        (
            {"lr": {"type": "loguniform", "min_value": -3, "max_value": -1}},
            "parameter 'lr': loguniform takes the values",
        ),
        ({"m": [{"a": {"type": "uniform", "min_value": 1, "max_value": 0}}]}, "parameter 'm': parameter 'a': uniform"),
        ({"m": [{"a": object()}]}, "parameter 'm': parameter 'a': choice takes"),
        ({"": [1]}, "more than dashes, got ''"),
        ({"--": [1]}, "more than dashes, got '--'"),
        ({3: [1]}, "must be text and more than dashes, got 3"),
        ({"a b": [1]}, "white space or '='"),
        ({"a\n": [1]}, "white space or '='"),
        ({"a=b": [1]}, "white space or '='"),
        ({"a\x00": [1]}, "white space or '='"),
        ({"lr": [1], "--lr": [2]}, "the name '--lr' occurs twice"),
        ({"lr": [1], "m": [{"lr": 1}]}, "the name 'lr' occurs twice"),
        ({"m": [{"lr": 1}], "lr": [1]}, "the name 'lr' occurs twice"),
        ({"m": [{"x": 1}], "n": [{"--x": 1}]}, "the name '--x' occurs twice"),
        ({"m": [{"m": 1}]}, "an option of the choice 'm' contains a parameter of that same name"),
        ({"m": [{"x": [{"m": 1}]}]}, "an option of the choice 'm' contains a parameter of that same name"),
    ],
)
def test_a_wrong_declaration_is_refused_with_a_sentence_that_names_the_parameter(
    declared: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        SearchSpace.from_json(declared)

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_options_of_one_choice_may_use_the_same_names() -> None:
    space = SearchSpace.from_json({"m": [{"kind": "a", "x": [1]}, {"kind": "b", "x": sl.uniform(0, 1)}]})

    assert space.names == ("kind", "x")
    assert space.contains({"kind": "b", "x": 0.5})
    assert not space.contains({"kind": "a", "x": 0.5})
