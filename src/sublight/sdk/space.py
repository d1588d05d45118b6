"""The distributions of a search space, as a user writes them::

    space = {
        "learning_rate": sl.loguniform(1e-5, 1.0),
        "batch_size": sl.choice(150, 200),
        "optimizer": sl.choice({"name": "sgd", "momentum": sl.uniform(0.5, 0.99)}, {"name": "adam"}),
    }

Nothing is drawn here: a distribution is a value that travels to the server with the sweep. Wrong arguments raise
``InvalidInput`` at once.
"""

from __future__ import annotations

from sublight.core.search_space import (
    Choice,
    LogNormal,
    LogUniform,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    RandInt,
    Uniform,
    choice_of,
)


def choice(*options: object) -> Choice:
    """One of the options, each equally likely: ``choice(5, 10, 15)``, ``choice([5, 10, 15])`` or ``choice(range(5))``.

    An option is text, a number, a boolean, None, or a mapping of parameter names to values and distributions. Choosing
    a mapping gives the script that option's own parameters, and no argument named after the choice itself::

        "model": choice({"kind": "linear"}, {"kind": "tree", "depth": randint(8), "leaves": choice(16, 32)})

    A list or range must be the only argument. Repeated options count once.
    """
    if len(options) == 1 and isinstance(options[0], (list, range)):
        return choice_of(options[0])
    return choice_of(options)


def randint(upper: int) -> RandInt:
    """A whole number from 0 up to, but without, ``upper``; ``upper`` is an int of at least 1."""
    return RandInt(upper)


def uniform(min_value: float, max_value: float) -> Uniform:
    """A real number between ``min_value`` and ``max_value``, equally likely everywhere; min_value < max_value."""
    return Uniform(min_value, max_value)


def quniform(min_value: float, max_value: float, q: float) -> QUniform:
    """A uniform number rounded to a multiple of ``q``: round(uniform(min_value, max_value) / q) * q.

    A multiple outside the bounds becomes the bound: ``quniform(1, 11, 4)`` gives 1, 4, 8 or 11. ``q`` is above 0 and
    may be a fraction; when q and both bounds are whole numbers, the results are ints.
    """
    return QUniform(min_value, max_value, q)


def loguniform(min_value: float, max_value: float) -> LogUniform:
    """A number between ``min_value`` and ``max_value`` whose logarithm is uniform: all orders of magnitude alike.

    THE BOUNDS ARE VALUES: ``loguniform(1e-5, 1.0)`` gives numbers between 0.00001 and 1. Azure ML's loguniform takes
    EXPONENTS of e instead, so its ``loguniform(-6, -1)`` is ``loguniform(math.exp(-6), math.exp(-1))`` here. Bounds of
    0 or less are refused, with a sentence that says so.
    """
    return LogUniform(min_value, max_value)


def qloguniform(min_value: float, max_value: float, q: float) -> QLogUniform:
    """A log-uniform number rounded to a multiple of ``q`` and kept within the bounds.

    THE BOUNDS ARE VALUES, not exponents of e as in Azure ML; see ``loguniform``. ``qloguniform(1, 1024, 1)`` gives ints
    between 1 and 1024, as many between 1 and 32 as between 32 and 1024. ``q`` is above 0 and may be a fraction.
    """
    return QLogUniform(min_value, max_value, q)


def normal(mu: float, sigma: float) -> Normal:
    """A normally distributed number of mean ``mu`` and standard deviation ``sigma`` (at least 0); unbounded."""
    return Normal(mu, sigma)


def qnormal(mu: float, sigma: float, q: float) -> QNormal:
    """A normally distributed number rounded to a multiple of ``q``; unbounded. An int when ``q`` is a whole number."""
    return QNormal(mu, sigma, q)


def lognormal(mu: float, sigma: float) -> LogNormal:
    """A positive number whose natural logarithm is normal with mean ``mu`` and standard deviation ``sigma``.

    ``mu`` and ``sigma`` describe the logarithm, as in Azure ML: the median of the values is exp(mu).
    """
    return LogNormal(mu, sigma)


def qlognormal(mu: float, sigma: float, q: float) -> QLogNormal:
    """A log-normal number rounded to a multiple of ``q``, 0 or more. An int when ``q`` is a whole number."""
    return QLogNormal(mu, sigma, q)


__all__ = [
    "choice",
    "randint",
    "uniform",
    "quniform",
    "loguniform",
    "qloguniform",
    "normal",
    "qnormal",
    "lognormal",
    "qlognormal",
]
