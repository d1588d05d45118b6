"""The ten distributions as v1 wrote them: each gives the list ``[name, [arguments]]``; nothing is drawn here.

Checks and traps as in the original (fact sheet §1): the bounds of `loguniform` and `qloguniform` are EXPONENTS of e,
``q`` is not checked for its sign, a tuple is one option.
"""

from __future__ import annotations

from typing import Any

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

Expression = list[Any]


def choice(*options: Any) -> Expression:
    """One of the options: ``choice(1, 2)``, ``choice([1, 2])`` or ``choice(range(1, 3))``."""
    if not options:
        raise HyperDriveConfigException("choice needs at least one option, got none; write choice(1, 2)")
    if any(isinstance(option, (list, range)) for option in options):
        if len(options) > 1:
            raise HyperDriveConfigException(
                f"a list or range must be the only argument of choice, got {len(options)} arguments; "
                "put all options into one list"
            )
        options = tuple(options[0])
        if not options:
            raise HyperDriveConfigException("choice needs at least one option, got an empty list")
    return ["choice", [list(options)]]


def randint(upper: int) -> Expression:
    """A whole number from 0 up to, but without, ``upper``."""
    if not isinstance(upper, int) or upper <= 0:
        raise HyperDriveConfigException(f"upper of randint must be a whole number above 0, got {upper!r}")
    return ["randint", [upper]]


def uniform(min_value: float, max_value: float) -> Expression:
    """A real number between the bounds."""
    _check_bounds("uniform", min_value, max_value, may_be_equal=False)
    return ["uniform", [min_value, max_value]]


def quniform(min_value: float, max_value: float, q: float) -> Expression:
    """round(uniform(min_value, max_value) / q) * q."""
    _check_bounds("quniform", min_value, max_value, may_be_equal=False)
    _check_q("quniform", q)
    return ["quniform", [min_value, max_value, q]]


def loguniform(min_value: float, max_value: float) -> Expression:
    """exp(uniform(min_value, max_value)): THE BOUNDS ARE EXPONENTS, the values lie between e^min and e^max."""
    _check_bounds("loguniform", min_value, max_value, may_be_equal=True)
    return ["loguniform", [min_value, max_value]]


def qloguniform(min_value: float, max_value: float, q: float) -> Expression:
    """round(exp(uniform(min_value, max_value)) / q) * q; the bounds are exponents."""
    _check_bounds("qloguniform", min_value, max_value, may_be_equal=True)
    _check_q("qloguniform", q)
    return ["qloguniform", [min_value, max_value, q]]


def normal(mu: float, sigma: float) -> Expression:
    """A normally distributed number."""
    _check_spread("normal", mu, sigma)
    return ["normal", [mu, sigma]]


def qnormal(mu: float, sigma: float, q: float) -> Expression:
    """round(normal(mu, sigma) / q) * q."""
    _check_spread("qnormal", mu, sigma)
    _check_q("qnormal", q)
    return ["qnormal", [mu, sigma, q]]


def lognormal(mu: float, sigma: float) -> Expression:
    """exp(normal(mu, sigma))."""
    _check_spread("lognormal", mu, sigma)
    return ["lognormal", [mu, sigma]]


def qlognormal(mu: float, sigma: float, q: float) -> Expression:
    """round(exp(normal(mu, sigma)) / q) * q."""
    _check_spread("qlognormal", mu, sigma)
    _check_q("qlognormal", q)
    return ["qlognormal", [mu, sigma, q]]


def _check_bounds(name: str, low: object, high: object, *, may_be_equal: bool) -> None:
    for bound, value in (("min_value", low), ("max_value", high)):
        if not isinstance(value, (int, float)):
            raise HyperDriveConfigException(f"{bound} of {name} must be a number, got {value!r}")
    if low > high or (low == high and not may_be_equal):  # type: ignore[operator]
        relation = "not above" if may_be_equal else "below"
        raise HyperDriveConfigException(f"min_value of {name} must be {relation} max_value, got {low!r} and {high!r}")


def _check_spread(name: str, mu: object, sigma: object) -> None:
    for parameter, value in (("mu", mu), ("sigma", sigma)):
        if not isinstance(value, (int, float)):
            raise HyperDriveConfigException(f"{parameter} of {name} must be a number, got {value!r}")
    if sigma < 0:  # type: ignore[operator]
        raise HyperDriveConfigException(f"sigma of {name} must be 0 or more, got {sigma!r}")


def _check_q(name: str, q: object) -> None:
    if not isinstance(q, (int, float)) or not float(q).is_integer():
        raise HyperDriveConfigException(f"q of {name} must be a whole number, got {q!r}")
