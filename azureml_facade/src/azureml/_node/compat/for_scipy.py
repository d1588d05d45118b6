"""Stand-ins for functions of SciPy that were removed without a namesake."""

from __future__ import annotations

from typing import Any


def simps(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1, even: Any = None) -> Any:
    """Simpson's rule."""
    from scipy.integrate import simpson

    return simpson(y, x=x, dx=dx, axis=axis)


def median_absolute_deviation(x: Any, axis: int = 0, center: Any = None, scale: float = 1.4826, **kwargs: Any) -> Any:
    """The median absolute deviation, scaled as that function did by default."""
    from scipy.stats import median_abs_deviation

    if center is not None:
        kwargs["center"] = center
    return median_abs_deviation(x, axis=axis, **kwargs) * scale


def itemfreq(a: Any) -> Any:
    """Each value with how often it occurs."""
    import numpy

    return numpy.stack(numpy.unique(a, return_counts=True), axis=1)


def binom_test(x: Any, n: Any = None, p: float = 0.5, alternative: str = "two-sided") -> float:
    """The p-value of the binomial test."""
    from scipy.stats import binomtest

    if n is None:
        x, n = int(x[0]), int(x[0] + x[1])
    return float(binomtest(int(x), int(n), p, alternative).pvalue)
