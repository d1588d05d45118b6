"""Hypothesis strategies for search spaces."""

from __future__ import annotations

from hypothesis import strategies as st

from sublight.core.search_space import (
    Choice,
    Distribution,
    LogNormal,
    LogUniform,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    RandInt,
    SearchSpace,
    Uniform,
)

_numbers = st.integers(-50, 50) | st.floats(-50, 50).map(lambda x: round(x, 3))
_positive = st.integers(1, 500) | st.floats(0.001, 500).map(lambda x: round(x, 3))
_widths = st.integers(1, 20) | st.floats(0.01, 20).map(lambda x: round(x, 3))
_q = st.sampled_from([1, 2, 4, 3.0, 0.5, 0.1, 0.25, 7])
_sigmas = st.sampled_from([0, 0.5, 1, 2.5])
_plain_options = st.lists(
    st.integers(-5, 5) | st.sampled_from(["sgd", "adam", "", True, False, None, 0.5, 1.0]), min_size=1, max_size=5
)
# A narrow range in few steps keeps the finite spaces small enough to be used up in a test.
_q_uniforms = st.builds(lambda low, steps, q: QUniform(low, low + steps * q, q), _numbers, st.integers(1, 5), _q)
_q_loguniforms = st.builds(lambda low, steps, q: QLogUniform(low, low + steps * q, q), _positive, st.integers(0, 5), _q)

finite_numbers: st.SearchStrategy[Distribution] = st.one_of(
    st.builds(RandInt, st.integers(1, 5)), _q_uniforms, _q_loguniforms, st.builds(lambda mu: Normal(mu, 0), _numbers)
)
numbers: st.SearchStrategy[Distribution] = st.one_of(
    finite_numbers,
    st.builds(lambda low, width: Uniform(low, low + width), _numbers, _widths),
    st.builds(lambda low, width: LogUniform(low, low + width), _positive, _widths),
    st.builds(Normal, _numbers, _sigmas),
    st.builds(LogNormal, st.sampled_from([-3, 0, 1.5]), _sigmas),
    st.builds(QNormal, _numbers, _sigmas, _q),
    st.builds(QLogNormal, st.sampled_from([-3, 0, 1.5]), _sigmas, _q),
)


def _choices(inner: st.SearchStrategy[Distribution], prefix: str) -> st.SearchStrategy[Distribution]:
    """Choices of plain options and of spaces whose names begin with ``prefix``; the same names recur among options."""
    names = st.sampled_from([f"{prefix}a", f"{prefix}b", f"--{prefix}c"])
    spaces = st.dictionaries(names, inner, max_size=2).map(lambda space: SearchSpace(tuple(space.items())))
    mixed = st.lists(st.sampled_from(["plain", 1, None]) | spaces, min_size=1, max_size=3)
    return st.one_of(_plain_options, mixed).map(lambda options: Choice(tuple(options)))


def _spaces(leaves: st.SearchStrategy[Distribution], *, max_parameters: int) -> st.SearchStrategy[SearchSpace]:
    @st.composite
    def space(draw: st.DrawFn) -> SearchSpace:
        names = draw(
            st.lists(
                st.sampled_from(["lr", "--epochs", "batch-size", "x"]), min_size=1, max_size=max_parameters, unique=True
            )
        )
        return SearchSpace(tuple((name, draw(leaves | _choices(leaves, f"{name.lstrip('-')}."))) for name in names))

    return space()


spaces = _spaces(numbers, max_parameters=4)
finite_spaces = _spaces(finite_numbers, max_parameters=2).filter(lambda space: (space.size or 0) <= 60)
